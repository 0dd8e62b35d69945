"""From a request to the science and back: one small adapter per kind of job."""

from __future__ import annotations

import time
from collections.abc import Callable

from capt_engine.data.folders import collect
from capt_engine.data.images import read_photo, thumbnail
from capt_engine.errors import BadCheckpoint, BadImage
from capt_engine.evaluation.analysis import analyze, plan
from capt_engine.jobs import catalogue
from capt_engine.jobs.session import Session
from capt_engine.jobs.tick import Tick
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone
from capt_engine.model.text import count_tokens
from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    CheckClassesRequest,
    ClassesChecked,
    Event,
    FailedPicture,
    JobId,
    Picture,
    PicturesFound,
    Preview,
    PreviewRequest,
    PreviewResult,
    PreviewsReady,
    RowsReady,
)

OnEvent = Callable[[Event], None]

# Previews travel together for this long, so that a folder of thousands does not flood the window with events.
_GATHER_S = 0.1


def handle_analyze(
    session: Session, job: JobId, request: AnalyzeRequest, on_event: OnEvent, tick: Tick
) -> AnalyzeResult:
    """Load what the request names, then predict, attack and compare."""
    if request.prompts not in (None, "none"):
        raise BadCheckpoint(
            f"There is no prompt checkpoint called {request.prompts!r}.",
            "This version has none to load yet: leave the prompts at 'none'.",
        )
    tick(0, 0, f"loading {request.model}")
    classifier = session.classifier(request)
    work = plan(request, classifier, frozen=classifier)
    return analyze(work, lambda rows: on_event(RowsReady(job, tuple(rows))), tick)


def handle_preview(
    session: Session, job: JobId, request: PreviewRequest, on_event: OnEvent, tick: Tick
) -> PreviewResult:
    """Find the pictures, name them all at once, then send their small views as they become ready."""
    del session
    found = collect(request.paths)
    skipped = tuple(FailedPicture(path, sentence) for path, sentence in found.skipped)
    on_event(PicturesFound(job, found.files, skipped))
    ready: list[Preview | FailedPicture] = []
    sent_s, n_failed = time.monotonic(), len(skipped)
    for done, path in enumerate(found.files):
        tick(done, len(found.files), "reading pictures")
        one = _preview(path, request.size)
        n_failed += isinstance(one, FailedPicture)
        ready.append(one)
        if time.monotonic() - sent_s >= _GATHER_S:
            on_event(PreviewsReady(job, tuple(ready)))
            ready, sent_s = [], time.monotonic()
    if ready:
        on_event(PreviewsReady(job, tuple(ready)))
    return PreviewResult(len(found.files) + len(skipped) - n_failed, n_failed)


def _preview(path: str, size: int) -> Preview | FailedPicture:
    try:
        photo = read_photo(path)
    except BadImage as error:
        return FailedPicture(path, error.message, error.hint)
    small = thumbnail(photo, size)
    height, width, _ = small.shape
    return Preview(path, photo.width, photo.height, Picture(width, height, small.tobytes()), photo.notes)


def handle_check_classes(
    session: Session, job: JobId, request: CheckClassesRequest, on_event: OnEvent, tick: Tick
) -> ClassesChecked:
    """Count tokens as the model would, without encoding anything."""
    del job, on_event
    tick(0, 0, f"loading {request.model}")
    backbone = session.backbone(request.model, "auto")
    names = [name.replace("_", " ").strip() for name in request.classes]
    tokens = count_tokens(backbone, [request.template.replace("{}", name) for name in names]) if names else ()
    return ClassesChecked(
        tokens=tokens,
        limit=backbone.context_length,
        too_long=tuple(i for i, count in enumerate(tokens) if count > backbone.context_length),
        repeated=tuple(i for i, name in enumerate(names) if name in names[:i]),
    )


HANDLERS = {
    AnalyzeRequest: handle_analyze,
    PreviewRequest: handle_preview,
    CheckClassesRequest: handle_check_classes,
}

__all__ = ["HANDLERS", "Classifier", "catalogue", "load_backbone"]
