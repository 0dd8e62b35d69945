"""A tuning job lets others through, waits when it is paused, and ends with what it has when it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from capt_engine.api import Engine
from capt_engine.errors import BadRequest, Stopped
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.records import (
    EvaluateRequest,
    JobCancelled,
    JobContinued,
    JobFailed,
    JobFinished,
    JobPaused,
    JobProgress,
    JobStarted,
    TuneRequest,
)
from tests.engine.jobs.light import ENDINGS, Witness, until_cancelled


@dataclass(frozen=True)
class LightTune(TuneRequest):
    """A tuning request whose work is a function of the tick."""

    data: str = ""
    out: str = ""
    work: Callable[[StoppableProgress], Any] = until_cancelled

    def __call__(self, progress: StoppableProgress) -> Any:
        """Do it."""
        return self.work(progress)


@dataclass(frozen=True)
class LightEvaluate(EvaluateRequest):
    """An evaluation whose work is a function of the tick."""

    data: str = ""
    work: Callable[[StoppableProgress], Any] = until_cancelled

    def __call__(self, progress: StoppableProgress) -> Any:
        """Do it."""
        return self.work(progress)


class Turning:
    """Work that turns until it is released, or told to keep what it has."""

    def __init__(self) -> None:
        self.turns = 0
        self.released = threading.Event()

    def __call__(self, progress: StoppableProgress) -> str:
        """Turn."""
        try:
            while not self.released.is_set():
                self.turns += 1
                progress(1, 2, "turning")
                time.sleep(0.001)
        except Stopped:
            if self.turns < 3:
                raise Stopped("Nothing has turned yet.") from None
            return "kept"
        return "whole"


def test_waiting_jobs_run_inside_a_tuning_job_and_other_tuning_after_it(engine: Engine, heard: Witness) -> None:
    """On the same thread, in their order and each to its end; a second tuning job waits for the first one's end."""
    turning = Turning()
    first = engine.submit(LightTune(work=turning))
    heard.wait_for(JobProgress, of=first)
    second = engine.submit(LightTune(work=lambda _: "second"))
    others = [engine.submit(lambda _, i=i: i) for i in range(5)]
    heard.wait_for(JobFinished, of=others[-1])
    assert heard.of(second) == []
    turning.released.set()
    heard.wait_for(JobFinished, of=second)
    told = [event for event in heard.events if isinstance(event, (JobStarted, *ENDINGS))]
    inner = [event for i, job in enumerate(others) for event in (JobStarted(job), JobFinished(job, i))]
    outer = [JobFinished(first, "whole"), JobStarted(second), JobFinished(second, "second")]
    assert told == [JobStarted(first), *inner, *outer]
    assert heard.threads == {"capt-engine"}


def test_an_evaluation_steps_aside_too(engine: Engine, heard: Witness) -> None:
    """Small views are drawn while it measures; a tuning run waits for it; to stop it is to cancel it."""
    first = engine.submit(LightEvaluate(work=Turning()))
    heard.wait_for(JobProgress, of=first)
    tuning = engine.submit(LightTune(work=lambda _: "tuned"))
    view = engine.submit(lambda _: "view")
    heard.wait_for(JobFinished, of=view)
    assert heard.of(tuning) == []
    engine.stop(first)
    assert heard.wait_for(*ENDINGS, of=first) == JobCancelled(first)
    assert heard.wait_for(*ENDINGS, of=tuning) == JobFinished(tuning, "tuned")


def test_a_paused_job_waits_while_others_go_on(engine: Engine, heard: Witness) -> None:
    """It says that it waits, does nothing until it is resumed, and serves whoever comes meanwhile."""
    turning = Turning()
    job = engine.submit(LightTune(work=turning))
    heard.wait_for(JobProgress, of=job)
    engine.pause(job)
    heard.wait_for(JobPaused, of=job)
    turns = turning.turns
    other = engine.submit(lambda _: "other")
    heard.wait_for(JobFinished, of=other)
    time.sleep(0.05)
    assert turning.turns == turns
    engine.resume(job)
    heard.wait_for(JobContinued, of=job)
    turning.released.set()
    assert heard.wait_for(*ENDINGS, of=job) == JobFinished(job, "whole")
    assert [kind for kind in heard.of(job) if kind in ("JobPaused", "JobContinued")] == ["JobPaused", "JobContinued"]


def test_a_job_paused_in_the_queue_waits_at_its_first_tick(engine: Engine, heard: Witness) -> None:
    """Pausing what has not begun holds it at its beginning."""
    running = engine.submit(until_cancelled)
    turning = Turning()
    job = engine.submit(LightTune(work=turning))
    engine.pause(job)
    engine.cancel(running)
    heard.wait_for(JobPaused, of=job)
    assert turning.turns == 1
    engine.cancel(job)
    assert heard.wait_for(*ENDINGS, of=job) == JobCancelled(job)


