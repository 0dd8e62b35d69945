"""Events cross from the engine's thread to the window's, in order, each to its own job; closing waits for the thread."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest
from fakes import READY, ActingEngine, FakeEngine
from PySide6.QtCore import QCoreApplication, QObject, QThread
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.bridge import Bridge, Job


class Listener(QObject):
    """Notes what it hears of a job or of the bridge, and on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []
        self.threads: set[int] = set()

    def follow(self, job: Job) -> None:
        """Connect every signal of a job."""
        job.started.connect(self.on_started)
        for signal in (job.progressed, job.news, job.finished, job.failed, job.cancelled):
            signal.connect(self.on_heard)
        job.ended.connect(self.on_ended)

    def on_started(self) -> None:
        """Note that a job began."""
        self.on_heard("started")

    def on_ended(self) -> None:
        """Note that a job ended."""
        self.on_heard("ended")

    def on_heard(self, what: object) -> None:
        """Note it."""
        self.heard.append(what)
        self.threads.add(threading.get_ident())


@pytest.fixture
def engine() -> FakeEngine:
    """The fake behind the bridge."""
    return FakeEngine(lambda _: None)


@pytest.fixture
def bridge(qapp: object, engine: FakeEngine) -> Iterator[Bridge]:
    """A bridge with a fake engine."""
    del qapp

    def make(on_event: Callable[[r.Event], None]) -> FakeEngine:
        engine.emit = on_event
        return engine

    bridge = Bridge(make)
    bridge.open()
    yield bridge
    bridge.close()


FOUND = r.PreviewResult(2, 0)
FAILURE = r.Failure("BadImage", "No.")
REQUEST = r.PreviewRequest(("a",))


def test_events_arrive_in_order_on_the_gui_thread(bridge: Bridge, engine: FakeEngine, qtbot: QtBot) -> None:
    """A plain thread emits; bound methods hear everything on the GUI thread, in order, and then that the job ended."""
    listener = Listener()
    job = bridge.run(REQUEST)
    listener.follow(job)
    events = [r.JobProgress(job.id, number, 500, "", None) for number in range(500)]

    def emit() -> None:
        for event in (r.JobStarted(job.id), *events, r.JobFinished(job.id, FOUND)):
            engine.emit(event)

    thread = threading.Thread(target=emit)
    thread.start()
    qtbot.waitUntil(lambda: not job.is_running)
    thread.join()
    assert listener.heard == ["started", *events, FOUND, "ended"]
    assert listener.threads == {threading.get_ident()}
    assert QThread.currentThread() is QCoreApplication.instance().thread()


def test_each_job_hears_its_own(bridge: Bridge, engine: FakeEngine) -> None:
    """Two jobs under way: what the engine says of one does not reach the other, nor what it says of an unknown one."""
    first, second = Listener(), Listener()
    one, two = bridge.run(REQUEST), bridge.run(r.ListModelsRequest())
    first.follow(one)
    second.follow(two)
    paused = r.JobPaused(two.id)
    for event in (paused, r.JobStarted(r.JobId(99)), r.JobFailed(one.id, FAILURE), r.JobCancelled(two.id, "too soon")):
        engine.emit(event)
    assert first.heard == [FAILURE, "ended"]
    assert second.heard == [paused, "too soon", "ended"]


def test_the_engine_speaks_of_itself(bridge: Bridge, engine: FakeEngine) -> None:
    """What belongs to no job has signals on the bridge."""
    listener = Listener()
    for signal in (bridge.engine_noted, bridge.engine_ready, bridge.engine_failed, bridge.catalogue_changed):
        signal.connect(listener.on_heard)
    events = [r.EngineNote("Loading"), READY, r.CatalogueChanged(READY.catalogue), r.EngineFailed(FAILURE)]
    for event in events:
        engine.emit(event)
    assert listener.heard == events


def test_wishes_reach_the_engine_until_the_end(bridge: Bridge, engine: FakeEngine) -> None:
    """Cancel, stop, pause and resume carry the job's number; of an ended job nothing is asked."""
    job = bridge.run(REQUEST)
    for wish in (job.cancel, job.stop, job.pause, job.resume):
        wish()
    engine.emit(r.JobCancelled(job.id))
    for wish in (job.cancel, job.stop, job.pause, job.resume):
        wish()
    assert [engine.cancelled, engine.stopped, engine.paused, engine.resumed] == [[job.id]] * 4


