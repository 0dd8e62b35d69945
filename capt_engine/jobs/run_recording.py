"""A run that is kept while it goes: its rows and pictures go to a folder as they become ready, whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from capt_engine.evaluation.known import Known, known_of
from capt_engine.evaluation.plan import Plan
from capt_engine.jobs.context import JobContext
from capt_engine.model.checkpoints import read_document
from capt_engine.model.store.prompt_store import find
from capt_engine.records import (
    NO_PROMPTS,
    AnalyzeResult,
    CountedRow,
    FailedPicture,
    PictureRow,
    RowsReady,
    RowsTakenUp,
    RunRequest,
)
from capt_engine.runs import manifest
from capt_engine.runs.reader import lines
from capt_engine.runs.run_folder import RunFolder, refuse_unless_free
from capt_engine.runs.table import counted_row, summary

Rows = Sequence[PictureRow | FailedPicture]
Evaluated = Callable[[Plan, Callable[[Rows], None], Iterable[str], Known | None], AnalyzeResult]
"""Does the work of a plan, given a function that takes rows, the paths of pictures that are done, and the result store beside it."""

R = TypeVar("R", bound=RunRequest)

# The rows of an event, of those that a resumed run has: enough to be quick, few enough to leave the window its breath.
AT_A_TIME = 1000


def refuse_early(request: RunRequest) -> None:
    """Raise BadRequest where the run folder that `request` names is not empty, or has no run to resume.

    Nothing is loaded for that. A request without a run folder passes.
    """
    if request.options.keep:
        refuse_unless_free(Path(request.options.keep), resume=request.options.resume)


def with_pictures(request: R) -> R:
    """Return `request`, changed to have pictures in its rows where a run folder is to be written, which keeps them."""
    options = replace(request.options, with_pictures=request.options.with_pictures or bool(request.options.keep))
    return replace(request, options=options)


def recorded(job: JobContext, request: RunRequest, work: Plan, template: str, evaluated: Evaluated) -> AnalyzeResult:
    """Do a run, send its rows as events of `job`, write the run folder if `request` names one, and return the summary.

    work: the plan of the run. template: the sentence with {} for the class name, for the manifest. evaluated: does the
    work; answers that are in the result store are not computed again, unless `request` says so. Raises BadRequest where
    the folder cannot be used, CannotWrite where the disk refuses.
    """

    def emit(rows: Rows) -> None:
        job.on_event(RowsReady(job.id, tuple(rows)))

    if not request.options.keep:
        return _beside_store(request, work, emit, (), evaluated)
    begun = manifest.begun(
        request,
        model_sha256=work.classifier.sha256,
        prompts=[
            (one.id, one.sha256, None if one.id == NO_PROMPTS else read_document(find(one.id))) for one in work.variants
        ],
        classes=work.classifier.classes,
        template=template,
        label_source=work.label_source,
        device=work.classifier.device,
        source_model=None if work.source is None else work.source.classifier.sha256,
        lpips=None if work.lpips is None else work.lpips.facts,
    )
    with RunFolder(Path(request.options.keep), request, begun, resume=request.options.resume) as folder:

        def keep(rows: Rows) -> None:
            folder.add(rows)
            # Pictures that only the folder needed go no further.
            emit(rows if request.options.with_pictures else [_without(row) for row in rows])

        if not request.options.with_pictures:
            work = replace(work, wants=folder.wants)
        if request.options.resume:
            _take_up(job, folder.path, work.classifier.classes)
        result = _beside_store(request, work, keep, folder.done, evaluated)
        # Counted again from what is on disk, which may hold an earlier, interrupted part too.
        result = folder.counted(result, request.options.compare)
        folder.finish(summary(result, request.options.seed, request.options.keep), result)
    return result


def _take_up(job: JobContext, folder: Path, classes: Sequence[str]) -> None:
    """Send the rows that a resumed run has already, as somebody who counts did not hear of those of another session."""
    names, known, begins, part = tuple(classes), frozenset(classes), True, list[CountedRow]()
    for line in lines(folder):
        row = counted_row(line)
        # A folder that somebody has edited may name classes that there are not.
        if {row.label, row.clean_pred, row.adv_pred or row.label} <= known:
            part.append(row)
        if len(part) == AT_A_TIME:
            job.on_event(RowsTakenUp(job.id, names, tuple(part), begins))
            begins, part = False, []
    job.on_event(RowsTakenUp(job.id, names, tuple(part), begins))


def _beside_store(
    request: RunRequest, work: Plan, emit: Callable[[Rows], None], done: Iterable[str], evaluated: Evaluated
) -> AnalyzeResult:
    """Do the work with the result store beside it, where it is on."""
    known = known_of(work, wanted=request.options.cache)
    with nullcontext() if known is None else known:
        result = evaluated(work, emit, done, known)
    return result if known is None else replace(result, store_note=known.note)


def _without(row: PictureRow | FailedPicture) -> PictureRow | FailedPicture:
    return row if isinstance(row, FailedPicture) else replace(row, pictures=None)
