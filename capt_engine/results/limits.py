"""The size up to which the result store may grow, and the environment variables that say otherwise or turn it off."""

from __future__ import annotations

import math
import os
import re

from capt_engine.errors import BadRequest
from capt_engine.folders import window_setting

OFF = "CAPT_NO_CACHE"
"""The environment variable that turns the result store off; `--no-cache` does so for one run."""

SIZE = "CAPT_CACHE_SIZE"
"""The environment variable of the most that the store may take, as in "20 GB"."""

BUDGET = 5 * 1000**3
"""The bytes that the store may take; beyond them what was not used for longest goes."""

LOW = 2 * 1000**3
"""The bytes that the store leaves free on the disk."""

_GB = 1000**3
_UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4}


def is_off() -> bool:
    """Return True where the environment variable CAPT_NO_CACHE turns the store off."""
    return os.environ.get(OFF, "0") not in ("", "0")


def budget() -> int:
    """Return the bytes that the store may take: those of CAPT_CACHE_SIZE, else those chosen in the window, else 5 GB.

    What says nothing that can be read does not count.
    """
    try:
        return read_size(os.environ.get(SIZE, ""))
    except BadRequest:
        chosen = window_setting("store_budget_gb", BUDGET / _GB) * _GB
        return round(chosen) if 0 <= chosen < math.inf else BUDGET


def read_size(text: str) -> int:
    """Read a number of bytes typed as "500 MB", "2GB" or "1.5 GB", in powers of 1000; raises BadRequest for another text."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?b?)\s*", text.casefold())
    unit = found[2] if found else ""
    unit += "b" if unit in ("k", "m", "g", "t") else ""
    if found is None or unit not in _UNITS:
        raise BadRequest(f"{text!r} is no size.", "Write it as in 500MB, 2GB or 0.")
    return int(float(found[1]) * _UNITS[unit])
