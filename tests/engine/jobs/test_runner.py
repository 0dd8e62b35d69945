"""Jobs run in order on one thread, end in exactly one event, and never take the thread down with them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from capt_engine.api import Engine
from capt_engine.errors import BadRequest
from capt_engine.jobs import worker_threads
from capt_engine.jobs.stoppable import REPORT_EVERY_S
from capt_engine.records import (
    EngineFailed,
    EngineNote,
    EngineReady,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobStarted,
)
from tests.engine.jobs.light import ENDINGS, Witness, light_science, until_cancelled


def test_ready_comes_before_any_job(engine: Engine, heard: Witness) -> None:
    """First what is being loaded, then that the engine is ready, with all there is to choose from; then the jobs."""
    job = engine.submit(lambda _: "done")
    heard.wait_for(JobFinished)
    assert heard.events == [
        EngineNote("Loading nothing"),
        EngineReady("catalogue", "cpu"),
        JobStarted(job),
        JobFinished(job, "done"),
    ]


def test_jobs_run_one_by_one_in_order_on_the_workers_thread(engine: Engine, heard: Witness) -> None:
    """None starts before the one before it has ended, and all is told on one thread that is not the caller's."""
    jobs = [engine.submit(lambda _, i=i: i) for i in range(20)]
    heard.wait_for(*ENDINGS, of=jobs[-1])
    told = [event for event in heard.events if hasattr(event, "job")]
    assert told == [event for i, job in enumerate(jobs) for event in (JobStarted(job), JobFinished(job, i))]
    assert heard.threads == {"capt-engine"}
    assert len(set(jobs)) == 20


def test_an_expected_failure_is_a_sentence_and_the_next_job_runs(engine: Engine, heard: Witness) -> None:
    """Message and hint travel, no traceback does."""

    def refuse(_: object) -> None:
        raise BadRequest("There are no classes.", "Name some.")

    first, second = engine.submit(refuse), engine.submit(lambda _: 2)
    heard.wait_for(JobFinished, of=second)
    failure = heard.wait_for(JobFailed, of=first).failure
    assert (failure.kind, failure.message, failure.hint) == ("BadRequest", "There are no classes.", "Name some.")
    assert failure.traceback == ""


def test_a_bug_is_a_sentence_with_a_traceback_and_the_next_job_runs(
    engine: Engine, heard: Witness, caplog: pytest.LogCaptureFixture
) -> None:
    """The user reads a sentence, the log and the crash report hold the rest, and the thread lives on."""
    first, second = engine.submit(lambda _: 1 / 0), engine.submit(lambda _: 2)
    heard.wait_for(JobFinished, of=second)
    failure = heard.wait_for(JobFailed, of=first).failure
    assert failure.kind == "ZeroDivisionError"
    assert "division by zero" in failure.message
    assert "Traceback" in failure.traceback
    assert "ZeroDivisionError" in caplog.text


def test_a_running_job_is_cancelled_at_its_next_tick(engine: Engine, heard: Witness) -> None:
    """At the very next one, with one ending, and the next job runs."""
    first, cancelled = threading.Event(), threading.Event()
    passed: list[int] = []

    def step(progress: Callable[..., None]) -> None:
        for done in range(10):
            progress(done, 10, "stepping")
            passed.append(done)
            first.set()
            cancelled.wait(30)

    job, after = engine.submit(step), engine.submit(lambda _: "next")
    assert first.wait(30)
    engine.cancel(job)
    cancelled.set()
    heard.wait_for(JobCancelled, of=job)
    assert passed == [0]
    heard.wait_for(JobFinished, of=after)
    assert [kind for kind in heard.of(job) if kind != "JobProgress"] == ["JobStarted", "JobCancelled"]


def test_a_queued_job_is_cancelled_without_being_started(engine: Engine, heard: Witness) -> None:
    """It ends in its turn, and its work is never begun."""
    begun: list[str] = []
    first = engine.submit(until_cancelled)
    second, third = engine.submit(lambda _: begun.append("second")), engine.submit(lambda _: begun.append("third"))
    engine.cancel(second)
    engine.cancel(first)
    heard.wait_for(JobFinished, of=third)
    assert heard.of(second) == ["JobCancelled"]
    assert begun == ["third"]


def test_cancelling_what_is_over_or_never_was_is_nothing(engine: Engine, heard: Witness) -> None:
    """A second Cancel, a late one, and one for a job that nobody knows change nothing."""
    job = engine.submit(lambda _: 1)
    heard.wait_for(JobFinished, of=job)
    engine.cancel(job)
    engine.cancel(JobId(99))
    after = engine.submit(lambda _: 2)
    heard.wait_for(JobFinished, of=after)
    assert heard.of(job) == ["JobStarted", "JobFinished"]


