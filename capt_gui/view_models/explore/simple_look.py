"""The simple view of Explore: one picture, what the model says of it, and one thing to do next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_engine.formatting import budget, unbroken, whole_percent
from capt_engine.records import PictureRow, PictureSet
from capt_gui.settings import OFF
from capt_gui.translate import spoken
from capt_gui.view_models.explore.analysis_model import AnalysisModel
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.explore.tour import Tour, folder
from capt_gui.view_models.stops import strength_stops
from capt_gui.view_models.truth import has_changed

EMPTY, WAITING, ANSWERED, FOOLED, HELD, FAILED = "empty", "waiting", "answered", "fooled", "held", "failed"
# up to this change of a value the eye sees no difference on a screen
_UNSEEN = 4 / 255


class SimpleLook(QObject):
    """Follows the picture that was added last. changed: anything that is shown did.

    picture_wanted: the one thing to do next is to choose a picture.
    """

    changed = Signal()
    picture_wanted = Signal()

    def __init__(
        self,
        choices: Choices,
        gallery: GalleryModel,
        analysis: AnalysisModel,
        tour: Tour,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._choices = choices
        self._gallery = gallery
        self._analysis = analysis
        self._tour = tour
        self.path = ""
        # the answer after the attack may be seen
        self.is_revealed = False
        self._takes_sample = False
        analysis.pictures_found.connect(self.on_pictures_found)
        analysis.running_changed.connect(self.on_running_changed)
        gallery.result_changed.connect(self.on_result_changed)
        gallery.counts_changed.connect(self.on_counts_changed)
        choices.changed.connect(self.changed)

    @property
    def item(self) -> Item | None:
        """The picture that is looked at, as the gallery knows it; None where there is none."""
        return self._gallery.item(self.path)

    @property
    def row(self) -> PictureRow | None:
        """The answers before and after the attack; None while they are not known."""
        item = self.item
        return item.row if item is not None and item.failure is None and not item.pending else None

    @property
    def state(self) -> str:
        """EMPTY, WAITING for an answer, ANSWERED before the attack, FOOLED or HELD after it, or FAILED: it cannot be read."""
        item = self.item
        if self._takes_sample:
            return WAITING
        if item is None:
            return WAITING if self._analysis.is_running else EMPTY
        if item.failure is not None:
            return FAILED
        row = self.row
        if row is None or row.attacked is None:
            return WAITING if self._analysis.is_running or row is None else ANSWERED
        if not self.is_revealed:
            return ANSWERED
        return FOOLED if has_changed(row) else HELD

    @property
    def pictures(self) -> PictureSet | None:
        """The three pictures of the result, None while there are none."""
        return self._gallery.pictures(self.path) if self.row is not None else None

    @property
    def title(self) -> str:
        """The large line over the picture."""
        row, state = self.row, self.state
        if state == FAILED and self.item is not None and self.item.failure is not None:
            return spoken(self.item.failure.message)
        if state == WAITING or row is None:
            return self.tr("The model looks at the picture…")
        before = row.classes[row.clean.winner]
        if state == ANSWERED:
            return self.tr("The model says “{}”").format(before)
        if state == HELD or row.attacked is None:
            return self.tr("The model still says “{}”").format(before)
        return self.tr("“{}” has become “{}”").format(before, row.classes[row.attacked.winner])

    @property
    def sentence(self) -> str:
        """The one sentence that says what is seen, or what can be done."""
        row, state = self.row, self.state
        if state == FAILED and self.item is not None and self.item.failure is not None:
            return spoken(self.item.failure.hint)
        if self._takes_sample:
            return self.tr("Twelve pictures of a small world of shapes are tried; the clearest one is shown.")
        if state == WAITING or row is None:
            return self.tr("This takes a moment.")
        sure = unbroken(whole_percent(row.clean.probabilities[row.clean.winner]))
        if state == ANSWERED:
            asked = self.tr("It is {} sure. Can it be fooled by a change of the picture that nobody notices?")
            return asked.format(sure)
        most = self._most(row)
        if state == HELD or row.attacked is None:
            held = self.tr("No change was found that fools it, with each value of a pixel moved by at most {}.")
            return held.format(most)
        alike = self.tr(
            "To you both pictures are the same; to the model the second is something else. No value of a pixel was moved by "
            "more than {}. That is an adversarial picture."
        )
        nearly = self.tr(
            "The pictures are nearly the same; to the model the second is something else. No value of a pixel was moved by "
            "more than {}. That is an adversarial picture."
        )
        return (alike if row.threat.eps <= _UNSEEN * 1.001 else nearly).format(most)

    @property
    def captions(self) -> tuple[str, str, str]:
        """The words under the picture, the change, and the sum of both."""
        row = self.row
        if row is None:
            return "", "", ""
        before, after = row.clean, row.attacked or row.clean
        words = self.tr("“{}”, {} sure")
        said = [
            words.format(row.classes[one.winner], unbroken(whole_percent(one.probabilities[one.winner])))
            for one in (before, after)
        ]
        return said[0], self.tr("What was added, made visible"), said[1]

    @property
    def button(self) -> str:
        """The words on the one button."""
        state = self.state
        if state == ANSWERED:
            return self.tr("Try to fool the model")
        if state == HELD and self._stronger() is not None:
            return self.tr("Try a stronger change")
        if state == WAITING:
            return self.tr("One moment…")
        return self.tr("Another picture…") if state != EMPTY else self.tr("Choose a picture…")

    def press(self) -> None:
        """Do the one thing that comes next: show the answer after the attack, attack harder, or ask for a picture."""
        state, stronger = self.state, self._stronger()
        if state == ANSWERED:
            self.is_revealed = True
            if self.row is not None and self.row.attacked is None:
                self._analysis.run([self.path])
            self.changed.emit()
        elif state == HELD and stronger is not None:
            self._choices.attack.set_eps(stronger)
            self._analysis.run([self.path])
        elif state != WAITING:
            self.picture_wanted.emit()

    def take_sample(self) -> None:
        """Look at the toy world, and show the picture on which the model is fooled most clearly."""
        self._takes_sample, self.is_revealed = True, False
        self._tour.start(compare=OFF)
        self.changed.emit()

    def look_at(self, path: str) -> None:
        """Look at the picture of the gallery at `path`; "" for none."""
        if path != self.path:
            self.path, self.is_revealed = path, False
            self.changed.emit()

    def on_pictures_found(self, paths: list[str]) -> None:
        """Look at the first of the pictures that were just added; analyse it where new pictures are not analysed at once."""
        if self._takes_sample or not paths:
            return
        self.path, self.is_revealed = paths[0], False
        self.changed.emit()

    def on_running_changed(self, running: bool) -> None:
        """Show the clearest sample once all are analysed, and what has come of the picture that is looked at."""
        if not running and self._takes_sample:
            samples = [path for path in self._gallery.usable_paths() if Path(path).parent == folder()]
            items = [item for path in samples if (item := self._gallery.item(path)) is not None]
            if any(item.row is not None for item in items):
                self._takes_sample = False
                self.path, self.is_revealed = clearest(items), False
        self.changed.emit()

    def on_result_changed(self, path: str) -> None:
        """Emit `changed` where the picture at `path` ("" for several) is the one that is looked at."""
        if path in ("", self.path):
            self.changed.emit()

    def on_counts_changed(self) -> None:
        """Look at nothing once the picture is no longer in the gallery."""
        if self.path and self.item is None:
            self.path, self.is_revealed = "", False
            self.changed.emit()

    def _most(self, row: PictureRow) -> str:
        return row.threat.budget or budget(row.threat.eps, row.threat.norm)

    def _stronger(self) -> float | None:
        """The next budget, None where the strongest was tried."""
        attack, row = self._choices.attack, self.row
        if attack.norm is None or row is None:
            return None
        values = (value for _, value in strength_stops(attack.norm, row.threat.eps) if isinstance(value, float))
        return next((value for value in values if value > row.threat.eps * 1.001), None)


def clearest(items: Iterable[Item]) -> str:
    """Return the path of the picture whose answer changed while the model was surest before and after; "" for no pictures.

    Where no answer changed, that of the first picture.
    """
    best, path = -1.0, ""
    for item in items:
        path = path or item.path
        row = item.row
        if row is None or row.attacked is None or not has_changed(row):
            continue
        sure = min(max(row.clean.probabilities), max(row.attacked.probabilities))
        if sure > best:
            best, path = sure, item.path
    return path
