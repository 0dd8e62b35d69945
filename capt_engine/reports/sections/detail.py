"""Sections of detail: consistency, calibration, saving, examples, rows, and every check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from capt_engine.formatting import counted, csv_plain, number, over_255, percent, signed, signed_points
from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Metric
from capt_engine.metrics.calibration import BINS
from capt_engine.metrics.interval import share, wilson
from capt_engine.records import ALPHA_BINS, Bin, Histogram, suite
from capt_engine.reports.document import Block, Column, Grid, Paragraph, Strip, numbers, texts
from capt_engine.reports.sections.checks import checks as lights
from capt_engine.reports.sections.context import ReportContext
from capt_engine.reports.sections.measured import Found, side_by_side
from capt_engine.reports.sections.pictures import examples as kept
from capt_engine.runs.counts import EDGE_ROWS, metric_means

_PRINTED = 20
"""So many rows stand on paper; the CSV inside the file has them all."""

Columns: TypeAlias = tuple[Column, ...]
Rows: TypeAlias = Sequence[tuple[str, ...]]


def without(title: str, columns: Columns, rows: Rows) -> tuple[Columns, tuple[tuple[str, ...], ...]]:
    """Return the `columns` and `rows` of a table without the column called `title`; raises ValueError where none is."""
    at = [one.title for one in columns].index(title)
    return (*columns[:at], *columns[at + 1 :]), tuple((*row[:at], *row[at + 1 :]) for row in rows)


def consistency(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Consistency": the mean of every metric over the attacked pictures, and histograms of α.

    α is the weight of the zero-shot prediction. The budget is the verdict's; without a measured metric the section is
    empty.
    """

    def of(prompts: str) -> Found:
        return {name: (_in_unit(METRICS[name], mean), n) for name, mean, n in metric_means(context.counts, prompts)}

    table = side_by_side(f"Means over all attacked pictures {context.at}", "Metric", METRICS, context, of)
    return () if table is None else (table, *_alphas(context))


def _in_unit(metric: Metric, mean: float) -> str:
    """Values that are told in /255 are kept in [0, 1]."""
    if metric.unit == "/255":
        return over_255(mean)
    return f"{number(mean)} {metric.unit}".rstrip()


def _alphas(context: ReportContext) -> Iterator[Histogram]:
    """Histograms of α over the pictures; a mean of one half may hide two opposite halves."""
    for prompts, counts in context.counts.alphas.items():
        n = sum(counts)
        caption = f"{context.who(prompts)}: share of {counted(n, 'picture')} by α (weight of zero-shot)"
        bins = tuple(Bin(i / ALPHA_BINS, (i + 1) / ALPHA_BINS, k / n, *wilson(k, n)) for i, k in enumerate(counts))
        shares = ", ".join(f"{one.start:.1f} to {one.end:.1f}: {percent(one.value)}" for one in bins if one.value)
        yield Histogram(caption, "α", "Share of pictures", bins, f"{caption}: {shares}.")


