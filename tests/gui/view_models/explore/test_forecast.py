"""A folder never starts a long job unasked: above a minute the page asks for all, fifty evenly chosen, or none."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import Bench
from fakes import READY, make_row, summary
from finding import button
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    AnalyzeRequest,
    Event,
    JobCancelled,
    JobFinished,
    JobId,
    JobStarted,
    PicturesFound,
    PreviewResult,
    RowsReady,
)
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.view_models.explore.forecast import Paces, evenly

MANY = tuple(f"/d/{number:04d}.png" for number in range(200))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the clock shows; it stands still unless a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def page(bench: Bench, qtbot: QtBot) -> Iterator[ExplorePage]:
    """The page, shown, on an engine that is ready."""
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    page.show()
    play(bench, READY)
    yield page
    page.leave()


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def last(bench: Bench) -> tuple[JobId, AnalyzeRequest]:
    """The analysis asked for last."""
    request = bench.engine.requests[-1]
    assert isinstance(request, AnalyzeRequest)
    return JobId(len(bench.engine.requests)), request


def drop(bench: Bench, page: ExplorePage, paths: tuple[str, ...] = MANY) -> None:
    """A folder was dropped, and these were found in it."""
    page.open_paths(["/d"])
    job = JobId(len(bench.engine.requests))
    play(bench, PicturesFound(job, paths), JobFinished(job, PreviewResult(len(paths), 0)))


def looked(bench: Bench, clock: list[float], first_s: float, each_s: float) -> None:
    """The first look has ended: the first picture took so long, each other one so long."""
    job, request = last(bench)
    play(bench, JobStarted(job))
    clock[0] += first_s
    play(bench, RowsReady(job, (make_row(request.paths[0]),)))
    clock[0] += each_s * 2
    play(bench, RowsReady(job, tuple(make_row(path) for path in request.paths[1:])))
    play(bench, JobFinished(job, replace(summary(request), n=3)))


def test_a_long_job_is_asked_about(bench: Bench, page: ExplorePage, clock: list[float]) -> None:
    """Three evenly chosen pictures give the forecast, in which the first one's warming up does not count; nothing else runs."""
    drop(bench, page)
    _, look = last(bench)
    assert look.paths == (MANY[0], MANY[100], MANY[199])
    assert look.options.keep == ""
    looked(bench, clock, 30.0, 36.0)
    assert page.banner.accessibleName() == "200 pictures would take about 2.0 h."
    assert last(bench)[1] == look
    assert not bench.desk.analysis.is_running
    assert {bench.desk.gallery.item(path).pending for path in MANY} == {""}  # type: ignore[union-attr]


@pytest.mark.parametrize(("answer", "n"), [("All", 200), ("50 evenly chosen", 50), ("None", 0)])
def test_each_answer_does_what_it_says(
    bench: Bench, page: ExplorePage, clock: list[float], answer: str, n: int
) -> None:
    """All of them, fifty from the first to the last, or none; the question goes."""
    drop(bench, page)
    looked(bench, clock, 1.0, 1.0)
    before = len(bench.engine.requests)
    button(page.banner, answer).click()
    assert not page.banner.isVisible()
    if n:
        chosen = last(bench)[1].paths
        assert (len(chosen), chosen[0], chosen[-1]) == (n, MANY[0], MANY[-1])
    else:
        assert len(bench.engine.requests) == before


def test_a_short_job_begins_by_itself(bench: Bench, page: ExplorePage, clock: list[float]) -> None:
    """Within a minute, and without a first look where the pace is known or there are few pictures."""
    drop(bench, page)
    looked(bench, clock, 30.0, 0.1)
    job, request = last(bench)
    assert request.paths == MANY
    assert not page.banner.isVisible()
    play(bench, JobStarted(job), JobFinished(job, replace(summary(request), n=200, wall_s=400.0)))
    more = tuple(f"/e/{number}.png" for number in range(20))
    drop(bench, page, more)
    assert last(bench)[1].paths == more
    play(bench, JobCancelled(last(bench)[0]))
    drop(bench, page, tuple(f"/f/{number}.png" for number in range(40)))
    assert page.banner.accessibleName() == "40 pictures would take about 80 s."
    assert "evenly" not in "".join(one.text() for one in page.banner.findChildren(QPushButton) if one.isVisible())
    drop(bench, page, ("/g/1.png", "/g/2.png"))
    assert last(bench)[1].paths == ("/g/1.png", "/g/2.png")
    assert page.banner.isVisible()


def test_a_first_look_that_is_cancelled_leaves_nothing_waiting(
    bench: Bench, page: ExplorePage, clock: list[float]
) -> None:
    """No job follows, and no card says that it waits."""
    del clock
    drop(bench, page)
    before = len(bench.engine.requests)
    page.cancel_action.trigger()
    play(bench, JobCancelled(last(bench)[0]))
    assert len(bench.engine.requests) == before
    assert not any(item.pending for path in MANY if (item := bench.desk.gallery.item(path)))


def test_pictures_of_the_start_are_asked_about_too(bench: Bench, qtbot: QtBot, clock: list[float]) -> None:
    """They wait for the catalogue; then comes the first look, and not all of them."""
    del clock
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    drop(bench, page)
    play(bench, READY)
    assert len(last(bench)[1].paths) == 3
    page.leave()


def test_evenly_chosen_pictures_reach_from_end_to_end() -> None:
    """None twice, in order, and all where there are no more."""
    for n in (51, 99, 100, 2338):
        chosen = evenly([str(number) for number in range(n)])
        assert (len(set(chosen)), chosen[0], chosen[-1]) == (50, "0", str(n - 1))
        gaps = [int(b) - int(a) for a, b in itertools.pairwise(chosen)]
        assert max(gaps) - min(gaps) <= 1
    assert evenly(["a", "b"]) == ("a", "b")


def test_stored_answers_do_not_make_a_forecast_short() -> None:
    """Where rows were looked up, a picture counts the time that it took when it was computed, A's and B's."""
    request = AnalyzeRequest(("/a.png", "/b.png"))
    for compare, seconds in ((None, 0.5), ("none", 1.0)):
        asked = replace(request, options=replace(request.options, compare=compare))
        paces = Paces()
        paces.note(asked, replace(summary(asked), wall_s=0.01, rows_from_store=2))
        assert [one.seconds(1) for one in paces.values()] == [seconds]
        paces.note(asked, replace(summary(asked), wall_s=3.0))
        assert [one.seconds(1) for one in paces.values()] == [1.5]


def banner(page: ExplorePage) -> str:
    """The words of the banner, "" where there is none."""
    labels = page.banner.findChildren(QLabel)
    return next((one.text() for one in labels if one.isVisible() and one.text()), "")


def test_what_is_wrong_with_the_store_is_said_once(bench: Bench, page: ExplorePage) -> None:
    """A run that could store nothing ends as any other; its sentence stands in the banner, and does not come again and again."""
    said: list[str] = []
    bench.desk.analysis.finished.connect(lambda _: said.append(banner(page)))
    result = replace(summary(AnalyzeRequest(("/a.png",))), store_note="The result store is not used: the disk is full.")
    bench.desk.analysis.finished.emit(result)
    assert said == ["The result store is not used: the disk is full."]
    page.banner.hide()
    bench.desk.analysis.finished.emit(result)
    assert said[1:] == [""]
