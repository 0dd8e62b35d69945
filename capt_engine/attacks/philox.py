"""Philox4x32-10, the counter-based generator of Salmon et al. (2011, doi:10.1145/2063384.2063405), in integer tensor operations.

A value is a function of key and counter alone, so every device computes the same bits, in any batch and order.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

Words = tuple[Tensor, Tensor, Tensor, Tensor]

WORDS = 4
"""Words of 32 bits in a block."""

_ROUNDS = 10
_MASK = 0xFFFFFFFF
# The multipliers less 2³²: a product with 32 bits then stays inside int64, and its upper half lacks just the other factor.
_M0, _M1 = 0xD2511F53 - 2**32, 0xCD9E8D57 - 2**32
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
# So many counters at a time stay in a core's cache; a GPU wants as many as there are.
_BLOCK = {"cpu": 2**14}
_WHOLE = 2**24


def philox(counter: Words, key: tuple[Tensor, Tensor]) -> Words:
    """Compute one block of 128 random bits for each counter with Philox4x32-10.

    Args:
        counter: four int64 tensors that broadcast to each other, values in [0, 2³²).
        key: two int64 tensors that broadcast to the counters, values in [0, 2³²).

    Returns:
        Four int64 tensors of the common shape, values in [0, 2³²): the block's four words of 32 bits.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0, p1 = c0 * _M0, c2 * _M1
        # The shift rounds down also below zero.
        c0, c1, c2, c3 = (p1 >> 32).add_(c2) ^ c1 ^ k0, p1 & _MASK, (p0 >> 32).add_(c0) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    return c0, c1, c2, c3


def blocks(keys: Tensor, calls: Tensor, count: int) -> Iterator[tuple[slice, slice, Words]]:
    """Generate the first `count` blocks of random bits of each row's stream, in parts small enough for a core's cache.

    Args:
        keys: (n, 3), int64 in [0, 2³²): for each row two words of key, and one of the counter.
        calls: (n,), int64, how often the row has drawn before.
        count: the number of blocks for each row.

    Yields:
        The rows of a part and its columns (numbers of blocks), both as slices, and its four words, int64 (rows,
        columns) each.
    """
    at_once = _BLOCK.get(keys.device.type, _WHOLE)
    rows, columns = max(1, at_once // max(1, count)), max(1, min(count, at_once))
    for first in range(0, len(keys), rows):
        some = slice(first, min(first + rows, len(keys)))
        k0, k1, c3 = (keys[some, i, None] for i in range(3))
        for start in range(0, count, columns):
            part = slice(start, min(start + columns, count))
            places = torch.arange(part.start, part.stop, device=keys.device)
            yield some, part, philox((places, calls[some, None], torch.zeros_like(k0), c3), (k0, k1))
