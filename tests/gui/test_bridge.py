"""Events cross from the engine's thread to the window's, in order; closing waits for the thread."""

from __future__ import annotations

import sys
import threading

import pytest
from fakes import READY, ActingEngine, FakeEngine
from PySide6.QtCore import QCoreApplication, QObject, QThread
from pytestqt.qtbot import QtBot

from capt_engine.records import EngineNote, EngineReady, Event, JobFinished, JobId, PreviewRequest
from capt_gui.bridge import Bridge


class Listener(QObject):
    """Notes what it hears and on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Event] = []
        self.threads: set[int] = set()

    def on_event(self, event: Event) -> None:
        """Note it."""
        self.heard.append(event)
        self.threads.add(threading.get_ident())


def test_events_arrive_in_order_on_the_gui_thread(qtbot: QtBot) -> None:
    """A plain thread emits; a bound method of a QObject hears everything on the GUI thread, in order."""
    bridge, listener = Bridge(FakeEngine), Listener()
    bridge.event_arrived.connect(listener.on_event)
    bridge.open()
    engine = bridge._engine
    assert isinstance(engine, FakeEngine)
    notes = [EngineNote(str(number)) for number in range(500)]

    def emit() -> None:
        for note in notes:
            engine.emit(note)

    thread = threading.Thread(target=emit)
    thread.start()
    qtbot.waitUntil(lambda: len(listener.heard) == len(notes))
    thread.join()
    assert listener.heard == notes
    assert listener.threads == {threading.get_ident()}
    assert QThread.currentThread() is QCoreApplication.instance().thread()


@pytest.mark.usefixtures("qapp")
def test_the_engine_is_made_once_and_late() -> None:
    """Nothing is made before it is needed; `open` and `submit` share one engine."""
    made: list[FakeEngine] = []

    def make(on_event: object) -> FakeEngine:
        made.append(FakeEngine(on_event))
        return made[-1]

    bridge = Bridge(make)
    bridge.cancel(JobId(1))
    assert not made
    assert bridge.submit(PreviewRequest(("a",))) == 1
    bridge.open()
    assert bridge.submit(PreviewRequest(("b",))) == 2
    bridge.cancel(JobId(2))
    assert len(made) == 1
    assert made[0].cancelled == [2]


def test_close_joins_the_thread(qtbot: QtBot) -> None:
    """After close no engine thread is alive, and nothing can be asked any more."""
    bridge, listener = Bridge(ActingEngine), Listener()
    bridge.event_arrived.connect(listener.on_event)
    job = bridge.submit(PreviewRequest(()))
    qtbot.waitUntil(lambda: any(isinstance(e, JobFinished) and e.job == job for e in listener.heard))
    assert any(isinstance(event, EngineReady) for event in listener.heard)
    assert bridge.close()
    assert "acting-engine" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError):
        bridge.submit(PreviewRequest(()))


@pytest.mark.usefixtures("qapp")
def test_nothing_is_emitted_after_close() -> None:
    """A late event of a slow engine does not reach a window that is going away."""
    bridge, listener = Bridge(FakeEngine), Listener()
    bridge.event_arrived.connect(listener.on_event)
    bridge.open()
    engine = bridge._engine
    assert bridge.close()
    assert isinstance(engine, FakeEngine)
    assert engine.closed
    engine.emit(READY)
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
