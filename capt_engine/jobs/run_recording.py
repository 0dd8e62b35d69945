"""A run that is kept while it goes: its rows and pictures go to a folder as they become ready, whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from capt_engine.evaluation.plan import Plan
from capt_engine.model.checkpoints import read_document
from capt_engine.model.store.prompt_store import find
from capt_engine.records import (
    NO_PROMPTS,
    AnalyzeResult,
    FailedPicture,
    PictureRow,
    RunRequest,
)
from capt_engine.runs import manifest
from capt_engine.runs.run_folder import RunFolder, refuse_unless_free
from capt_engine.runs.table import summary

Rows = Sequence[PictureRow | FailedPicture]
R = TypeVar("R", bound=RunRequest)


def refuse_early(request: RunRequest) -> None:
    """Before anything is loaded: raise BadRequest where the run could not be kept."""
    if request.options.keep:
        refuse_unless_free(Path(request.options.keep), resume=request.options.resume)


def with_pictures(request: R) -> R:
    """The request with rows that carry pictures where the folder needs them."""
    options = replace(request.options, with_pictures=request.options.with_pictures or bool(request.options.keep))
    return replace(request, options=options)


def opened(request: RunRequest, work: Plan, template: str) -> AbstractContextManager[RunFolder | None]:
    """The folder of a run that is to be kept, else nothing; raises BadRequest."""
    if not request.options.keep:
        return nullcontext()
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
    return RunFolder(Path(request.options.keep), request, begun, resume=request.options.resume)


def passing(request: RunRequest, folder: RunFolder | None, emit: Callable[[Rows], None]) -> Callable[[Rows], None]:
    """`emit`, after the rows were kept; pictures that only the folder needed go no further."""
    if folder is None:
        return emit

    def both(rows: Rows) -> None:
        folder.add(rows)
        emit(rows if request.options.with_pictures else [_without(row) for row in rows])

    return both


def closed(request: RunRequest, folder: RunFolder | None, result: AnalyzeResult) -> AnalyzeResult:
    """The result, counted again from what is on disk, which may hold an earlier, interrupted part too; writes the summary."""
    if folder is None:
        return result
    result = folder.counted(result, request.options.compare)
    folder.finish(summary(result, request.options.seed, request.options.keep))
    return result


def _without(row: PictureRow | FailedPicture) -> PictureRow | FailedPicture:
    return row if isinstance(row, FailedPicture) else replace(row, pictures=None)
