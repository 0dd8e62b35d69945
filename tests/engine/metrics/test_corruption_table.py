"""The table of corruptions: its means are those of its cells, its intervals those of the pictures, whatever the order."""

from __future__ import annotations

import random

import numpy as np
import pytest

from capt_engine.metrics.corruption_table import FEWEST, Corrupted, resampled
from capt_engine.records import AttackSpec, corruption_of, labels
from capt_engine.records.suites import settings_in

CELLS = [(kind, severity) for kind in ("fog", "snow") for severity in (1, 2, 3)]


def answers(n: int, seed: int = 0) -> list[tuple[str, tuple[str, int], bool]]:
    """Pictures that differ in how much they bear."""
    stream = random.Random(seed)
    bears = {f"{i}.png": stream.random() for i in range(n)}
    return [(path, cell, stream.random() < share ** cell[1]) for path, share in bears.items() for cell in CELLS]


def counted(given: list[tuple[str, tuple[str, int], bool]]) -> Corrupted:
    """The answers, counted."""
    table = Corrupted()
    for path, cell, right in given:
        table.add(path, cell, right=right)
    return table


def test_means_are_those_of_the_cells() -> None:
    """Kinds weigh alike, and so do their severities; a picture is right under all only if under each."""
    given = answers(40)
    told = counted(given).table("a", 33)
    for one in told.cells:
        found = [right for _, cell, right in given if cell == (one.kind, one.severity)]
        assert (one.kept, one.n) == (sum(found), 40)
    share = sum(right for _, _, right in given) / len(given)
    assert told.mean.accuracy == pytest.approx(share)
    assert told.mean.accuracy == pytest.approx(sum(one.accuracy for one in told.kinds) / 2)
    by_picture = {path: all(right for of, _, right in given if of == path) for path, _, _ in given}
    assert (told.n, told.clean, told.worst) == (40, 33, sum(by_picture.values()))


def test_the_order_of_pictures_does_not_matter() -> None:
    """Shards, continuations and other names give the same intervals."""
    given = answers(30)
    mixed = sorted(given, key=lambda one: (int(one[0].partition(".")[0]) * 7 % 30, CELLS.index(one[1])))
    renamed = [(f"picture {path}", cell, right) for path, cell, right in mixed]
    assert counted(given).table("a", 1) == counted(mixed).table("a", 1) == counted(renamed).table("a", 1)


def test_the_interval_covers_and_is_about_as_wide_as_theory_says() -> None:
    """Of 200 draws of 60 pictures, nine in ten and more cover the true mean; the width is near 2 × 1.96 standard errors."""
    stream = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        values = stream.beta(2, 1, size=(60, 1)).round(1)
        ((low, high),) = resampled(values)
        assert low is not None
        assert high is not None
        covered += low <= 2 / 3 <= high
        assert high - low == pytest.approx(3.92 * values.std() / 60**0.5, rel=0.15)
    assert covered >= 180


def test_no_interval_where_there_is_nothing_to_resample() -> None:
    """Fewer than twenty pictures, or pictures that all fared alike."""
    assert resampled(np.linspace(0, 1, FEWEST - 1).reshape(-1, 1)) == [(None, None)]
    assert resampled(np.ones((50, 2))) == [(None, None), (None, None)]


def test_a_label_can_be_read_again() -> None:
    """Names where they tell apart, else names with settings, which come back as they were written."""
    specs = (
        AttackSpec("corruption", (("kind", "fog"), ("severity", 3))),
        AttackSpec("corruption", (("kind", "snow"),)),
    )
    first, second = labels(specs)
    assert labels(specs[:1]) == ("corruption",)
    assert settings_in(first) == {"kind": "fog", "severity": "3"}
    assert corruption_of(first) == ("fog", 3)
    assert corruption_of(second) is None  # its severity is the usual one, which the label does not say
    assert corruption_of("corruption") is None
    assert settings_in("typographic[word=this, or that,high=0.25]") == {"word": "this, or that", "high": "0.25"}
