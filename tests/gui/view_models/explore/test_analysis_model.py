"""Drops become previews and analyses; whatever ends a job, what it brought stays."""

from __future__ import annotations

import pytest
from conftest import Bench
from fakes import IMAGENET, READY, make_row, picture
from PySide6.QtCore import QCoreApplication

from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    EngineFailed,
    Event,
    FailedPicture,
    Failure,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    JobStarted,
    PicturesFound,
    Preview,
    PreviewRequest,
    PreviewResult,
    PreviewsReady,
    RowsReady,
    ThreatModel,
)

ONE, TWO = JobId(1), JobId(2)
SUMMARY = AnalyzeResult(
    2, 0, "model", 1.0, None, 0.5, None, (), (), ThreatModel(), "demo", "none", "cpu", 1.0, 2.0
)  # fmt: skip


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def dropped(bench: Bench, paths: tuple[str, ...] = ("a", "b"), *, early: bool = False) -> None:
    """Drop pictures and let their previews come; before the engine is ready if it is `early`."""
    if not early:
        play(bench, READY)
    bench.desk.analysis.drop(["folder"])
    previews = tuple(Preview(path, 9, 9, picture()) for path in paths)
    found = PicturesFound(ONE, paths)
    play(bench, JobStarted(ONE), found, PreviewsReady(ONE, previews), JobFinished(ONE, PreviewResult(len(paths), 0)))


def test_a_drop_is_previewed_then_analysed(bench: Bench) -> None:
    """What was dropped is looked for, shown, and analysed at once with the present choices."""
    dropped(bench)
    assert bench.engine.requests == [PreviewRequest(("folder",)), bench.desk.choices.request(("a", "b"))]
    assert [bench.desk.gallery.item(path).state for path in "ab"] == ["waiting", "waiting"]
    play(bench, JobStarted(TWO))
    assert [bench.desk.gallery.item(path).state for path in "ab"] == ["running", "waiting"]
    play(bench, RowsReady(TWO, (make_row("a"),)))
    assert [bench.desk.gallery.item(path).state for path in "ab"] == ["changed", "running"]


def test_pictures_wait_for_the_catalogue(bench: Bench) -> None:
    """Dropped before it is there, they are asked about later, once: with the model's budget and the names of the chosen list."""
    bench.settings.model = "demo"
    bench.settings.class_list = {"demo": "imagenet"}
    dropped(bench, early=True)
    assert bench.engine.requests == [PreviewRequest(("folder",))]
    assert bench.desk.gallery.item("a").state == "waiting"
    assert bench.desk.analysis.is_running
    play(bench, READY, READY)
    asked = [request for request in bench.engine.requests if isinstance(request, AnalyzeRequest)]
    assert [(request.paths, request.options.classes) for request in asked] == [(("a", "b"), IMAGENET)]


def test_pictures_that_wait_for_the_catalogue_can_be_cancelled(bench: Bench) -> None:
    """Cancel lets them be, and so does an engine that cannot start: nothing waits any more."""
    dropped(bench, early=True)
    bench.desk.analysis.cancel()
    assert (bench.desk.gallery.item("a").state, bench.desk.analysis.is_running) == ("ready", False)
    bench.desk.analysis.run_all()
    play(bench, EngineFailed(Failure("DeviceProblem", "No torch.")))
    assert (bench.desk.gallery.item("a").state, bench.desk.analysis.is_running) == ("ready", False)


def test_without_auto_run_a_drop_only_waits(bench: Bench) -> None:
    """The setting is respected."""
    bench.settings.auto_run = False
    dropped(bench)
    assert len(bench.engine.requests) == 1
    assert not bench.desk.analysis.is_running


def test_only_new_and_readable_pictures_run_by_themselves(bench: Bench) -> None:
    """Dropping a folder twice does not attack everything twice, and unreadable files are left out."""
    play(bench, READY)
    bench.desk.gallery.add(["a"])
    bench.desk.analysis.drop(["folder"])
    previews = (Preview("a", 9, 9, picture()), FailedPicture("b", "Bad."), Preview("c", 9, 9, picture()))
    play(
        bench, PicturesFound(ONE, ("a", "b", "c")), PreviewsReady(ONE, previews), JobFinished(ONE, PreviewResult(3, 1))
    )
    last = bench.engine.requests[-1]
    assert isinstance(last, AnalyzeRequest)
    assert last.paths == ("c",)


def test_a_drop_without_pictures_says_so(bench: Bench) -> None:
    """An empty folder is answered with a sentence."""
    failures: list[Failure] = []
    bench.desk.analysis.failed.connect(failures.append)
    bench.desk.analysis.drop(["empty"])
    play(bench, PicturesFound(ONE, ()), JobFinished(ONE, PreviewResult(0, 0)))
    assert [failure.message for failure in failures] == ["No pictures were found there."]
    assert not bench.desk.analysis.is_running


