"""A report on its way: build it from kept runs, then write it, or draw its pages."""

from __future__ import annotations

from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]
from PIL import Image

from capt_engine.errors import BadRequest
from capt_engine.files import write_atomic
from capt_engine.jobs.context import JobContext
from capt_engine.records import PagesReady, Picture, ReportRequest, ReportResult
from capt_engine.reports import REPORTS, format_of
from capt_engine.reports.build import build, chosen, infos
from capt_engine.reports.compare import compare
from capt_engine.reports.document import Report
from capt_engine.runs.reader import runs_in

# Pages travel together, so that a long preview is on screen early and does not flood the window.
_PAGES_AT_ONCE = 4
_WIDEST = 4000


def handle_report(job: JobContext, request: ReportRequest) -> ReportResult:
    """Write a report of the runs of `request` to its file, over what is there; return its size, pages and sections.

    A request for a preview writes no file: the pages leave as pictures through the job's `on_event`. Raises BadRequest,
    CannotWrite or Cancelled.
    """
    if not request.runs:
        raise BadRequest("No run was named.", "Name at least one run folder.")
    form = format_of(Path(request.out))
    job.progress(0, 3, "reading the run")
    report = _report(request)
    job.progress(1, 3, f"drawing the {form.label}")
    if request.preview:
        content = REPORTS["pdf"].write(report)
        return ReportResult("", len(content), _drawn(job, content, request.page_width), infos(report))
    content = form.write(report)
    job.progress(2, 3, "writing")
    write_atomic(Path(request.out), content, job.progress)
    pages = 0
    if form.name == "pdf":
        with pypdfium2.PdfDocument(content) as document:
            pages = len(document)
    return ReportResult(request.out, len(content), pages, infos(report))


def page_image(page: pypdfium2.PdfPage, scale: float) -> Image.Image:
    """Draw `page` of a PDF as an RGB picture with `scale` pixels for each point (1/72 inch), and close the page."""
    bitmap = page.render(scale=scale)
    image: Image.Image = bitmap.to_pil().convert("RGB")
    bitmap.close()
    page.close()
    return image


def _report(request: ReportRequest) -> Report:
    folders = [folder for run in request.runs for folder in runs_in(Path(run))]
    hidden = request.redact, request.redact_classes
    report = build(folders[0], *hidden) if len(folders) == 1 else compare(folders, *hidden)
    return chosen(report, request.sections, short=request.short)


def _drawn(job: JobContext, content: bytes, width: int) -> int:
    with pypdfium2.PdfDocument(content) as document:
        total = len(document)
        ready: list[Picture] = []
        for number in range(total):
            job.progress(number, total, f"page {number + 1} of {total}")
            page = document[number]
            image = page_image(page, min(width, _WIDEST) / page.get_width())
            ready.append(Picture(image.width, image.height, image.tobytes()))
            if len(ready) == _PAGES_AT_ONCE or number == total - 1:
                job.on_event(PagesReady(job.id, number + 1 - len(ready), total, tuple(ready)))
                ready = []
        return total
