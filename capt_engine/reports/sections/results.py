"""Sections of results: the verdict, the main table, the curve, the classes, the confusion."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from capt_engine.formatting import counted, p_value, percent, points
from capt_engine.metrics.interval import share, wilson
from capt_engine.records import (
    MOST_CLASSES,
    Bar,
    BarChart,
    ConfusionMatrix,
    Level,
    LineChart,
    PairedTest,
    Series,
    scale_for,
)
from capt_engine.reports.document import Block, Column, Grid, Paragraph, Strip
from capt_engine.reports.sections.about import OWN_ANSWERS, threat
from capt_engine.reports.sections.checks import checks, made
from capt_engine.reports.sections.context import Material
from capt_engine.reports.sections.corruption import mean_words
from capt_engine.reports.sections.detail import Columns, without
from capt_engine.reports.sections.pictures import examples

LEFT = (
    "Attacks were run one after the other, each on the pictures that were still right: n says on how many, and an attack's own accuracy "
    "is of those alone. The worst of all is of all pictures; one that was wrong or broken before counts as lost."
)


def verdict(material: Material) -> tuple[Block, ...]:
    """What came out, in words, and how good the evaluation was."""
    blocks: list[Block] = [Paragraph(sentence(material), "lead")]
    clean, robust = material.paired()
    blocks += [
        Paragraph(f"Difference {words}: {difference(test)}.")
        for words, test in (("clean", clean), ("attacked", robust))
        if test
    ]
    if not material.is_labelled:
        blocks.append(Paragraph(OWN_ANSWERS, "limit"))
    blocks += [made(checks(material)), threat(material)]
    three = [found[0] for role in ("worst", "best", "random") if (found := examples(material, role))]
    if three:
        blocks.append(Strip("One picture that lost most, one that lost least, and one drawn by the seed", tuple(three)))
    return tuple(blocks)


def sentence(material: Material) -> str:
    """The verdict in one or two sentences."""
    counts = material.counts
    verb = "is right on" if material.is_labelled else "gives an answer for"
    if not counts.n:
        return "No picture could be used."
    if not material.is_attacked:
        parts = [f"{material.who(one)} {verb} {share(*counts.clean(one))}" for one in material.prompts]
        text = f"Clean, without any attack: {'; '.join(parts)} of {counted(counts.n, 'picture')}."
        tables = counts.tally.corruptions()
        means = "; ".join(f"{material.who(one.prompts)} {mean_words(one)}" for one in tables)
        return f"{text} Mean accuracy under common corruptions: {means}." if means else text
    keeps = "keeps" if material.is_labelled else "keeps its own answer on"
    # The tuned one first, the yardstick after it.
    order = sorted(material.prompts, key=lambda one: one == "none")
    parts = [f"{material.who(one)} {keeps} {share(*counts.robust(one, material.eps))}" for one in order]
    beside = f" ({', '.join(material.unusual)})" if material.unusual else ""
    bound = ", ".join((material.norm, *material.unusual))
    at = f"Under {material.own}{beside}, " if material.own else f"At ε = {material.eps_text} ({bound}) "
    text = f"{at}{'; '.join(parts)} of {counted(counts.n, 'picture')}."
    if material.is_labelled:
        text += " Clean: " + "; ".join(f"{material.who(one)} {share(*counts.clean(one))}" for one in order) + "."
    return text


def difference(test: PairedTest) -> str:
    """B minus A in words, with McNemar's test."""
    return (
        f"B minus A {points(test.difference, test.low, test.high)}; only A right {test.only_a}, only B right {test.only_b} "
        f"of {test.n}; McNemar's exact p {p_value(test.p_value)}"
    )


