"""Saving a chart of the window as a file: the reports' drawing of it, a picture of that drawing, or its values."""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.files import write_atomic
from capt_engine.jobs.context import JobContext
from capt_engine.jobs.reporting import page_image
from capt_engine.records import CHART_FORMATS, Chart, ChartSaved, SaveChartRequest
from capt_engine.reports.pdf.figure import page_of
from capt_engine.reports.svg import draw
from capt_engine.reports.svg.elements import WIDTH, Drawing
from capt_engine.reports.svg.painter import svg_file
from capt_engine.reports.svg.values import csv_bytes

# Pixels of a saved picture for each unit of the drawing.
_PNG_SCALE = 2


def handle_save_chart(job: JobContext, request: SaveChartRequest) -> ChartSaved:
    """Draw the chart of `request`, write it to the request's file, over what is there; return its path and size.

    job: the context of the job, whose progress is reported. Raises UnknownName for another format, BadRequest for a
    chart with nothing to draw, CannotWrite where the disk refuses, Cancelled.
    """
    job.progress(0, 0, "saving the chart")
    content = chart_bytes(request.chart, request.format)
    write_atomic(Path(request.path), content, job.progress)
    return ChartSaved(request.path, len(content))


def chart_bytes(chart: Chart, form: str) -> bytes:
    """Return the content of a file that shows `chart`; the same chart gives the same bytes.

    form: the format: "svg", "png" or "csv". Raises UnknownName for another, and BadRequest where "svg" or "png" is
    asked of a chart without values that could be drawn.
    """
    if form not in CHART_FORMATS:
        raise UnknownName("chart format", form, CHART_FORMATS)
    if form == "csv":
        return csv_bytes(chart)
    drawing = draw(chart)
    if drawing is None:
        raise BadRequest("There is nothing to draw.", "Save the values as CSV instead.")
    return svg_file(drawing) if form == "svg" else _png(drawing)


def _png(drawing: Drawing) -> bytes:
    file = io.BytesIO()
    with pypdfium2.PdfDocument(page_of(drawing)) as document:
        page = document[0]
        page_image(page, _PNG_SCALE * WIDTH / page.get_width()).save(file, "PNG")
    return file.getvalue()
