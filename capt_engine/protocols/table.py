"""From the cells of a protocol to one table: means over seeds, intervals, paired tests, harmonic means, averages, and who is ahead.

Everything is counted from the answers picture by picture, so any two rows can be compared exactly.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from capt_engine.metrics.interval import wilson
from capt_engine.metrics.tally import paired
from capt_engine.protocols.cache import Measured
from capt_engine.protocols.definitions import OURS, UNCHANGED, ZERO_SHOT, Row
from capt_engine.records import PairedTest

CLEAN = "clean"
ROBUST = "robust"
"""The metric of a study whose data sets are attacked at different budgets: accuracy under attack at each set's own."""
EQUAL_P = 0.05


@dataclass(frozen=True)
class Line(Row):
    """A row with what was measured of each of its cells, None where nothing was."""

    measured: tuple[Measured | None, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """One table before its figures are counted. metrics: "clean" and the budgets, as the cells name them."""

    name: str
    title: str
    metrics: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Figure:
    """A share in [0, 1]: the mean over seeds with its sample standard deviation (None: one seed), and Wilson's interval for n pictures.

    versus: the paired test against zero-shot on the same pictures, all seeds' answers together. n 0: computed from other figures.
    """

    mean: float
    std: float | None = None
    n: int = 0
    low: float | None = None
    high: float | None = None
    versus: PairedTest | None = None


@dataclass(frozen=True)
class Entry:
    """One row of the finished table; `seeds` of `planned` were measured."""

    dataset: str
    method: str
    variant: str
    subsample_classes: str
    seeds: int
    planned: int
    figures: Mapping[str, Figure | None]


@dataclass(frozen=True)
class Table:
    """A finished table, with what was left out and who is ahead, in sentences."""

    name: str
    title: str
    metrics: tuple[str, ...]
    entries: tuple[Entry, ...]
    missing: tuple[str, ...]
    verdicts: tuple[str, ...]


def table(chapter: Chapter) -> Table:
    """Return the finished table of `chapter`: mean accuracies, averages over data sets, harmonic means.

    Sentences say what was not measured, and where CAPT is ahead of, equal to or behind each other method.
    """
    entries = [_entry(chapter, line) for line in chapter.lines]
    entries += _averages(chapter, entries)
    if any(line.subsample_classes != "all" for line in chapter.lines):
        entries = _with_harmonic_means(entries, chapter.metrics)
    return Table(
        chapter.name, chapter.title, chapter.metrics, tuple(entries), _missing(chapter.lines), _verdicts(chapter)
    )


def _entry(chapter: Chapter, line: Line) -> Entry:
    base = _zero_shot_of(chapter, line)
    measured = [cell for cell in line.measured if cell is not None and not cell.failure]
    figures = {metric: _figure(line, base, metric) for metric in chapter.metrics}
    return Entry(
        line.dataset, line.method, line.variant, line.subsample_classes, len(measured), len(line.measured), figures
    )


def _zero_shot_of(chapter: Chapter, line: Line) -> Line | None:
    if line.method == ZERO_SHOT:
        return None
    same = (
        other
        for other in chapter.lines
        if (other.dataset, other.subsample_classes) == (line.dataset, line.subsample_classes)
    )
    return next((other for other in same if other.method == ZERO_SHOT), None)


def _figure(line: Line, base: Line | None, metric: str) -> Figure | None:
    answers = [cell.right[metric] for cell in line.measured if cell is not None and metric in cell.right]
    counted = [(text.count("1"), text.count("1") + text.count("0")) for text in answers]
    shares = [k / n for k, n in counted if n]
    if not shares:
        return None
    mean, n = statistics.fmean(shares), max(n for _, n in counted)
    versus = None if base is None else _test(pairs(base, line, metric))
    return Figure(mean, _std(shares), n, *wilson(round(mean * n), n), versus)


def _std(shares: Sequence[float]) -> float | None:
    return statistics.stdev(shares) if len(shares) > 1 else None


def pairs(a: Line, b: Line, metric: str) -> list[tuple[bool, bool]]:
    """Return (line `a` was right, line `b` was right) for every picture that both rows were measured on, seed by seed.

    a, b: two rows of one data set; a zero-shot row, which has no seeds, is paired with every seed of the other. metric:
    "clean" or a budget such as "1/255". Seeds measured on other pictures, and pictures without an answer, are left out.
    """
    found: list[tuple[bool, bool]] = []
    for seed in a.seeds or b.seeds or (0,):
        first, second = _of_seed(a, seed), _of_seed(b, seed)
        if first is None or second is None or first.pictures != second.pictures:
            continue
        both = zip(first.right.get(metric, ""), second.right.get(metric, ""), strict=False)
        found += [(x == "1", y == "1") for x, y in both if "-" not in (x, y)]
    return found


def _of_seed(line: Line, seed: int) -> Measured | None:
    if not line.seeds:
        return line.measured[0]
    return line.measured[line.seeds.index(seed)] if seed in line.seeds else None


def _test(answers: Sequence[tuple[bool, bool]]) -> PairedTest | None:
    return paired(answers) if answers else None


def _averages(chapter: Chapter, entries: Sequence[Entry]) -> list[Entry]:
    """The plain mean of the data sets' means, where every data set has one."""
    datasets = list(dict.fromkeys(line.dataset for line in chapter.lines))
    if len(datasets) < 2:
        return []
    averaged = []
    for method, variant, half in dict.fromkeys((one.method, one.variant, one.subsample_classes) for one in entries):
        same = [one for one in entries if (one.method, one.variant, one.subsample_classes) == (method, variant, half)]
        lines = [
            one for one in chapter.lines if (one.method, one.variant, one.subsample_classes) == (method, variant, half)
        ]
        figures: dict[str, Figure | None] = {}
        for metric in chapter.metrics:
            found = [figure for one in same if (figure := one.figures[metric]) is not None]
            whole = len(found) == len(same) == len(datasets)
            figures[metric] = _average(chapter, lines, found, metric) if whole else None
        seeds = min(one.seeds for one in same)
        average = f"average of {len(datasets)} data sets"
        averaged.append(Entry(average, method, variant, half, seeds, max(one.planned for one in same), figures))
    return averaged


def _average(chapter: Chapter, lines: Sequence[Line], found: Sequence[Figure], metric: str) -> Figure:
    answers: list[tuple[bool, bool]] = []
    for line in lines:
        base = _zero_shot_of(chapter, line)
        answers += pairs(base, line, metric) if base is not None else []
    # One average a seed, over the seeds that every data set has.
    common = set.intersection(*(set(line.seeds) for line in lines))
    by_seed = []
    for seed in sorted(common):
        cells = [_of_seed(line, seed) for line in lines]
        texts = [cell.right.get(metric, "") for cell in cells if cell is not None]
        if len(texts) == len(lines) and all(texts):
            by_seed.append(statistics.fmean(text.count("1") / (len(text) - text.count("-")) for text in texts))
    return Figure(statistics.fmean(one.mean for one in found), _std(by_seed), versus=_test(answers))


def _with_harmonic_means(entries: Sequence[Entry], metrics: Sequence[str]) -> list[Entry]:
    """After each pair of halves: HM2 of a metric's two halves, and under each budget HM4 of the clean and the robust two."""
    grouped: dict[tuple[str, str, str], dict[str, Entry]] = {}
    for one in entries:
        grouped.setdefault((one.dataset, one.method, one.variant), {})[one.subsample_classes] = one
    found: list[Entry] = []
    for (dataset, method, variant), halves in grouped.items():
        found += halves.values()
        if set(halves) != {"base", "new"}:
            continue
        two = {metric: _mean_of(halves.values(), (metric,)) for metric in metrics}
        four = {metric: None if metric == CLEAN else _mean_of(halves.values(), (CLEAN, metric)) for metric in metrics}
        seeds, planned = (min(one.seeds for one in halves.values()), max(one.planned for one in halves.values()))
        for name, figures in (("HM2", two), ("HM4", four)):
            found.append(Entry(dataset, method, variant, name, seeds, planned, figures))
    return found


def _mean_of(entries: Iterable[Entry], metrics: Sequence[str]) -> Figure | None:
    figures = [one.figures.get(metric) for one in entries for metric in metrics]
    shares = [figure.mean for figure in figures if figure is not None]
    return Figure(statistics.harmonic_mean(shares)) if len(shares) == len(figures) else None


def named(line: Line | Entry) -> str:
    """Return the text that tells the row `line` from the others of its table: data set, method, variant and classes."""
    classes = "" if line.subsample_classes == "all" else f"{line.subsample_classes} classes"
    return " ".join(filter(None, (line.dataset, line.method, line.variant, classes)))


def _missing(lines: Sequence[Line]) -> tuple[str, ...]:
    """Sentences on what was not measured, whole seeds first, then rows, and on what failed, with its reason."""
    tuned = [line for line in lines if line.seeds]
    seeds = list(dict.fromkeys(seed for line in tuned for seed in line.seeds))
    whole = (
        [seed for seed in seeds if all(_of_seed(line, seed) is None for line in tuned if seed in line.seeds)]
        if len(seeds) > 1
        else []
    )
    sentences = [f"not measured: seed {seed} of every row" for seed in whole]
    rows = []
    for line in lines:
        gone = [seed for seed in line.seeds if _of_seed(line, seed) is None and seed not in whole]
        if gone:
            alone = len(line.seeds) == 1
            rows.append(named(line) + ("" if alone else f" seed{'s' * (len(gone) > 1)} {', '.join(map(str, gone))}"))
        elif not line.seeds and line.measured[0] is None:
            rows.append(named(line))
    sentences += [f"not measured: {'; '.join(rows)}"] if rows else []
    for line in lines:
        for cell in line.measured:
            if cell is not None and cell.failure:
                sentences.append(f"failed: {named(line)}: {cell.failure}")
    return tuple(dict.fromkeys(sentences))


def _verdicts(chapter: Chapter) -> tuple[str, ...]:
    """For each opponent of CAPT: where it is ahead, equal within the paired test, or behind."""
    ablated = any(line.variant.startswith(UNCHANGED) for line in chapter.lines)
    outcomes: dict[str, dict[str, dict[str, list[str]]]] = {}
    for ours, other in itertools.product(chapter.lines, repeat=2):
        if ours.method != OURS or (ablated and not ours.variant.startswith(UNCHANGED)) or other is ours:
            continue
        if (other.dataset, other.subsample_classes) != (ours.dataset, ours.subsample_classes):
            continue
        if not ablated and (other.method == OURS or other.variant not in ("", ours.variant)):
            continue
        opponent = other.variant if other.method == OURS else other.method
        half = "" if ours.subsample_classes == "all" else ours.subsample_classes
        where = " ".join(filter(None, (ours.dataset, half, "" if ablated else ours.variant)))
        for metric in chapter.metrics:
            test = _test(pairs(other, ours, metric))
            if test is not None:
                outcome = "equal" if test.p_value >= EQUAL_P else "ahead" if test.difference > 0 else "behind"
                outcomes.setdefault(opponent, {}).setdefault(outcome, {}).setdefault(where, []).append(metric)
    return tuple(_verdict(opponent, found, ablated=ablated) for opponent, found in outcomes.items())


def _verdict(opponent: str, found: Mapping[str, Mapping[str, Sequence[str]]], *, ablated: bool) -> str:
    total = sum(len(metrics) for places in found.values() for metrics in places.values())
    parts = []
    for outcome in ("ahead", "equal", "behind"):
        places = found.get(outcome, {})
        count = sum(len(metrics) for metrics in places.values())
        listed = "; ".join(f"{where}: {', '.join(metrics)}" for where, metrics in places.items())
        parts.append(f"{outcome} in {count} of {total}" + (f" ({listed})" if listed else ""))
    who = "CAPT unchanged" if ablated else "CAPT"
    return f"{who} against {opponent}: {', '.join(parts)}."
