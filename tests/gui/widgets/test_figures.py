"""Numbers as the window writes them."""

from __future__ import annotations

import math

import pytest

from capt_gui.widgets import figures


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0 %"),
        (0.0004, "<0.1 %"),
        (0.004, "0.4 %"),
        (0.5, "50 %"),
        (0.9996, "99.9 %"),
        (1.0, "100 %"),
        (-0.27, "−27 %"),
        (math.nan, "–"),
    ],
)
def test_a_percentage_never_claims_certainty_it_has_not(fraction: float, text: str) -> None:
    """0 % and 100 % are kept for what is exactly so."""
    assert figures.percent(fraction).replace(figures.NO_BREAK, " ") == text


@pytest.mark.parametrize(("value", "text"), [(1.5, "+1.50"), (-1.5, "−1.50"), (-0.001, "0.00"), (0.0, "0.00")])
def test_a_signed_number_shows_its_sign_unless_it_is_nothing(value: float, text: str) -> None:
    """A true minus, a plus, and no sign on zero."""
    assert figures.signed(value) == text


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
def test_a_plain_number_has_about_three_figures(value: float, text: str) -> None:
    """Enough to compare, not more than is known."""
    assert figures.plain(value) == text
