"""Reports of kept runs."""

from __future__ import annotations

from capt_engine.frozen import dataclass
from capt_engine.records.requests import Request, Result


@dataclass(frozen=True)
class ReportRequest(Request):
    """Write a report of kept runs: one run, or several side by side.

    runs: run folders. out: the file; its ending (.pdf, .html, .csv, .json) says the format. sections: ids to include, empty for all.
    short: the two pages in front alone. redact: show numbers instead of the names of files and folders. redact_classes: also instead
    of class names and of the hashes of pictures, by which somebody who has a picture can tell that it was among these. preview: draw
    the pages as pictures instead of writing a file (`out` then only says the format); they arrive as `PagesReady`.
    """

    runs: tuple[str, ...]
    out: str
    sections: tuple[str, ...] = ()
    redact: bool = False
    redact_classes: bool = False
    preview: bool = False
    page_width: int = 900
    short: bool = False


@dataclass(frozen=True)
class SectionInfo:
    """One section that a report can have: its id and title, and whether there is anything to say in it."""

    id: str
    title: str
    present: bool


@dataclass(frozen=True)
class ReportResult(Result):
    """A report that was written, or only drawn: where it is, its size, its pages (0 where the format has none), its sections."""

    out: str
    n_bytes: int
    pages: int
    sections: tuple[SectionInfo, ...]
    notes: tuple[str, ...] = ()
