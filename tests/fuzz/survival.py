"""A trial of many broken files: each is read or refused in a sentence, in little time and memory."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable

import pytest

from capt_engine.errors import CaptError

FEW, MANY = 200, 10_000
MOST_S, MOST_BYTES = 2.0, 500 << 20

counts = pytest.mark.parametrize(
    "n", [FEW, pytest.param(MANY, marks=[pytest.mark.heavy, pytest.mark.timeout(6 * 3600)])]
)
"""How many broken files of each kind: few in every run of the tests, many on demand."""


def survive(kind: str, n: int, trial: Callable[[random.Random], object], most_s: float = MOST_S) -> Counter[str]:
    """Make and read `n` broken files of a kind; return how many were read, and how many refused with which family.

    trial: makes one from a stream of random numbers, and reads it. A refusal is one of the program's own errors, with a
    sentence. Fails where one takes more than `most_s` seconds of the processor, or more than MOST_BYTES of memory.
    The seed of what failed is the kind and its number.
    """
    ended: Counter[str] = Counter()
    for number in range(n):
        rng = random.Random(f"{kind}:{number}")
        began, before = time.process_time(), peak_bytes()
        try:
            trial(rng)
            ended["read"] += 1
        except CaptError as refused:
            require_sentence(refused.message, f"{kind}:{number}")
            ended[type(refused).__name__] += 1
        except BaseException as error:
            error.add_note(f"The broken file was {kind}:{number}.")
            raise
        took_s = time.process_time() - began
        assert took_s < most_s, f"{kind}:{number} took {took_s:.1f} s"
        assert peak_bytes() - before < MOST_BYTES, f"{kind}:{number} took {(peak_bytes() - before) >> 20} MiB"
    return ended


def require_sentence(message: str, which: str) -> None:
    """Fail where the message of a refusal is no sentence; which: the broken file, for the failure's own."""
    assert message.endswith((".", "?", ")")), f"{which}: {message[:200]!r}"


def peak_bytes() -> int:
    """Return the most memory that this process has held; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
