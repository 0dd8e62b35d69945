"""The drift of an image tower's tokens under attack: which patches the model sees differently, block by block."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.explanations.tower import watched
from capt_engine.model.classifier import Classifier


def token_drift(classifier: Classifier, images: Tensor, attacked: Tensor) -> Tensor:
    """Compute how far an attack moved the token of each patch, behind every block.

    Args:
        classifier: one over a CLIP with a ViT image tower, with or without learned prompts.
        images: the clean pixels, (n, 3, h, w) in [0, 1].
        attacked: the attacked ones, of the same shape.

    Returns:
        1 − cosine of clean and attacked token, (n, blocks, rows, columns), in [0, 2]; the last block's are those that the
        tower ends with.

    Raises:
        BadRequest: the image tower has no attention blocks.
    """
    before, after = watched(classifier, images), watched(classifier, attacked)
    maps = [
        1 - F.cosine_similarity(before.patches(one), before.patches(two), dim=-1)
        for one, two in zip(before.tokens, after.tokens, strict=True)
    ]
    return torch.stack(maps, dim=1).clamp(0, 2)