def calibration(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Calibration": a table of calibration errors (ECE), clean and attacked.

    It is empty where the pictures of the run in `context` have no labels.
    """
    found = sorted(context.counts.calibration.items(), key=lambda one: (context.prompts.index(one[0][0]), one[0][1]))
    if not found or not context.is_labelled:
        return ()
    rows = tuple(
        (
            context.who(prompts),
            _attacked(context) if attacked else "clean",
            f"{one.n:,}",
            percent(one.error),
            f"{signed_points(one.over)} points",
        )
        for (prompts, attacked), one in found
    )
    columns = (*texts("Measured", "Pictures shown"), *numbers("n", "ECE", "Over-confidence"))
    note = (
        f"ECE over {BINS} bins of equal width, from the confidence of each answer and whether it was right. Over-confidence is mean "
        "confidence minus accuracy. Brier score and NLL of each attacked picture stand under Consistency."
    )
    return (Grid("Calibration", columns, rows), Paragraph(note, "note"))


def _attacked(context: ReportContext) -> str:
    return context.state if context.own else f"attacked, {context.state}"


def saving(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Survival after saving": the share of adversarial pictures that still fool the model.

    A table has it after saving as PNG or JPEG, or resizing, by attack and budget. It is empty where no picture of the
    run in `context` was fooled.
    """
    rows: Rows = tuple(
        (
            context.who(prompts),
            attack,
            context.cell(eps),
            f"{one.flips:,}",
            share(one.png, one.saved),
            share(one.jpeg, one.saved),
            share(one.jpeg75, one.resized),
            share(one.resize, one.resized),
        )
        for (prompts, attack, eps), one in context.counts.fared.items()
        if one.flips
    )
    if not rows:
        return ()
    columns: Columns = (
        *texts("Measured", "Attack"),
        *numbers("ε", "Fooled"),
        *numbers(*(f"Still, {how} (95 % interval)" for how in ("as PNG", "as JPEG 95", "as JPEG 75", "resized"))),
    )
    if context.own:
        columns, rows = without("ε", columns, rows)
    note = (
        "Resized: made half as large and as large again, both bicubic, in 8 bits. A dash: the run did not try it. "
        f"A quick look saves one picture in {suite('quick').saved_every}."
    )
    return (Grid("Of the pictures that fooled the model", columns, tuple(rows)), Paragraph(note, "note"))


def examples(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Examples": strips of pictures whose margin fell most, fell least, and of random ones.

    They are those kept in the folder of the run in `context`, each once; without any the section is empty.
    """
    captions = {
        "worst": "The attack took most here (lowest margin shift)",
        "best": "The attack took least here (highest margin shift)",
        "random": f"Drawn at random by seed {context.run.request.options.seed}",
    }
    return tuple(Strip(captions[role], tuple(found)) for role, found in kept(context).items() if found)


def rows(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Rows": a table of the rows of the run in `context`.

    Of more than 100 rows it has the 50 that the attack moved most and the 50 it moved least. It is empty for common
    corruptions.
    """
    if not context.counts.rows or context.counts.tally.is_corrupted:
        return ()  # of corruptions, which measure no shift, the table says more than some of thousands of rows
    columns: Columns = (
        *texts("Picture", "Label", "Measured", "Clean answer", "Attack"),
        *numbers("ε"),
        *texts("Attacked answer"),
        *numbers("Margin shift"),
        *texts("Fooled", "As PNG", "As JPEG 95"),
    )
    lines: Rows = tuple(_cells(context, line) for line in context.counts.edges)
    if context.own:
        columns, lines = without("ε", columns, lines)
    total = context.counts.rows if context.counts.rows > len(lines) else None
    caption = (
        f"The {EDGE_ROWS} rows the attack moved most, then the {EDGE_ROWS} it moved least"
        if total
        else "Each picture under each attack, those it moved most first"
    )
    return (Grid(caption, columns, tuple(lines), total, printed=_PRINTED),)


def _cells(context: ReportContext, line: dict[str, str]) -> tuple[str, ...]:
    answers = {"true": "yes", "false": "no", "": "–"}
    shift = line["margin_shift"]
    return (
        context.names.shown(csv_plain(line["path"])),
        csv_plain(line["label"]),
        # the letter of one of two sets of prompts says enough in a narrow column
        context.letter(csv_plain(line["prompt_id"])),
        f"{csv_plain(line['clean_pred'])} ({percent(float(line['clean_conf']))})",
        line["attack"] or "–",
        context.cell(float(line["eps"])) if line["eps"] else "–",
        f"{csv_plain(line['adv_pred'])} ({percent(float(line['adv_conf']))})" if line["adv_conf"] else "–",
        signed(float(shift)) if shift else "–",
        answers[line["success"]],
        answers[line["survives_png"]],
        answers[line["survives_jpeg95"]],
    )


def checks(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Checks": every check of the run in `context` with its number, or that it was not run."""
    return (lights(context),)
