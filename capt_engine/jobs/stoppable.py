"""The progress callback of a job: it reports, steps aside for other jobs, and is the only place that stops the job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from capt_engine.errors import Cancelled, Stopped

REPORT_EVERY_S = 0.05
# Of more units than this the first one is not extrapolated, as it pays for what is loaded: so many units and seconds behind it are.
_MANY, _BASIS, _BASIS_S = 20, 2, 0.5


class _Foreseen(NamedTuple):
    """A forecast of the work itself. at_s: when it was made, and with how many units `done` of `total`."""

    at_s: float
    done: int
    total: int
    work_s: float
    after_s: float

    def left_s(self, now_s: float, done: int, total: int) -> float:
        """The seconds that are left: of the units by how many are done since, of what follows by the clock."""
        if self.work_s and total == self.total and total > self.done:
            return self.work_s * (total - done) / (total - self.done) + self.after_s
        return max(0.0, self.work_s + self.after_s - (now_s - self.at_s))


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
        self._is_warm = False
        self._foreseen: _Foreseen | None = None
        self._now: tuple[int, int] = (0, 0)

    def foresee(self, work_s: float, after_s: float = 0.0) -> None:
        """Take the work's own forecast, which counts in place of what can be extrapolated from units done.

        work_s: seconds until all units are done. after_s: seconds of what follows them.
        """
        self._foreseen = _Foreseen(time.monotonic(), *self._now, work_s, after_s)

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
        if self._foreseen is not None:
            self._foreseen = self._foreseen._replace(at_s=self._foreseen.at_s + away_s)
        self._now = (done, total)
        if total and (self._start is None or self._start[2] != total):
            self._start, self._is_warm = (now_s, done, total), False
        elif self._start is not None and not self._is_warm and total > _MANY and done == self._start[1] + 1:
            self._start, self._is_warm = (now_s, done, total), True
        if now_s - self._last_s < REPORT_EVERY_S:
            return
        self._last_s = now_s
        self._report(done, total, note, self._remaining_s(now_s, done, total))

    def _remaining_s(self, now_s: float, done: int, total: int) -> float | None:
        if self._foreseen is not None:
            return self._foreseen.left_s(now_s, done, total)
        if self._start is None:
            return None
        start_s, start_done, total = self._start
        if done <= start_done or (self._is_warm and (done < start_done + _BASIS or now_s < start_s + _BASIS_S)):
            return None
        return (now_s - start_s) / (done - start_done) * (total - done)
