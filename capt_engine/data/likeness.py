"""Which pictures look alike: a short fingerprint of each, and groups of those whose fingerprints nearly agree.

A fingerprint is the row and column difference hash of 8 × 8 cells each (N. Krawetz, "Kind of Like That", 2013), 128 bits, and the mean
colours of 4 × 4 tiles. The hash alone takes many a small or plain picture for another; the colours alone know no shapes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

HASH_BYTES = 16
TILES = 4
FINGERPRINT_BYTES = HASH_BYTES + TILES * TILES * 3

MOST_BITS = 8
"""Two pictures look alike when at most so many of the 128 bits differ …"""
MOST_COLOUR = 16
"""… and no tile's colour differs by more than this, of 255."""

# Hashes that differ in at most 8 bits agree wholly in at least one of 9 pieces (pigeonhole), so only those that share a piece are
# compared. Plain pictures share pieces by the thousand; sorting each such crowd by brightness puts neighbours first.
_PIECES = MOST_BITS + 1
# Some seconds of work where all of them are plain; ordinary photographs need a fiftieth of it.
_MOST_PAIRS = 6_000_000


def fingerprint(rgb: Pixels) -> bytes:
    """Compute a short fingerprint of a picture; scaling and recompressing hardly change it, cropping and turning do.

    Args:
        rgb: sRGB values (h, w, 3), uint8.

    Returns:
        64 bytes: 128 bits of difference hash (Krawetz 2013), then the mean colours of 4 × 4 tiles.
    """
    picture = Image.fromarray(rgb)
    grey = np.asarray(picture.convert("L").resize((9, 9), Image.Resampling.LANCZOS, reducing_gap=3.0), np.int16)
    rows = grey[:8, 1:] > grey[:8, :-1]
    columns = grey[1:, :8] > grey[:-1, :8]
    tiles = np.asarray(picture.resize((TILES, TILES), Image.Resampling.BOX))
    return np.packbits(np.concatenate([rows.ravel(), columns.ravel()])).tobytes() + tiles.tobytes()


def look_alike(fingerprints: Pixels, progress: Callable[[int, int], None]) -> tuple[tuple[tuple[int, ...], ...], bool]:
    """Group pictures that look alike by their fingerprints; where A is like B and B is like C, all three are one group.

    Args:
        fingerprints: (n, 64) uint8, one row a picture, as `fingerprint` computes them.
        progress: called with (pieces of the work done, pieces in all), may raise to stop.

    Returns:
        A pair: the groups of two or more row numbers, sorted; and True if every pair that could be alike was compared.
        False means that among many pictures that are nearly plain and equally bright only the nearest neighbours were.
    """
    count = len(fingerprints)
    if count < 2:
        return (), True
    table = np.ascontiguousarray(fingerprints)
    bits = np.unpackbits(table[:, :HASH_BYTES], axis=1)
    hashes = np.ascontiguousarray(table[:, :HASH_BYTES]).view(np.uint16).astype(np.intp)
    colours = table[:, HASH_BYTES:].astype(np.int16)
    brightness = colours.mean(axis=1)
    ones = np.unpackbits(np.arange(2**16, dtype=">u2").view(np.uint8).reshape(-1, 2), axis=1).sum(
        axis=1, dtype=np.uint8
    )

    leader = np.arange(count)
    complete = True
    for piece in range(_PIECES):
        progress(piece, _PIECES)
        part = np.packbits(bits[:, piece::_PIECES], axis=1).astype(np.int64)
        key = part[:, 0] * 256 + part[:, 1]
        order = np.lexsort((brightness, key))
        first, pairs = np.arange(count - 1), 0
        for distance in range(1, count):
            first = first[first + distance < count]
            one, other = order[first], order[first + distance]
            near = (key[one] == key[other]) & (brightness[other] - brightness[one] <= MOST_COLOUR)
            first, one, other = first[near], one[near], other[near]
            if not first.size:
                break
            pairs += first.size
            if pairs > _MOST_PAIRS:
                complete = False
                break
            # Most pairs of a large group are linked already; only the others are worth a look.
            leader = _flat(leader)
            new = leader[one] != leader[other]
            one, other = one[new], other[new]
            close = ones[hashes[one] ^ hashes[other]].sum(axis=1) <= MOST_BITS
            one, other = one[close], other[close]
            alike = np.abs(colours[one] - colours[other]).max(axis=1, initial=0) <= MOST_COLOUR
            for left, right in zip(one[alike].tolist(), other[alike].tolist(), strict=True):
                _join(leader, left, right)
    progress(_PIECES, _PIECES)
    groups: dict[int, list[int]] = {}
    for index, first_member in enumerate(_flat(leader).tolist()):
        groups.setdefault(first_member, []).append(index)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1), complete


def _flat(leader: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same groups, each member pointing straight at its leader."""
    while not np.array_equal(further := leader[leader], leader):
        leader = further
    return leader


def _leader_of(leader: NDArray[np.intp], index: int) -> int:
    while leader[index] != index:
        leader[index] = leader[leader[index]]
        index = int(leader[index])
    return index


def _join(leader: NDArray[np.intp], one: int, other: int) -> None:
    one, other = sorted((_leader_of(leader, one), _leader_of(leader, other)))
    leader[other] = one
