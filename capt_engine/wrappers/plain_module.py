"""A torch module of anybody's, in the place of a CLIP: it answers with logits alone, and has neither embeddings nor class texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from capt_engine.model.classifier import Classifier, Output
from capt_engine.records import UnknownWord


class PlainModule(Classifier):
    """Any torch module that gives logits for pixels in [0, 1], as a classifier; whatever is computed from its embeddings is NaN.

    Args:
        module: pixels (n, 3, h, w) in [0, 1] → logits (n, k), in evaluation mode.
        classes: k class names, in the order of the logits.
        size: the longer side of the pictures.
    """

    def __init__(self, module: nn.Module, classes: Sequence[str], size: int) -> None:
        self.module, self.classes, self._size = module, tuple(classes), size
        self.learned, self.template, self.precision, self._is_plain = None, "", "fp32", True
        self.alike_classes = ()
        self.text = torch.full((len(classes), 1), torch.nan, device=device_of(module))

    @property
    def id(self) -> str:
        """Return the name of the module's class, in place of a model's id."""
        return type(self.module).__name__

    @property
    def sha256(self) -> str:
        """Return an empty string, as no file holds the weights."""
        return ""

    @property
    def unknown_words(self) -> tuple[UnknownWord, ...]:
        """Return an empty tuple, as the outputs have no words."""
        return ()

    @property
    def size(self) -> int:
        """Return the longer side of the pictures, in pixels."""
        return self._size

    def ood_scores(self, features: Tensor) -> None:
        """Return None, as nothing is known of the pictures that the module was trained on.

        Args:
            features: not looked at.
        """

    def forward(self, images: Tensor) -> Output:
        """Classify pictures with the module.

        Args:
            images: pixels (n, 3, h, w) in [0, 1], on the module's device.

        Returns:
            Logits (n, k), fp32, and features (n, 1) that are NaN, as the module has no embeddings.
        """
        logits = self.module(images).float()
        return Output(logits, torch.full_like(logits[:, :1], torch.nan))


def device_of(module: nn.Module) -> torch.device:
    """Return the device of the first weight or buffer of `module`; the CPU for a module without any."""
    first = next(chain(module.parameters(), module.buffers()), None)
    return torch.device("cpu") if first is None else first.device
