"""The section on common corruptions: what noise, blur, weather and bad files do, where nobody attacks."""

from __future__ import annotations

from capt_engine.formatting import interval, percent
from capt_engine.metrics.corruption_table import FEWEST, RESAMPLES
from capt_engine.metrics.interval import share
from capt_engine.records import CorruptionMean, CorruptionTable, HeatMap, HeatRow
from capt_engine.reports.document import Block, Paragraph
from capt_engine.reports.sections.context import ReportContext

NOBODY = (
    "Nobody attacked here: what was done to the pictures was drawn without looking at the model. It says how a model bears noise, blur, "
    "weather and bad files, and nothing of its robustness to an attacker."
)


def corruptions(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Common corruptions": a heat map of accuracy by kind and severity for each set of prompts.

    It is empty where the run in `context` has no table of corruptions.
    """
    tables = context.counts.tally.corruptions()
    if not tables:
        return ()
    return (
        *(_heat(context, table) for table in tables),
        Paragraph(
            f"The mean (mCA) weighs every kind alike. Its interval comes from drawing the pictures anew {RESAMPLES:,} times, each with "
            f"all of its corruptions; a dash where there are fewer than {FEWEST} pictures, or all fared alike. The corruptions follow "
            "Hendrycks & Dietterich (2019) with constants of this program's own, on the picture as the model sees it: figures compare "
            "models measured here, and are no figures on ImageNet-C, nor its mCE.",
            "note",
        ),
        Paragraph(NOBODY, "limit"),
    )


def mean_text(table: CorruptionTable) -> str:
    """Return the mean accuracy in `table`, with its interval, in words.

    An example is "82.3 % (78.8 to 85.4) over 15 kinds of corruption at 5 severities".
    """
    severities = len({one.severity for one in table.cells})
    kinds = f"{len(table.kinds)} kinds" if len(table.kinds) > 1 else "one kind"
    at = f"{severities} severities" if severities > 1 else f"severity {table.cells[0].severity}"
    return f"{_mean(table.mean).removesuffix(' (–)')} over {kinds} of corruption at {at}"


def _heat(context: ReportContext, table: CorruptionTable) -> HeatMap:
    severities = sorted({one.severity for one in table.cells})
    cells = {(one.kind, one.severity): one.kept / one.n for one in table.cells}
    ns = sorted({one.n for one in table.cells})
    of = f"{ns[0]:,}" if len(ns) == 1 else f"{ns[0]:,} to {ns[-1]:,}"
    rows = [
        _row(_title(one.kind), tuple(cells.get((one.kind, severity)) for severity in severities), one)
        for one in table.kinds
    ]
    by_severity = [
        [cells[one.kind, severity] for one in table.kinds if (one.kind, severity) in cells] for severity in severities
    ]
    rows.append(_row("Mean", tuple(sum(some) / len(some) for some in by_severity), table.mean))
    caption = f"{context.who(table.prompts)}: right under each corruption, by severity (n = {of} in every cell)"
    return HeatMap(
        caption=caption,
        corner="Corruption",
        columns=tuple(str(severity) for severity in severities),
        rows=tuple(rows),
        alt=f"{caption}: {'; '.join(f'{row.name} {row.last}' for row in rows)}.",
        last="Mean (95 % interval)",
        note=f"Clean: {share(table.clean, table.n)}. Right under every single corruption: {share(table.worst, table.n)}. "
        "The fuller the colour, the more pictures are right.",
    )


def _row(name: str, shares: tuple[float | None, ...], mean: CorruptionMean) -> HeatRow:
    return HeatRow(name, shares, _mean(mean), mean.accuracy, mean.low, mean.high)


def _title(kind: str) -> str:
    title = kind.replace("-", " ")
    return "JPEG" if kind == "jpeg" else f"{title[:1].upper()}{title[1:]}"


def _mean(one: CorruptionMean) -> str:
    ends = "(–)" if one.low is None or one.high is None else f"({interval(one.low, one.high)})"
    return f"{percent(one.accuracy)} {ends}"