def results(material: Material) -> tuple[Block, ...]:
    """Who is right how often: clean, under each attack, and under the worst of them."""
    counts = material.counts
    number = {"align": "right", "sort": "number"}
    columns: Columns = (
        Column("Measured"),
        Column("Pictures shown"),
        Column("ε", sort="number", align="right"),
        Column("n", **number),
        Column("Right" if material.is_labelled else "Own answer kept", **number),
        Column("Accuracy (95 % interval)", **number),
        Column("Success rate (95 % interval)", **number),
    )
    rows: list[tuple[str, ...]] = []
    for prompts in material.prompts:
        k, n = counts.clean(prompts)
        if material.is_labelled or not material.is_attacked:
            rows.append((material.who(prompts), "clean", "–", str(n), str(k), share(k, n), "–"))
        for (of, attack, eps), one in counts.fared.items():
            if of == prompts and one.n:
                told = (str(one.n), str(one.kept), share(one.kept, one.n), share(one.flips, one.open))
                rows.append((material.who(prompts), attack, material.cell(eps), *told))
        if len(material.run.attacks) > 1 and material.is_attacked:
            for eps in material.run.budgets:
                k, n = counts.robust(prompts, eps)
                rows.append(
                    (
                        material.who(prompts),
                        "worst of all",
                        material.cell(eps),
                        str(n),
                        str(k),
                        share(k, n),
                        "–",
                    )
                )
    if material.own:
        columns, fewer = without("ε", columns, rows)
        rows = list(fewer)
    caption = f"Accuracy, clean and {material.at}" if material.own else "Accuracy, clean and attacked"
    blocks: list[Block] = [Grid(caption if material.is_attacked else "Accuracy, clean", columns, tuple(rows))]
    if material.counts.tally.skipped:
        blocks.append(Paragraph(LEFT, "note"))
    tests = [(words, test) for words, test in zip(("clean", material.state), material.paired(), strict=True) if test]
    if tests:
        blocks.append(
            Grid("A against B on the same pictures", PAIRED, tuple(paired_row(words, test) for words, test in tests))
        )
    return tuple(blocks)


PAIRED = (
    Column("Pictures shown"),
    Column("n", "right", "number"),
    Column("Only A right", "right", "number"),
    Column("Only B right", "right", "number"),
    Column("B minus A (95 % interval)", "right", "number"),
    Column("McNemar's exact p", "right", "number"),
)


def paired_row(words: str, test: PairedTest) -> tuple[str, ...]:
    """A paired test as a line of a table."""
    told = points(test.difference, test.low, test.high)
    return (words, str(test.n), str(test.only_a), str(test.only_b), told, p_value(test.p_value))


def curve(material: Material) -> tuple[Block, ...]:
    """Robust accuracy over the budget."""
    if len(material.run.budgets) < 2 or not material.is_attacked:
        return ()
    scale = 255 if material.norm == "linf" else 1
    k = len(material.run.manifest.get("classes", []))
    series, told = [], []
    for prompts in material.prompts:
        points_ = []
        for eps in material.run.budgets:
            right, n = material.counts.robust(prompts, eps)
            if n:
                points_.append((eps * scale, right / n, *wilson(right, n)))
        series.append(Series(material.who(prompts), tuple(points_)))
        told.append(f"{material.who(prompts)}: " + ", ".join(f"{y * 100:.1f} % at {x:g}" for x, y, _, _ in points_))
    x_title = "ε in 1/255" if scale == 255 else f"ε ({material.norm})"
    what = "Robust accuracy" if material.is_labelled else "Own answer kept"
    alt = f"{what} against ε. {'. '.join(told)}."
    spread = scale_for([x for one in series for x, *_ in one.points])
    caption = f"{what} as the budget grows"
    blocks: list[Block] = [
        LineChart(caption, x_title, what, tuple(series), alt, spread, percent=True, levels=chance(k))
    ]
    ends = [one.points[-1] for one in series if one.points]
    if k and any(low > 1 / k for _, _, low, _ in ends):
        blocks.append(Paragraph(unfinished(max(y for _, y, _, _ in ends), k), "note"))
    return tuple(blocks)


def chance(k: int) -> tuple[Level, ...]:
    """The accuracy of guessing among k classes, as a level of a chart; none where there is nothing to guess among."""
    return (Level(f"chance, {100 / k:.1f} %", 1 / k),) if k > 1 else ()


def unfinished(last: float, k: int) -> str:
    """What is said of a curve that ends above chance."""
    return (
        f"The curve ends at {last * 100:.1f} %, above chance ({100 / k:.1f} % for {k} classes): it does not show where robustness ends. "
        "--curve auto goes on until nothing is left."
    )


