"""What a run tells on its way, and how its time is measured."""

from __future__ import annotations

import time
from collections.abc import Callable

from capt_engine.attacks.base import Step
from capt_engine.records import TuneEpoch, TuneForecast, TuneStep, TuneStrip

News = TuneForecast | TuneStep | TuneEpoch | TuneStrip | str
Tell = Callable[[News], None]


class WorkClock:
    """A tick that counts its own time: at a tick other work may go before, or the run may be paused, and neither is the run's work."""

    def __init__(self, tick: Step) -> None:
        self._tick = tick
        self._away_s = 0.0

    def __call__(self, *progress: object) -> None:
        """Tick."""
        begun_s = time.monotonic()
        try:
            self._tick(*progress)
        finally:
            self._away_s += time.monotonic() - begun_s

    def now_s(self) -> float:
        """Seconds of work since some moment in the past."""
        return time.monotonic() - self._away_s
