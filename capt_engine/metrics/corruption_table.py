"""Accuracy under common corruptions, kind by severity, and their means (Hendrycks & Dietterich 2019, arXiv 1903.12261).

The paper's mCE divides each kind's errors by AlexNet's on ImageNet-C; with constants and pictures of one's own there is nothing to
divide by, so accuracies are averaged as they are, every kind with the same weight.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from capt_engine.records import CorruptionCell, CorruptionMean, CorruptionTable

FEWEST = 20
"""With fewer pictures resampling them says too little of others, and no interval is given."""
RESAMPLES = 2000

_AT_ONCE = 200


@dataclass
class Corrupted:
    """The answers with one set of prompts: for each picture two whole numbers, whose bits are the cells it was seen in and right in."""

    cells: dict[tuple[str, int], int] = field(default_factory=dict)
    pictures: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, path: str, cell: tuple[str, int], *, right: bool) -> None:
        """Count one answer to the picture `path` under `cell` (corruption, severity), in place of an earlier one."""
        bit = 1 << self.cells.setdefault(cell, len(self.cells))
        seen, kept = self.pictures.get(path, (0, 0))
        self.pictures[path] = (seen | bit, kept | bit if right else kept & ~bit)

    def table(self, prompts: str, clean: int) -> CorruptionTable:
        """Make the table of accuracies, corruption by severity, with their means; there must be an answer.

        `prompts` is the id that the table bears, `clean` the number of pictures that were right uncorrupted.
        """
        ordered = sorted(self.cells, key=lambda cell: (self._place(cell[0]), cell[1]))
        cells = tuple(CorruptionCell(*cell, *self._counted(1 << self.cells[cell])) for cell in ordered)
        kinds = tuple(dict.fromkeys(kind for kind, _ in ordered))
        # No cell is empty: there is one because a picture was seen in it.
        shares = [[one.kept / one.n for one in cells if one.kind == kind] for kind in kinds]
        means = [sum(some) / len(some) for some in shares]
        within = self._intervals(kinds)
        averages = [CorruptionMean(kind, mean, *ends) for kind, mean, ends in zip(kinds, means, within, strict=False)]
        overall = CorruptionMean("", sum(means) / len(means), *within[-1])
        everything = (1 << len(self.cells)) - 1
        worst = sum(kept == everything for _, kept in self.pictures.values())
        return CorruptionTable(prompts, len(self.pictures), clean, cells, tuple(averages), overall, worst)

    def _place(self, kind: str) -> int:
        return min(at for (of, _), at in self.cells.items() if of == kind)

    def _counted(self, bit: int) -> tuple[int, int]:
        """Right, of how many."""
        known = [kept for seen, kept in self.pictures.values() if seen & bit]
        return sum(bool(kept & bit) for kept in known), len(known)

    def _intervals(self, kinds: tuple[str, ...]) -> list[tuple[float | None, float | None]]:
        """For each kind and for all of them together; of the pictures that were seen in every cell."""
        whole = (1 << len(self.cells)) - 1
        masks = [[1 << at for (of, _), at in self.cells.items() if of == kind] for kind in kinds]
        values = np.array(
            [
                [sum(bool(kept & bit) for bit in bits) / len(bits) for bits in masks]
                for seen, kept in self.pictures.values()
                if seen == whole
            ],
            dtype=np.float64,
        ).reshape(-1, len(kinds))
        return resampled(np.column_stack([values, values.mean(axis=1)]))


def resampled(values: NDArray[np.float64]) -> list[tuple[float | None, float | None]]:
    """Compute the 95 % percentile interval of each column's mean by drawing n whole rows anew (Efron 1979), 2,000 times.

    The order of rows does not matter, and the draws are always the same.

    Args:
        values: numbers (n, m), one row a picture.

    Returns:
        The lower and the upper end for each of the m columns; both None where there are fewer than 20 rows, or the
        column's values are all alike.
    """
    n, m = values.shape
    if n < FEWEST:
        return [(None, None)] * m
    # Few different rows are drawn by how often each stands there, in an order of their own.
    rows, counts = np.unique(values, axis=0, return_counts=True)
    stream = np.random.default_rng(0)
    means = np.concatenate(
        [stream.multinomial(n, counts / n, size=_AT_ONCE) @ rows / n for _ in range(RESAMPLES // _AT_ONCE)]
    )
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    alike = rows.max(axis=0) == rows.min(axis=0)
    return [(None, None) if same else (float(down), float(up)) for same, down, up in zip(alike, low, high, strict=True)]
