"""Looking through pictures before tuning, and dividing them: the two steps of a wizard that need no attack."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from capt_engine.data import inventory
from capt_engine.data.class_names import long_names
from capt_engine.data.inventory import Inventory
from capt_engine.data.scan import Views, scan
from capt_engine.data.sources import find
from capt_engine.data.split import divide
from capt_engine.files import write_atomic
from capt_engine.jobs.context import FileContext, Gathered, JobContext
from capt_engine.model import vocabulary
from capt_engine.records import (
    CountTokensRequest,
    Preview,
    PreviewsReady,
    ScanRequest,
    ScanResult,
    SplitRequest,
    SplitResult,
    TokensCounted,
    ToyWorldDrawn,
    ToyWorldRequest,
    unknown_sentences,
)

# For so many seconds small views wait for others.
GATHER_S = 0.1


def handle_toy_world(job: JobContext, request: ToyWorldRequest) -> ToyWorldDrawn:
    """Draw the pictures of the toy world that `request` asks for, and return their folder and number.

    job: the context, whose progress is told and may stop it; what is drawn by then stays. Raises CaptError where the folder
    holds something else, or the disk refuses.
    """
    from capt_engine.demo.class_folders import write_class_folders

    def progress(done: int = 0, total: int = 0, _note: str = "") -> None:
        job.progress(done, total, "drawing the toy world")

    n = write_class_folders(Path(request.folder), "shapes", request.split, "night", request.per_class, 0, progress)
    return ToyWorldDrawn(request.folder, n)


def handle_scan(job: FileContext, request: ScanRequest) -> ScanResult:
    """Read the labelled pictures that `request` names, and return their counts and whatever is wrong with them.

    Nothing of the data is changed. Small views leave through the job's `on_event`; the inventory, a file for
    `handle_split`, is written at the end where the request names a folder. Class names are counted in tokens by the
    worker that has models, once all pictures are read. Raises CaptError.
    """
    job.progress(0, 0, "looking for pictures")
    found = find(request.data, request.data_root, lambda: job.progress(0, 0, "looking for pictures"))
    small: Gathered[Preview] = Gathered(lambda previews: job.on_event(PreviewsReady(job.id, previews)), GATHER_S)
    views = Views(request.thumbnails, request.size, small.add) if request.thumbnails > 0 else None

    def progress(done: int = 0, total: int = 0, note: str = "") -> None:
        # the last views of each class are long there before the last picture is read
        small.send_if_due()
        job.progress(done, total, note)

    result, kept = scan(found, progress, template=request.template, views=views)
    small.send()
    if request.model:
        result, kept = _named(job, request.model, result, kept)
    if not request.keep:
        return result
    place = Path(request.keep, inventory.FILE)
    write_atomic(
        place, inventory.to_bytes(kept), lambda: job.progress(result.listed, result.listed, "writing the inventory")
    )
    return replace(result, inventory=str(place))


def _named(job: FileContext, model: str, result: ScanResult, kept: Inventory) -> tuple[ScanResult, Inventory]:
    """The findings with what the model says of the class names: names with too many tokens, and words that it does not know."""
    names = [one.name for one in result.classes]

    def tick() -> None:
        job.progress(result.listed, result.listed, "counting the tokens of the class names")

    def counted(sentences: Sequence[str]) -> TokensCounted:
        answer = job.ask(CountTokensRequest(model, tuple(sentences)), tick)
        assert isinstance(answer, TokensCounted)
        return answer

    limit = counted(()).limit
    long = long_names(names, result.template, lambda sentences: counted(sentences).tokens, limit)
    known = vocabulary.of_model(model)
    said = () if known is None else unknown_sentences(known.unknown(names, result.template, tuned=names))
    result = replace(result, long_names=long, token_limit=limit, notes=(*result.notes, *said))
    return result, replace(kept, token_limit=limit, long_names=long)


def handle_split(job: JobContext, request: SplitRequest) -> SplitResult:
    """Divide the pictures of a scan's inventory into training, validation and test, and return the division.

    The list of the division is written to the request's file, unless it names none or a reason against it was found
    (`blocks` of the result). job: the context, whose progress is reported. Raises CaptError.
    """
    job.progress(0, 0, "dividing the pictures")
    result, table = divide(inventory.read(request.inventory), request)
    if not request.out or result.blocks:
        return result
    write_atomic(Path(request.out), table, job.progress)
    return replace(result, out=request.out, sha256=hashlib.sha256(table).hexdigest())
