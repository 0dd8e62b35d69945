"""Looking through pictures before tuning, and dividing them: the two steps of a wizard that need no attack."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.data import inventory
from capt_engine.data.class_names import CountTokens
from capt_engine.data.scan import Views, scan
from capt_engine.data.sources import find
from capt_engine.data.split import divide
from capt_engine.files import write_atomic
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.records import Event, JobId, Preview, PreviewsReady, ScanRequest, ScanResult, SplitRequest, SplitResult

if TYPE_CHECKING:
    from capt_engine.jobs.model_cache import ModelCache

OnEvent = Callable[[Event], None]

# Small views travel together for this long, so that a thousand classes do not flood the window with events.
_GATHER_S = 0.1


class _Gathered:
    """Small views on their way out, a handful at a time."""

    def __init__(self, job: JobId, on_event: OnEvent) -> None:
        self._job, self._on_event = job, on_event
        self._ready: list[Preview] = []
        self._sent_s = time.monotonic()

    def add(self, preview: Preview) -> None:
        """One more; all of them leave when it is time."""
        self._ready.append(preview)
        self.send_if_due()

    def send_if_due(self) -> None:
        """Let those that wait leave when they have waited long enough."""
        if time.monotonic() - self._sent_s >= _GATHER_S:
            self.send()

    def send(self) -> None:
        """Let those that wait leave now."""
        if self._ready:
            self._on_event(PreviewsReady(self._job, tuple(self._ready)))
        self._ready, self._sent_s = [], time.monotonic()


def handle_scan(
    cache: ModelCache, job: JobId, request: ScanRequest, on_event: OnEvent, progress: StoppableProgress
) -> ScanResult:
    """Look through what the request names, read-only; the inventory is written when all is seen."""
    counting: CountTokens | None = None
    limit = 0
    if request.model:
        # Here, as it loads torch, which nothing else of this needs.
        from capt_engine.model.text import count_tokens

        progress(0, 0, f"loading {request.model}")
        backbone = cache.backbone(request.model, "auto")
        limit = backbone.context_length

        def counting(sentences: list[str]) -> tuple[int, ...]:
            return count_tokens(backbone, sentences)

    progress(0, 0, "looking for pictures")
    found = find(request.data, request.data_root, lambda: progress(0, 0, "looking for pictures"))
    small = _Gathered(job, on_event)
    views = Views(request.thumbnails, request.size, small.add) if request.thumbnails > 0 else None

    def ticking(done: int = 0, total: int = 0, note: str = "") -> None:
        # the last views of each class are long there before the last picture is read
        small.send_if_due()
        progress(done, total, note)

    result, kept = scan(
        found, ticking, template=request.template, count_tokens=counting, token_limit=limit, views=views
    )
    small.send()
    if not request.keep:
        return result
    place = Path(request.keep, inventory.FILE)
    write_atomic(
        place, inventory.to_bytes(kept), lambda: progress(result.listed, result.listed, "writing the inventory")
    )
    return replace(result, inventory=str(place))


def handle_split(
    cache: ModelCache, job: JobId, request: SplitRequest, on_event: OnEvent, progress: StoppableProgress
) -> SplitResult:
    """Divide the pictures of an inventory, and write the list where one is asked for and nothing forbids it."""
    del cache, job, on_event
    progress(0, 0, "dividing the pictures")
    result, table = divide(inventory.read(request.inventory), request)
    if not request.out or result.blocks:
        return result
    write_atomic(Path(request.out), table, progress)
    return replace(result, out=request.out, sha256=hashlib.sha256(table).hexdigest())
