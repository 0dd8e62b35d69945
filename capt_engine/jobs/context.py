"""The things that every job works with, and previews that leave together. Light to import."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from capt_engine.progress import Progress
from capt_engine.records import Event, JobId, Request, Result

if TYPE_CHECKING:
    from capt_engine.jobs.model_cache import ModelCache

T = TypeVar("T")

OnEvent = Callable[[Event], None]


Ask = Callable[[Request, Callable[[], object]], Result]
"""Has a request done by another worker, and returns its result; the function is called while that is waited for, and may raise to stop."""


@dataclass(frozen=True)
class JobContext:
    """The context of a job: its number, the function that takes its events, and the progress that can stop it."""

    id: JobId
    on_event: OnEvent
    progress: Progress


@dataclass(frozen=True)
class ModelContext(JobContext):
    """The context of a job that needs a model: the worker's models besides."""

    cache: ModelCache


@dataclass(frozen=True)
class FileContext(JobContext):
    """The context of a job about files, which has no model: who asks one for it."""

    ask: Ask


class Gathered(Generic[T]):
    """Values that leave together, so that a folder of thousands does not flood the window with events.

    send: takes the values that leave. every_s: the seconds for which values wait for others.
    """

    def __init__(self, send: Callable[[tuple[T, ...]], None], every_s: float) -> None:
        self._send, self._every_s = send, every_s
        self._waiting: list[T] = []
        self._sent_s = time.monotonic()

    def add(self, value: T) -> None:
        """Take one more value; send all values that wait, if the last sending is long enough ago."""
        self._waiting.append(value)
        self.send_if_due()

    def send_if_due(self) -> None:
        """Send all values that wait, if the last sending is at least `every_s` seconds ago."""
        if time.monotonic() - self._sent_s >= self._every_s:
            self.send()

    def send(self) -> None:
        """Send all values that wait, together and at once; nothing is sent where none waits."""
        if self._waiting:
            self._send(tuple(self._waiting))
        self._waiting, self._sent_s = [], time.monotonic()