def test_an_abandoned_job_is_silent(bridge: Bridge, engine: FakeEngine) -> None:
    """It is cancelled, and whatever the engine still says of it is heard by nobody; an ignored one is not even cancelled."""
    listener = Listener()
    abandoned, ignored = bridge.run(REQUEST), bridge.run(REQUEST)
    for job in (abandoned, ignored):
        listener.follow(job)
    abandoned.abandon()
    ignored.ignore()
    for job in (abandoned, ignored):
        engine.emit(r.JobProgress(job.id, 1, 2, "", None))
        engine.emit(r.JobFinished(job.id, FOUND))
    assert listener.heard == []
    assert engine.cancelled == [abandoned.id]
    assert not abandoned.is_running
    assert not ignored.is_running


def test_dropped_jobs_are_delivered_and_then_gone(bridge: Bridge, engine: FakeEngine) -> None:
    """Nobody needs to hold a job: it delivers its end all the same, and leaves nothing behind."""
    listener = Listener()
    jobs = []
    for _ in range(100):
        job = bridge.run(REQUEST)
        listener.follow(job)
        jobs.append(weakref.ref(job))
    del job
    gc.collect()
    assert all(one() is not None for one in jobs)
    for number in range(100):
        engine.emit(r.JobFinished(r.JobId(number + 1), FOUND))
    assert listener.heard == [FOUND, "ended"] * 100
    assert [one() for one in jobs] == [None] * 100


def test_a_listener_that_is_gone_hears_nothing(bridge: Bridge, engine: FakeEngine) -> None:
    """A view model may go before its job: the job ends without it."""
    listener = Listener()
    job = bridge.run(REQUEST)
    listener.follow(job)
    del listener
    gc.collect()
    engine.emit(r.JobFinished(job.id, FOUND))
    assert not job.is_running


@pytest.mark.usefixtures("qapp")
def test_the_engine_is_made_once_and_late() -> None:
    """Nothing is made before it is needed; `open` and `run` share one engine."""
    made: list[FakeEngine] = []

    def make(on_event: object) -> FakeEngine:
        made.append(FakeEngine(on_event))
        return made[-1]

    bridge = Bridge(make)
    assert not made
    assert bridge.run(REQUEST).id == 1
    bridge.open()
    assert bridge.run(REQUEST).id == 2
    assert len(made) == 1


def test_close_joins_the_thread(qtbot: QtBot) -> None:
    """After close no engine thread is alive, and nothing can be asked any more."""
    bridge, listener = Bridge(ActingEngine), Listener()
    bridge.engine_ready.connect(listener.on_heard)
    job = bridge.run(r.PreviewRequest(()))
    qtbot.waitUntil(lambda: not job.is_running)
    assert listener.heard == [READY]
    assert bridge.close()
    assert "acting-engine" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError):
        bridge.run(r.PreviewRequest(()))


def test_closing_while_jobs_run_is_clean(qtbot: QtBot) -> None:
    """A job under way and one that waits are cancelled; neither says anything more, and the thread is gone."""
    made: list[ActingEngine] = []

    def make(on_event: object) -> ActingEngine:
        made.append(ActingEngine(on_event, pace_s=30.0))
        return made[0]

    bridge, listener = Bridge(make), Listener()
    running = bridge.run(r.ForecastRequest(r.TuneRequest("split.csv", "out.safetensors")))
    with qtbot.waitSignal(running.started):
        pass
    for job in (running, bridge.run(REQUEST)):
        listener.follow(job)
    assert bridge.close()
    QCoreApplication.processEvents()
    assert listener.heard == []
    assert "acting-engine" not in {thread.name for thread in threading.enumerate()}


def test_nothing_is_emitted_after_close(bridge: Bridge, engine: FakeEngine) -> None:
    """A late event of a slow engine does not reach a window that is going away."""
    listener = Listener()
    bridge.engine_ready.connect(listener.on_heard)
    job = bridge.run(REQUEST)
    listener.follow(job)
    assert bridge.close()
    assert engine.closed
    engine.emit(READY)
    engine.emit(r.JobFinished(job.id, FOUND))
    QCoreApplication.processEvents()
    assert not listener.heard


@pytest.mark.usefixtures("qapp")
def test_close_without_an_engine() -> None:
    """A window closed before its first paint has nothing to wait for."""
    assert Bridge(FakeEngine).close()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on: nothing can be lost")
@pytest.mark.usefixtures("qapp")
def test_qt_does_not_lose_references_to_none() -> None:
    """PySide6 6.12.0 loses one reference to None per call on Python 3.11 and ends the interpreter; ours does not."""
    probe = QObject()
    before = sys.getrefcount(None)
    for _ in range(1000):
        probe.setObjectName("x")
        probe.blockSignals(False)
    assert sys.getrefcount(None) > before - 100
