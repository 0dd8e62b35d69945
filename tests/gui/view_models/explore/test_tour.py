"""The toy world as a first look: what it chooses, what it says of its run, and that it leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import Bench
from fakes import READY, SHAPES, TWO_SIDES, make_row, picture
from PySide6.QtCore import QCoreApplication

from capt_engine import records as r
from capt_gui.settings import AttackSettings
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.packed_row import PackedRow
from capt_gui.view_models.explore.tour import folder, lesson

PATHS = tuple(str(folder() / name) for name in ("one-cube.png", "two-cone.png"))
SUMMARY = r.AnalyzeResult(2, 0, "model", 1.0, None, 0.5, None, (), (), r.ThreatModel(), "demo", "none", "cpu", 1.0, 2.0)


def play(bench: Bench, *events: r.Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def found(bench: Bench) -> None:
    """Let the toy world's pictures be found, whatever was asked before that."""
    job = r.JobId(max(n for n, asked in enumerate(bench.engine.requests, 1) if isinstance(asked, r.PreviewRequest)))
    previews = tuple(r.Preview(path, 9, 9, picture()) for path in PATHS)
    events = (r.PicturesFound(job, PATHS), r.PreviewsReady(job, previews), r.JobFinished(job, r.PreviewResult(2, 0)))
    play(bench, *events)


def analyses(bench: Bench) -> list[r.AnalyzeRequest]:
    """The analyses that were asked for."""
    return [request for request in bench.engine.requests if isinstance(request, r.AnalyzeRequest)]


def answered(path: str, clean: int, after: int, sure: float, prompts: str) -> r.PictureRow:
    """A row whose answer went from one class to another, of which the model is so sure."""
    rest = [(1 - sure) / (len(SHAPES) - 1)] * len(SHAPES)
    verdicts = [
        r.Verdict(tuple(shares), tuple(shares))
        for shares in ([*rest[:n], sure, *rest[n + 1 :]] for n in (clean, after))
    ]
    row = make_row(path)
    return replace(row, classes=SHAPES, clean=verdicts[0], attacked=verdicts[1], prompt_id=prompts)


def item(path: str, a: tuple[int, int, float], b: tuple[int, int, float]) -> Item:
    """A picture of the gallery with the answers of A and of B."""
    return Item(path, a=PackedRow(answered(path, *a, "none")), b=PackedRow(answered(path, *b, "toy-capt")))


def test_the_toy_world_is_chosen_whole_and_goes_whole(bench: Bench) -> None:
    """Model, classes, prompts, budget and attack are the usual ones for the look, and afterwards what they were, typed classes too."""
    chosen = bench.settings
    chosen.model, chosen.eps, chosen.compare = "photos", {"linf": 8 / 255}, "off"
    chosen.explore.expert = {"pgd": {"steps": 400}}
    chosen.classes = {"demo": ["cat", "dog"]}
    play(bench, TWO_SIDES)
    bench.desk.tour.start()
    found(bench)
    (request,) = analyses(bench)
    assert request.paths == PATHS
    assert (request.attack, request.options.threat.eps) == (
        r.AttackSpec("pgd", ()),
        bench.desk.choices.attack.usual_eps,
    )
    options = request.options
    assert (options.model, options.prompts, options.compare, options.classes) == ("demo", None, "toy-capt", SHAPES)
    assert bench.desk.tour.leave() == "photos"
    assert (chosen.model, chosen.eps, chosen.compare) == ("photos", {"linf": 8 / 255}, "off")
    assert chosen.explore == AttackSettings(expert={"pgd": {"steps": 400}})
    assert bench.desk.gallery.paths() == ()
    assert chosen.classes == {"demo": ["cat", "dog"]}
    assert bench.desk.tour.leave() == ""


def test_the_toy_world_waits_for_what_there_is_to_compare(bench: Bench) -> None:
    """Asked for before the catalogue is there, its pictures are seen at once and attacked with both prompts later, once."""
    bench.desk.tour.start()
    found(bench)
    assert (bench.desk.gallery.paths(), analyses(bench)) == (PATHS, [])
    play(bench, TWO_SIDES, TWO_SIDES)
    assert [request.options.compare for request in analyses(bench)] == ["toy-capt"]


def test_a_model_that_the_user_chooses_ends_the_look(bench: Bench) -> None:
    """It is theirs then: nothing is put back."""
    play(bench, READY)
    bench.settings.model = "photos"
    bench.desk.tour.start()
    assert bench.desk.tour.is_on
    bench.desk.model.set_model("photos")
    assert (bench.desk.tour.is_on, bench.desk.tour.leave(), bench.settings.model) == (False, "", "photos")


def test_the_sentence_is_said_once_of_the_first_run(bench: Bench) -> None:
    """It comes with the end of the run, from its rows; a second run of the same pictures says nothing."""
    said: list[str] = []
    bench.desk.tour.learned.connect(lambda told: said.append(told.path))
    play(bench, TWO_SIDES)
    bench.desk.tour.start()
    found(bench)
    for _ in range(2):
        job = r.JobId(len(bench.engine.requests))
        rows = [
            row for path in PATHS for row in (answered(path, 1, 2, 0.6, "none"), answered(path, 1, 1, 0.7, "toy-capt"))
        ]
        play(bench, r.JobStarted(job), r.RowsReady(job, tuple(rows)), r.JobFinished(job, SUMMARY))
        bench.desk.analysis.run_all()
    assert said == [PATHS[0]]


def test_the_clearest_picture_is_told_with_the_totals() -> None:
    """Of the pictures that A lost and B kept, the one where both are surest; all pictures are counted."""
    told = lesson([
        item("both held", (0, 0, 0.9), (0, 0, 0.9)),
        item("hardly", (1, 2, 0.3), (1, 1, 0.9)),
        item("clear", (1, 2, 0.7), (1, 1, 0.6)),
        item("another start", (3, 2, 0.9), (1, 1, 0.9)),
        item("both lost", (0, 1, 0.9), (0, 1, 0.9)),
    ])  # fmt: skip
    assert told is not None
    assert told.path == "clear"
    assert told.sentence.replace("\u00a0", " ") == (
        "Attacked within ε = 4/255, plain text (A) kept its answer on 1 of 5 pictures, the tuned prompts (B) on 4: this one "
        "turned from “cube” into “cone” for A and stayed “cube” for B."
    )


@pytest.mark.parametrize(
    "items",
    [
        [],
        [item("a", (1, 1, 0.9), (1, 1, 0.9))],
        [item("a", (1, 2, 0.9), (1, 1, 0.9)), item("b", (1, 1, 0.9), (1, 2, 0.9))],
        [Item("not analysed")],
    ],
)
def test_nothing_is_claimed_that_the_run_did_not_show(items: list[Item]) -> None:
    """Without a picture that tells, or where B kept no more answers than A, there is no sentence."""
    assert lesson(items) is None
