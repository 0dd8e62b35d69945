"""The only place where a number becomes text: window, terminal, reports, charts and documents of one figure read the same.

A share has one decimal and is 0 % or 100 % only if it is; what lies closer is "<0.1 %" or ">99.9 %". A p-value has four decimals and
is never rounded up to a threshold that it is below. A budget under L∞ is k/255 where it is that, and else the number itself.
"""

from __future__ import annotations

import math
from datetime import datetime

NO_BREAK = "\u00a0"
MINUS = "\u2212"
UNKNOWN = "–"
Cell = str | int | float | bool | None
"""A cell of a table."""

# What a spreadsheet would run when a cell begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LEVEL = 0.05
# By hand: strftime speaks the language that the program was started in.
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

_NORM_SYMBOLS = {"linf": "L∞", "l2": "L2"}


def percent(share: float) -> str:
    """Write `share`, in [0, 1], as percent with one decimal: "41.0 %", "<0.1 %", ">99.9 %"; "–" for NaN."""
    return UNKNOWN if math.isnan(share) else f"{percent_number(share)} %"


def percent_number(share: float) -> str:
    """Write `share`, in [0, 1], as percent with one decimal but without the sign: "41.0", "<0.1", ">99.9"."""
    text = _minus(f"{share * 100:.1f}")
    if share < 1 and text == "100.0":
        return ">99.9"
    if share > 0 and text == "0.0":
        return "<0.1"
    return text


def whole_percent(share: float) -> str:
    """Write `share`, 1 for all, as percent without decimals: "41 %"; "100 %" is never said of less than all."""
    return f"{99 if 0.99 < share < 1 else round(share * 100)} %"


def exact_percent(share: float) -> str:
    """Write `share`, which somebody chose and nobody measured, as percent with the decimals it has: "5 %", "12.5 %"."""
    return _minus(f"{share * 100:.6g} %")


def interval(low: float, high: float) -> str:
    """Write the interval from `low` to `high`, shares in [0, 1], as percent without the sign: "34.0 to 48.0"."""
    return f"{percent_number(low)} to {percent_number(high)}"


def signed_points(difference: float) -> str:
    """Write `difference`, of two shares in [0, 1], in percentage points with its sign, without the unit: "+1.2"."""
    return signed(difference * 100, 1)


def points(difference: float, low: float, high: float) -> str:
    """Write a difference of two shares with its interval in percentage points: "+1.2 points (−0.4 to +2.8)".

    difference, and low and high, the ends of its interval: in [−1, 1].
    """
    return f"{signed_points(difference)} points ({signed_points(low)} to {signed_points(high)})"


def budget(eps: float, norm: str = "linf") -> str:
    """Return a chosen budget ε as text: "k/255" where that is exact, else the number itself with six digits.

    eps: the budget, pixels being in [0, 1]. norm: "linf" or "l2". Under L∞ the text is "4/255" or "0.25/255" where
    eps · 255 has at most two decimals; else, and under L2 always, it is the plain number, as in "0.0123457" or "0.5".
    """
    k = round(eps * 255, 2)
    return f"{k:g}/255" if norm == "linf" and math.isclose(k / 255, eps, rel_tol=1e-6) else f"{eps:.6g}"


def norm_symbol(norm: str) -> str:
    """Return the symbol of a norm given by its name: "L∞" for "linf", "L2" for "l2", any other name unchanged."""
    return _NORM_SYMBOLS.get(norm, norm)


def typed_budget(eps: float) -> str:
    """Write the budget `eps` so that it can be typed back exactly: "4/255" if that is exact and shorter, or "0.5"."""
    k, plain = f"{round(eps * 255, 6):g}", f"{eps:g}"
    if float(plain) != eps:
        plain = repr(eps)
    return f"{k}/255" if float(k) / 255 == eps and eps <= 1 and len(plain) > len(k) + 4 else plain


def measured_budget(eps: float, norm: str = "linf") -> str:
    """Write a budget `eps` that was measured: "3.15/255" if `norm` is "linf", else the number itself, "0.512"."""
    return over_255(eps) if norm == "linf" else number(eps)


def over_255(length: float) -> str:
    """Write `length`, a measured size in pixel units [0, 1], in steps of 1/255: "3.98/255"."""
    return f"{number(length * 255)}/255"


