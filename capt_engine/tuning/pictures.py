"""The pictures a run learns from and those it is validated on: found, drawn, read, and fingerprinted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from capt_engine.data.few_shot import few_shot, half_of_classes, validation_of
from capt_engine.data.labelled_set import WHOLE, LabelledSet
from capt_engine.data.sources import splits_of
from capt_engine.errors import BadImage, BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.records import FailedPicture, TuneRequest
from capt_engine.viewing import view

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Drawn:
    """The drawn pictures, before any is opened: for training, for validation or None, and what a user should know."""

    train: LabelledSet
    val: LabelledSet | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """Pictures as the model sees them: images (N, 3, h, w), 8 bits a value or floats in [0, 1]; labels (N,), and the SHA-256 of each.

    originals: (h, w, 3) where they were wanted, of moderate size.
    """

    images: Tensor
    labels: Tensor
    sha256: tuple[str, ...]
    originals: tuple[Pixels, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def pixels(self, at: slice) -> Tensor:
        """Return some of the pictures as the model takes them.

        Args:
            at: the range of indices of the wanted pictures.

        Returns:
            Pixels (n, 3, h, w), float in [0, 1].
        """
        images = self.images[at]
        return images.float() / 255 if images.dtype == torch.uint8 else images


def draw(request: TuneRequest) -> Drawn:
    """Choose the training and validation pictures that `request` names, by CoOp's published rule; no file is opened.

    Its shots and seed decide which. Test pictures are left alone. Raises BadRequest where there are no training
    pictures, or stopping early is asked for without validation.
    """
    if request.patience and not request.validate:
        raise BadRequest(
            "There are no validation pictures, so nothing says when to stop early.",
            "Leave the patience at 0, or let it validate.",
        )
    train, val = _splits(request)
    notes = list(dict.fromkeys((*train.notes, *(val.notes if val is not None else ()))))
    drawn, _ = few_shot(train, val, request.shots, request.seed)
    # by the same rule the wizard shows beforehand
    validation = validation_of(train, val, request.shots, request.seed) if request.validate else None
    if request.validate and val is None:
        notes.append(
            "There are no validation pictures, and too few training pictures are left to draw some from: "
            "nothing is validated during tuning."
            + (" Nothing says when to stop early, so all epochs are run." if request.patience else "")
            if validation is None
            else "Validation pictures were drawn from the training pictures that are not trained on."
        )
    if validation is None:
        (drawn,) = half_of_classes(request.subsample_classes, drawn)
    else:
        drawn, validation = half_of_classes(request.subsample_classes, drawn, validation)
    if not drawn.items:
        raise BadRequest(f"{request.data} has no training pictures.", "Name labelled pictures to learn from.")
    return Drawn(drawn, validation if validation and validation.items else None, tuple(notes))


def _splits(request: TuneRequest) -> tuple[LabelledSet, LabelledSet | None]:
    sets, _ = splits_of(request.data, request.data_root)
    train, val = sets.get("train") or sets.get(WHOLE), sets.get("val")
    if train is None:
        raise BadRequest(
            f"{request.data} has no training pictures; it has: {', '.join(sets)}.",
            "Name a set with a part called train.",
        )
    return train, val if val is not None and val.items else None


def read_pictures(
    wanted: LabelledSet, backbone: Backbone, between: Callable[[int], None], *, originals: bool = False
) -> tuple[Read, list[FailedPicture]]:
    """Read the picture files of the set `wanted`, in its order, as the model `backbone` sees them.

    between: called with the index of each picture before it is read. originals: also keep each picture at about its
    original size, at most twice the model's. Returns the pictures, and a list of those that cannot be read, with
    reasons.
    """
    images: list[Tensor] = []
    kept: list[Pixels] = []
    labels: list[int] = []
    digests: list[str] = []
    failed: list[FailedPicture] = []

    def keeping(picture: Image.Image) -> Tensor:
        kept.append(_moderate(picture, 2 * backbone.size))
        return backbone.view(picture)

    viewer = replace(backbone, view=keeping) if originals else backbone
    for at, item in enumerate(wanted.items):
        between(at)
        try:
            photo, seen = view(item.path, viewer)
        except BadImage as error:
            failed.append(FailedPicture(item.path, error.message, error.hint))
            continue
        images.append((seen * 255).round().to(torch.uint8))
        labels.append(item.label)
        digests.append(photo.sha256)
    stacked = torch.stack(images) if images else torch.empty(0, 3, backbone.size, backbone.size, dtype=torch.uint8)
    return Read(stacked, torch.tensor(labels, dtype=torch.long), tuple(digests), tuple(kept)), failed


def require_every_class(classes: Sequence[str], train: Read) -> None:
    """Raise BadRequest where one of `classes` has no picture in `train`, the training pictures that could be read."""
    counts = torch.bincount(train.labels, minlength=len(classes)).tolist() if len(train) else [0] * len(classes)
    empty = [name for name, count in zip(classes, counts, strict=True) if not count]
    if empty:
        others = f" (nor for {len(empty) - 1} more)" if len(empty) > 1 else ""
        raise BadRequest(
            f"There is no training picture that can be read for the class {empty[0]!r}{others}.",
            "Add pictures of it, or take the class out.",
        )


def fingerprint(classes: Sequence[str], train: Read) -> str:
    """Return a SHA-256, in hexadecimal, of the training pictures `train` and the names of their `classes`.

    It is made of each file's SHA-256 and its class name; the order of the pictures does not change it.
    """
    lines = sorted(
        f"{digest} {classes[label]}\n" for digest, label in zip(train.sha256, train.labels.tolist(), strict=True)
    )
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _moderate(picture: Image.Image, short: int) -> Pixels:
    scale = short / min(picture.size)
    if scale < 1:
        width, height = (max(short, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(picture)
