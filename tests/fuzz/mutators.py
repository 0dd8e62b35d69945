"""Seeded mutators: from a sound file, any number of broken ones; the same seed gives the same bytes on every machine."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

_HUGE = "@huge@"
_DEEP = "@deep@"
_TEXTS = ("", "0", "none", "a/b", "../../x", "\x00", "\ud800", "\udcff", "\u202e", "<img src='/dev/zero'>", "=1+1")
_NUMBERS = (0, 1, -1, 2, 255, 2**31, 2**63, 10**30, 0.5, -0.1, 1e308, float("nan"), float("inf"), -float("inf"))
_PIECES = (
    b"",
    b"\x00",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"[",
    b"{",
    b'"',
    b"\n",
)


def mutated_bytes(rng: random.Random, data: bytes) -> bytes:
    """Return `data` with one to four of its parts flipped, overwritten, taken out, repeated or cut off."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        # Half of the changes near the beginning, where headers are.
        reach = len(changed) if rng.random() < 0.5 else min(len(changed), 64)
        at = rng.randrange(reach) if reach else 0
        length = rng.choice((1, 1, 2, 4, 8, rng.randint(1, 64)))
        change = rng.randrange(6)
        if change == 0 and changed:
            changed[at] ^= 1 << rng.randrange(8)
        elif change == 1:
            changed[at : at + length] = rng.randbytes(length)
        elif change == 2:
            del changed[at : at + length]
        elif change == 3:
            changed[at:at] = changed[at : at + length] * rng.choice((1, 2, 100))
        elif change == 4:
            piece = rng.choice(_PIECES)
            changed[at : at + len(piece)] = piece
        elif rng.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def mutated_json(rng: random.Random, document: Any) -> str:
    """Return the JSON text of `document` with values in it replaced, removed, moved or repeated, or with its text broken.

    Among the new values are numbers without bound, lone surrogates, paths that lead out and documents of great depth.
    """
    changed = copy.deepcopy(document)
    for _ in range(rng.randint(1, 3)):
        changed = _with_change(rng, changed)
    text = json.dumps(changed, ensure_ascii=rng.random() < 0.9)
    text = text.replace(f'"{_HUGE}"', "9" * rng.choice((30, 400, 5000)))
    depth = rng.choice((70, 1000, 100_000))
    text = text.replace(f'"{_DEEP}"', "[" * depth + "]" * depth)
    if rng.random() < 0.8:
        return text
    return mutated_bytes(rng, text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")


def mutated_table(rng: random.Random, text: str) -> str:
    """Return the text of a CSV file with cells replaced, moved or removed, lines repeated, or with its bytes broken."""
    rows = [line.split(",") for line in text.split("\n")]
    for _ in range(rng.randint(1, 3)):
        row = rng.choice(rows)
        at = rng.randrange(len(row))
        change = rng.randrange(6)
        if change == 0:
            row[at] = str(rng.choice(_NUMBERS))
        elif change == 1:
            row[at] = rng.choice((*_TEXTS, '"', "9" * 400, "a" * 200_000))
        elif change == 2:
            del row[at:]
            row.append("")
        elif change == 3:
            row[at] = rng.choice(rng.choice(rows))
        elif change == 4:
            rows.insert(rng.randrange(len(rows)), list(row))
        else:
            row.insert(at, rng.choice(_TEXTS))
    changed = "\n".join(",".join(row) for row in rows)
    if rng.random() < 0.8:
        return changed
    return mutated_bytes(rng, changed.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """Return the bytes of a text for a file; lone surrogates become bytes that are no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def nasty(rng: random.Random) -> Any:
    """Return a plain value that a reader is not ready for."""
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice((None, True, False))
    if kind in (1, 2):
        return rng.choice(_NUMBERS)
    if kind in (3, 4):
        return rng.choice(_TEXTS)
    if kind == 5:
        return rng.choice((_HUGE, _DEEP, "a" * 100_000))
    inside = [nasty(rng) for _ in range(rng.randrange(3))]
    return inside if kind == 6 else {rng.choice(_TEXTS): one for one in inside}


def places(document: Any) -> list[tuple[Any, ...]]:
    """Return the paths of all values in `document`, its own first."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [(), *((name, *rest) for name, value in inner for rest in places(value))]


def _with_change(rng: random.Random, document: Any) -> Any:
    """Change one value of a document, which may be the document itself."""
    every = places(document)
    way = rng.choice(every)
    if not way:
        return nasty(rng) if rng.random() < 0.2 else document
    inside = _at(document, way[:-1])
    change = rng.randrange(6)
    if change == 0:
        del inside[way[-1]]
    elif change == 1:
        inside[way[-1]] = copy.deepcopy(_at(document, rng.choice(every)))
    elif change == 2 and isinstance(inside[way[-1]], list):
        held = inside[way[-1]]
        # Not a hundred times a hundred times as much: the file itself would fill the memory.
        inside[way[-1]] = held * rng.choice((0, 2, 100 if len(json.dumps(held)) < 10_000 else 3))
    elif change == 3 and isinstance(inside, dict):
        inside[rng.choice((*_TEXTS, f"{way[-1]} "))] = inside.pop(way[-1])
    else:
        inside[way[-1]] = nasty(rng)
    return document


def _at(document: Any, way: tuple[Any, ...]) -> Any:
    for name in way:
        document = document[name]
    return document
