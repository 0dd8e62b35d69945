"""The callback that hears the news of a run."""

from __future__ import annotations

from collections.abc import Callable

from capt_engine.records import TuneEpoch, TuneForecast, TuneStep, TuneStrip

News = TuneForecast | TuneStep | TuneEpoch | TuneStrip | str
OnNews = Callable[[News], None]
