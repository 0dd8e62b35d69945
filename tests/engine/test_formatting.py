"""One figure reads the same wherever it stands, and no rounding says more than was measured."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capt_engine import formatting as f


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (0.0004, "<0.1 %"),
        (0.0005001, "0.1 %"),
        (0.41, "41.0 %"),
        (0.9991, "99.9 %"),
        (0.99962, ">99.9 %"),
        (1.0, "100.0 %"),
        (-0.27, "−27.0 %"),
        (math.nan, "–"),
    ],
)
def test_a_percentage(share: float, text: str) -> None:
    """One decimal; 0 % and 100 % are kept for what is exactly so."""
    assert f.percent(share) == text


@given(st.floats(0, 1))
def test_a_percentage_claims_no_certainty_it_has_not(share: float) -> None:
    """For every share between them, neither 0.0 nor 100.0 is said, and progress is at an end only at the end."""
    text = f.percent_number(share)
    assert (text == "100.0") == (share == 1)
    assert (text == "0.0") == (share == 0)
    assert abs(float(text.strip("<>")) - 100 * share) <= 0.1
    assert (f.whole_percent(share) == "100 %") == (share == 1)


def test_whole_and_exact_percentages() -> None:
    """Progress has no decimals; a chosen share has those it has."""
    assert [f.whole_percent(one) for one in (0.0, 0.414, 0.999, 1.0, 1.25)] == ["0 %", "41 %", "99 %", "100 %", "125 %"]
    assert [f.exact_percent(one) for one in (0.05, 0.125, 1.0)] == ["5 %", "12.5 %", "100 %"]


def test_points_and_intervals() -> None:
    """Signs are true minus signs; the unit is said once."""
    assert f.points(0.012, -0.003, 0.02) == "+1.2 points (−0.3 to +2.0)"
    assert f.interval(0.34, 0.99962) == "34.0 to >99.9"


@pytest.mark.parametrize(
    ("eps", "norm", "text"),
    [
        (4 / 255, "linf", "4/255"),
        (0.0157, "linf", "0.0157"),
        (0.5 / 255, "linf", "0.5/255"),
        (0.0, "linf", "0/255"),
        (0.015686275, "linf", "4/255"),  # as fp32 keeps it
        (0.5, "l2", "0.5"),
        (4 / 255, "l2", "0.0156863"),
    ],
)
def test_a_budget_is_written_as_people_write_it(eps: float, norm: str, text: str) -> None:
    """k/255 where it is that, else the number that was given: 0.0157 is not 4/255."""
    assert f.budget(eps, norm) == text


@given(st.integers(0, 25_500))
def test_every_hundredth_of_a_step_is_a_step(hundredths: int) -> None:
    """Whatever is k/255 with at most two decimals is written so, and reads back as itself."""
    text = f.budget(hundredths / 100 / 255)
    assert text.endswith("/255")
    assert float(text.removesuffix("/255")) / 255 == pytest.approx(hundredths / 100 / 255, rel=1e-9)


@given(st.floats(0, 1))
def test_a_typed_budget_reads_back_to_the_last_bit(eps: float) -> None:
    """What a printed command says is the number itself."""
    text = f.typed_budget(eps)
    k, _, step = text.partition("/")
    assert (float(k) / 255 if step else float(k)) == eps


def test_a_found_budget_is_in_steps() -> None:
    """What was measured is compared with budgets, so it has their unit."""
    assert f.measured_budget(0.0123456) == "3.15/255"
    assert f.measured_budget(0.51234, "l2") == "0.512"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1.0, "1.0000"),
        (0.0501, "0.0501"),
        (0.0499, "0.0499"),
        (0.04999, "0.0499"),
        (0.05, "0.0500"),
        (9e-5, "< 0.0001"),
    ],
)
def test_a_p_value_is_told_apart_around_its_threshold(p: float, text: str) -> None:
    """Below 0.05 never reads as 0.05, and nothing reads as zero."""
    assert f.p_value(p) == text
    assert f.p_equals(p) == (f"p {text}" if "<" in text else f"p = {text}")


@given(st.floats(0, 1))
def test_every_p_value_is_on_its_side_of_the_threshold(p: float) -> None:
    """Whoever reads it decides as whoever computed it."""
    text = f.p_value(p)
    assert ("<" in text or float(text) < 0.05) == (p < 0.05)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.1234, "0.123"),
        (3.14159, "3.14"),
        (36.61, "36.6"),
        (1234.5, "1234"),
        (-math.inf, "−∞"),
        (3e-5, "3.0e−05"),
    ],
)
def test_a_number_has_about_three_figures(value: float, text: str) -> None:
    """Enough to compare, not more than is known."""
    assert f.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(1.5, "+1.50"), (-1.5, "−1.50"), (-0.001, "0.00"), (0.0, "0.00")])
def test_a_signed_number_shows_its_sign_unless_it_is_nothing(value: float, text: str) -> None:
    """A true minus, a plus, and no sign on zero."""
    assert f.signed(value) == text


def test_a_size_that_no_float_can_hold_is_a_size() -> None:
    """A damaged file may hold any whole number; it is written as a very large one."""
    assert f.memory(10**400).endswith(" TiB")
    assert f.size(10**400).endswith(" TB")


def test_sizes_times_and_counts() -> None:
    """Files in powers of ten, memory in powers of two, and one is not many."""
    assert [f.size(one) for one in (0, 512, 84_213, 605_143_284, 1_710_466_052, 999_900)] == [
        "0 B",
        "512 B",
        "84.2 kB",
        "605 MB",
        "1.71 GB",
        "1 MB",
    ]
    assert f.memory(24 * 2**30) == "24 GiB"
    assert [f.duration(one) for one in (0.2, 71, 600, 9000)] == ["1 s", "71 s", "10 min", "2.5 h"]
    assert (f.counted(1, "picture"), f.counted(1200, "class", "classes")) == ("1 picture", "1,200 classes")
    assert (f.short("0123456789abcdef"), f.short("")) == ("0123456789ab…", "not recorded")
    assert f.unbroken("41.0 %") == "41.0\u00a0%"


def test_pictures_unlike_the_training_pictures_are_counted_in_words() -> None:
    """One and many, and a single picture without a count."""
    said = [f.unlike_training(*one).split(" like ")[0] for one in ((37, 40), (1, 40), (1, 1))]
    assert said == ["37 of 40 pictures look", "1 of 40 pictures looks", "The picture looks"]
