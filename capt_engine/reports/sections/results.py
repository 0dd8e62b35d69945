"""Sections of results: the main table, the curve, the classes, the confusion; and the result in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from capt_engine.formatting import counted, norm_symbol, p_equals, p_value, percent, points
from capt_engine.metrics.interval import share, wilson
from capt_engine.records import (
    MOST_CLASSES,
    MOST_COUNTED,
    Bar,
    BarChart,
    ConfusionMatrix,
    Level,
    LineChart,
    PairedTest,
    Series,
    scale_for,
)
from capt_engine.reports.document import Block, Grid, Paragraph, numbers, texts
from capt_engine.reports.sections.context import ReportContext
from capt_engine.reports.sections.corruption import mean_text
from capt_engine.reports.sections.detail import Columns, without

LEFT = (
    "Attacks were run one after the other, each on the pictures that were still right: n says on how many, and an attack's own accuracy "
    "is of those alone. Cumulative is of all pictures: right under this attack and all before it; one that was wrong or broken before "
    "counts as lost."
)


def sentence(context: ReportContext) -> str:
    """Return the result of the run in `context` in one or two sentences, with its accuracies and their intervals."""
    counts = context.counts
    verb = "is right on" if context.is_labelled else "gives an answer for"
    if not counts.n:
        return "No picture could be used."
    if not context.is_attacked:
        parts = [f"{context.who(one)} {verb} {share(*counts.clean(one))}" for one in context.prompts]
        text = f"Clean, without any attack: {'; '.join(parts)} of {counted(counts.n, 'picture')}."
        tables = counts.tally.corruptions()
        means = "; ".join(f"{context.who(one.prompts)} {mean_text(one)}" for one in tables)
        return f"{text} Mean accuracy under common corruptions: {means}." if means else text
    keeps = "keeps" if context.is_labelled else "keeps its own answer on"
    # The tuned one first, the yardstick after it.
    order = sorted(context.prompts, key=lambda one: one == "none")
    parts = [f"{context.who(one)} {keeps} {share(*counts.robust(one, context.eps))}" for one in order]
    beside = f" ({', '.join(context.unusual)})" if context.unusual else ""
    bound = ", ".join((norm_symbol(context.norm), *context.unusual))
    at = f"Under {context.own}{beside}, " if context.own else f"At ε = {context.eps_text} ({bound}) "
    text = f"{at}{'; '.join(parts)} of {counted(counts.n, 'picture')}."
    if context.is_labelled:
        text += " Clean: " + "; ".join(f"{context.who(one)} {share(*counts.clean(one))}" for one in order) + "."
    return text


def difference(test: PairedTest) -> str:
    """Return the paired `test` in words: B's accuracy minus A's with its interval, and McNemar's p."""
    return (
        f"B minus A {points(test.difference, test.low, test.high)}; only A right {test.only_a}, only B right {test.only_b} "
        f"of {test.n}; McNemar's exact {p_equals(test.p_value)}"
    )


