"""From a kept run to a report: the table of sections, and the files that travel with it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.records import SectionInfo
from capt_engine.reports.document import Attachment, Block, Report, Section
from capt_engine.reports.sections import about, corruption, detail, front, results, robust
from capt_engine.reports.sections.context import ReportContext
from capt_engine.runs.class_redaction import StandIns
from capt_engine.runs.manifest import as_json
from capt_engine.runs.reader import MANIFEST, ROWS, SUMMARY
from capt_engine.runs.table import csv_writer

Written = tuple[str, str, Callable[[ReportContext], tuple[Block, ...]]]

SECTIONS: tuple[Written, ...] = (
    ("verdict", "Verdict", front.verdict),
    ("summary", "Behind the verdict", front.summary),
    ("data", "Data", about.data),
    ("models", "Models", about.models),
    ("attacks", "Attacks", about.attacks),
    ("repeat", "How to repeat", about.repeat),
    ("limits", "Limits", about.limits),
    ("results", "Results", results.results),
    ("curve", "Accuracy and budget", results.curve),
    ("figures", "Figures", robust.figures),
    ("corruptions", "Common corruptions", corruption.corruptions),
    ("matrix", "Who fools whom", robust.matrix),
    ("smallest", "Smallest budgets", robust.smallest),
    ("confusion", "Confusion", results.confusion),
    ("classes", "Classes", results.classes),
    ("consistency", "Consistency", detail.consistency),
    ("calibration", "Calibration", detail.calibration),
    ("saving", "Survival after saving", detail.saving),
    ("rows", "Rows", detail.rows),
    ("examples", "Examples", detail.examples),
    ("checks", "Checks", detail.checks),
    ("glossary", "Glossary", about.glossary),
)
"""Every section a report of one run can have, in order: id, title, and what writes it; one that writes nothing is left out."""

FRONT = ("verdict", "summary")
"""The sections with a page each before all others: a short report has these alone."""


def build(folder: Path, redact: bool = False, redact_classes: bool = False) -> Report:
    """Build the report of the run in the run folder `folder`, finished or stopped, from what is in the folder alone.

    redact: show "picture 1" and the like instead of names of files and folders, in the attachments too. redact_classes:
    also hide class names and the hashes of pictures; the pictures themselves stay, in the section "Examples". Raises
    BadRequest where the folder holds no run, or not one whole picture.
    """
    context = ReportContext.of(folder, redact=redact, stand_ins=StandIns() if redact_classes else None)
    return Report(
        id=context.identity(),
        title="Robustness report",
        subtitle=context.title(),
        made=context.made,
        sections=written(context, SECTIONS),
        attachments=attached(context),
    )


def written(context: ReportContext, table: Iterable[Written]) -> tuple[Section, ...]:
    """Return the sections of a report about the run in `context`, and leave out those with nothing to say.

    table: (id, title, function that writes the section's blocks) of each section, in order.
    """
    built = ((name, title, write(context)) for name, title, write in table)
    return tuple(Section(name, title, blocks, name in FRONT) for name, title, blocks in built if blocks)


def attached(context: ReportContext, mark: str = "") -> tuple[Attachment, ...]:
    """Return the files that travel with a report on the run in `context`: manifest.json, rows.csv, summary.json.

    mark: text to put before the endings where several runs are in one report; "-2" gives manifest-2.json.
    """
    names, run = context.names, context.run
    return (
        Attachment(
            _marked(MANIFEST, mark), as_json(names.manifest(run)), "What the run was made of; capt run repeats it."
        ),
        Attachment(_marked(ROWS, mark), rows_of(context), "One row for each picture, attack and model."),
        Attachment(_marked(SUMMARY, mark), as_json(names.summary(run)), "The figures of the whole run."),
    )


def rows_of(context: ReportContext, *, header: bool = True) -> bytes:
    """Return the rows of the run in `context` as a CSV file, with names redacted where the context redacts them.

    header: begin with the line of column names.
    """
    text = io.StringIO(newline="")
    writer = csv_writer(text, header=header)
    for line in context.run.lines():
        writer.writerow(context.names.line(line))
    return text.getvalue().encode()


def chosen(report: Report, sections: Iterable[str], *, short: bool = False) -> Report:
    """Return a copy of `report` with only the sections whose ids are in `sections`, in the report's own order.

    With no id the report stays whole, or short: the two pages in front. A known section that this report lacks is passed
    over. Raises UnknownName for an id that is none, BadRequest for ids of a short report.
    """
    wanted = tuple(sections)
    if short and wanted:
        raise BadRequest("A short report has its own two sections.", "Leave --short or --sections away.")
    wanted = FRONT if short else wanted
    known = [name for name, _, _ in SECTIONS] + [one.id for one in report.sections]
    for name in wanted:
        if name not in known:
            raise UnknownName("section", name, dict.fromkeys(known))
    return replace(report, sections=tuple(one for one in report.sections if one.id in wanted)) if wanted else report


def infos(report: Report) -> tuple[SectionInfo, ...]:
    """List every section that a report can have, by id and title, and say of each if `report` has it.

    They stand in the order of a report; sections that only this report has come last.
    """
    there = {one.id: one.title for one in report.sections}
    every = {name: title for name, title, _ in SECTIONS} | there
    return tuple(SectionInfo(name, title, name in there) for name, title in every.items())


def _marked(name: str, mark: str) -> str:
    stem, dot, ending = name.partition(".")
    return f"{stem}{mark}{dot}{ending}"
