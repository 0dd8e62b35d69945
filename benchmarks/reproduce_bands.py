"""Published figures of FAP and APT with the band in which a later run of ours should lie, and a run judged by them.

    python benchmarks/reproduce_bands.py                  the table of docs/reproduce.md
    python benchmarks/reproduce_bands.py --table RUN.csv  each figure of `capt protocol … --table RUN.csv`: within, outside, or not judged

Figures: docs/published.csv, in percent. A band has two parts. *Spread*: what repeats of one setting differ by. For means over data sets
it is 1.96 times the root mean square of the six differences between printed repeats (`REPEATS`); for one data set Wilson's half-width for
its pictures is added, as prompts of another seed answer otherwise there; EuroSAT gets 6 at least, as users of FAP's program do not reach
its figure (FAP, issue 3). Zero-shot nothing is drawn: half a point, and Wilson's half-width where not all test pictures are measured.
*Attack*: ours takes smaller steps and keeps the strongest point that it meets; so a robust figure may be lower by as much as AutoAttack
finds on FAP's own models (`AUTO_ATTACK_KEEPS`), and not higher.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from capt_engine.data.benchmarks import BENCHMARKS
from capt_engine.formatting import UNKNOWN
from capt_engine.metrics.interval import wilson
from capt_engine.protocols.definitions import ZERO_SHOT
from capt_engine.protocols.table import CLEAN

PUBLISHED = Path(__file__).parents[1] / "docs" / "published.csv"
# FAP's Table 2 and Table 8 print one setting twice; CoAPT ran FAP again: ImageNet, and the mean of ten targets. Clean and robust of each.
REPEATS = (
    (48.18, 47.76), (25.06, 24.23), (50.80, 52.53), (21.60, 22.90), (45.72, 47.29), (23.89, 24.37),
)  # fmt: skip
SPREAD = 1.96 * math.sqrt(sum((one - two) ** 2 for one, two in REPEATS) / len(REPEATS))
EUROSAT = 6.0
ZERO_SHOT_SPREAD = 0.5
# Mean of 11 data sets at 1/255: FAP's PGD-100 leaves 24.23, AutoAttack on the same models 17.41.
AUTO_ATTACK_KEEPS = 17.41 / 24.23
# The published standard deviation reaches 29.5 points at four shots: a band would hold anything.
TOO_FEW = ("1 shot", "4 shots")

Key = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Published:
    """One published pair of figures in percent, with what it is of."""

    source: str
    part: str
    dataset: str
    method: str
    variant: str
    subsample_classes: str
    model: str
    eps: str
    clean: float
    robust: float

    @property
    def key(self) -> Key:
        """Return what a row of `capt protocol … --table FILE.csv` is known by."""
        return self.part, self.dataset, self.method, self.variant, self.subsample_classes

    @property
    def pictures(self) -> int:
        """Return the test pictures behind it, at most; 0 for a mean over data sets."""
        if self.dataset not in BENCHMARKS.names():
            return 0
        return BENCHMARKS[self.dataset].sizes[2] // (1 if self.subsample_classes == "all" else 2)

    def spread(self, percent: float, n: int) -> float:
        """Return the half-width of the band around `percent`, in points, for `n` measured pictures; n 0: a mean over data sets."""
        part = 0.0
        if n:
            low, high = wilson(round(percent / 100 * n), n)
            part = 50 * (high - low)
        if self.method == ZERO_SHOT:
            return ZERO_SHOT_SPREAD + (part if n < self.pictures else 0.0)
        return max(SPREAD + part, EUROSAT if self.dataset == "eurosat" else 0.0)

    def band(self, metric: str, n: int) -> tuple[float, float] | None:
        """Return both ends of the band in percent, for "clean" or a budget; None where no band says anything."""
        if self.variant in TOO_FEW:
            return None
        percent = self.clean if metric == CLEAN else self.robust
        spread = self.spread(percent, n)
        least = percent if metric == CLEAN else percent * AUTO_ATTACK_KEEPS
        return max(0.0, least - spread), min(100.0, percent + spread)


def published(file: Path = PUBLISHED) -> dict[Key, Published]:
    """Read the published figures."""
    with file.open(newline="", encoding="utf-8") as opened:
        found = [
            Published(**{**row, "clean": float(row["clean"]), "robust": float(row["robust"])})  # type: ignore[arg-type]
            for row in csv.DictReader(opened)
        ]
    return {one.key: one for one in found}


def markdown(figures: Iterable[Published]) -> str:
    """Return the figures as a table, with the bands for all test pictures."""
    heads = ["table", "data set", "method", "shots", "classes", "ε", "clean", "band", "PGD-100", "band", "source"]
    lines = [heads, ["---"] * len(heads)]
    for one in figures:
        shots = one.variant.partition(" ")[0] or UNKNOWN
        clean, robust = (_shown(one.band(metric, one.pictures)) for metric in (CLEAN, one.eps))
        named = [one.part, one.dataset, one.method, shots, one.subsample_classes, one.eps]
        lines.append([*named, f"{one.clean:.2f}", clean, f"{one.robust:.2f}", robust, one.source])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def judged(rows: Iterable[Mapping[str, str]], figures: Mapping[Key, Published]) -> list[str]:
    """Return a line for each measured figure that was published: "within", "outside" or "not judged", with the band."""
    lines = []
    for row in rows:
        key = (row["part"], row["dataset"], row["method"], row["variant"], row["subsample_classes"])
        one = figures.get(key)
        if one is None or row["metric"] not in (CLEAN, one.eps):
            continue
        band = one.band(row["metric"], int(row["n"] or 0) if one.pictures else 0)
        ours = 100 * float(row["mean"])
        # Ours as it is printed: a figure at the very end of a band is in it.
        verdict = "not judged" if band is None else "within" if band[0] <= round(ours, 2) <= band[1] else "outside"
        theirs = one.clean if row["metric"] == CLEAN else one.robust
        lines.append(
            f"{verdict}: {' '.join(filter(None, key))}, {row['metric']}: {ours:.2f}, published {theirs:.2f}, band {_shown(band)}"
        )
    return lines


def _shown(band: tuple[float, float] | None) -> str:
    return UNKNOWN if band is None else f"{band[0]:.1f} to {band[1]:.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, help="what `capt protocol … --table FILE.csv` wrote")
    args = parser.parse_args()
    if args.table is None:
        print(markdown(one for one in published().values() if one.variant not in TOO_FEW))
        return 0
    with args.table.open(newline="", encoding="utf-8") as opened:
        lines = judged(csv.DictReader(opened), published())
    print("\n".join(lines) or "Nothing in this table was published.")
    return int(any(line.startswith("outside") for line in lines))


if __name__ == "__main__":
    raise SystemExit(main())
