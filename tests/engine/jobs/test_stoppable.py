"""The tick stops when asked, reports now and then, and knows how long the rest will take."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from capt_engine.errors import Cancelled
from capt_engine.jobs import stoppable as module
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.progress import no_progress


class Clock:
    """A clock that a test sets."""

    now_s = 1000.0

    def monotonic(self) -> float:
        """What time.monotonic() would say."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that ticks are timed with."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def reports() -> list[tuple[Any, ...]]:
    """What was reported."""
    return []


def test_reports_at_most_twenty_times_a_second(clock: Clock, reports: list[tuple[Any, ...]]) -> None:
    """A thousand ticks in one second become twenty reports, the first at once."""
    progress = StoppableProgress(lambda *told: reports.append(told), threading.Event())
    for done in range(1000):
        progress(done, 1000, "stepping")
        clock.now_s += 0.001
    assert reports[0] == (0, 1000, "stepping", None)
    assert 18 <= len(reports) <= 21


def test_tells_the_time_that_remains(clock: Clock, reports: list[tuple[Any, ...]]) -> None:
    """A quarter done in ten seconds leaves thirty; before anything is done, nothing is said."""
    progress = StoppableProgress(lambda *told: reports.append(told), threading.Event())
    progress(0, 40, "")
    clock.now_s += 10
    progress(10, 40, "")
    assert [told[3] for told in reports] == [None, pytest.approx(30)]


def test_time_is_counted_from_where_the_total_was_known(clock: Clock, reports: list[tuple[Any, ...]]) -> None:
    """What loading a model took is not held against the pictures."""
    progress = StoppableProgress(lambda *told: reports.append(told), threading.Event())
    progress(0, 0, "loading")
    clock.now_s += 100
    progress(5, 10, "")
    clock.now_s += 2
    progress(6, 10, "")
    assert [told[3] for told in reports] == [None, None, pytest.approx(8)]


def test_the_first_of_many_units_is_no_basis(clock: Clock, reports: list[tuple[Any, ...]]) -> None:
    """It pays for what is loaded: ten seconds of it are not held against the other 999, of which two come first."""
    progress = StoppableProgress(lambda *told: reports.append(told), threading.Event())
    progress(0, 1000, "")
    for done, passed_s in ((1, 10.0), (2, 0.3), (3, 0.3)):
        clock.now_s += passed_s
        progress(done, 1000, "")
    assert [told[3] for told in reports] == [None, None, None, pytest.approx(0.3 * 997)]


def test_the_works_own_forecast_counts_in_place_of_units(clock: Clock, reports: list[tuple[Any, ...]]) -> None:
    """It shrinks with the units that are done since, and what follows them by the clock; time aside is not the work's."""
    away = [0.0]
    progress = StoppableProgress(lambda *told: reports.append(told), threading.Event(), aside=lambda: away[0])
    progress(0, 100, "")
    clock.now_s += 10
    progress(20, 100, "")
    progress.foresee(40.0, 5.0)
    for done, passed_s in ((60, 1.0), (100, 30.0)):
        clock.now_s += passed_s
        progress(done, 100, "")
    assert [told[3] for told in reports] == [None, pytest.approx(40), pytest.approx(25), pytest.approx(5)]
    progress.foresee(0.0, 5.0)
    clock.now_s += 2
    progress(0, 0, "checking")
    away[0] = 100.0
    clock.now_s += 101
    progress(0, 0, "checking")
    clock.now_s += 110
    progress(0, 0, "checking")
    assert [told[3] for told in reports[-3:]] == [pytest.approx(3), pytest.approx(2), 0.0]


def test_raises_once_the_flag_is_set(clock: Clock, reports: list[tuple[Any, ...]]) -> None:
    """Also between two reports, and before reporting anything more."""
    stop = threading.Event()
    progress = StoppableProgress(lambda *told: reports.append(told), stop)
    progress(0, 2, "")
    stop.set()
    clock.now_s += 1
    with pytest.raises(Cancelled):
        progress(1, 2, "")
    assert len(reports) == 1


def test_the_no_progress_takes_what_any_tick_takes() -> None:
    """In a notebook nothing is reported and nothing stops."""
    assert no_progress() is None
    assert no_progress(3, 7, "step") is None
