"""A protocol's tables as text for a terminal, as Markdown, as CSV (one line a figure) and as JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from capt_engine.errors import BadRequest
from capt_engine.files import refuse_foreign_file, write_atomic
from capt_engine.formatting import p_equals, percent_number, signed_points
from capt_engine.protocols.definitions import ZERO_SHOT
from capt_engine.protocols.table import CLEAN, ROBUST, Entry, Figure, Table
from capt_engine.records import PairedTest

NOTHING = "–"


@dataclass(frozen=True)
class Page:
    """Tables under one heading, with what a reader must know of all of them: (name, text)."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


def write(page: Page, path: Path) -> None:
    """Write `page` into the file `path`, over what is there, in the format that the file's ending names.

    Raises BadRequest for an ending other than .md, .csv, .json and .txt, CannotWrite where the disk refuses.
    """
    check_suffix(path)
    write_atomic(path, WRITERS[path.suffix](page))


def check_suffix(path: Path) -> None:
    """Raise BadRequest where the ending of the file `path` is not .md, .csv, .json or .txt; the file is not touched."""
    if path.suffix not in WRITERS:
        raise BadRequest(f"{path.name} has no known ending.", f"Choose one of {', '.join(WRITERS)}.")


def refuse_foreign(path: Path) -> None:
    """Raise BadRequest where the file `path` has no known ending, or is there and is no table that `write` made."""
    check_suffix(path)
    refuse_foreign_file(path, re.compile(_MARKS[path.suffix]))


def markdown(page: Page) -> str:
    """Return `page` as Markdown: its title, its facts, and each table with the sentences below it.

    A row without any figure is left out of its table and named below it.
    """
    lines = [f"# {page.title}", ""]
    lines += [f"- **{name}**: {text}" for name, text in page.facts]
    for table in page.tables:
        # A row of which nothing is known says nothing; the sentence below the table names it.
        heads, rows = _grid(replace(table, entries=tuple(entry for entry in table.entries if _is_known(entry))))
        lines += ["", f"## {table.title}", ""]
        if rows:
            lines += [_bars(heads), _bars(["---"] * len(heads)), *(_bars(row) for row in rows), ""]
        lines += [f"- {sentence}" for sentence in (*table.verdicts, *(_sentence(text) for text in table.missing))]
    return "\n".join(lines).rstrip() + "\n"


def as_text(page: Page) -> str:
    """Return the tables of `page` as plain text in aligned columns, each with the sentences below it."""
    blocks = []
    for table in page.tables:
        heads, rows = _grid(table)
        widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in [heads, *rows]
        ]
        sentences = [*table.verdicts, *(_sentence(text) for text in table.missing)]
        blocks.append("\n".join([table.title, *(line.rstrip() for line in lines), *sentences]))
    return "\n\n".join(blocks) + "\n"


_COLUMNS = (
    "part",
    "dataset",
    "method",
    "variant",
    "subsample_classes",
    "metric",
    "seeds",
    "n",
    "mean",
    "std",
    "low",
    "high",
)
_VERSUS = ("difference", "difference_low", "difference_high", "p_value")


def as_csv(page: Page) -> str:
    """Return the figures of `page` as CSV: a header, then a line per table row and metric; shares in [0, 1]."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([*_COLUMNS, *_VERSUS])
    for table in page.tables:
        for entry in table.entries:
            for metric, figure in entry.figures.items():
                if figure is None:
                    continue
                versus = figure.versus
                test = [versus.difference, versus.low, versus.high, versus.p_value] if versus else [None] * len(_VERSUS)
                row = [
                    table.name,
                    entry.dataset,
                    entry.method,
                    entry.variant,
                    entry.subsample_classes,
                    metric,
                    entry.seeds,
                ]
                writer.writerow([*row, figure.n or None, figure.mean, figure.std, figure.low, figure.high, *test])
    return file.getvalue()


def as_json(page: Page) -> str:
    """Return the whole of `page` as JSON text; accuracies are in [0, 1]."""
    return json.dumps(asdict(page), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


WRITERS = {".md": markdown, ".csv": as_csv, ".json": as_json, ".txt": as_text}
# By which a table of ours is known, so that nothing else is replaced.
_MARKS = {
    ".md": rb"\A# [^\n]+\n\n- \*\*",
    ".csv": rb"\Apart,dataset,method,variant,",
    ".json": rb'\A\{\s*"title": "[^\n]*\n\s*"facts": ',
    ".txt": rb"(?m)^data set +method +variant",
}


def _grid(table: Table) -> tuple[list[str], list[list[str]]]:
    halves = any(entry.subsample_classes != "all" for entry in table.entries)
    heads = ["data set", "method", "variant", *(["classes"] if halves else []), "seeds", "n"]
    for metric in table.metrics:
        heads += [metric if metric in (CLEAN, ROBUST) else f"ε = {metric}", f"vs {ZERO_SHOT} (p)"]
    rows = []
    for entry in table.entries:
        n = max((figure.n for figure in entry.figures.values() if figure is not None), default=0)
        half = [entry.subsample_classes] if halves else []
        row = [entry.dataset, entry.method, entry.variant or NOTHING, *half, _seeds(entry), str(n or NOTHING)]
        for metric in table.metrics:
            row += _figure(entry, entry.figures[metric])
        rows.append(row)
    return heads, rows


def _is_known(entry: Entry) -> bool:
    return any(figure is not None for figure in entry.figures.values())


def _seeds(entry: Entry) -> str:
    if entry.method == ZERO_SHOT:
        return NOTHING
    return "one seed" if entry.seeds == entry.planned == 1 else f"{entry.seeds} of {entry.planned}"


def _figure(entry: Entry, figure: Figure | None) -> tuple[str, str]:
    if figure is None:
        # HM4 joins clean and robust, so it stands under the budgets only.
        return (
            NOTHING if entry.subsample_classes == "HM4" and entry.figures[CLEAN] is None else "not measured",
            NOTHING,
        )
    text = percent_number(figure.mean)
    if figure.std is not None:
        text += f" ± {percent_number(figure.std)}"
    if figure.low is not None and figure.high is not None:
        text += f" [{percent_number(figure.low)}, {percent_number(figure.high)}]"
    return text, NOTHING if figure.versus is None else _versus(figure.versus)


def _versus(test: PairedTest) -> str:
    return f"{signed_points(test.difference)} ({p_equals(test.p_value)})"


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def _bars(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
