"""A run that is kept while it goes: its rows and pictures go to a folder as they become ready, whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from capt_engine.evaluation.plan import Plan
from capt_engine.jobs.context import JobContext
from capt_engine.model.checkpoints import read_document
from capt_engine.model.store.prompt_store import find
from capt_engine.records import NO_PROMPTS, AnalyzeResult, FailedPicture, PictureRow, RowsReady, RunRequest
from capt_engine.runs import manifest
from capt_engine.runs.run_folder import RunFolder, refuse_unless_free
from capt_engine.runs.table import summary

Rows = Sequence[PictureRow | FailedPicture]
R = TypeVar("R", bound=RunRequest)


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


def recorded(
    job: JobContext,
    request: RunRequest,
    work: Plan,
    template: str,
    evaluated: Callable[[Callable[[Rows], None], Iterable[str]], AnalyzeResult],
) -> AnalyzeResult:
    """Do a run, send its rows as events of `job`, write the run folder if `request` names one, and return the summary.

    work: the plan of the run. template: the sentence with {} for the class name, for the manifest. evaluated: does the
    work, given a function that takes rows, and the paths of the pictures that the interrupted run has finished. Raises
    BadRequest where the folder cannot be used, CannotWrite where the disk refuses.
    """

    def emit(rows: Rows) -> None:
        job.on_event(RowsReady(job.id, tuple(rows)))

    if not request.options.keep:
        return evaluated(emit, ())
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

        # Counted again from what is on disk, which may hold an earlier, interrupted part too.
        result = folder.counted(evaluated(keep, folder.done), request.options.compare)
        folder.finish(summary(result, request.options.seed, request.options.keep))
    return result


def _without(row: PictureRow | FailedPicture) -> PictureRow | FailedPicture:
    return row if isinstance(row, FailedPicture) else replace(row, pictures=None)
