"""The callback that hears the news of a run, and the clock that measures its work."""

from __future__ import annotations

import time
from collections.abc import Callable

from capt_engine.progress import Progress
from capt_engine.records import TuneEpoch, TuneForecast, TuneStep, TuneStrip

News = TuneForecast | TuneStep | TuneEpoch | TuneStrip | str
OnNews = Callable[[News], None]


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
