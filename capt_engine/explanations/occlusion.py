"""Occlusion (Zeiler & Fergus 2014, arXiv 1311.2901): how much of a class's score is lost when a square of the picture is covered."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.explanations.scores import LogitsFn, score_named
from capt_engine.progress import Progress, no_progress

_MOST_PASSES = 20_000


def occlusion(
    model: LogitsFn,
    images: Tensor,
    labels: Tensor,
    patch: int = 16,
    of: str = "margin",
    batch_size: int = 32,
    progress: Progress = no_progress,
) -> Tensor:
    """Cover each square of the pictures in turn with the picture's mean colour, and compute how much the score falls.

    Args:
        model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
        images: pixels (n, 3, h, w) in [0, 1].
        labels: (n,), the class of each picture whose score is meant.
        patch: the side of a square, in pixels, ≥ 1; those at the right and lower edge are as large as there is room.
        of: the score, "margin" or "logit".
        batch_size: covered pictures in one forward pass, ≥ 1.
        progress: called before each forward pass; what it raises ends the work.

    Returns:
        score(picture) − score(covered picture), (n, ⌈h / patch⌉, ⌈w / patch⌉), in logits; positive where the square
        spoke for the class. Squares do not overlap.

    Raises:
        BadRequest: a patch or batch below 1, or so small a patch that it takes more than 20,000 passes.
        UnknownName: another score.
    """
    score = score_named(of)
    if patch < 1 or batch_size < 1:
        raise BadRequest(
            f"A patch of {patch} pixels in batches of {batch_size} cannot be.", "Both are whole numbers from 1."
        )
    height, width = images.shape[2:]
    rows, columns = math.ceil(height / patch), math.ceil(width / patch)
    places = [(i, row, column) for i in range(len(images)) for row in range(rows) for column in range(columns)]
    if len(places) > _MOST_PASSES:
        raise BadRequest(
            f"Patches of {patch} pixels take {len(places):,} forward passes.",
            "Choose larger patches, or fewer pictures.",
        )
    drop = torch.zeros(len(images), rows, columns, device=images.device)
    colour = images.mean(dim=(2, 3))
    with torch.no_grad():
        progress(0, len(places), "occlusion")
        whole = score(model(images), labels)
        for start in range(0, len(places), batch_size):
            progress(start, len(places), "occlusion")
            some = places[start : start + batch_size]
            numbers = torch.tensor([i for i, _, _ in some], device=images.device)
            covered = images[numbers]
            for k, (i, row, column) in enumerate(some):
                square = (slice(row * patch, (row + 1) * patch), slice(column * patch, (column + 1) * patch))
                covered[(k, slice(None), *square)] = colour[i, :, None, None]
            lost = whole[numbers] - score(model(covered), labels[numbers])
            for (i, row, column), value in zip(some, lost, strict=True):
                drop[i, row, column] = value
    return drop