def results(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Results": tables of accuracy, clean, under each attack, and under the worst of them.

    A last table sets A against B where the run in `context` has two sets of prompts.
    """
    left = (Paragraph(LEFT, "note"),) if context.counts.tally.skipped else ()
    return (main_table(context), *left, *paired_tests(context))


def main_table(context: ReportContext) -> Grid:
    """Return the table that everything else explains: accuracy clean, under each attack and under the worst, of each set of prompts."""
    counts = context.counts
    right = "Right" if context.is_labelled else "Own answer kept"
    several = len(context.run.request.labels) > 1 and context.is_attacked
    columns: Columns = (
        *texts("Measured", "Pictures shown"),
        *numbers("ε", *(("Cumulative accuracy",) if several else ())),
        *numbers("n", right, "Accuracy (95 % interval)", "Success rate (95 % interval)"),
    )
    rows: list[tuple[str, ...]] = []

    def left_over(k: int, n: int) -> tuple[str, ...]:
        return (percent(k / n) if n else "–",) if several else ()

    for prompts in context.prompts:
        who = context.who(prompts)
        k, n = counts.clean(prompts)
        if context.is_labelled or not context.is_attacked:
            rows.append((who, "clean", "–", *left_over(k, n), str(n), str(k), share(k, n), "–"))
        for (of, attack, eps), one in counts.fared.items():
            if of == prompts and one.n:
                measured = (str(one.n), str(one.kept), share(one.kept, one.n), share(one.flips, one.open))
                left = counts.tally.cumulative(prompts, eps).get(attack, (0, 0))
                rows.append((who, attack, context.cell(eps), *left_over(*left), *measured))
        if several:
            for eps, k, n in context.curve(prompts):
                rows.append(
                    (who, "worst of all", context.cell(eps), *left_over(k, n), str(n), str(k), share(k, n), "–")
                )
    if context.own:
        columns, fewer = without("ε", columns, rows)
        rows = list(fewer)
    caption = f"Accuracy, clean and {context.at}" if context.own else "Accuracy, clean and attacked"
    return Grid(caption if context.is_attacked else "Accuracy, clean", columns, tuple(rows))


def paired_tests(context: ReportContext) -> tuple[Block, ...]:
    """Return a table of McNemar's tests of A against B, clean and attacked; nothing where there are not two sets of prompts."""
    tests = [(state, test) for state, test in zip(("clean", context.state), context.paired(), strict=True) if test]
    rows = tuple(paired_row(state, test) for state, test in tests)
    return (Grid("A against B on the same pictures", PAIRED, rows),) if rows else ()


PAIRED = (
    *texts("Pictures shown"),
    *numbers("n", "Only A right", "Only B right", "B minus A (95 % interval)", "McNemar's exact p"),
)


def paired_row(state: str, test: PairedTest) -> tuple[str, ...]:
    """Return the paired `test` as the cells of a row: state, n, only A right, only B right, B minus A, p.

    state: the first cell, the pictures that were shown, such as "clean".
    """
    gap = points(test.difference, test.low, test.high)
    return (state, str(test.n), str(test.only_a), str(test.only_b), gap, p_value(test.p_value))


def curve(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Accuracy and budget": a chart of robust accuracy over the budget.

    It is empty where the run in `context` has a single budget or no attack.
    """
    if len(context.run.request.budgets) < 2 or not context.is_attacked:
        return ()
    k = len(context.run.manifest.classes)
    measured = [(context.who(prompts), context.curve(prompts)) for prompts in context.prompts]
    what = "Robust accuracy" if context.is_labelled else "Own answer kept"
    chart = replace(budget_chart(measured, context.norm, what), levels=chance(k))
    blocks: list[Block] = [chart]
    ends = [one.points[-1] for one in chart.series]
    if k and any(low > 1 / k for _, _, low, _ in ends):
        blocks.append(Paragraph(unfinished(max(y for _, y, _, _ in ends), k), "note"))
    return tuple(blocks)


def budget_chart(measured: Iterable[tuple[str, Iterable[tuple[float, int, int]]]], norm: str, what: str) -> LineChart:
    """Return a chart of accuracy over the budget, with a line and a band of Wilson intervals for each of `measured`.

    measured: a name, and its points (ε, right, of how many). norm: "linf" or "l2". what: the title of the y axis.
    """
    scale = 255 if norm == "linf" else 1
    series = []
    for name, counts in measured:
        points = tuple((eps * scale, k / n, *wilson(k, n)) for eps, k, n in counts if n)
        series += [Series(name, points)] if points else []
    descriptions = (
        f"{one.name}: " + ", ".join(f"{percent(y)} at {x:g}" for x, y, _, _ in one.points) for one in series
    )
    alt = f"{what} against ε. {'. '.join(descriptions)}."
    x_title = "ε in 1/255" if scale == 255 else f"ε ({norm_symbol(norm)})"
    spread = scale_for([x for one in series for x, *_ in one.points])
    return LineChart(f"{what} as the budget grows", x_title, what, tuple(series), alt, spread, percent=True)


def chance(k: int) -> tuple[Level, ...]:
    """Return the accuracy of guessing among `k` classes, 1 / k, as a level (a dashed line) of a chart.

    The tuple is empty for fewer than two classes.
    """
    return (Level(f"chance, {percent(1 / k)}", 1 / k),) if k > 1 else ()


def unfinished(last: float, k: int) -> str:
    """Return the note below a curve that ends at the accuracy `last`, above that of guessing among `k` classes."""
    return (
        f"The curve ends at {percent(last)}, above chance ({percent(1 / k)} for {k} classes): it does not show where robustness ends. "
        "--curve auto goes on until nothing is left."
    )


def classes(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Classes": a table of the accuracy of each class, clean and attacked, and a chart.

    The chart has the weakest classes first, for the last set of prompts. Without pictures in `context` the section is
    empty.
    """
    if not context.counts.n:
        return ()
    eps, labelled = context.eps, context.is_labelled
    columns = [*texts("Class"), *numbers("n")]
    cells: dict[str, list[str]] = {}
    bars = []
    for prompts in context.prompts:
        n, clean, robust = Counter[str](), Counter[str](), Counter[str]()
        for one in context.counts.pictures[prompts].values():
            n[one.label] += 1
            clean[one.label] += one.clean
            robust[one.label] += one.robust.get(eps, False)
        columns += numbers(f"{context.letter(prompts)}, clean") if labelled else ()
        columns += numbers(f"{context.letter(prompts)}, {context.state}") if context.is_attacked else ()
        for name in sorted(n):
            cell = cells.setdefault(name, [str(n[name])])
            cell += [share(clean[name], n[name])] if labelled else []
            cell += [share(robust[name], n[name])] if context.is_attacked else []
            if prompts == context.prompts[-1]:
                k = robust[name] if context.is_attacked else clean[name]
                bars.append(Bar(name, k / n[name], *wilson(k, n[name])))
    width = len(columns) - 1
    rows = tuple((name, *cell, *["–"] * (width - len(cell))) for name, cell in sorted(cells.items()))
    blocks: list[Block] = [Grid(context.lettered("Each class"), tuple(columns), rows)]
    if context.is_attacked or labelled:
        state = context.at if context.is_attacked else "clean"
        shown = sorted(bars, key=lambda bar: (bar.value, bar.name))
        caption = f"{context.who(context.prompts[-1])}, accuracy {state}, the weakest classes first"
        chart = BarChart(caption, tuple(shown), "")
        scores = ", ".join(f"{bar.name} {percent(bar.value)}" for bar in chart.drawn)
        blocks.append(replace(chart, alt=f"{caption}: {scores}."))
    return tuple(blocks)


def confusion(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Confusion": a confusion matrix for each set of prompts, clean and attacked.

    The attacked one is of the first attack at the verdict's budget. One of more than 26 classes is followed by a table
    of its most frequent confusions. Without labels in `context` the clean ones are left out.
    """
    blocks: list[Block] = []
    for (prompts, attacked), found in sorted(
        context.counts.confusion.items(), key=lambda one: (context.prompts.index(one[0][0]), one[0][1])
    ):
        if not attacked and not context.is_labelled:
            continue  # the label is the answer
        state = _under(context) if attacked else "clean"
        chart = _matrix(f"{context.who(prompts)}, {state}", found, list(context.run.manifest.classes))
        blocks.append(chart)
        if chart.is_dense and (most := chart.confusions()):
            columns = (*texts("Label", "Answer"), *numbers("Pictures"))
            cells = tuple((label, answer, f"{count:,}") for label, answer, count in most)
            blocks.append(Grid(f"The most frequent confusions: {chart.caption}", columns, cells))
    return tuple(blocks)


def _under(context: ReportContext) -> str:
    return context.at if context.own else f"under {context.run.request.labels[0]} {context.at}"


def _matrix(caption: str, found: Counter[tuple[str, str]], classes: list[str]) -> ConfusionMatrix:
    there = {name for pair in found for name in pair}
    names = list(dict.fromkeys([*classes, *sorted(there)]))
    if len(names) > MOST_COUNTED and len(there) < len(names):
        # Of many classes most may be no picture's label and nobody's answer: rows and columns of nothing.
        caption += f" (the {len(there)} of {len(names)} classes that occur)"
        names = [name for name in names if name in there]
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
    most = "; ".join(f"{a} taken for {b} {k} times" for k, a, b in mistakes) or "no mistakes"
    return ConfusionMatrix(caption, tuple(names), counts, f"Confusion matrix, {caption}: most often {most}.")
