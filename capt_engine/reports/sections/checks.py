"""The checks of a run as lights: those its rows answer, counted anew, and those it made by asking the model again."""

from __future__ import annotations

from capt_engine.checks.from_rows import row_checks, rows_first
from capt_engine.formatting import counted
from capt_engine.reports.document import Light, Lights
from capt_engine.reports.sections.context import ReportContext


def checks(context: ReportContext) -> Lights:
    """Return the checks of the run in `context`, each with its status and number, and a sentence on how many passed.

    Those that the rows answer are counted anew; the others are taken from the summary.
    """
    threat = context.run.request.options.threat
    of_rows = row_checks(
        context.counts.tally,
        context.eps,
        labelled=context.is_labelled,
        targeted=threat.targeted,
        classes=len(context.run.manifest.classes),
    )
    found = rows_first(of_rows, context.run.summary.checks)
    lights = tuple(Light(one.title, one.status.replace("_", " "), one.shown, one.message) for one in found)
    run = [light for light in lights if light.status != "not run"]
    passed = sum(light.status == "pass" for light in run)
    summary = f"{passed} of {counted(len(run), 'check')} passed; {len(lights) - len(run)} were not run."
    return Lights(summary, lights)


def failed(lights: Lights) -> Lights:
    """Return a copy of `lights`, a list of checks, with only those that failed; its summary stays."""
    return Lights(lights.summary, tuple(one for one in lights.lights if one.status == "fail"))
