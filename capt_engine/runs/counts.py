"""One pass over a run's rows: everything that a report says in numbers. Memory grows by a few numbers a picture, never by a row."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from capt_engine.formatting import csv_plain
from capt_engine.metrics import METRICS
from capt_engine.metrics.calibration import Calibration
from capt_engine.metrics.tally import Tally, Trial
from capt_engine.records import ALPHA_BINS, NO_PROMPTS, corruption_of
from capt_engine.runs.manifest import digest
from capt_engine.runs.redaction import Names
from capt_engine.runs.table import trial

EDGE_ROWS = 50


@dataclass
class Fared:
    """The counts of one attack at one budget. n: pictures it was run on; skipped: it was not, as they were lost before.

    open: had a right answer to lose. png, jpeg, jpeg75, resize: still fooled once saved so, of
    the flips that were saved: `saved` for the first two, `resized` for the others.
    budget: in words, where no ball binds the attack.
    """

    n: int = 0
    kept: int = 0
    flips: int = 0
    open: int = 0
    saved: int = 0
    png: int = 0
    jpeg: int = 0
    jpeg75: int = 0
    resize: int = 0
    resized: int = 0
    skipped: int = 0
    knowledge: str = ""
    budget: str = ""
    seconds: float = 0.0
    steps: str = ""
    restarts: str = ""


@dataclass
class Seen:
    """One picture under one set of prompts: its label, right when clean, right under every attack by budget."""

    label: str
    clean: bool
    sha256: str
    robust: dict[float, bool] = field(default_factory=dict)


@dataclass
class Counts:
    """All that was counted. Keys: prompts; (prompts, attack, eps); (prompts, is_attacked); path; the largest budget where none is named.

    alphas: pictures by α, in ALPHA_BINS of equal width; of plain text, whose α is one half by definition, there are none.
    """

    rows: int = 0
    tally: Tally = field(default_factory=Tally)
    prompts: list[str] = field(default_factory=list)
    pictures: dict[str, dict[str, Seen]] = field(default_factory=dict)
    fared: dict[tuple[str, str, float], Fared] = field(default_factory=dict)
    confusion: dict[tuple[str, bool], Counter[tuple[str, str]]] = field(default_factory=dict)
    calibration: dict[tuple[str, bool], Calibration] = field(default_factory=dict)
    metrics: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    alphas: dict[str, list[int]] = field(default_factory=dict)
    label_sources: Counter[str] = field(default_factory=Counter)
    marks: str = ""
    edges: list[dict[str, str]] = field(default_factory=list)

    @property
    def n(self) -> int:
        """Return the number of pictures that the first set of prompts was asked about; 0 where there are no rows."""
        return len(self.pictures[self.prompts[0]]) if self.prompts else 0

    def clean(self, prompts: str) -> tuple[int, int]:
        """Return (right, all): the pictures that are right when clean, and all that were asked about.

        prompts: the name of the set of prompts that answers.
        """
        seen = self.pictures[prompts].values()
        return sum(one.clean for one in seen), len(seen)

    def robust(self, prompts: str, eps: float) -> tuple[int, int]:
        """Return (right, all): the pictures right under every attack at the budget `eps`, and all that were attacked.

        prompts: the name of the set of prompts that answers. A picture lost before an attack, which was not run on it
        then, counts as not right.
        """
        known = [one.robust[eps] for one in self.pictures[prompts].values() if eps in one.robust]
        return sum(known), len(known)


def count(
    lines: Iterable[Mapping[str, str]], names: Names, largest: float, first_attack: str, *, is_matrix: bool = False
) -> Counts:
    """Count the rows of a run once, and return all numbers that a report needs.

    lines: rows as text by column. names: the names to show, redacted or not. largest: the budget that the attacked
    confusion, calibration and metrics are about; first_attack: the label of the attack whose answers confusion and
    calibration take. is_matrix: several sets of prompts were attacked all with all; then only attacks on the answering
    set itself count for its own figures.
    """
    counts, edges, marks = Counts(), _Edges(), []
    for line in lines:
        counts.rows += 1
        marks.append(digest(text for name, text in line.items() if name not in ("time_s", "path")))
        line = names.line(line)
        one = trial(line)
        is_first = one.attack == first_attack
        _count(counts, line, one, is_edge=one.eps == largest, is_first=is_first, is_matrix=is_matrix)
        edges.add(line, one)
    counts.marks = digest(sorted(marks))
    counts.edges = edges.lines()
    return counts


def _count(
    counts: Counts, line: Mapping[str, str], one: Trial, *, is_edge: bool, is_first: bool, is_matrix: bool
) -> None:
    counts.tally.add(one)
    if one.prompts not in counts.pictures:
        counts.prompts.append(one.prompts)
    right = one.clean_pred == one.label
    mine = counts.pictures.setdefault(one.prompts, {})
    if one.path not in mine:
        mine[one.path] = Seen(one.label, right, line["sha256"])
        counts.label_sources[line["label_source"]] += one.prompts == counts.prompts[0]
        counts.confusion.setdefault((one.prompts, False), Counter())[one.label, one.clean_pred] += 1
        counts.calibration.setdefault((one.prompts, False), Calibration()).add(float(line["clean_conf"]), right=right)
    # In a matrix a model's own figures are those of the attack on itself; the rest stands in the matrix alone.
    if not one.attack or (is_matrix and one.aimed_at != one.prompts):
        return
    if corruption_of(one.attack) is not None:
        return  # nobody attacked; the tally has a table of them
    fared = counts.fared.setdefault((one.prompts, one.attack, one.eps), Fared())
    robust = mine[one.path].robust
    if one.skipped:
        robust.setdefault(one.eps, right and not one.skipped.startswith("broken at"))
        fared.skipped += 1
        return
    kept = one.adv_pred == one.label
    robust[one.eps] = robust.get(one.eps, True) and kept
    _fare(fared, line, one, kept=kept)
    if is_edge:
        for name, value in one.metrics:
            sums = counts.metrics.setdefault((one.prompts, name), [0.0, 0])
            sums[0] += value
            sums[1] += 1
    if is_edge and is_first:
        counts.confusion.setdefault((one.prompts, True), Counter())[one.label, one.adv_pred] += 1
        calibration = counts.calibration.setdefault((one.prompts, True), Calibration())
        calibration.add(float(line["adv_conf"]), right=kept)
        alpha = dict(one.metrics).get("alpha")
        if alpha is not None and one.prompts != NO_PROMPTS:
            bins = counts.alphas.setdefault(one.prompts, [0] * ALPHA_BINS)
            bins[min(ALPHA_BINS - 1, int(alpha * ALPHA_BINS))] += 1


def _fare(fared: Fared, line: Mapping[str, str], one: Trial, *, kept: bool) -> None:
    fared.n += 1
    fared.kept += kept
    fared.flips += bool(one.success)
    fared.open += one.success is not None
    fared.saved += bool(line["survives_png"])
    fared.png += line["survives_png"] == "true"
    fared.jpeg += line["survives_jpeg95"] == "true"
    fared.jpeg75 += line.get("survives_jpeg75") == "true"
    fared.resize += line.get("survives_resize") == "true"
    fared.resized += bool(line.get("survives_resize"))
    fared.seconds += one.seconds
    fared.knowledge = one.knowledge
    fared.budget = csv_plain(line.get("budget") or "")
    fared.steps, fared.restarts = line["steps"], line["restarts"]


def metric_means(counts: Counts, prompts: str) -> list[tuple[str, float, int]]:
    """Return (name, mean, number of values) of every metric measured for the set of prompts called `prompts`.

    They are taken from `counts`, over all attacked rows at the verdict's budget, and stand in the order of the table of
    metrics.
    """
    found = [(metric.name, counts.metrics.get((prompts, metric.name))) for metric in METRICS]
    return [(name, sums[0] / sums[1], int(sums[1])) for name, sums in found if sums is not None]


class _Edges:
    """The rows a summary shows: all while they are few, else those that the attack moved most and least."""

    def __init__(self) -> None:
        self._number = itertools.count()
        self._worst: list[tuple[float, int, dict[str, str]]] = []
        self._best: list[tuple[float, int, dict[str, str]]] = []

    def add(self, line: dict[str, str], one: Trial) -> None:
        # Ties go to the earlier row; a clean row has no shift and keeps its place in the file.
        number = next(self._number)
        shift = dict(one.metrics).get("margin_shift", 0.0)
        for heap, rank in ((self._worst, -shift), (self._best, shift)):
            if len(heap) < EDGE_ROWS:
                heapq.heappush(heap, (rank, -number, line))
            elif (rank, -number) > heap[0][:2]:
                heapq.heapreplace(heap, (rank, -number, line))

    def lines(self) -> list[dict[str, str]]:
        """Worst first, each row once."""
        found = {-number: line for _, number, line in sorted(self._worst, key=lambda one: one[:2], reverse=True)}
        for _, number, line in sorted(self._best, key=lambda one: one[:2]):
            found.setdefault(-number, line)
        return list(found.values())