def test_every_job_has_exactly_one_ending(engine: Engine, heard: Witness) -> None:
    """Whatever becomes of three hundred jobs (done, failed, cancelled waiting or running, caught by the close)."""
    chance = random.Random(0)

    def brief(progress: Callable[..., None]) -> None:
        for _ in range(chance.randrange(4)):
            progress(0, 3, "")
        if chance.random() < 0.2:
            raise BadRequest("No.")

    jobs = []
    for _ in range(300):
        jobs.append(engine.submit(brief))
        if chance.random() < 0.3:
            engine.cancel(chance.choice(jobs))
    jobs.append(engine.submit(until_cancelled))
    jobs.append(engine.submit(brief))
    assert engine.close()
    jobs.append(engine.submit(brief))
    for job in jobs:
        kinds = [kind for kind in heard.of(job) if kind != "JobProgress"]
        assert sum(kind != "JobStarted" for kind in kinds) == 1, kinds
        assert kinds.count("JobStarted") <= 1
        assert kinds[-1] != "JobStarted"


def test_many_threads_may_submit_and_cancel(engine: Engine, heard: Witness) -> None:
    """Every method may be called from anywhere; no id is given twice, no job is lost."""
    jobs: list[JobId] = []

    def submit() -> None:
        for _ in range(50):
            jobs.append(engine.submit(lambda progress: progress(0, 1, "")))
            engine.cancel(jobs[-1])

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = engine.submit(lambda _: 0)
    heard.wait_for(JobFinished, of=last)
    assert len(set(jobs)) == 200
    assert sum(isinstance(event, ENDINGS) for event in heard.events) == 201


def test_close_cancels_everything_and_joins(engine: Engine, heard: Witness) -> None:
    """The running job stops, the waiting one never starts, and no thread is left; closing twice is closing once."""
    running, waiting = engine.submit(until_cancelled), engine.submit(lambda _: 0)
    heard.wait_for(JobStarted, of=running)
    assert engine.close()
    assert not any(thread.name == "capt-engine" for thread in threading.enumerate())
    assert heard.of(running)[-1] == "JobCancelled"
    assert heard.of(waiting) == ["JobCancelled"]
    assert engine.close()


def test_close_gives_up_on_work_that_never_ticks(engine: Engine, heard: Witness) -> None:
    """It waits as long as it was told, says that the thread still runs, and a later call finds it ended."""
    release = threading.Event()
    job = engine.submit(lambda _: release.wait(10))
    heard.wait_for(JobStarted, of=job)
    assert not engine.close(timeout_s=0.05)
    release.set()
    assert engine.close()


def test_the_worker_itself_may_close(heard: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing from inside an event must not wait for itself."""
    monkeypatch.setattr(worker_threads, "science", light_science)
    closed: list[bool] = []
    opened = threading.Event()

    def on_event(event: object) -> None:
        heard(event)
        if isinstance(event, EngineReady):
            opened.wait(10)
            closed.append(engine.close())

    engine = Engine(on_event, device="cpu")
    opened.set()
    job = engine.submit(lambda _: 0)
    heard.wait_for(*ENDINGS, of=job)
    assert engine.close()
    assert closed == [False]


def test_after_close_a_job_is_cancelled_at_once(engine: Engine, heard: Witness) -> None:
    """Whoever submits too late is answered all the same."""
    engine.close()
    job = engine.submit(lambda _: 0)
    assert heard.of(job) == ["JobCancelled"]


def test_countless_ticks_are_few_events(engine: Engine, heard: Witness) -> None:
    """Two hundred thousand ticks reach the window as at most twenty reports a second."""

    def count(progress: Callable[..., None]) -> float:
        begun_s = time.monotonic()
        for done in range(200_000):
            progress(done, 200_000, "")
        return time.monotonic() - begun_s

    job = engine.submit(count)
    took_s = heard.wait_for(JobFinished, of=job, timeout_s=60).result
    reports = heard.of(job).count("JobProgress")
    assert 1 <= reports <= took_s / REPORT_EVERY_S + 1


@pytest.mark.parametrize(("device", "kind"), [("broken", "DeviceProblem"), ("buggy", "ImportError")])
def test_an_engine_that_cannot_start_says_so_once_and_to_every_job(
    heard: Witness, monkeypatch: pytest.MonkeyPatch, device: str, kind: str
) -> None:
    """A broken torch is one sentence at the start and the same one for each job that would need it."""
    monkeypatch.setattr(worker_threads, "science", light_science)
    engine = Engine(heard, device=device)
    jobs = [engine.submit(lambda _: 0) for _ in range(2)]
    failure = heard.wait_for(EngineFailed).failure
    assert failure.kind == kind
    for job in jobs:
        assert heard.wait_for(JobFailed, of=job).failure == failure
    assert not any(isinstance(event, EngineReady) for event in heard.events)
    assert engine.close()


def test_a_listener_that_fails_costs_neither_thread_nor_jobs(heard: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the listener raises is its own fault: the next job still starts and ends."""
    monkeypatch.setattr(worker_threads, "science", light_science)

    def listener(event: Any) -> None:
        if isinstance(event, EngineReady | JobStarted):
            raise RuntimeError("not now")
        heard(event)

    engine = Engine(listener, device="cpu")
    job = engine.submit(lambda _: "done")
    assert heard.wait_for(*ENDINGS, of=job) == JobFinished(job, "done")
    assert engine.close()
