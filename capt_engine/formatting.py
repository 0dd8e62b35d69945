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


def percent(share: float) -> str:
    """A share of [0, 1] as "41.0 %", "<0.1 %", ">99.9 %"; a dash for what is not a number."""
    return UNKNOWN if math.isnan(share) else f"{percent_number(share)} %"


def percent_number(share: float) -> str:
    """The number of `percent`, for a column or a sentence that says the unit once."""
    text = _minus(f"{share * 100:.1f}")
    if share < 1 and text == "100.0":
        return ">99.9"
    if share > 0 and text == "0.0":
        return "<0.1"
    return text


def whole_percent(share: float) -> str:
    """A share without decimals, for progress or a zoom: "41 %"; 100 % only once it is."""
    return f"{99 if 0.99 < share < 1 else round(share * 100)} %"


def exact_percent(share: float) -> str:
    """A share that was chosen rather than measured, with the decimals it has: "5 %", "12.5 %"."""
    return _minus(f"{share * 100:.6g} %")


def interval(low: float, high: float) -> str:
    """The ends of an interval of shares: "34.0 to 48.0"."""
    return f"{percent_number(low)} to {percent_number(high)}"


def signed_points(difference: float) -> str:
    """A difference of two shares in percentage points, without the word: "+1.2"."""
    return signed(difference * 100, 1)


def points(difference: float, low: float, high: float) -> str:
    """A difference of two shares in percentage points, with its interval."""
    return f"{signed_points(difference)} points ({signed_points(low)} to {signed_points(high)})"


def budget(eps: float, norm: str = "linf") -> str:
    """A budget: "4/255" under L∞ where it is that with at most two decimals, else the number itself: "0.0157"."""
    k = round(eps * 255, 2)
    return f"{k:g}/255" if norm == "linf" and math.isclose(k / 255, eps, rel_tol=1e-6) else f"{eps:.6g}"


def typed_budget(eps: float) -> str:
    """A budget as it can be typed and read back to the last bit: k/255 where that is the number and is shorter."""
    k, plain = f"{round(eps * 255, 6):g}", f"{eps:g}"
    if float(plain) != eps:
        plain = repr(eps)
    return f"{k}/255" if float(k) / 255 == eps and eps <= 1 and len(plain) > len(k) + 4 else plain


def measured_budget(eps: float, norm: str = "linf") -> str:
    """A budget that was found rather than chosen: "3.15/255" under L∞, "0.512" else."""
    return over_255(eps) if norm == "linf" else number(eps)


def over_255(length: float) -> str:
    """A measured length of pixel values in [0, 1], in steps of 1/255: "3.98/255"."""
    return f"{number(length * 255)}/255"


def p_value(p: float) -> str:
    """A p-value with four decimals; one below 0.05 never reads 0.0500."""
    if p < 0.0001:
        return "< 0.0001"
    text = f"{p:.4f}"
    return f"{_LEVEL - 0.0001:.4f}" if p < _LEVEL and float(text) >= _LEVEL else text


def p_equals(p: float) -> str:
    """Write a p-value with its letter: "p = 0.0312", "p < 0.0001"."""
    text = p_value(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def better(higher_is_better: bool | None) -> str:
    """Return "higher" or "lower", whichever is better; a dash where neither is."""
    return {True: "higher", False: "lower", None: UNKNOWN}[higher_is_better]


def number(value: float) -> str:
    """A measured value with about three figures that matter, and a true minus."""
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
    """A number that always shows its sign, but for one that reads as nothing."""
    text = f"{value:+.{decimals}f}"
    return _minus(text if float(text) else text[1:])


def tick(value: float) -> str:
    """A number on an axis, with up to six significant digits."""
    return _minus(f"{value:.6g}")


def short(sha256: str) -> str:
    """The first twelve digits of a hash."""
    return f"{sha256[:12]}…" if sha256 else "not recorded"


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun in the right form: "1 picture", "2 pictures"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A time in seconds, minutes or hours: "45 s", "12 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def moment(iso: str) -> str:
    """A point in time as it is read, "22 November 2026, 21:45 UTC"; any text that is none in ISO 8601 stays as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {when:%H:%M} {when.tzname() or ''}".rstrip()


def size(n_bytes: float) -> str:
    """The size of a file, or of what goes over a network, in powers of ten: "605 MB", "1.71 GB"."""
    return _with_prefix(n_bytes, 1000, ("B", "kB", "MB", "GB", "TB"))


def memory(n_bytes: float) -> str:
    """A size of memory, in powers of two: "24 GiB"."""
    return _with_prefix(n_bytes, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))


def unbroken(text: str) -> str:
    """The same text with spaces at which no line is broken."""
    return text.replace(" ", NO_BREAK)


def _with_prefix(value: float, step: int, units: tuple[str, ...]) -> str:
    # What would round up to a thousand is one of the next.
    place = 0
    while place < len(units) - 1 and value >= 999.5:
        value, place = value / step, place + 1
    return f"{value:.3g} {units[place]}" if value < 999.5 else f"{value:,.0f} {units[place]}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