def classes(material: Material) -> tuple[Block, ...]:
    """Every class: clean and attacked."""
    if not material.counts.n:
        return ()
    eps, labelled = material.eps, material.is_labelled
    columns = [Column("Class"), Column("n", "right", "number")]
    cells: dict[str, list[str]] = {}
    bars = []
    for prompts in material.prompts:
        n, clean, robust = Counter[str](), Counter[str](), Counter[str]()
        for one in material.counts.pictures[prompts].values():
            n[one.label] += 1
            clean[one.label] += one.clean
            robust[one.label] += one.robust.get(eps, False)
        columns += [Column(f"{material.who(prompts)}, clean", "right", "number")] if labelled else []
        columns += (
            [Column(f"{material.who(prompts)}, {material.state}", "right", "number")] if material.is_attacked else []
        )
        for name in sorted(n):
            cell = cells.setdefault(name, [str(n[name])])
            cell += [share(clean[name], n[name])] if labelled else []
            cell += [share(robust[name], n[name])] if material.is_attacked else []
            if prompts == material.prompts[-1]:
                k = robust[name] if material.is_attacked else clean[name]
                bars.append(Bar(name, k / n[name], *wilson(k, n[name])))
    width = len(columns) - 1
    rows = tuple((name, *cell, *["–"] * (width - len(cell))) for name, cell in sorted(cells.items()))
    blocks: list[Block] = [Grid("Each class", tuple(columns), rows)]
    if material.is_attacked or labelled:
        state = material.at if material.is_attacked else "clean"
        shown = sorted(bars, key=lambda bar: (bar.value, bar.name))
        caption = f"{material.who(material.prompts[-1])}, accuracy {state}, the weakest classes first"
        chart = BarChart(caption, tuple(shown), "")
        told = ", ".join(f"{bar.name} {percent(bar.value)}" for bar in chart.drawn)
        blocks.append(replace(chart, alt=f"{caption}: {told}."))
    return tuple(blocks)


def confusion(material: Material) -> tuple[Block, ...]:
    """What was taken for what."""
    blocks: list[Block] = []
    for (prompts, attacked), found in sorted(
        material.counts.confusion.items(), key=lambda one: (material.prompts.index(one[0][0]), one[0][1])
    ):
        if not attacked and not material.is_labelled:
            continue  # the label is the answer
        state = _under(material) if attacked else "clean"
        chart = _matrix(f"{material.who(prompts)}, {state}", found, list(material.run.manifest.get("classes", [])))
        blocks.append(chart)
        if chart.is_dense and (most := chart.confusions()):
            columns = (Column("Label"), Column("Answer"), Column("Pictures", "right", "number"))
            cells = tuple((label, answer, f"{count:,}") for label, answer, count in most)
            blocks.append(Grid(f"The most frequent confusions: {chart.caption}", columns, cells))
    return tuple(blocks)


def _under(material: Material) -> str:
    return material.at if material.own else f"under {material.run.attacks[0]} {material.at}"


def _matrix(caption: str, found: Counter[tuple[str, str]], classes: list[str]) -> ConfusionMatrix:
    names = list(dict.fromkeys([*classes, *sorted({name for pair in found for name in pair})]))
    if len(names) > MOST_CLASSES:
        wrong = Counter[str]()
        for (label, answer), k in found.items():
            if label != answer:
                wrong[label] += k
                wrong[answer] += k
        worst = {name for name, _ in sorted(wrong.items(), key=lambda one: (-one[1], one[0]))[:MOST_CLASSES]}
        names = [name for name in names if name in worst] or names[:MOST_CLASSES]
        caption += f" (the {len(names)} most confused classes)"
    counts = tuple(tuple(found[label, answer] for answer in names) for label in names)
    mistakes = sorted(((k, a, b) for (a, b), k in found.items() if a != b), reverse=True)[:3]
    told = "; ".join(f"{a} taken for {b} {k} times" for k, a, b in mistakes) or "no mistakes"
    return ConfusionMatrix(caption, tuple(names), counts, f"Confusion matrix, {caption}: most often {told}.")
