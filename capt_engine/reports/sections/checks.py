"""The checks of a run as lights: those its rows answer, counted anew, and those it made by asking the model again."""

from __future__ import annotations

from capt_engine.checks.from_rows import row_checks
from capt_engine.checks.table import in_order
from capt_engine.formatting import counted
from capt_engine.reports.document import Light, Lights
from capt_engine.reports.sections.context import ReportContext


def checks(context: ReportContext) -> Lights:
    """The checks of a run as lights, with a sentence on how many passed."""
    threat = context.run.request.options.threat
    of_rows = row_checks(
        context.counts.tally, context.eps, labelled=context.is_labelled, targeted=threat.target is not None
    )
    found = in_order(of_rows, context.run.summary.checks)
    lights = tuple(Light(one.title, one.status.replace("_", " "), one.shown, one.message) for one in found)
    run = [light for light in lights if light.status != "not run"]
    passed = sum(light.status == "pass" for light in run)
    summary = f"{passed} of {counted(len(run), 'check')} passed; {len(lights) - len(run)} were not run."
    return Lights(summary, lights)


def made(lights: Lights) -> Lights:
    """The same lights without those of checks that were not run."""
    return Lights(lights.summary, tuple(one for one in lights.lights if one.status != "not run"))
