"""Several variants evaluated one after the other on the same pictures, and ranked from their rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from capt_engine.errors import BadRequest
from capt_engine.jobs.context import ModelContext
from capt_engine.metrics.ranking import VariantAnswers, ranked
from capt_engine.metrics.tally import Tally, Trial
from capt_engine.progress import Progress
from capt_engine.records import (
    MOST_VARIANTS,
    AnalyzeResult,
    CompareRequest,
    CompareResult,
    EvaluateRequest,
    Event,
    FailedPicture,
    RowsReady,
)
from capt_engine.runs.reader import is_run, lines, summary_of
from capt_engine.runs.run_folder import refuse_unless_free
from capt_engine.runs.table import trial

Evaluate = Callable[[ModelContext, EvaluateRequest], AnalyzeResult]
_STEPS = 1_000


def compared(job: ModelContext, request: CompareRequest, evaluate: Evaluate) -> CompareResult:
    """Evaluate each variant of `request` with the function `evaluate`, rank them, and return the table.

    job: takes the rows as events, and the progress over all variants. What was kept of a variant is not computed again
    where its evaluation says `resume`. Raises BadRequest where the request makes no comparison, and what `evaluate` raises.
    """
    wanted = request.evaluations
    _check(wanted)
    began_s = time.monotonic()
    answers, notes = [], []
    n_failed, device = 0, ""
    for place, one in enumerate(wanted):
        work = replace(job, progress=_part(job.progress, place, len(wanted)))
        found, result = _answers(work, one, evaluate)
        answers.append(found)
        if result is not None:
            notes += [note for note in result.notes if note not in notes]
            n_failed, device = max(n_failed, result.n_failed), result.device
    first = wanted[0]
    return CompareResult(
        variants=ranked(answers),
        threat_model=first.options.threat,
        attacks=first.labels,
        n_failed=n_failed,
        notes=tuple(notes),
        wall_s=time.monotonic() - began_s,
        device=device,
    )


def _check(wanted: tuple[EvaluateRequest, ...]) -> None:
    if not 2 <= len(wanted) <= MOST_VARIANTS:
        raise BadRequest(
            f"A comparison is of 2 to {MOST_VARIANTS} variants, not of {len(wanted)}.",
            "Name several prompts or models; compare the best of many in a second go.",
        )
    asked = [(one.options.model, one.variants) for one in wanted]
    for one in wanted:
        if len(one.variants) > 1:
            raise BadRequest("One of the variants is itself a comparison.", "Name one set of prompts for each.")
        if asked.count((one.options.model, one.variants)) > 1:
            raise BadRequest(f"{one.variants[0]!r} on {one.options.model!r} is named twice.", "Name each variant once.")
    for one in wanted:
        if one.options.keep and not one.options.resume:
            refuse_unless_free(Path(one.options.keep), resume=False)


def _answers(
    job: ModelContext, one: EvaluateRequest, evaluate: Evaluate
) -> tuple[VariantAnswers, AnalyzeResult | None]:
    """The answers of one variant, and the summary of its evaluation; None for that where the finished run was only read."""
    folder, (prompts,) = Path(one.options.keep), one.variants
    is_there = bool(one.options.keep) and one.options.resume and is_run(folder)
    arrived = Tally()
    seconds = 0.0

    def on_event(event: Event) -> None:
        nonlocal seconds
        if isinstance(event, RowsReady) and not one.options.keep:
            for row in event.rows:
                if not isinstance(row, FailedPicture):
                    arrived.add(Trial.of(row))
                    seconds += row.time_s
        job.on_event(event)

    result = None
    if not is_there or summary_of(folder) is None:
        options = replace(one.options, resume=is_there)
        result = evaluate(replace(job, on_event=on_event), replace(one, options=options))
    if one.options.keep:
        for line in lines(folder):
            known = trial(line)
            arrived.add(known)
            seconds += known.seconds
    return VariantAnswers.of(arrived, one.options.model, prompts, one.headline, seconds, one.options.keep), result


def _part(progress: Progress, place: int, of: int) -> Progress:
    """The progress of one variant within that of all."""

    def within(done: int = 0, total: int = 0, note: str = "") -> None:
        share = done / total if total else 0.0
        words = f"variant {place + 1} of {of}" + (f", {note}" if note else "")
        progress(int((place + share) * _STEPS), of * _STEPS, words)

    return within
