"""A CLIP and a class list as one pure function: pixels in [0, 1] at the model's own input size → logits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.errors import UnknownName
from capt_engine.model.clip import Backbone
from capt_engine.model.text import class_features

_PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Output:
    """logits (n, k), fp32; features: unit image embeddings (n, d), fp32."""

    logits: Tensor
    features: Tensor


class Classifier:
    """Zero-shot CLIP over a class list; normalisation is inside, so a budget in [0, 1] means pixels.

    precision: "fp32", or "bf16" to run the image tower under autocast; features and logits are fp32 either way.
    """

    def __init__(self, backbone: Backbone, classes: Sequence[str], template: str, *, precision: str = "fp32") -> None:
        if precision not in _PRECISIONS:
            raise UnknownName("precision", precision, _PRECISIONS)
        self.backbone = backbone
        self.classes = tuple(classes)
        self.template = template
        self.precision = precision
        self.text = class_features(backbone, classes, template)
        self._scale = backbone.clip.logit_scale.exp().float()
        bias = getattr(backbone.clip, "logit_bias", None)
        self._bias = None if bias is None else bias.float()

    @property
    def size(self) -> int:
        """Height and width of the pictures it takes."""
        return self.backbone.size

    @property
    def device(self) -> torch.device:
        """Where its weights are; pictures must be there too."""
        return self.text.device

    def output(self, images: Tensor) -> Output:
        """Logits and unit image features of pixels (n, 3, h, w) in [0, 1]; differentiable in the pixels."""
        with self._autocast():
            features = self.backbone.clip.encode_image((images - self.backbone.mean) / self.backbone.std)
        features = F.normalize(features.float(), dim=-1)
        logits = self._scale * features @ self.text.T
        return Output(logits if self._bias is None else logits + self._bias, features)

    def __call__(self, images: Tensor) -> Tensor:
        """Logits (n, k) of pixels (n, 3, h, w) in [0, 1]."""
        return self.output(images).logits

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()
