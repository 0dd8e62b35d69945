"""Intervals: how far a percentage could be off, given how many pictures it stands on."""

from __future__ import annotations

import math

from capt_engine.formatting import interval as ends
from capt_engine.formatting import percent

_Z95 = 1.959963984540054


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return both ends, in [0, 1], of the 95 % Wilson interval of `successes` out of `n`.

    Raises ValueError unless n > 0 and 0 ≤ successes ≤ n.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"no proportion: {successes} of {n}")
    share, z2 = successes / n, _Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # At 0 and n the formula's ends are exactly 0 and 1; rounding must not push them past.
    return (0.0 if successes == 0 else max(0.0, middle - half), 1.0 if successes == n else min(1.0, middle + half))


def newcombe_paired(both: int, only_a: int, only_b: int, neither: int) -> tuple[float, float]:
    """Return both ends, in [−1, 1], of the 95 % interval of B's accuracy minus A's on the same pictures.

    The method is the tenth of Newcombe (1998). The arguments count pictures that `both` models, `only_a`, `only_b` or
    `neither` had right. Raises ValueError if there are no pictures.
    """
    n = both + only_a + only_b + neither
    b, a = (both + only_b) / n if n else 0.0, (both + only_a) / n if n else 0.0
    (low_b, high_b), (low_a, high_a) = wilson(both + only_b, n), wilson(both + only_a, n)
    product = (both + only_b) * (only_a + neither) * (both + only_a) * (only_b + neither)
    cross: float = both * neither - only_a * only_b
    # Edwards' correction, which Newcombe recommends: a small positive association is counted as none.
    cross = max(cross - n / 2, 0.0) if cross > 0 else float(cross)
    phi = cross / math.sqrt(product) if product else 0.0
    difference = b - a
    down = (b - low_b) ** 2 - 2 * phi * (b - low_b) * (high_a - a) + (high_a - a) ** 2
    up = (high_b - b) ** 2 - 2 * phi * (high_b - b) * (a - low_a) + (a - low_a) ** 2
    return max(-1.0, difference - math.sqrt(max(0.0, down))), min(1.0, difference + math.sqrt(max(0.0, up)))


def share(k: int, n: int) -> str:
    """Format the share `k` / `n` with its 95 % Wilson interval, as in "41.0 % (34.4 to 48.0)"; a dash for n = 0."""
    if n == 0:
        return "–"
    low, high = wilson(k, n)
    return f"{percent(k / n)} ({ends(low, high)})"
