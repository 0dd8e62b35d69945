"""The worker of files: it looks for pictures, shows, scans and divides them, and writes reports and charts, while a model computes.

It loads no model. What only a model knows, the tokens of class names, it asks the worker that computes.
"""

from __future__ import annotations

from capt_engine import records
from capt_engine.jobs.context import Ask, FileContext, OnEvent
from capt_engine.jobs.data_jobs import handle_scan, handle_split, handle_toy_world
from capt_engine.jobs.previews import handle_preview
from capt_engine.jobs.runner import Handler
from capt_engine.jobs.stoppable import StoppableProgress


def worker(ask: Ask) -> Handler:
    """Return the function that does requests about files.

    ask: has a request done by the worker that computes, and returns its result.
    """

    def handle(
        job: records.JobId, request: records.Request, on_event: OnEvent, progress: StoppableProgress
    ) -> records.Result:
        context = FileContext(job, on_event, progress, ask)
        match request:
            case records.PreviewRequest():
                return handle_preview(context, request)
            case records.ScanRequest():
                return handle_scan(context, request)
            case records.SplitRequest():
                return handle_split(context, request)
            case records.ToyWorldRequest():
                return handle_toy_world(context, request)
            case records.ReportRequest():
                # Here, as runs know the metrics and these torch, for which no picture should wait.
                from capt_engine.jobs.reporting import handle_report

                return handle_report(context, request)
            case records.SaveChartRequest():
                from capt_engine.jobs.chart_saving import handle_save_chart

                return handle_save_chart(context, request)
        raise TypeError(f"{type(request).__name__} is not for this worker.")

    return handle
