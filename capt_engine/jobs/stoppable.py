"""The progress callback of a job: it reports, steps aside for other jobs, and is the only place that stops the job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from capt_engine.errors import Cancelled, Stopped

REPORT_EVERY_S = 0.05


class StoppableProgress:
    """Called at each attack step and each batch: raises Cancelled when asked to stop, reports at most 20 times a second.

    report(done, total, note, remaining_s): remaining_s is None until there is something to extrapolate from. keep: raises Stopped once
    it is set, for jobs that can end with what they have. aside: called first at each tick; the seconds for which it kept the job from
    its work (others went before, or it was paused), which are not counted into the time that remains. is_paused: whether the next tick
    would wait; for a job that has something to put away first.
    """

    def __init__(
        self,
        report: Callable[[int, int, str, float | None], None],
        stop: threading.Event,
        keep: threading.Event | None = None,
        aside: Callable[[], float] | None = None,
        is_paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._report = report
        self._stop = stop
        self._keep = keep
        self._aside = aside
        self.is_paused = is_paused
        self._last_s = 0.0
        self._start: tuple[float, int, int] | None = None

    def __call__(self, done: int = 0, total: int = 0, note: str = "") -> None:
        """`done` of `total` units of work, total 0 when it is not known; raises Cancelled, Stopped."""
        away_s = self._aside() if self._aside is not None else 0.0
        if self._stop.is_set():
            raise Cancelled
        if self._keep is not None and self._keep.is_set():
            raise Stopped
        now_s = time.monotonic()
        if self._start is not None:
            self._start = (self._start[0] + away_s, *self._start[1:])
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
