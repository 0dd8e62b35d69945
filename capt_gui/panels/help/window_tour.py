"""The stops of the tour of the window, with the toy world as its example."""

from __future__ import annotations

from collections.abc import Callable

from capt_gui.panels.help.guided_tour import Stop
from capt_gui.translate import tr
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EXPLORE

PICTURES, VERDICT, TRIPTYCH, CLASSES, ATTACK, RAIL = "pictures", "verdict", "triptych", "classes", "attack", "rail"
"""Names of the stops, which widgets carry in the property `guided_tour.STOP`."""


def has_answer(desk: Desk, path: str) -> bool:
    """Return True once the picture of the gallery at `path` has been analysed."""
    item = desk.gallery.item(path)
    return item is not None and item.row is not None


def window_stops(desk: Desk, show_page: Callable[[str], object]) -> tuple[Stop, ...]:
    """Return the stops of the tour over the pages of `desk`; show_page: brings the page of a key to the front."""

    def explore() -> None:
        show_page(EXPLORE)

    def begin() -> None:
        explore()
        if not desk.tour.is_on:
            desk.tour.start()

    return (
        Stop(
            PICTURES,
            tr("It begins with a picture"),
            tr(
                "Drop one, paste one, or open one: the model says what it sees, and is attacked at once. This tour takes "
                "the toy world as its example: rendered shapes, and a small model that knows them."
            ),
            explore,
        ),
        Stop(
            VERDICT,
            tr("The answer, before and after"),
            tr(
                "Above stands what became of the answer. A is plain text, B are prompts that were tuned to resist. Red has "
                "lost the right answer, green has kept it."
            ),
            begin,
            lambda: any(has_answer(desk, path) for path in desk.gallery.paths()),
            tr("The pictures of the toy world are attacked. This takes a few seconds…"),
        ),
        Stop(
            TRIPTYCH,
            tr("The attack, made visible"),
            tr(
                "On the left what the model sees, in the middle what was added, on the right the sum. To the eye left and "
                "right are alike. The wheel looks closer, in all of them."
            ),
        ),
        Stop(
            CLASSES,
            tr("The names it may choose from"),
            tr("A model always answers with one of these. Take a list that ships, or write names of your own."),
        ),
        Stop(
            ATTACK,
            tr("How much, and how hard"),
            tr("Strength is how far each value of a pixel may move, effort how long is searched. Then press Run."),
        ),
        Stop(
            RAIL,
            tr("And further"),
            tr(
                "Evaluate measures labelled pictures, Tune learns prompts from your own, Report writes it all down, Models "
                "fetches others."
            ),
        ),
        Stop(
            "",
            tr("Help is behind every word"),
            tr(
                "Rest on a term and it says what it means; F1 opens the guide at it. Ctrl+/ lists all keys. This tour comes "
                "again from the Help menu."
            ),
        ),
    )