def p_value(p: float) -> str:
    """Write the p-value `p` with four decimals: "0.0312", "< 0.0001"; one below 0.05 never reads "0.0500"."""
    if p < 0.0001:
        return "< 0.0001"
    text = f"{p:.4f}"
    return f"{_LEVEL - 0.0001:.4f}" if p < _LEVEL and float(text) >= _LEVEL else text


def p_equals(p: float) -> str:
    """Write the p-value `p` with its letter: "p = 0.0312", "p < 0.0001"."""
    text = p_value(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def better(higher_is_better: bool | None) -> str:
    """Return "higher" for True, "lower" for False, and "–" for None, where neither direction is the better one."""
    return {True: "higher", False: "lower", None: UNKNOWN}[higher_is_better]


def number(value: float) -> str:
    """Write a measured value with about three significant digits: "0.512", "3.98", "1.2e-05", "∞"; "–" for NaN.

    A negative number gets a true minus sign (−), not a hyphen.
    """
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.001:
        return _minus(f"{value:.1e}")
    return _minus(f"{value:.{3 if size < 1 else 2 if size < 10 else 1 if size < 1000 else 0}f}")


def signed(value: float, decimals: int = 2) -> str:
    """Write `value` with its sign and `decimals` decimals: "+1.20", "−0.35"; no sign where it is rounded to zero."""
    text = f"{value:+.{decimals}f}"
    return _minus(text if float(text) else text[1:])


def tick(value: float) -> str:
    """Write `value` as the label of a tick on a chart's axis, with up to six significant digits: "0.25", "−10"."""
    return _minus(f"{value:.6g}")


def short(sha256: str) -> str:
    """Return the first twelve digits of the hash `sha256` and "…"; "not recorded" for an empty text."""
    return f"{sha256[:12]}…" if sha256 else "not recorded"


def counted(n: int, one: str, many: str = "") -> str:
    """Write the number `n` with its noun: "1 picture", "2,000 pictures".

    one: the singular. many: the plural; "" puts an s after the singular.
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def unlike_training(count: int, n: int) -> str:
    """Say that `count` of `n` pictures are out of distribution: "37 of 40 pictures look like nothing this model was trained on."."""
    if n == 1:
        return "The picture looks like nothing this model was trained on."
    return f"{count:,} of {n:,} pictures {'looks' if count == 1 else 'look'} like nothing this model was trained on."


def duration(seconds: float) -> str:
    """Write a time given in seconds in the unit that suits it: "45 s" (at least "1 s"), "12 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def moment(iso: str) -> str:
    """Write the time `iso` (ISO 8601) for people: "22 November 2026, 21:45 UTC"; return any other text as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {when:%H:%M} {when.tzname() or ''}".rstrip()


def size(n_bytes: float) -> str:
    """Write a number of bytes, of a file or a download, in powers of 1000: "605 MB", "1.71 GB"."""
    return _with_prefix(n_bytes, 1000, ("B", "kB", "MB", "GB", "TB"))


def memory(n_bytes: float) -> str:
    """Write a number of bytes of memory in powers of 1024: "24 GiB"."""
    return _with_prefix(n_bytes, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))


def unbroken(text: str) -> str:
    """Return `text` with each space replaced by a no-break space, so that no line is broken inside it."""
    return text.replace(" ", NO_BREAK)


_MOST_BYTES = 10**24


def csv_text(cell: Cell) -> str:
    """Return the text of one CSV `cell`: "" for None, "true" or "false" for a boolean, all digits of a number.

    Text that a spreadsheet would run as a formula gets a quote before it, and bytes that are no text are escaped.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        # A file name may hold bytes that are no text; they are shown, not dropped.
        printable = cell.encode("utf-8", "backslashreplace").decode("utf-8")
        return "'" + printable if printable[:1] in _FORMULA and printable else printable
    return repr(cell)


def csv_plain(text: str) -> str:
    """Return the `text` of a CSV cell without the quote that keeps a spreadsheet from running it as a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text


def _with_prefix(value: float, step: int, units: tuple[str, ...]) -> str:
    # A damaged file may hold a whole number that no float can.
    value = float(min(value, _MOST_BYTES))
    # What would round up to a thousand is one of the next.
    place = 0
    while place < len(units) - 1 and value >= 999.5:
        value, place = value / step, place + 1
    return f"{value:.3g} {units[place]}" if value < 999.5 else f"{value:,.0f} {units[place]}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
