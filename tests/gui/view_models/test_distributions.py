"""How a measurement is spread over pictures: every value falls into one bin, and the bins cover what there is."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capt_engine.records import MetricInfo
from capt_gui.view_models.distributions import metric_histogram, share_histogram

OPEN = MetricInfo("psnr", "PSNR", "dB", 0.0, None, True, "")
CLOSED = MetricInfo("cosine", "Embedding cosine", "", -1.0, 1.0, True, "")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_every_value_of_an_open_scale_falls_into_one_bin(values: list[float]) -> None:
    """The shares add up to 1, neighbouring bins touch, and the least and the largest value lie inside."""
    histogram = metric_histogram(OPEN, values)
    assert histogram is not None
    bins = histogram.bins
    assert math.isclose(sum(one.value for one in bins), 1.0)
    assert all(math.isclose(left.end, right.start, abs_tol=1e-9) for left, right in pairwise(bins))
    slack = 1e-6 * (abs(bins[0].start) + abs(bins[-1].end))
    assert bins[0].start - slack <= min(values)
    assert max(values) <= bins[-1].end + slack


def test_a_closed_scale_is_shown_from_end_to_end() -> None:
    """Ten bins from −1 to 1 whatever was measured; the upper end belongs to the last of them; NaN is no value."""
    histogram = metric_histogram(CLOSED, [1.0, 0.95, -1.0, math.nan])
    assert histogram is not None
    assert [one.value for one in histogram.bins] == pytest.approx([1 / 3, *[0.0] * 8, 2 / 3])
    assert (histogram.bins[0].start, histogram.bins[-1].end) == (-1.0, 1.0)
    assert histogram.caption == "Embedding cosine: share of 3 pictures"


def test_values_are_told_in_their_unit() -> None:
    """What is stored as a share of the range is shown in 255ths."""
    histogram = metric_histogram(MetricInfo("linf", "Largest change", "/255", 0.0, 1.0, None, ""), [4 / 255])
    assert histogram is not None
    assert histogram.bins[-1].end == 255.0
    assert histogram.x_title == "Largest change in /255"


def test_no_value_is_no_histogram() -> None:
    """Nothing measured, nothing drawn."""
    assert metric_histogram(CLOSED, []) is None
    assert metric_histogram(CLOSED, [math.nan]) is None


def test_counts_become_shares() -> None:
    """The words of the chart name the bins that hold pictures."""
    histogram = share_histogram("α", "α", (0.0, 0.5, 1.0), (1, 3))
    assert [one.value for one in histogram.bins] == [0.25, 0.75]
    assert histogram.alt.startswith("α: share of 4 pictures: 0 to 0.5: 25")
