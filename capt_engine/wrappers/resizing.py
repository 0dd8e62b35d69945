"""A perturbation on the picture's own pixels: the resizing to the model's input becomes a part of the model, with a slope.

So ε bounds what is done to the file itself, and what is found is a picture of its own size (the sound answer of RobustVLM's issue 11).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import Logits
from capt_engine.data.images import Photo
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier, Output
from capt_engine.viewing import read_whole, view
from capt_engine.wrappers.quantized import without_rounding

TOLERANCE = 2 / 255
"""How far a pixel of the resized picture may lie from Pillow's, which rounds to 8 bits after each direction; this does not."""

_MODES = {"bicubic": "bicubic", "bilinear": "bilinear"}


class AtOriginalSize(Classifier):
    """A classifier that takes pictures of any size and resizes them as its preprocessing does, differentiably.

    Shorter side to the input size with antialiasing, then the middle (or both sides to it, for a model that squashes). Within TOLERANCE
    of the pictures that Pillow makes; on a picture of the model's own size it is the classifier itself, bit for bit.
    """

    def __init__(self, inner: Classifier) -> None:
        """The same model and class list; raises BadRequest for preprocessing that is not known here."""
        self.__dict__.update(vars(inner))
        config = inner.backbone.clip.visual.preprocess_cfg
        self._squash = config.get("resize_mode", "shortest") == "squash"
        self._kind = _MODES.get(str(config.get("interpolation", "bicubic")), "")
        if not self._kind or config.get("resize_mode", "shortest") not in ("shortest", "squash"):
            raise BadRequest(
                f"The preprocessing of {inner.backbone.id!r} cannot be made a part of the model "
                f"({config.get('interpolation')}, {config.get('resize_mode')}).",
                "Measure at the model's input instead (--space model).",
            )

    def resized(self, images: Tensor) -> Tensor:
        """Pictures (n, 3, h, w) in [0, 1] of any one size, as the model sees them, (n, 3, size, size)."""
        height, width, size = *images.shape[-2:], self.size
        if (height, width) == (size, size):
            return images
        if self._squash:
            wanted = (size, size)
        elif width <= height:
            wanted = (int(size * height / width), size)
        else:
            wanted = (size, int(size * width / height))
        # As Pillow 13: first in the direction that shrinks more, across where both do alike, and clipped after each. (Older versions always
        # begin across, which differs where a picture of hard edges is clipped in between.)
        small = images
        across, down = (height, wanted[1]), (wanted[0], width)
        for size_now in (down if height * wanted[1] > width * wanted[0] else across, wanted):
            small = F.interpolate(small, size_now, mode=self._kind, antialias=True, align_corners=False).clamp(0, 1)
        top, left = round((wanted[0] - size) / 2), round((wanted[1] - size) / 2)
        return small[..., top : top + size, left : left + size]

    def forward(self, images: Tensor) -> Output:
        """As the classifier's, of pictures of any one size."""
        return super().forward(self.resized(images))


def seen_by(classifier: Classifier, path: str) -> tuple[Photo, Tensor]:
    """What is known of the file, and the pixels (3, h, w) in [0, 1] that this classifier takes. Raises BadImage."""
    if not isinstance(without_rounding(classifier), AtOriginalSize):
        return view(path, classifier.backbone)
    photo, rgb = read_whole(path, classifier.backbone)
    return photo, torch.from_numpy(rgb).permute(2, 0, 1).float() / 255


def resized_by(model: Logits, images: Tensor) -> Tensor:
    """Pictures as the model looks at them: resized where that is a part of it."""
    inner = without_rounding(model)
    return inner.resized(images) if isinstance(inner, AtOriginalSize) else images
