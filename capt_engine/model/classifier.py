"""A CLIP and a class list as one pure function: pixels in [0, 1] at the model's own input size → logits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.errors import UnknownName
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, PromptTokens, moved_ids, prompted_ids
from capt_engine.model.text import class_features, encode_in_chunks
from capt_engine.model.vision import encode_pixels

_PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Output:
    """logits (n, k), fp32; features: unit image embeddings (n, d), fp32."""

    logits: Tensor
    features: Tensor


class Classifier:
    """CLIP over a class list, zero-shot or with learned prompts; normalisation is inside, so a budget in [0, 1] means pixels.

    precision: "fp32", or "bf16" to run the image tower under autocast; features and logits are fp32 either way. prompts: constants
    from here on; without any it is plain CLIP, bit for bit.
    """

    def __init__(
        self,
        backbone: Backbone,
        classes: Sequence[str],
        template: str,
        *,
        precision: str = "fp32",
        prompts: Prompts | None = None,
    ) -> None:
        if precision not in _PRECISIONS:
            raise UnknownName("precision", precision, _PRECISIONS)
        self.backbone = backbone
        self.classes = tuple(classes)
        self.template = template
        self.precision = precision
        self._tokens = prompts().detached() if prompts is not None else PromptTokens()
        if prompts is not None and self._tokens.text:
            ids = prompted_ids(backbone, classes, template, prompts.shape.length)
            ids, places = moved_ids(backbone, self.classes, ids, template, prompts.shape)
            self.text = encode_in_chunks(backbone, ids, prompts.text_for(self.classes, self._tokens), places)
        else:
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

    def forward(self, images: Tensor) -> Output:
        """Logits and unit image features of pixels (n, 3, h, w) in [0, 1]; differentiable in the pixels."""
        with self._autocast():
            features = encode_pixels(self.backbone, images, self._tokens.vision, self._tokens.frame)
        logits = self._scale * features @ self.text.T
        return Output(logits if self._bias is None else logits + self._bias, features)

    def __call__(self, images: Tensor) -> Tensor:
        """Logits (n, k) of pixels (n, 3, h, w) in [0, 1]."""
        return self.forward(images).logits

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()
