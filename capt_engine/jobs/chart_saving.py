"""Saving a chart of the window as a file: the reports' drawing of it, a picture of that drawing, or its values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.errors import UnknownName
from capt_engine.files import write_atomic
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.records import CHART_FORMATS, ChartSaved, Event, JobId, SaveChartRequest
from capt_engine.reports.svg import values

if TYPE_CHECKING:
    from collections.abc import Callable

    from capt_engine.jobs.model_cache import ModelCache

_WRITERS = {"csv": values.csv_bytes}


def handle_save_chart(
    cache: ModelCache,
    job: JobId,
    request: SaveChartRequest,
    on_event: Callable[[Event], None],
    progress: StoppableProgress,
) -> ChartSaved:
    """Draw the chart and write it, whole or not at all; raises UnknownName and BadRequest."""
    del cache, job, on_event
    progress(0, 0, "saving the chart")
    if request.format not in _WRITERS:
        raise UnknownName("chart format", request.format, CHART_FORMATS)
    content = _WRITERS[request.format](request.chart)
    write_atomic(Path(request.path), content, progress)
    return ChartSaved(request.path, len(content))
