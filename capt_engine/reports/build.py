"""From a kept run to a report: the table of sections, and the files that travel with it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from capt_engine.errors import UnknownName
from capt_engine.records import SectionInfo
from capt_engine.reports.document import Attachment, Block, Report, Section
from capt_engine.reports.sections import about, corruption, detail, results, robust
from capt_engine.reports.sections.context import ReportContext
from capt_engine.runs.manifest import as_json
from capt_engine.runs.run_folder import MANIFEST, ROWS, SUMMARY
from capt_engine.runs.table import csv_writer

Written = tuple[str, str, Callable[[ReportContext], tuple[Block, ...]]]

SECTIONS: tuple[Written, ...] = (
    ("verdict", "Verdict", results.verdict),
    ("data", "Data", about.data),
    ("models", "Models", about.models),
    ("attacks", "Attacks", about.attacks),
    ("results", "Results", results.results),
    ("figures", "Figures", robust.figures),
    ("corruptions", "Common corruptions", corruption.corruptions),
    ("matrix", "Who fools whom", robust.matrix),
    ("curve", "Accuracy and budget", results.curve),
    ("smallest", "Smallest budgets", robust.smallest),
    ("classes", "Classes", results.classes),
    ("confusion", "Confusion", results.confusion),
    ("consistency", "Consistency", detail.consistency),
    ("calibration", "Calibration", detail.calibration),
    ("saving", "Survival after saving", detail.saving),
    ("examples", "Examples", detail.examples),
    ("rows", "Rows", detail.rows),
    ("checks", "Checks", detail.checks),
    ("limits", "Limits", about.limits),
    ("repeat", "How to repeat", about.repeat),
    ("glossary", "Glossary", about.glossary),
)
"""Every section a report of one run can have, in order: id, title, and what writes it; one that writes nothing is left out."""


def build(folder: Path, redact: bool = False) -> Report:
    """The report of the run in a folder, from what is in the folder alone; raises BadRequest.

    redact: files and folders are called "picture 1" and so on, in the attachments too.
    """
    context = ReportContext.of(folder, redact=redact)
    return Report(
        id=context.identity(),
        title="Robustness report",
        subtitle=context.title(),
        made=context.run.manifest.ended,
        sections=written(context, SECTIONS),
        attachments=attached(context),
    )


def written(context: ReportContext, table: Iterable[Written]) -> tuple[Section, ...]:
    """The sections that have something to say."""
    built = ((name, title, write(context)) for name, title, write in table)
    return tuple(Section(name, title, blocks) for name, title, blocks in built if blocks)


def attached(context: ReportContext, mark: str = "") -> tuple[Attachment, ...]:
    """The manifest, the rows and the summary. mark: goes before the ending, such as "-2"."""
    names, run = context.names, context.run
    return (
        Attachment(
            _marked(MANIFEST, mark), as_json(names.manifest(run)), "What the run was made of; capt run repeats it."
        ),
        Attachment(_marked(ROWS, mark), rows_of(context), "One row for each picture, attack and model."),
        Attachment(_marked(SUMMARY, mark), as_json(names.summary(run)), "The figures of the whole run."),
    )


def rows_of(context: ReportContext, *, header: bool = True) -> bytes:
    """The rows as a CSV: those of the folder, with other names where they are redacted."""
    text = io.StringIO(newline="")
    writer = csv_writer(text, header=header)
    for line in context.run.lines():
        writer.writerow(context.names.line(line))
    return text.getvalue().encode()


def chosen(report: Report, sections: Iterable[str]) -> Report:
    """The report with the sections asked for, in its own order; all of them where none is named. Raises UnknownName."""
    wanted = tuple(sections)
    known = [name for name, _, _ in SECTIONS] + [one.id for one in report.sections]
    for name in wanted:
        if name not in known:
            raise UnknownName("section", name, dict.fromkeys(known))
    return replace(report, sections=tuple(one for one in report.sections if one.id in wanted)) if wanted else report


def infos(report: Report) -> tuple[SectionInfo, ...]:
    """Every section there could be, and whether this report has it."""
    there = {one.id: one.title for one in report.sections}
    every = {name: title for name, title, _ in SECTIONS} | there
    return tuple(SectionInfo(name, title, name in there) for name, title in every.items())


def _marked(name: str, mark: str) -> str:
    stem, dot, ending = name.partition(".")
    return f"{stem}{mark}{dot}{ending}"
