"""Closing the window and Cancel ask first where time would be lost, and say what is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import acted_evaluation as acted
import pytest
from conftest import Bench
from fakes import READY, make_row
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.main_window import MainWindow
from capt_gui.pages.evaluate.page import EvaluatePage
from capt_gui.view_models.navigation import EVALUATE
from capt_gui.view_models.settings_keeper import SettingsKeeper


class Asked:
    """Answers in the place of a dialog, and notes what was asked."""

    def __init__(self) -> None:
        self.answer = False
        self.questions: list[tuple[str, ...]] = []

    def __call__(self, _parent: QWidget, *words: str) -> bool:
        """Note the question and give the answer."""
        self.questions.append(words)
        return self.answer


@pytest.fixture
def asked() -> Asked:
    """Somebody who says no."""
    return Asked()


@pytest.fixture
def window(bench: Bench, asked: Asked, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """The window, shown, on an engine that is ready."""
    bench.desk.store.folder = tmp_path / "runs"
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window, before_close_func=lambda w: w.close_unasked())
    window.ask = asked
    window.show()
    play(bench, READY)
    yield window
    window.close_unasked()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the clock is ahead by."""
    ahead, real = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + ahead[0])
    return ahead


def play(bench: Bench, *events: r.Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def begin(bench: Bench, request: r.EvaluateRequest) -> r.JobId:
    """An evaluation that has begun, with one picture done."""
    bench.desk.evaluation.run.go_on(r.KeptRun(request.options.keep, "", "toys", 0, labelled=True, request=request))
    job = r.JobId(len(bench.engine.requests))
    play(bench, r.JobStarted(job), r.RowsReady(job, acted.quick()[:2]))
    return job


def test_a_long_evaluation_is_asked_about(bench: Bench, window: MainWindow, asked: Asked, clock: list[float]) -> None:
    """How long it has gone on, and that what is there is kept; no leaves the window open and the run alive."""
    job = begin(bench, r.EvaluateRequest("/d", options=r.RunOptions(model="demo", keep="/r/1")))
    clock[0] = 720
    window.close()
    assert window.isVisible()
    ((_, question, answer, hint),) = asked.questions
    assert question == "An evaluation goes on: 12 min of work."
    assert (answer, hint) == (
        "Close, keep what is there",
        "What is there (1 picture) is kept, and the run can be resumed.",
    )
    assert bench.engine.cancelled == []
    asked.answer = True
    window.close()
    assert not window.isVisible()
    play(bench, r.JobCancelled(job))


def test_a_ranking_is_asked_about(bench: Bench, window: MainWindow, asked: Asked, clock: list[float]) -> None:
    """When the window closes, and when it is cancelled: each variant that is done is a run of its own, the table is lost."""
    evaluations = tuple(
        r.EvaluateRequest("/d", options=r.RunOptions(model="demo", prompts=name, keep=f"/r/{name}"))
        for name in ("a", "b")
    )
    ranking = bench.desk.evaluation.ranking
    ranking.go(r.CompareRequest(evaluations))
    job = r.JobId(len(bench.engine.requests))
    play(bench, r.JobStarted(job))
    clock[0] = 720
    window.close()
    assert window.isVisible()
    ((_, question, answer, hint),) = asked.questions
    assert question == "A ranking goes on: 12 min of work."
    assert answer == "Close, keep what is there"
    assert "stay as kept runs" in hint
    asked.answer = True
    window.close()
    play(bench, r.JobCancelled(job))


def test_a_window_that_nothing_goes_on_in_closes_at_once(
    bench: Bench, window: MainWindow, asked: Asked, clock: list[float]
) -> None:
    """Nor is there a question about a few seconds, or about a job that still waits."""
    request = r.EvaluateRequest("/d", options=r.RunOptions(model="demo", keep="/r/1"))
    begin(bench, request)
    window.close()
    assert asked.questions == []
    assert not window.isVisible()
    play(bench, r.JobCancelled(r.JobId(len(bench.engine.requests))))
    bench.desk.evaluation.run.go_on(r.KeptRun("/r/1", "", "toys", 0, labelled=True, request=request))
    clock[0] = 720
    window.show()
    window.close()
    assert asked.questions == []


def test_an_analysis_that_is_not_kept_is_lost(
    bench: Bench, window: MainWindow, asked: Asked, clock: list[float]
) -> None:
    """The answer does not promise what would not be kept; from outside the window closes without a question."""
    bench.settings.keep_runs = False
    bench.desk.gallery.add(["a", "b"])
    bench.desk.analysis.run(["a", "b"])
    job = r.JobId(len(bench.engine.requests))
    play(bench, r.JobStarted(job), r.RowsReady(job, (make_row("a"),)))
    clock[0] = 60
    window.close()
    ((_, question, answer, hint),) = asked.questions
    assert question.startswith("An analysis goes on: 60 s")
    assert (answer, hint) == ("Close", "Runs are not kept, so what is there (1 picture) would be lost.")
    window.close_unasked()
    assert not window.isVisible()


def test_cancel_asks_where_nothing_is_kept(bench: Bench, window: MainWindow, asked: Asked, clock: list[float]) -> None:
    """A run that can be resumed is stopped at once; one that cannot, only if the user says so."""
    window.show_page(EVALUATE)
    page = window.page
    assert isinstance(page, EvaluatePage)
    page.ask = asked
    request = r.EvaluateRequest("/d", options=r.RunOptions(model="demo", keep="/r/1"))
    job = begin(bench, request)
    clock[0] = 720
    page.cancel_action.trigger()
    assert (bench.engine.cancelled, asked.questions) == ([job], [])
    play(bench, r.JobCancelled(job))
    job = begin(bench, replace(request, options=replace(request.options, keep="")))
    clock[0] = 1440
    page.settings_column.job_bar.cancel_clicked.emit()
    assert job not in bench.engine.cancelled
    assert asked.questions[0][1] == "Break off 12 min of work?"
    asked.answer = True
    page.cancel_action.trigger()
    assert job in bench.engine.cancelled
