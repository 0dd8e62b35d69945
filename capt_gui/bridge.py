"""The one QObject between the two worlds: it holds the engine and turns its events into a Qt signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from capt_engine.api import Engine
from capt_engine.records import Event, JobId, Request


class Door(Protocol):
    """What the window asks of an engine, real or fake."""

    def submit(self, request: Request) -> JobId:
        """Queue a request."""

    def cancel(self, job: JobId) -> None:
        """Ask a job to stop."""

    def stop(self, job: JobId) -> None:
        """Ask a tuning job to end with the best it has; others are cancelled."""

    def pause(self, job: JobId) -> None:
        """Ask a tuning job to wait."""

    def resume(self, job: JobId) -> None:
        """Ask a paused job to go on."""

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel everything and wait for the worker, at most so long."""


EngineFactory = Callable[[Callable[[Event], None]], Door]


def real_engine(device: str) -> EngineFactory:
    """What makes the real engine on a device ("auto", "cpu", "cuda", "mps"), once somebody wants to hear its events."""

    def make(on_event: Callable[[Event], None]) -> Door:
        return Engine(on_event, device=device)

    return make


class Bridge(QObject):
    """Carries requests in and events out.

    `event_arrived` is emitted on the engine's thread, so connect bound methods of QObjects only: Qt then calls them on
    the thread those objects live on, the GUI thread, in order.
    """

    # not `event`: that is a virtual method of every QObject, which Qt itself calls
    event_arrived = Signal(object)
    closing = Signal()

    def __init__(self, make_engine: EngineFactory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_engine = make_engine
        self._engine: Door | None = None
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether the window is on its way out."""
        return self._closed

    def open(self) -> None:
        """Start the engine, unless it runs already; `submit` does so too."""
        self._door()

    def submit(self, request: Request) -> JobId:
        """Hand a request to the engine; returns at once."""
        return self._door().submit(request)

    def cancel(self, job: JobId) -> None:
        """Ask a job to stop; unknown and ended jobs are ignored."""
        if self._engine is not None:
            self._engine.cancel(job)

    def stop(self, job: JobId) -> None:
        """Ask a tuning job to end with the best it has; a job of another kind is cancelled."""
        if self._engine is not None:
            self._engine.stop(job)

    def pause(self, job: JobId) -> None:
        """Ask a tuning job to wait; it tells JobPaused. Other kinds of jobs go on."""
        if self._engine is not None:
            self._engine.pause(job)

    def resume(self, job: JobId) -> None:
        """Ask a paused job to go on; it tells JobContinued."""
        if self._engine is not None:
            self._engine.resume(job)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Stop everything and wait for the worker; no event is emitted from now on. False if it was still busy."""
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
            self.event_arrived.emit(event)
