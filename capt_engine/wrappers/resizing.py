"""Attacks on the picture's own pixels: the resizing to the model's input becomes a differentiable part of the model.

So ε bounds the change of the file itself, and the adversarial picture keeps its size (RobustVLM's issue 11).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import LogitsFn
from capt_engine.data.images import Photo
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier, Output
from capt_engine.viewing import read_whole, view
from capt_engine.wrappers.quantized import unquantized


class Resizing(Classifier):
    """A classifier that takes pictures of any size and resizes them as its preprocessing does, differentiably.

    Shorter side to the input size with antialiasing, then the middle (or both sides to it, for a model that squashes). Within 2/255 of
    the pictures that Pillow makes, which rounds after each direction; on a picture of the model's own size it is the classifier itself,
    bit for bit.
    """

    def __init__(self, inner: Classifier) -> None:
        """Take over the model and the class list of `inner`; raises BadRequest for preprocessing that is not known here."""
        self.__dict__.update(vars(inner))
        config = inner.backbone.preprocessing
        self._squash = config.get("resize_mode", "shortest") == "squash"
        self._kind = str(config.get("interpolation", "bicubic"))
        known = self._kind in ("bicubic", "bilinear") and config.get("resize_mode", "shortest") in (
            "shortest",
            "squash",
        )
        if not known:
            raise BadRequest(
                f"The preprocessing of {inner.backbone.id!r} cannot be made a part of the model "
                f"({config.get('interpolation')}, {config.get('resize_mode')}).",
                "Measure at the model's input instead (--perturb input).",
            )

    def resized(self, images: Tensor) -> Tensor:
        """Resize pictures as the model's preprocessing does, differentiably.

        Args:
            images: pixels (n, 3, h, w) in [0, 1], of any one size.

        Returns:
            Pixels (n, 3, size, size), the model's input before normalisation.
        """
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
        """Classify pictures of any one size.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].

        Returns:
            Logits (n, k) and unit image embeddings (n, d) of the resized pictures.
        """
        return super().forward(self.resized(images))


def pixels_for(classifier: Classifier, path: str, data: bytes | None = None) -> tuple[Photo, Tensor]:
    """Read a picture file in the size that this classifier takes.

    Args:
        classifier: one at the input size, or `Resizing`; either perhaps inside `Quantized`.
        path: the picture file.
        data: the whole file, where it was read already.

    Returns:
        The facts of the file with an empty `rgb`, and pixels (3, h, w) in [0, 1]: of the file's own size for a model
        that resizes, else of the input size.

    Raises:
        BadImage: the file cannot be read as a picture, or is a strip too thin for the model.
    """
    if not isinstance(unquantized(classifier), Resizing):
        return view(path, classifier.backbone, data)
    photo, rgb = read_whole(path, classifier.backbone, data)
    return photo, torch.from_numpy(rgb).permute(2, 0, 1).float() / 255


def resized_for(model: LogitsFn, images: Tensor) -> Tensor:
    """Resize pictures as the model does inside its forward pass, if it does.

    Args:
        model: a classifier, perhaps inside `Quantized`.
        images: pixels (n, 3, h, w) in [0, 1].

    Returns:
        Pixels (n, 3, size, size) for a model that resizes (`Resizing`); else `images` themselves.
    """
    inner = unquantized(model)
    return inner.resized(images) if isinstance(inner, Resizing) else images