@pytest.mark.parametrize(
    "ending", [JobCancelled(TWO), JobFailed(TWO, Failure("DeviceProblem", "Out of memory."))], ids=["cancel", "fail"]
)
def test_partial_results_stay(bench: Bench, ending: Event) -> None:
    """However a job ends, finished rows stay and the others go back to what they were."""
    dropped(bench)
    play(bench, JobStarted(TWO), RowsReady(TWO, (make_row("a"),)), ending)
    assert [bench.desk.gallery.item(path).state for path in "ab"] == ["changed", "ready"]
    assert not bench.desk.analysis.is_running


def test_running_is_told_once_per_change(bench: Bench) -> None:
    """Between the preview and the analysis that follows it the window does not flicker to idle and back."""
    told: list[bool] = []
    bench.desk.analysis.running_changed.connect(told.append)
    dropped(bench)
    assert told == [True]
    play(bench, JobStarted(TWO), JobFinished(TWO, SUMMARY))
    assert told == [True, False]


def test_cancel_stops_all_that_waits(bench: Bench) -> None:
    """Cancel means the running job and those behind it."""
    play(bench, READY)
    bench.desk.gallery.add(["a"])
    bench.desk.analysis.run_all()
    bench.desk.analysis.drop(["more"])
    bench.desk.analysis.cancel()
    assert bench.engine.cancelled == [ONE, TWO]


def test_run_freezes_the_choices(bench: Bench) -> None:
    """What is changed while a job runs matters to the next one, and marks the old results."""
    play(bench, READY)
    bench.desk.gallery.add(["a"])
    bench.desk.analysis.run_all()
    bench.desk.choices.attack.set_eps(8 / 255)
    play(bench, RowsReady(ONE, (make_row("a"),)))
    item = bench.desk.gallery.item("a")
    assert item.request.options.threat.eps == 4 / 255
    assert not bench.desk.choices.made_with(item.request)
    bench.desk.choices.attack.set_eps(4 / 255)
    assert bench.desk.choices.made_with(item.request)


def test_nothing_to_run_asks_nothing(bench: Bench) -> None:
    """Run with an empty gallery, or with choices that make no sense, submits nothing."""
    play(bench, READY)
    bench.desk.analysis.run_all()
    bench.desk.analysis.drop([])
    bench.desk.gallery.add(["a"])
    bench.desk.choices.set_classes(("only one",), "a {}.")
    bench.desk.analysis.run_all()
    assert bench.engine.requests == []


def test_progress_in_words(bench: Bench) -> None:
    """Progress says what is done, what remains, and what waits."""
    play(bench, READY)
    told: list[tuple[int, int, str]] = []
    bench.desk.analysis.progress_changed.connect(lambda *values: told.append(values))
    bench.desk.gallery.add(["a"])
    bench.desk.analysis.run_all()
    bench.desk.analysis.drop(["more"])
    play(bench, JobProgress(ONE, 3, 10, "Attacking", 12.2), JobProgress(JobId(99), 1, 1, "Not ours", None))
    assert told[-1] == (3, 10, "about 12 s left · Attacking · 1 more waiting")


def test_lost_pictures_are_drawn_again_with_their_own_settings(bench: Bench) -> None:
    """Selecting an old result asks for that one picture, quietly, with the settings it was made with."""
    told: list[bool] = []
    play(bench, READY)
    bench.desk.gallery.add(["a", "b"])
    request = bench.desk.choices.request(("a", "b"))
    bench.desk.gallery.put_rows([make_row("a", with_pictures=False)], request)
    bench.desk.choices.attack.set_eps(8 / 255)
    bench.desk.analysis.running_changed.connect(told.append)
    bench.desk.analysis.redraw("a")
    bench.desk.analysis.redraw("a")
    bench.desk.analysis.redraw("b")
    assert len(bench.engine.requests) == 1
    asked = bench.engine.requests[0]
    assert isinstance(asked, AnalyzeRequest)
    assert (asked.paths, asked.options.threat.eps) == (("a",), 4 / 255)
    play(bench, JobStarted(ONE), RowsReady(ONE, (make_row("a"),)), JobFinished(ONE, SUMMARY))
    assert bench.desk.gallery.pictures("a") is not None
    assert told == []


def test_only_the_latest_selection_is_drawn_again(bench: Bench) -> None:
    """Walking through old results does not pile up work."""
    bench.desk.gallery.add(["a", "b"])
    rows = [make_row(path, with_pictures=False) for path in "ab"]
    bench.desk.gallery.put_rows(rows, bench.desk.choices.request(()))
    bench.desk.analysis.redraw("a")
    bench.desk.analysis.redraw("b")
    assert bench.engine.cancelled == [ONE]
