"""The one QObject between the two worlds: it holds the engine, and gives each request a job whose signals are the engine's events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from capt_engine.api import Engine
from capt_engine.records import (
    CatalogueChanged,
    EngineFailed,
    EngineNote,
    EngineReady,
    Event,
    JobCancelled,
    JobEvent,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    JobStarted,
    Request,
)

Slot = Callable[..., object] | SignalInstance


class Door(Protocol):
    """Protocol of the engine's methods that the window uses; the real engine and the fake one of the tests have them."""

    def submit(self, request: Request) -> JobId:
        """Queue a request, and return the id of its job."""

    def cancel(self, job: JobId) -> None:
        """Ask a job to stop."""

    def stop(self, job: JobId) -> None:
        """Ask a tuning job to end with the best it has; others are cancelled."""

    def pause(self, job: JobId) -> None:
        """Ask a tuning job to wait."""

    def resume(self, job: JobId) -> None:
        """Ask a paused job to go on."""

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel everything and wait at most `timeout_s` seconds for the worker; return False if it was still busy then."""


EngineFactory = Callable[[Callable[[Event], None]], Door]


def real_engine(device: str) -> EngineFactory:
    """Return a function that makes the real engine on a device ("auto", "cpu", "cuda", "mps") for a listener to its events."""

    def make(on_event: Callable[[Event], None]) -> Door:
        return Engine(on_event, device=device)

    return make


class Job(QObject):
    """One submitted request: its signals carry the engine's events about it, in order and on the window's thread.

    Exactly one of `finished`, `failed` and `cancelled` comes, and then `ended`; by then `is_running` is False. Nobody needs to hold a
    job: the bridge does until it ends. Connect bound methods of QObjects, and do so before going back to the event loop.
    """

    started = Signal()
    # JobProgress
    progressed = Signal(object)
    # every other event: pictures found, rows, pages, paused …
    news = Signal(object)
    # the result that belongs to the request
    finished = Signal(object)
    # Failure
    failed = Signal(object)
    # why a stop found nothing to keep; else empty
    cancelled = Signal(str)
    ended = Signal()

    def __init__(self, door: Door, request: Request) -> None:
        """Submit the request."""
        super().__init__()
        self._door = door
        self.request = request
        self.is_running = True
        # in the queue of the engine, behind other work
        self.is_waiting = True
        self._is_ignored = False
        self.id = door.submit(request)

    def connect_slots(self, **slots: Slot) -> None:
        """Connect each slot to the signal of that name: `connect_slots(finished=self.on_finished)`."""
        for signal, slot in slots.items():
            getattr(self, signal).connect(slot)

    def cancel(self) -> None:
        """Ask the job to stop; a job that has ended is left alone."""
        if self.is_running:
            self._door.cancel(self.id)

    def stop(self) -> None:
        """Ask a tuning job to end with the best it has; a job of another kind is cancelled."""
        if self.is_running:
            self._door.stop(self.id)

    def pause(self) -> None:
        """Ask a tuning job or a download to wait; JobPaused is its news. Other kinds of jobs go on."""
        if self.is_running:
            self._door.pause(self.id)

    def resume(self) -> None:
        """Ask a paused job to go on; JobContinued is its news."""
        if self.is_running:
            self._door.resume(self.id)

    def ignore(self) -> None:
        """Let the job go on, and emit nothing more of it."""
        self.is_running, self._is_ignored = False, True

    def abandon(self) -> None:
        """Cancel the job, and emit nothing more of it."""
        self.cancel()
        self.ignore()

    def take(self, event: JobEvent) -> None:
        """Emit an event of this job as the signal that belongs to it; only the bridge calls this."""
        if self._is_ignored:
            return
        if isinstance(event, JobStarted):
            self.is_waiting = False
            self.started.emit()
        elif isinstance(event, JobProgress):
            self.progressed.emit(event)
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            self._end(event)
        else:
            self.news.emit(event)

    def _end(self, event: JobFinished | JobFailed | JobCancelled) -> None:
        self.is_running = False
        if isinstance(event, JobFinished):
            self.finished.emit(event.result)
        elif isinstance(event, JobFailed):
            self.failed.emit(event.failure)
        else:
            self.cancelled.emit(event.reason)
        self.ended.emit()


class Bridge(QObject):
    """Carries requests to the engine, hands each event to its job, and has a signal for each event that is about the engine itself.

    The engine emits on threads of its own. One queued signal brings its events to the thread of this object, in order.
    """

    # the engine's own events, as records: EngineNote, EngineReady, EngineFailed, CatalogueChanged
    engine_noted = Signal(object)
    engine_ready = Signal(object)
    engine_failed = Signal(object)
    catalogue_changed = Signal(object)
    closing = Signal()
    # emitted on the engine's thread
    _arrived = Signal(object)

    def __init__(self, make_engine: EngineFactory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_engine = make_engine
        self._engine: Door | None = None
        self._closed = False
        self._jobs: dict[JobId, Job] = {}
        self._arrived.connect(self._on_arrived)

    @property
    def is_closed(self) -> bool:
        """Return True once `close` was called."""
        return self._closed

    def open(self) -> None:
        """Start the engine, unless it runs already; `run` does so too."""
        self._door()

    def run(self, request: Request, **slots: Slot) -> Job:
        """Hand a request to the engine and return its job at once; each slot is connected to the job's signal of that name."""
        job = Job(self._door(), request)
        self._jobs[job.id] = job
        job.connect_slots(**slots)
        return job

    def close(self, timeout_s: float = 10.0) -> bool:
        """Stop every job and wait for the engine's worker; return False if it was still busy. Nothing is emitted from now on."""
        if not self._closed:
            self._closed = True
            self.closing.emit()
        return self._engine is None or self._engine.close(timeout_s)

    def _door(self) -> Door:
        if self._closed:
            raise RuntimeError("The bridge is closed.")
        if self._engine is None:
            self._engine = self._make_engine(self._on_event)
        return self._engine

    def _on_event(self, event: Event) -> None:
        """Called on the engine's thread."""
        if not self._closed:
            self._arrived.emit(event)

    def _on_arrived(self, event: Event) -> None:
        """Called on the window's thread."""
        if self._closed:
            return
        if isinstance(event, EngineNote):
            self.engine_noted.emit(event)
        elif isinstance(event, EngineReady):
            self.engine_ready.emit(event)
        elif isinstance(event, EngineFailed):
            self.engine_failed.emit(event)
        elif isinstance(event, CatalogueChanged):
            self.catalogue_changed.emit(event)
        elif isinstance(event, JobEvent):
            is_end = isinstance(event, JobFinished | JobFailed | JobCancelled)
            job = self._jobs.pop(event.job, None) if is_end else self._jobs.get(event.job)
            if job is not None:
                job.take(event)