@pytest.mark.parametrize(("way", "ending"), [("cancel", JobCancelled), ("stop", JobFinished), ("close", JobCancelled)])
def test_a_paused_job_can_be_ended(engine: Engine, heard: Witness, way: str, ending: type) -> None:
    """By cancelling, by keeping the best, and by leaving, without going on first."""
    turning = Turning()
    job = engine.submit(LightTune(work=turning))
    heard.wait_for(JobProgress, of=job)
    while turning.turns < 3:
        time.sleep(0.001)
    engine.pause(job)
    heard.wait_for(JobPaused, of=job)
    turns = turning.turns
    assert engine.close() if way == "close" else getattr(engine, way)(job) is None
    assert isinstance(heard.wait_for(*ENDINGS, of=job), ending)
    assert turning.turns == turns
    assert "JobContinued" not in heard.of(job)


def test_stopping_keeps_what_there_is_or_says_why_not(engine: Engine, heard: Witness) -> None:
    """A tuning job with something to keep finishes; one without is cancelled with its own sentence."""
    turning = Turning()
    job = engine.submit(LightTune(work=turning))
    heard.wait_for(JobProgress, of=job)
    while turning.turns < 3:
        time.sleep(0.001)
    engine.stop(job)
    assert heard.wait_for(*ENDINGS, of=job) == JobFinished(job, "kept")
    begun = threading.Event()
    asked = threading.Event()

    def slow(progress: StoppableProgress) -> str:
        begun.set()
        asked.wait(10)
        return Turning()(progress)

    early = engine.submit(LightTune(work=slow))
    begun.wait(10)
    engine.stop(early)
    asked.set()
    assert heard.wait_for(*ENDINGS, of=early) == JobCancelled(early, "Nothing has turned yet.")


def test_stopping_any_other_job_is_cancelling_it_and_pausing_it_is_nothing(engine: Engine, heard: Witness) -> None:
    """Only tuning has a best to keep, and only tuning lasts long enough to wait."""
    job = engine.submit(until_cancelled)
    heard.wait_for(JobProgress, of=job)
    engine.pause(job)
    queued = engine.submit(LightTune(work=Turning()))
    engine.stop(queued)
    engine.stop(job)
    assert heard.wait_for(*ENDINGS, of=job) == JobCancelled(job)
    assert heard.wait_for(*ENDINGS, of=queued) == JobCancelled(queued)
    assert heard.of(queued) == ["JobCancelled"]
    assert "JobPaused" not in heard.of(job)


def test_what_becomes_of_an_inner_job_is_its_own(
    engine: Engine, heard: Witness, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused, broken, or cancelled while it runs or waits: the tuning job goes on and ends whole."""

    def refuse(_: StoppableProgress) -> None:
        raise BadRequest("No.")

    turning = Turning()
    job = engine.submit(LightTune(work=turning))
    heard.wait_for(JobProgress, of=job)
    refused, broken, endless = engine.submit(refuse), engine.submit(lambda _: 1 / 0), engine.submit(until_cancelled)
    queued, last = engine.submit(lambda _: "never"), engine.submit(lambda _: "last")
    heard.wait_for(JobProgress, of=endless)
    engine.cancel(queued)
    engine.cancel(endless)
    heard.wait_for(JobFinished, of=last)
    turning.released.set()
    assert heard.wait_for(*ENDINGS, of=job) == JobFinished(job, "whole")
    assert heard.wait_for(JobFailed, of=refused).failure.message == "No."
    assert heard.wait_for(JobFailed, of=broken).failure.kind == "ZeroDivisionError"
    assert heard.of(queued) == ["JobCancelled"]
    assert heard.of(endless)[-1] == "JobCancelled"
    assert "ZeroDivisionError" in caplog.text


def test_closing_ends_the_inner_and_the_outer_and_all_that_wait(engine: Engine, heard: Witness) -> None:
    """One ending each, and no thread is left."""
    outer = engine.submit(LightTune(work=Turning()))
    heard.wait_for(JobProgress, of=outer)
    inner = engine.submit(until_cancelled)
    heard.wait_for(JobProgress, of=inner)
    waiting, tuning = engine.submit(lambda _: 0), engine.submit(LightTune(work=Turning()))
    assert engine.close()
    for job in (outer, inner, waiting, tuning):
        assert heard.of(job)[-1] == "JobCancelled"
        assert sum(kind == "JobCancelled" for kind in heard.of(job)) == 1


def test_time_aside_is_not_counted_into_what_remains(engine: Engine, heard: Witness) -> None:
    """Half a second spent on another job leaves the estimate as if it had not been."""

    def four_steps(progress: StoppableProgress) -> None:
        for done in range(5):
            progress(done, 10, "")
            if done == 1:
                other.append(engine.submit(lambda _: time.sleep(1.0)))
            time.sleep(0.06)

    other: list[Any] = []
    job = engine.submit(LightTune(work=four_steps))
    heard.wait_for(*ENDINGS, of=job)
    remaining = [event.remaining_s for event in heard.events if isinstance(event, JobProgress) and event.job == job]
    assert heard.of(other[0]) == ["JobStarted", "JobFinished"]
    # six steps of 0.06 s; counted in, the second would make it 2 s and more
    assert remaining[-1] is not None
    assert remaining[-1] < 1.2
