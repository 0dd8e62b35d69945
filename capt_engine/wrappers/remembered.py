"""A classifier that is not asked twice about the same pixels: an attack ends on pictures that it has classified itself."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor

from capt_engine.model.classifier import Classifier, Output
from capt_engine.wrappers.quantized import Quantized
from capt_engine.wrappers.resizing import Resizing

_MOST = 128
"""Pictures that are remembered, the newest; at 224 pixels 600 KB each."""


class Remembered(Classifier):
    """A classifier that remembers its last outputs without gradient, by the exact pixels of each picture."""

    def __init__(self, inner: Classifier) -> None:
        """Take over the model, the class list and the preprocessing of `inner`."""
        self.__dict__.update(vars(inner))
        self.inner = inner
        self._known: OrderedDict[bytes, tuple[Tensor, Tensor]] = OrderedDict()

    def forward(self, images: Tensor) -> Output:
        """Classify pictures; without gradient, those classified before are answered from memory.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].

        Returns:
            Logits (n, k) and unit image embeddings (n, d), the same bits as those of the classifier itself.
        """
        if torch.is_grad_enabled() or not len(images):
            return self.inner.forward(images)
        keys = [picture.numpy().tobytes() for picture in images]
        new = [i for i, key in enumerate(keys) if key not in self._known]
        fresh: dict[bytes, tuple[Tensor, Tensor]] = {}
        if new:
            output = self.inner.forward(images if len(new) == len(keys) else images[new])
            if len(new) == len(keys):
                self._remember(keys, output)
                return output
            fresh = {keys[i]: (output.logits[k], output.features[k]) for k, i in enumerate(new)}
        answers = [fresh[key] if key in fresh else self._known[key] for key in keys]
        output = Output(torch.stack([logits for logits, _ in answers]), torch.stack([seen for _, seen in answers]))
        self._remember(keys, output)
        return output

    def _remember(self, keys: list[bytes], output: Output) -> None:
        for key, logits, features in zip(keys, output.logits, output.features, strict=True):
            self._known[key] = (logits, features)
            self._known.move_to_end(key)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


def remembered(classifier: Classifier) -> Classifier:
    """Return a classifier that remembers its answers, where that is exact and saves time.

    Args:
        classifier: any classifier.

    Returns:
        `Remembered` around a CLIP on the CPU, where the answer for a picture has the same bits in any batch. Another torch module may
        be random, and a GPU would wait for each comparison: these are returned as they are.
    """
    inner = classifier.inner if isinstance(classifier, Quantized) else classifier
    exact = type(inner) in (Classifier, Resizing) and inner.precision == "fp32" and inner.device.type == "cpu"
    return Remembered(classifier) if exact else classifier
