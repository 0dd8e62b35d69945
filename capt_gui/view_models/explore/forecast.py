"""A forecast for many new pictures, by a first look at three of them, so that hours of work never begin unasked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from capt_engine.records import AnalyzeRequest, AnalyzeResult, Pace
from capt_gui.bridge import Job

FEW = 4
"""So many pictures are analysed without a forecast."""

ASK_ABOVE_S = 60.0
EVENLY = 50
_LOOKED_AT = 3


class LargeDrop(NamedTuple):
    """New pictures that are not analysed until somebody says so: their paths, and the seconds that all of them would take."""

    paths: tuple[str, ...]
    seconds: float


def first_look(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the pictures that the forecast for `paths` is made with: evenly chosen, as the first may be small ones."""
    return evenly(paths, _LOOKED_AT)


def evenly(paths: Sequence[str], n: int = EVENLY) -> tuple[str, ...]:
    """Return `n` of the paths, evenly chosen from the first to the last; all where there are no more."""
    if len(paths) <= n:
        return tuple(paths)
    return tuple(paths[round(i * (len(paths) - 1) / (n - 1))] for i in range(n))


class Paces(dict[AnalyzeRequest, Pace]):
    """The pace of the analyses of this session, by what was asked for."""

    def note(self, request: AnalyzeRequest, result: AnalyzeResult) -> None:
        """Note the pace of a whole analysis that has ended; one without a picture says nothing."""
        if result.pace is not None and not result.rows_from_store:
            self[kind_of(request)] = result.pace
        elif result.n:
            picture_s = computed_s(result) if result.rows_from_store else result.wall_s / result.n
            self[kind_of(request)] = Pace(0.0, picture_s, 1)


def computed_s(result: AnalyzeResult) -> float:
    """Return the seconds that a picture of an analysis took when it was computed, be it now or before it was stored."""
    sides = [result, *([result.compared.other] if result.compared is not None else [])]
    return sum(attack.seconds for side in sides for attack in side.attacks) / result.n if result.n else 0.0


def kind_of(request: AnalyzeRequest) -> AnalyzeRequest:
    """Return the part of a request that decides how long a picture takes."""
    options = replace(request.options, seed=0, template="", classes=(), keep="", resume=False)
    return replace(request, paths=(), options=options)


class FirstLook(QObject):
    """Takes the time of a first look at a few of many pictures. `known(paths, seconds a picture)`: at its end.

    The first picture, during which much is loaded and warmed up, does not count where there is another. stopped(paths): it
    ended without a result.
    """

    known = Signal(list, float)
    stopped = Signal(list)

    def __init__(self, job: Job, paths: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._paths = list(paths)
        self._began_s = self._first_s = 0.0
        self._is_known = False
        job.started.connect(self.on_started)
        job.news.connect(self.on_rows)
        job.finished.connect(self.on_finished)
        job.ended.connect(self.on_ended)

    def on_started(self) -> None:
        """Note when the engine began."""
        self._began_s = time.monotonic()

    def on_rows(self) -> None:
        """Note when the first picture was done."""
        self._first_s = self._first_s or time.monotonic()

    def on_finished(self, result: AnalyzeResult) -> None:
        """Emit `known` with the pace of the pictures after the first; where none could be used, it is 0: they fail at once."""
        self._is_known = True
        if result.pace is not None and not result.rows_from_store:
            self.known.emit(self._paths, result.pace.seconds(len(self._paths)) / len(self._paths))
            return
        since = self._first_s if result.n > 1 and self._first_s else self._began_s
        n = max(result.n - 1, 1) if self._first_s else result.n
        pace = (time.monotonic() - since) / n if n else 0.0
        # Answers that come from the store say nothing of the time that others take.
        self.known.emit(self._paths, max(pace, computed_s(result)) if result.rows_from_store else pace)

    def on_ended(self) -> None:
        """Emit `stopped` if the look was cancelled or failed."""
        if not self._is_known:
            self.stopped.emit(self._paths)
        self.deleteLater()
