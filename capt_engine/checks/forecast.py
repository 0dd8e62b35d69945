"""Forecast of the live checks: which attack steps and forward passes they will be, so that the time they take can be told before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from capt_engine.attacks.base import Attack
from capt_engine.checks.full import BLACK_BOX_QUERIES, HIDDEN
from capt_engine.checks.quick import ALONE, FEW, STEPS, TWO
from capt_engine.checks.subset import BATCH_SIZES

PICTURES = {"off": 0, "cheap": 8, "full": 100}
"""The number of pictures that each level of checks uses."""

FORWARD = 1 / 3
"""The share of a step that a forward pass takes: forward and back is about three forward, with all that an attack does in a step."""

_SINGLE = 2


class Piece(NamedTuple):
    """Work on `n` pictures at once that costs as much as so many `steps` of an attack by gradients."""

    n: int
    steps: float


def pieces(
    level: str, attack: Attack | None, n: int, right: float, held: float, *, others: int = 0
) -> tuple[Piece, ...]:
    """Return the work of the live checks on one model.

    level: "off", "cheap" or "full". attack: the run's first attack by gradients, None where it has none. n: the
    pictures that are checked. right, held: of the pictures so far, the share that was right clean, and under the attack.
    others: how many other models the full checks attack (an undefended one, one that attacks are carried over from).
    """
    if level == "off" or not n:
        return ()
    return tuple(piece for piece in _pieces(level == "full", attack, n, right, held, others) if piece.n and piece.steps)


def _pieces(is_full: bool, attack: Attack | None, n: int, right: float, held: float, others: int) -> Iterator[Piece]:
    yield from _on(n, 2 * FORWARD)
    yield Piece(1, (min(n, ALONE) + 1) * FORWARD)
    if attack is None:
        return
    steps, restarts = float(attack.work), getattr(attack, "restarts", 1)
    n_right, n_held = round(right * n), round(held * n)
    yield from _on(n if is_full else min(TWO, n), (restarts * 3 if hasattr(attack, "steps") else steps) + FORWARD)
    yield from _on(n, 1)
    yield from _on(n_right, steps + _SINGLE + 3 * FORWARD)
    yield from _on(n_right if is_full else min(FEW, n_right), STEPS + 1)
    if not is_full:
        return
    doubled = sum(2 * steps for name in ("steps", "restarts") if hasattr(attack, name))
    yield from _on(n_right, 3 * steps + 3 * FORWARD)
    yield from _on(n, (1 + others) * steps)
    yield from _on(n_held, doubled + BLACK_BOX_QUERIES * FORWARD)
    yield Piece(1, min(n, HIDDEN) * (steps + 1))


def _on(n: int, steps: float) -> Iterator[Piece]:
    """So many steps on `n` pictures, which are taken a batch at a time."""
    most = BATCH_SIZES[0]
    for start in range(0, n, most):
        yield Piece(min(most, n - start), steps)
