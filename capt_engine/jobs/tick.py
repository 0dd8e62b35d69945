"""Tick: the one hook through which a long job reports progress and is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from capt_engine.errors import Cancelled

REPORT_EVERY_S = 0.05


class Tick:
    """Called at each attack step and each batch: raises Cancelled when asked to stop, reports at most 20 times a second.

    report(done, total, note, remaining_s): remaining_s is None until there is something to extrapolate from.
    """

    def __init__(self, report: Callable[[int, int, str, float | None], None], stop: threading.Event) -> None:
        self._report = report
        self._stop = stop
        self._last_s = 0.0
        self._start: tuple[float, int, int] | None = None

    def __call__(self, done: int = 0, total: int = 0, note: str = "") -> None:
        """`done` of `total` units of work, total 0 when it is not known; raises Cancelled."""
        if self._stop.is_set():
            raise Cancelled
        now_s = time.monotonic()
        if total and (self._start is None or self._start[2] != total):
            self._start = (now_s, done, total)
        if now_s - self._last_s < REPORT_EVERY_S:
            return
        self._last_s = now_s
        self._report(done, total, note, self._remaining_s(now_s, done))

    def _remaining_s(self, now_s: float, done: int) -> float | None:
        if self._start is None:
            return None
        start_s, start_done, total = self._start
        if done <= start_done:
            return None
        return (now_s - start_s) / (done - start_done) * (total - done)


def silent_tick(done: int = 0, total: int = 0, note: str = "") -> None:
    """A tick for notebooks and tests: reports nothing, never stops."""
