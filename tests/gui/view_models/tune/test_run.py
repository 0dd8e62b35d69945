"""Step 4 without a widget: a scripted engine, and what the run makes of its events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import acted_tuning as tuning
import pytest
from conftest import Bench
from fakes import READY
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    Event,
    Failure,
    JobCancelled,
    JobContinued,
    JobFailed,
    JobFinished,
    JobId,
    JobPaused,
    JobProgress,
    JobStarted,
    TuneEpoch,
    TuneNewsReady,
    TuneRequest,
)
from capt_gui.view_models.tune.project import KEEP, RESUME, START_OVER
from capt_gui.view_models.tune.run import TuneRun
from capt_gui.view_models.tune.state import DONE, IDLE, PAUSED, RUNNING, STOPPED

JOB = JobId(1)


def play(bench: Bench, *events: Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


@pytest.fixture
def run(bench: Bench) -> TuneRun:
    """A run that has not begun, of a project with pictures."""
    play(bench, READY)
    bench.desk.tuning.project.change(data=("/pictures",))
    return bench.desk.tuning.run


def epoch(number: int, *, best: bool = True) -> TuneEpoch:
    """An epoch of ten."""
    return TuneEpoch(number, 10, 1.0, tuning.share(0.7), tuning.share(0.3), best)


def asked(bench: Bench) -> TuneRequest:
    """The run asked for last."""
    request = bench.engine.requests[-1]
    assert isinstance(request, TuneRequest)
    return request


def state_file(bench: Bench) -> Path:
    """What the engine leaves beside the prompts of a stopped run."""
    return bench.desk.tuning.project.folder / "prompts.safetensors.state"


def leave_state(bench: Bench) -> None:
    """A run was stopped here."""
    bench.desk.tuning.project.folder.mkdir(parents=True, exist_ok=True)
    state_file(bench).write_bytes(b"state")


def test_all_that_is_told_is_kept(bench: Bench, run: TuneRun, qtbot: QtBot) -> None:
    """Steps, epochs, plain text, pictures, notices and the forecast are there for whoever looks, told in few redraws."""
    run.start()
    drawn: list[int] = []
    run.drawn.connect(lambda: drawn.append(1))
    play(bench, JobStarted(JOB), *(TuneNewsReady(JOB, news) for news in tuning.news(asked(bench))))
    with qtbot.waitSignal(run.drawn):
        pass
    assert len(run.steps) == 3 * tuning.STEPS
    assert [one.epoch for one in run.epochs] == [1, 2, 3]
    assert run.plain is not None
    assert run.plain.epoch == 0
    assert run.strip is not None
    assert run.strip.epoch == 3
    assert run.notices == ["After epoch 2: the batch was halved to 4, as memory ran out."]
    assert run.forecast is not None
    assert len(drawn) < 5
    assert bench.desk.tuning.project.state.epoch == 3


def test_the_project_knows_that_it_runs(bench: Bench, run: TuneRun) -> None:
    """From the first moment, so that a crash finds an interrupted run; pausing and going on are told by the engine."""
    project = bench.desk.tuning.project
    run.start()
    assert project.state.run == RUNNING
    assert project.is_busy
    run.pause()
    assert bench.engine.paused == [JOB]
    assert project.state.run == RUNNING
    play(bench, JobPaused(JOB))
    assert project.state.run == PAUSED
    assert run.is_paused
    run.resume()
    play(bench, JobContinued(JOB))
    assert bench.engine.resumed == [JOB]
    assert project.state.run == RUNNING


def test_progress_says_how_long_it_will_take(bench: Bench, run: TuneRun) -> None:
    """The bar's words begin with the time that is left."""
    run.start()
    play(bench, JobStarted(JOB), JobProgress(JOB, 20, 72, "tuning", 240.0))
    assert run.progress == (20, 72, "about 4 min left · Tuning")


def test_the_end_is_remembered_with_what_made_it(bench: Bench, run: TuneRun) -> None:
    """The prompts' own request outlives the window, so that later changes of step 3 cannot be taken for it."""
    run.start()
    result = replace(tuning.tuned(asked(bench), 3), stopped_after=2)
    play(bench, JobFinished(JOB, result))
    project = bench.desk.tuning.project
    assert run.is_done
    assert project.state.run == DONE
    assert run.result == result
    project.change(method="apt")
    again = TuneRun(bench.desk.bridge, project, bench.desk.tuning.method.request)
    assert again.made_by == replace(asked(bench), stop_after=2)
    assert again.made_by is not None
    assert again.made_by.method == "capt"
    assert again.command == tuning.COMMAND
    again.deleteLater()


