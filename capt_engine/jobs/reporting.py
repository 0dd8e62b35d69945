"""A report on its way: build it from kept runs, then write it, or draw its pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]

from capt_engine.errors import BadRequest
from capt_engine.files import write_atomic
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.records import Picture, ReportRequest, ReportResult
from capt_engine.reports import REPORTS, format_of
from capt_engine.reports.build import build, chosen, infos
from capt_engine.reports.compare import compare
from capt_engine.reports.document import Report

# Pages travel together, so that a long preview is on screen early and does not flood the window.
_PAGES_AT_ONCE = 4
_WIDEST = 4000

OnPages = Callable[[int, int, tuple[Picture, ...]], None]


def made(request: ReportRequest, on_pages: OnPages, progress: StoppableProgress) -> ReportResult:
    """Write the report, or draw it; raises BadRequest or Cancelled, and leaves no half file."""
    if not request.runs:
        raise BadRequest("No run was named.", "Name at least one run folder.")
    form = format_of(Path(request.out))
    progress(0, 3, "reading the run")
    report = _report(request)
    progress(1, 3, f"drawing the {form.label}")
    if request.preview:
        content = REPORTS["pdf"].write(report)
        pages = _drawn(content, request.page_width, on_pages, progress)
        return ReportResult("", len(content), pages, infos(report))
    content = form.write(report)
    progress(2, 3, "writing")
    write_atomic(Path(request.out), content, progress)
    pages = _count(content) if form.name == "pdf" else 0
    return ReportResult(request.out, len(content), pages, infos(report))


def _report(request: ReportRequest) -> Report:
    folders = [Path(run) for run in request.runs]
    report = build(folders[0], request.redact) if len(folders) == 1 else compare(folders, request.redact)
    return chosen(report, request.sections)


def _count(content: bytes) -> int:
    document = pypdfium2.PdfDocument(content)
    try:
        return len(document)
    finally:
        document.close()


def _drawn(content: bytes, width: int, on_pages: OnPages, progress: StoppableProgress) -> int:
    document = pypdfium2.PdfDocument(content)
    try:
        total = len(document)
        ready: list[Picture] = []
        for number in range(total):
            progress(number, total, f"page {number + 1} of {total}")
            page = document[number]
            bitmap = page.render(scale=min(width, _WIDEST) / page.get_width())
            image = bitmap.to_pil().convert("RGB")
            ready.append(Picture(image.width, image.height, image.tobytes()))
            bitmap.close()
            page.close()
            if len(ready) == _PAGES_AT_ONCE or number == total - 1:
                on_pages(number + 1 - len(ready), total, tuple(ready))
                ready = []
        return total
    finally:
        document.close()
