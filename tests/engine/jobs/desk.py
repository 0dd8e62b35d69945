"""One real engine for several tests, and the events of one job at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from capt_engine.api import Engine
from capt_engine.records import EngineReady, Failure, JobCancelled, JobFailed, JobFinished, Request, RowsReady


def _hear_nothing(_: object) -> None:
    """What most tests do about events while they arrive."""


class Desk:
    """One engine, and the events of one job at a time."""

    def __init__(self) -> None:
        self.ready: EngineReady | None = None
        self.events: list[Any] = []
        self.react: Callable[[Any], None] = _hear_nothing
        self._ended = threading.Event()
        self.engine = Engine(self._on_event, device="cpu")

    def _on_event(self, event: Any) -> None:
        if isinstance(event, EngineReady):
            self.ready = event
        if hasattr(event, "job"):
            self.events.append(event)
            self.react(event)
        if isinstance(event, JobFinished | JobFailed | JobCancelled):
            self._ended.set()

    def do(self, request: Request, react: Callable[[Any], None] = _hear_nothing) -> Any:
        """Submit a request, wait for its end, and return the ending event; `react` hears every event on the worker's thread."""
        self.events, self.react = [], react
        self._ended.clear()
        self.engine.submit(request)
        assert self._ended.wait(60), "the job never ended"
        return self.events[-1]

    def all_of(self, request: Request, react: Callable[[Any], None]) -> None:
        """Submit a request and wait for its own end, whatever other jobs end before; `react` hears the events of all."""
        first: list[Any] = []
        over = threading.Event()

        def heard(event: Any) -> None:
            first[:] = first or [event.job]
            react(event)
            if isinstance(event, JobFinished | JobFailed | JobCancelled) and event.job == first[0]:
                over.set()

        self.events, self.react = [], heard
        self.engine.submit(request)
        assert over.wait(60), "the job never ended"

    def result(self, request: Request) -> Any:
        """The result of a job that must not fail."""
        ending = self.do(request)
        assert isinstance(ending, JobFinished), ending
        return ending.result

    def failure(self, request: Request) -> Failure:
        """The failure of a job that must fail, as expected failures do: with a remedy and without a traceback."""
        ending = self.do(request)
        assert isinstance(ending, JobFailed), ending
        assert ending.failure.traceback == ""
        assert ending.failure.hint
        return ending.failure

    def rows(self, request: Request) -> list[Any]:
        """All rows of a job that must not fail."""
        self.result(request)
        return [row for event in self.events if isinstance(event, RowsReady) for row in event.rows]
