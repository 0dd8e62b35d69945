"""Numbers as a report says them: percent with one decimal and an interval, budgets as k/255."""

from __future__ import annotations


def percent(value: float) -> str:
    """Return "41.0 %"."""
    return f"{value * 100:.1f} %"


def points(difference: float, low: float, high: float) -> str:
    """A difference of two shares in percentage points, with its interval."""
    return f"{difference * 100:+.1f} points ({low * 100:+.1f} to {high * 100:+.1f})"


def budget(eps: float, norm: str) -> str:
    """A budget as people write it."""
    return f"{eps * 255:.4g}/255" if norm == "linf" else f"{eps:.4g}"


def p_value(p: float) -> str:
    """A p-value with as many digits as mean something."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def better(higher_is_better: bool | None) -> str:
    """Which way is better, in a word; a dash where neither is."""
    return {True: "higher", False: "lower", None: "–"}[higher_is_better]


def number(value: float) -> str:
    """A measured value."""
    return f"{value:.4g}"


def short(sha256: str) -> str:
    """The beginning of a hash."""
    return f"{sha256[:16]}…" if sha256 else "not recorded"


def counted(n: int, one: str, many: str = "") -> str:
    """Return "1 picture", "2 pictures"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A time in words, as coarse as anybody wants to know it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
