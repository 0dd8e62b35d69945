"""Attention rollout (Abnar & Zuidema 2020, arXiv 2005.00928): which patches the embedding of a ViT was gathered from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from capt_engine.explanations.tower import watched
from capt_engine.model.classifier import Classifier


def rollout(attention: Sequence[Tensor], replaced: Sequence[bool] = (), learned: int = 0) -> Tensor:
    """Multiply the attention of all blocks, each averaged over its heads and mixed with the identity for the skip connection.

    Section 3 of the paper: Ã_l = A_l · Ã_(l−1) with A_l = (W_l + I) / 2. The rows already sum to 1.

    Args:
        attention: W of each block, first one first, (n, heads, L, L), each row a distribution over the tokens looked at.
        replaced: for each block, True where its last `learned` tokens were put in anew before it; what they had gathered
            is forgotten. Empty: nowhere.
        learned: the number of learned tokens at the end.

    Returns:
        (n, L, L): the share of each input token (column) in each output token (row); rows sum to 1.
    """
    length = attention[0].shape[-1]
    identity = torch.eye(length, device=attention[0].device)
    shares = identity.expand(len(attention[0]), -1, -1)
    for number, weights in enumerate(attention):
        if learned and number < len(replaced) and replaced[number]:
            shares = torch.cat([shares[:, :-learned], identity[-learned:].expand(len(shares), -1, -1)], dim=1)
        shares = (weights.mean(dim=1) + identity) / 2 @ shares
    return shares


def attention_rollout(classifier: Classifier, images: Tensor) -> Tensor:
    """Compute the share of each patch of a picture in its embedding, by attention rollout.

    It says what the tower has looked at, whatever the class, and nothing of what the blocks made of it. In a hybrid tower
    a patch is a place of the convolutional network's map, which has already seen beyond its own square.

    Args:
        classifier: one over a CLIP with a ViT image tower, with or without learned prompts.
        images: pixels (n, 3, h, w) in [0, 1].

    Returns:
        Shares (n, rows, columns) of the patches, ≥ 0; their sum is 1 less the share of the class token and of learned tokens.

    Raises:
        BadRequest: the image tower has no attention blocks.
    """
    seen = watched(classifier, images)
    shares = rollout(seen.attention, seen.replaced, seen.learned)
    gathered = seen.patches(shares).mean(dim=(1, 2)) if seen.mean_pooled else shares[:, 0]
    return seen.patches(gathered)
