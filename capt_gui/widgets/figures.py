"""How numbers are written in the window."""

from __future__ import annotations

import math

NO_BREAK = "\u00a0"
MINUS = "\u2212"


def percent(fraction: float) -> str:
    """A fraction as "98 %"; one decimal where whole numbers would say "0 %" or "100 %" of what is neither."""
    if math.isnan(fraction):
        return "–"
    if fraction < 0:
        return MINUS + percent(-fraction)
    value = 100 * fraction
    if 0 < value < 0.1:
        return f"<0.1{NO_BREAK}%"
    if 0 < value < 1 or 99 < value < 100:
        shown = min(round(value, 1), 99.9) if value > 99 else round(value, 1)
        return f"{shown:g}{NO_BREAK}%"
    return f"{value:.0f}{NO_BREAK}%"


def signed(value: float, decimals: int = 2) -> str:
    """A number that always shows its sign, with a true minus."""
    text = f"{value:+.{decimals}f}"
    if float(text) == 0:
        text = f"{0:.{decimals}f}"
    return text.replace("-", MINUS)


def plain(value: float) -> str:
    """A number with about three figures that matter, with a true minus."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.001:
        return f"{value:.1e}".replace("-", MINUS)
    decimals = 3 if size < 1 else 2 if size < 10 else 1 if size < 1000 else 0
    text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS)
