"""The models that the worker keeps between jobs: the last one, the last class lists and prompts, the last LPIPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capt_engine.model.checkpoints import load as load_prompts
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.devices import describe_device, pick_device
from capt_engine.model.learned_prompts import LearnedPrompts
from capt_engine.model.lpips import Lpips
from capt_engine.model.store import lpips_store
from capt_engine.records import RunRequest

# Class lists and prompts whose text features are kept: zero-shot, A and B, and those before them.
_KEPT = 6


class ModelCache:
    """The loaded models of one worker thread, each made once."""

    def __init__(self, device: str) -> None:
        """Nothing is loaded yet. device: what "auto" stands for in a request; raises DeviceProblem."""
        self._device_name = device
        self.device_info = describe_device(pick_device(device))
        self._backbone: tuple[tuple[str, str], Backbone] | None = None
        self._classifiers: dict[tuple[object, ...], Classifier] = {}
        self._beside: dict[tuple[object, ...], Classifier] = {}
        self._lpips: tuple[tuple[object, ...], Lpips] | None = None

    def backbone(self, model: str, device: str) -> Backbone:
        """Return the model of the id `model` on `device`; only the last one stays loaded, with what was made of it.

        device: "auto" stands for the device that the cache was made for. Raises BadRequest, BadCheckpoint,
        DeviceProblem.
        """
        chosen = pick_device(self._device_name if device == "auto" else device)
        key = (model, str(chosen))
        if self._backbone is None or self._backbone[0] != key:
            # Dropped first, so that two large models are never in memory together.
            self._backbone = None
            self._classifiers.clear()
            self._beside.clear()
            self._backbone = (key, load_backbone(model, chosen))
        return self._backbone[1]

    def classifier(
        self, request: RunRequest, classes: Sequence[str], template: str, prompts: Path | None
    ) -> Classifier:
        """Return a classifier over `classes`: the model of `request` with the file `prompts`, or zero-shot for None.

        template: the sentence with {} for the class name; prompts that bring their own words may replace it. The last
        few classifiers stay in memory. Raises CaptError where loading fails.
        """
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
            learned = None if prompts is None else LearnedPrompts(*load_prompts(prompts, backbone))
            while len(self._classifiers) >= _KEPT:
                self._classifiers.pop(next(iter(self._classifiers)))
            self._classifiers[key] = Classifier(
                backbone, classes, template, precision=request.options.precision, prompts=learned
            )
        return self._classifiers[key]

    def beside(
        self, models: Sequence[str], request: RunRequest, classes: Sequence[str], template: str
    ) -> list[Classifier]:
        """Return one zero-shot classifier over `classes` and `template` for each id of `models`, in their order.

        They are on the device of the model of `request`, which stays loaded. Those of earlier calls that are not asked
        for again are dropped. Raises CaptError where loading fails.
        """
        device = self.backbone(request.options.model, request.options.device).mean.device
        keys = [(model, str(device), tuple(classes), template, request.options.precision) for model in models]
        self._beside = {key: one for key, one in self._beside.items() if key in keys}
        for key, model in zip(keys, models, strict=True):
            if key not in self._beside:
                backbone = load_backbone(model, device)
                self._beside[key] = Classifier(backbone, classes, template, precision=request.options.precision)
        return [self._beside[key] for key in keys]

    def lpips(self, request: RunRequest) -> Lpips | None:
        """Return the LPIPS network (a measure of visual distance) that `request` names; None where it names none.

        The last one stays loaded. Raises BadCheckpoint where it is not installed.
        """
        if not request.options.lpips:
            return None
        device = pick_device(self._device_name if request.options.device == "auto" else request.options.device)
        key = (request.options.lpips, str(device), lpips_store.stamp(request.options.lpips))
        if self._lpips is None or self._lpips[0] != key:
            self._lpips = None
            self._lpips = (key, lpips_store.load(request.options.lpips, device))
        return self._lpips[1]
