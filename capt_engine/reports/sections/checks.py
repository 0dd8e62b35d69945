"""The checks of a run as lights: those its rows answer, counted anew, and those it made by asking the model again."""

from __future__ import annotations

from capt_engine.checks.context import NOT_ASKED
from capt_engine.checks.from_rows import row_checks, rows_first
from capt_engine.checks.table import NOT_TRIED
from capt_engine.formatting import counted
from capt_engine.records import Check
from capt_engine.reports.document import Light, Lights
from capt_engine.reports.sections.context import ReportContext

_ORDER = {"fail": 0, "pass": 1, "not run": 2}
_FULL_ONLY = "full checks only"


def checks(context: ReportContext) -> Lights:
    """Return the checks of the run in `context`, each with its status and number, and a sentence on how many passed.

    Those that failed come first, then those that passed, then those that were not run. What the rows answer is counted
    anew; the others are taken from the summary.
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
    each = (_light(one) for one in found)
    lights = tuple(sorted(each, key=lambda light: _ORDER.get(light.status, len(_ORDER))))
    run = [light for light in lights if light.status != "not run"]
    passed = sum(light.status == "pass" for light in run)
    summary = f"{passed} of {counted(len(run), 'check')} passed; {len(lights) - len(run)} were not run."
    if any(light.value == _FULL_ONLY for light in lights):
        summary += f" Those marked “{_FULL_ONLY}” are made with --checks full."
    return Lights(summary, lights)


def _light(one: Check) -> Light:
    """A check as a light; the reasons that many of those not run share are a mark here."""
    for reason, mark in ((NOT_ASKED, _FULL_ONLY), (NOT_TRIED, "not tried")):
        if one.status == "not_run" and one.message.endswith(reason):
            return Light(one.title, "not run", mark, one.message.removesuffix(reason).rstrip())
    return Light(one.title, one.status.replace("_", " "), one.shown, one.message)


def failed(lights: Lights) -> Lights:
    """Return a copy of `lights`, a list of checks, with only those that failed; its summary stays."""
    return Lights(
        lights.summary.partition(" Those marked")[0], tuple(one for one in lights.lights if one.status == "fail")
    )
