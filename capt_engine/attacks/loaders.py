"""Labelled pictures as tensors, or from any loader of batches: checked, batch by batch, before anything is done with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sized
from typing import TypeAlias

import torch
from torch import Tensor

from capt_engine.attacks.inputs import check_images, check_labels
from capt_engine.errors import BadRequest

LabelledTensors: TypeAlias = tuple[Tensor, Tensor] | Iterable[tuple[Tensor, Tensor]]
"""One pair (images, labels), or a loader that gives such pairs: images (n, 3, h, w) in [0, 1], labels (n,)."""

_SHAPE_OF_A_BATCH = "Give pairs (images, labels): pixels (n, 3, h, w) in [0, 1] and class indices (n,)."


def batches(
    data: LabelledTensors, size: tuple[int, int] | None, classes: int | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Check labelled pictures batch by batch, and yield each batch that passes.

    Args:
        data: a pair (images, labels), or any iterable of such pairs, such as a torch DataLoader.
        size: height and width of the pictures that the model takes; None for any.
        classes: the number of classes, which every label must be below; None leaves the labels unchecked.

    Yields:
        Pixels (n, 3, h, w), float32 in [0, 1], and labels (n,), int64, both on the CPU; batches without pictures are
        left out.

    Raises:
        BadRequest: a batch of another kind, shape, size or type, pixels outside [0, 1] or not finite, labels that are
            no class; or no picture at all.
    """
    seen = 0
    for batch in _iterated(data):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            kind = f"{type(batch).__name__} of {len(batch)}" if isinstance(batch, Sized) else type(batch).__name__
            raise BadRequest(f"A batch is a {kind}.", _SHAPE_OF_A_BATCH)
        images, labels = batch
        check_images(images)
        if size is not None and images.shape[2:] != size:
            height, width = images.shape[2:]
            raise BadRequest(
                f"Pictures are {width} × {height} pixels, and the model takes {size[1]} × {size[0]}.",
                "Resize them first; `clip.view` makes what the model sees of a PIL picture.",
            )
        if classes is not None:
            check_labels(labels, images, classes)
        seen += len(images)
        if len(images):
            yield images.detach().float().cpu(), labels.cpu().long()
    if not seen:
        raise BadRequest("There is no picture.", _SHAPE_OF_A_BATCH)


def _iterated(data: object) -> Iterable[object]:
    """The batches, whatever they are; raises BadRequest for what has none."""
    if isinstance(data, tuple | list) and len(data) == 2 and all(isinstance(one, Tensor) for one in data):
        return [data]
    if isinstance(data, Tensor) or not isinstance(data, Iterable):
        raise BadRequest(f"Pictures were given as a {type(data).__name__}.", _SHAPE_OF_A_BATCH)
    return data


def count(data: LabelledTensors) -> int:
    """Return the number of pictures in `data`, for an estimate of time; 0 for a loader whose length is not known."""
    if isinstance(data, tuple | list) and data and isinstance(data[0], Tensor):
        return len(data[0])
    dataset = getattr(data, "dataset", None)
    return len(dataset) if isinstance(dataset, Sized) else 0


def digest(image: Tensor) -> str:
    """Compute the SHA-256 of one picture's pixels, which stands for the file's where there is no file.

    Args:
        image: pixels (3, h, w); they are hashed as float32.

    Returns:
        64 hexadecimal digits.
    """
    return hashlib.sha256(image.detach().to("cpu", torch.float32).contiguous().numpy().tobytes()).hexdigest()
