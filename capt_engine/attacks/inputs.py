"""Refuses models and tensors that an attack would quietly work wrongly on, each in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from capt_engine.errors import BadRequest


def check_images(images: Tensor) -> None:
    """Refuse anything but a batch of pixels in [0, 1]; return nothing.

    Args:
        images: float32 or float64 pixels (n, 3, h, w) in [0, 1].

    Raises:
        BadRequest: another kind, type or shape, or a value outside [0, 1] or not finite.
    """
    if not isinstance(images, Tensor):
        raise BadRequest(f"Pictures are given as a {type(images).__name__}.", "Give a torch tensor (n, 3, h, w).")
    if images.dtype not in (torch.float32, torch.float64):
        raise BadRequest(f"Pixels are {images.dtype}.", "Give float32 in [0, 1]; for bytes: images.float() / 255.")
    if images.dim() != 4 or images.shape[1] != 3 or 0 in images.shape[2:]:
        raise BadRequest(f"Pictures have the shape {tuple(images.shape)}.", "Give (n, 3, h, w), red, green and blue.")
    if not bool(((images >= 0) & (images <= 1)).all()):
        low, high = float(images.min()), float(images.max())
        raise BadRequest(
            f"Pixels range from {low:.4g} to {high:.4g}, not from 0 to 1.",
            "Give pixels that are not normalised; normalisation belongs into the model.",
        )


def check_labels(labels: Tensor, images: Tensor, classes: int) -> None:
    """Refuse anything but one class index for each picture; return nothing.

    Args:
        labels: class indices (n,) from 0 to `classes` − 1, of an integer type.
        images: the pictures, (n, 3, h, w), for their number.
        classes: the number of classes of the model.

    Raises:
        BadRequest: another kind, type or shape, or an index out of range.
    """
    if not isinstance(labels, Tensor) or labels.dtype not in (torch.int64, torch.int32, torch.int16, torch.uint8):
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise BadRequest(f"Labels are {kind}.", "Give a tensor of class indices (n,), torch.int64.")
    if labels.shape != images.shape[:1]:
        raise BadRequest(
            f"There are labels of shape {tuple(labels.shape)} for {len(images)} pictures.", "Give one each."
        )
    if bool(((labels < 0) | (labels >= classes)).any()):
        raise BadRequest(
            f"Labels range from {int(labels.min())} to {int(labels.max())}, and the model has {classes} classes.",
            f"Give class indices from 0 to {classes - 1}.",
        )


def count_classes(model: Callable[[Tensor], Tensor], images: Tensor) -> int:
    """Count the classes of a model by one forward pass of the first picture.

    Args:
        model: pixels (n, 3, h, w) -> logits (n, k).
        images: pixels (n, 3, h, w), at least one picture.

    Returns:
        The number of classes k.

    Raises:
        BadRequest: the model is in training mode, or its answer is not one of logits (n, k) with k ≥ 2.
    """
    if isinstance(model, nn.Module) and any(module.training for module in model.modules()):
        raise BadRequest(
            "The model is in training mode, in which dropout and batch statistics change its answers.",
            "Call model.eval() first.",
        )
    with torch.no_grad():
        logits: object = model(images[:1])
    if not isinstance(logits, Tensor) or logits.dim() != 2 or len(logits) != 1 or not logits.is_floating_point():
        kind = f"of the shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise BadRequest(f"The model's answer to one picture is {kind}.", "An attack needs logits (n, k).")
    if logits.shape[1] < 2:
        raise BadRequest("The model has a single class.", "An attack needs two or more.")
    return logits.shape[1]


def check_eps(eps: float, high: float) -> None:
    """Raise BadRequest unless `eps`, a budget in pixel units, is a finite number from 0 to `high`."""
    if not math.isfinite(eps) or not 0 <= eps <= high:
        hint = f"Pixels are in [0, 1], so perhaps {eps:g}/255." if 1 < eps <= 255 and high == 1 else ""
        raise BadRequest(f"ε is {eps:g}, outside 0 to {high:g}.", hint)


def picture_keys(keys: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Return `keys` (names of random streams), or "0", "1", … for None; raise BadRequest unless there are `count`."""
    found = tuple(str(i) for i in range(count)) if keys is None else tuple(keys)
    if len(found) != count:
        raise BadRequest(f"There are {len(found)} keys for {count} pictures.", "Give one each.")
    return found