def test_the_curves_are_there_for_whoever_comes_back(bench: Bench, run: TuneRun) -> None:
    """A project that is opened again shows what its run looked like."""
    run.start()
    told = [TuneNewsReady(JOB, news) for news in tuning.news(asked(bench))]
    play(bench, *told, JobFinished(JOB, tuning.tuned(asked(bench), 3)))
    steps, epochs, project = list(run.steps), run.epochs, bench.desk.tuning.project
    before = project.id
    project.start_new()
    assert run.steps == []
    assert project.open(before)
    assert run.steps == steps
    assert run.epochs == epochs
    assert run.plain is not None


def test_stop_keeps_and_cancel_leaves_the_way_back(bench: Bench, run: TuneRun) -> None:
    """Both are asked of the engine once; after a cancel with a whole epoch, one can go on."""
    run.start()
    run.stop_and_keep()
    assert bench.engine.stopped == [JOB]
    assert run.is_ending
    leave_state(bench)
    play(bench, JobCancelled(JOB))
    assert run.can_resume
    assert bench.desk.tuning.project.state.run == STOPPED
    run.start()
    assert asked(bench).resume
    run.cancel()
    assert bench.engine.cancelled == [JobId(2)]


def test_a_stop_without_an_epoch_says_why_there_is_nothing(bench: Bench, run: TuneRun) -> None:
    """The engine's reason is kept for the page; nothing is offered to go on from."""
    run.start()
    run.stop_and_keep()
    play(bench, JobCancelled(JOB, "Stopped before the first epoch had ended: there are no prompts to keep yet."))
    assert run.reason.startswith("Stopped before the first epoch")
    assert not run.can_resume
    assert bench.desk.tuning.project.state.run == IDLE


def test_an_interrupted_run_is_gone_on_with(bench: Bench, run: TuneRun) -> None:
    """Resume asks for the same run with resume; epochs are told again and counted once."""
    leave_state(bench)
    bench.desk.tuning.project.answer(RESUME)
    assert asked(bench) == bench.desk.tuning.method.request(True)
    play(bench, TuneNewsReady(JOB, (epoch(1), epoch(2), epoch(2))))
    assert [one.epoch for one in run.epochs] == [1, 2]


def test_what_there_is_can_be_kept_without_another_epoch(bench: Bench, run: TuneRun) -> None:
    """Keep what there is: the same run, resumed, to end where it was."""
    leave_state(bench)
    bench.desk.tuning.project.change(epoch=4, epochs=10)
    bench.desk.tuning.project.answer(KEEP)
    assert asked(bench).resume
    assert asked(bench).stop_after == 4
    assert run.is_running


def test_starting_over_forgets_and_waits(bench: Bench, run: TuneRun) -> None:
    """The old state goes, and nothing begins before Start is pressed: settings may be changed first."""
    leave_state(bench)
    bench.desk.tuning.project.answer(START_OVER)
    assert not state_file(bench).exists()
    assert not bench.engine.requests
    assert bench.desk.tuning.project.state.run == IDLE
    run.start()
    assert not asked(bench).resume


def test_a_new_run_takes_the_place_of_a_finished_one(bench: Bench, run: TuneRun) -> None:
    """The engine writes over nothing, so the project's own old file goes first; what was measured with it is no longer told."""
    run.start()
    play(bench, JobFinished(JOB, tuning.tuned(asked(bench), 3)))
    bench.desk.tuning.project.change(test_run="/kept", saved="mine")
    run.start()
    assert not Path(asked(bench).out).exists()
    assert bench.desk.tuning.project.state.test_run == bench.desk.tuning.project.state.saved == ""


def test_a_failure_is_told_and_the_run_can_begin_again(bench: Bench, run: TuneRun) -> None:
    """What could not be done is kept for the page; nothing is left running."""
    run.start()
    play(bench, JobFailed(JOB, Failure("DeviceProblem", "Memory ran out.", "Choose a smaller batch.")))
    assert run.failure is not None
    assert not run.is_running
    assert bench.desk.tuning.project.state.run == IDLE
    run.start()
    assert run.failure is None


def test_another_projects_window_shows_nothing_of_this_run(bench: Bench, run: TuneRun) -> None:
    """What was told belongs to its project."""
    run.start()
    play(bench, TuneNewsReady(JOB, (epoch(1),)), JobFinished(JOB, tuning.tuned(asked(bench), 1)))
    bench.desk.tuning.project.start_new()
    assert run.epochs == ()
    assert run.result is None
    assert not run.is_done
