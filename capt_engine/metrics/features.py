"""Embeddings: how far a picture's moved, and where it lies among the class texts.

Cosines are comparable between models, whatever the scale of their logits.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["cosine", "label_cosine", "text_drift"]


def cosine(features: Tensor, adversarial: Tensor) -> Tensor:
    """Compute the cosine of the embeddings of each clean picture and its attacked double; 1 − cosine is the cosine drift.

    Args:
        features: unit embeddings (n, d) of the clean pictures.
        adversarial: unit embeddings (n, d) of the attacked pictures.

    Returns:
        Cosines (n,) in [−1, 1].

    Example:
        >>> import torch
        >>> cosine(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.6, 0.8]]))
        tensor([0.6000])
    """
    return (features * adversarial).sum(dim=1).clamp(-1, 1)


def label_cosine(cosines: Tensor, labels: Tensor) -> Tensor:
    """Pick the cosine between each picture's embedding and that of its label's text.

    Args:
        cosines: cosines (n, k) of the pictures' embeddings with those of the class texts.
        labels: class indices (n,).

    Returns:
        Cosines (n,) in [−1, 1].

    Example:
        >>> import torch
        >>> label_cosine(torch.tensor([[0.25, 0.5]]), torch.tensor([1]))
        tensor([0.5000])
    """
    return cosines.gather(1, labels[:, None]).squeeze(1).clamp(-1, 1)


def text_drift(tuned: Tensor, hand: Tensor) -> float:
    """Mean over the classes of 1 − cosine of two sets of text embeddings.

    Args:
        tuned: unit embeddings (k, d) of the class texts under learned prompts.
        hand: unit embeddings (k, d) of the same classes in a hand-written template.

    Returns:
        The drift, from 0 (the same) to 2 (the opposite).

    Example:
        >>> import torch
        >>> text_drift(torch.eye(2), torch.eye(2))
        0.0
    """
    # On the CPU, as Apple's GPUs have no double precision.
    return float(1 - (tuned.cpu().double() * hand.cpu().double()).sum(dim=1).clamp(-1, 1).mean())
