"""The one hook of long work: each attack step and each batch calls it, and only there can the work be stopped."""

from __future__ import annotations

import time
from typing import Protocol


class Progress(Protocol):
    """A callback that long work calls at each step; it may report, wait, or raise Cancelled or Stopped."""

    def __call__(self, done: int = 0, total: int = 0, note: str = "", /) -> None:
        """`done` of `total` units of work; a total of 0 means that it is not known."""


def no_progress(done: int = 0, total: int = 0, note: str = "") -> None:
    """Do nothing: the progress callback of those who want no report; it never stops the work.

    done, total: units of work (total 0: not known). note: what is being done. All are ignored.
    """


def foresee(progress: Progress, work_s: float, after_s: float = 0.0) -> None:
    """Tell `progress` how long the work still takes, if it is one that wants to know (it has a method `foresee`).

    work_s: seconds until all units of work are done. after_s: seconds of what follows them.
    """
    foresee = getattr(progress, "foresee", None)
    if foresee is not None:
        foresee(work_s, after_s)


class WorkClock:
    """A progress callback that measures the run's own time: while it waits, other jobs go first or the run is paused."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._away_s = 0.0

    def __call__(self, done: int = 0, total: int = 0, note: str = "") -> None:
        """See `Progress`."""
        begun_s = time.monotonic()
        try:
            self._progress(done, total, note)
        finally:
            self._away_s += time.monotonic() - begun_s

    def now_s(self) -> float:
        """Return the seconds worked so far, counted from some moment in the past, for differences only.

        Time spent inside the progress callback (paused, or giving way to other jobs) does not count.
        """
        return time.monotonic() - self._away_s

    def foresee(self, work_s: float, after_s: float = 0.0) -> None:
        """See `foresee`."""
        foresee(self._progress, work_s, after_s)
