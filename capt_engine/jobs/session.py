"""What the worker keeps between jobs: the device, the last model, the last class list. Light to import; `Session()` loads torch."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capt_engine.model import imports
from capt_engine.records import (
    Catalogue,
    DeviceInfo,
    Event,
    JobId,
    Request,
    Result,
    RunRequest,
)

if TYPE_CHECKING:
    from capt_engine.jobs.stoppable import StoppableProgress
    from capt_engine.model.classifier import Classifier
    from capt_engine.model.clip import Backbone
    from capt_engine.model.lpips import Lpips

# Class lists and prompts whose text features are kept: zero-shot, A and B, and those before them.
_KEPT = 6


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Collecting garbage stops every thread, the window's too, for as long as it takes to look at each object there is.

    Importing makes half a million objects that stay, and would be interrupted to look at them all again and again; afterwards they
    are set aside, so that a collection while a model loads has only what is new to look at.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class Session:
    """The loaded libraries and models of one worker thread."""

    def __init__(self, device: str, note: Callable[[str], None]) -> None:
        """Load torch and all that is built on it, telling `note` what is being loaded; raises DeviceProblem."""
        with _garbage_left_alone():
            note("Loading torch")
            imports.preload_torch()
            self._torch: Any = importlib.import_module("torch")
            note("Loading open_clip")
            self._handlers: Any = importlib.import_module("capt_engine.jobs.handlers")
        devices = importlib.import_module("capt_engine.model.devices")
        self._pick = devices.pick_device
        self._device_name = device
        self._device_info: DeviceInfo = devices.describe_device(self._pick(device))
        self._backbone: tuple[tuple[str, str], Backbone] | None = None
        self._classifiers: dict[tuple[object, ...], Classifier] = {}
        self._beside: dict[tuple[object, ...], Classifier] = {}
        self._lpips: tuple[tuple[object, ...], Lpips] | None = None

    def catalogue(self) -> Catalogue:
        """All there is to choose from."""
        result: Catalogue = self._handlers.catalogue.catalogue()
        return result

    def device_info(self) -> DeviceInfo:
        """The device that requests with device "auto" run on."""
        return self._device_info

    def handle(
        self, job: JobId, request: Request, on_event: Callable[[Event], None], progress: StoppableProgress
    ) -> Result:
        """Do what a request asks; its rows and previews leave through `on_event`. Raises CaptError."""
        # A job may run at a tick of another, and what holds there (no gradients, say) must not hold in it.
        with self._as_at_first():
            result: Result = self._handlers.HANDLERS[type(request)](self, job, request, on_event, progress)
        return result

    @contextmanager
    def _as_at_first(self) -> Iterator[None]:
        with self._torch.inference_mode(False), self._torch.enable_grad():
            yield

    def backbone(self, model: str, device: str) -> Backbone:
        """A model by its id; the last one is kept."""
        chosen = self._pick(self._device_name if device == "auto" else device)
        key = (model, str(chosen))
        if self._backbone is None or self._backbone[0] != key:
            # Dropped first, so that two large models are never in memory together.
            self._backbone = None
            self._classifiers.clear()
            self._beside.clear()
            self._backbone = (key, self._handlers.load_backbone(model, chosen))
        return self._backbone[1]

    def classifier(
        self, request: RunRequest, classes: Sequence[str], template: str, prompts: Path | None
    ) -> Classifier:
        """The model of a request over a class list, with prompts of a file or none; the last few are kept, so text is encoded once."""
        backbone = self.backbone(request.options.model, request.options.device)
        stamp = None if prompts is None else (str(prompts), prompts.stat().st_mtime_ns, prompts.stat().st_size)
        key = (
            backbone.id,
            backbone.sha256,
            str(backbone.mean.device),
            tuple(classes),
            template,
            request.options.precision,
            stamp,
        )
        if key not in self._classifiers:
            learned = None
            if prompts is not None:
                learned, document = self._handlers.load_prompts(prompts, backbone)
                template = self._handlers.sentence_in(document, template)
            while len(self._classifiers) >= _KEPT:
                self._classifiers.pop(next(iter(self._classifiers)))
            self._classifiers[key] = self._handlers.Classifier(
                backbone, classes, template, precision=request.options.precision, prompts=learned
            )
        return self._classifiers[key]

    def beside(
        self, models: Sequence[str], request: RunRequest, classes: Sequence[str], template: str
    ) -> list[Classifier]:
        """Other models with plain text, beside the request's own and on its device; those of jobs before that are not among them go."""
        device = self.backbone(request.options.model, request.options.device).mean.device
        keys = [(model, str(device), tuple(classes), template, request.options.precision) for model in models]
        self._beside = {key: one for key, one in self._beside.items() if key in keys}
        for key, model in zip(keys, models, strict=True):
            if key not in self._beside:
                backbone = self._handlers.load_backbone(model, device)
                self._beside[key] = self._handlers.Classifier(
                    backbone, classes, template, precision=request.options.precision
                )
        return [self._beside[key] for key in keys]

    def lpips(self, request: RunRequest) -> Lpips | None:
        """What a request wants LPIPS measured with, None for nothing; the last one is kept. Raises BadCheckpoint where it is not here."""
        if not request.options.lpips:
            return None
        device = self._pick(self._device_name if request.options.device == "auto" else request.options.device)
        key = (request.options.lpips, str(device), self._handlers.lpips_shelf.stamp(request.options.lpips))
        if self._lpips is None or self._lpips[0] != key:
            self._lpips = None
            self._lpips = (key, self._handlers.lpips_shelf.load(request.options.lpips, device))
        return self._lpips[1]
