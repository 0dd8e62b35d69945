"""The formats a report can have, one line each. Importing this loads none of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.registry import Table

if TYPE_CHECKING:
    from capt_engine.reports.document import Report


@dataclass(frozen=True)
class Format:
    """One format: `module` has `write(report) -> bytes`, which gives the same bytes for the same report.

    mark: a regular expression that is found near the beginning or the end of every file that was written so.
    """

    name: str
    label: str
    suffix: str
    module: str
    mark: bytes

    def write(self, report: Report) -> bytes:
        """Return `report` as the bytes of a file in this format.

        Raises BadRequest where this installation lacks a package that the format needs.
        """
        try:
            module = importlib.import_module(f"capt_engine.reports.{self.module}")
        except ModuleNotFoundError as error:
            raise BadRequest(
                f"This installation cannot write {self.label}: {error.name} is missing.", "Choose another format."
            ) from error
        write: Callable[[Report], bytes] = module.write
        return write(report)


REPORTS: Table[Format] = Table(
    "report format",
    Format("pdf", "PDF", ".pdf", "pdf.report", rb"CAPT Explorer"),
    Format("html", "HTML", ".html", "html.report", rb'<meta name="generator" content="CAPT Explorer">'),
    Format("csv", "CSV", ".csv", "csv_report", rb"\A(\xef\xbb\xbf)?path,sha256,width,height,label,"),
    Format("json", "JSON", ".json", "json_report", rb'\A\{\s*"schema": "capt-report/'),
)


def format_of(path: Path) -> Format:
    """Return the report format that the ending of `path` names: .pdf, .html, .csv or .json, in any case.

    Raises UnknownName for another ending.
    """
    for one in REPORTS:
        if path.suffix.lower() == one.suffix:
            return one
    raise UnknownName("report format", path.suffix or path.name, (one.suffix for one in REPORTS))
