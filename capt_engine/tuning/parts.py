"""A step of tuning in parts that fit into memory, equal to the step of the whole batch but for the order of its sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from capt_engine.tuning.objective import Views

# What a loss can lead gradients into.
_LEARNED = ("clean", "adversarial", "clean_features", "adversarial_features")
_CONSTANT = ("labels", "frozen", "frozen_adversarial")


def joined(parts: Sequence[Views]) -> Views:
    """Join the views of parts of a batch into those of the whole, of which a loss can be taken.

    Args:
        parts: logits (n_i, k), features (n_i, d) and labels (n_i,) of each part, in the order of the batch.

    Returns:
        The same of all n pictures; logits and features of the tuned model wait for a gradient.
    """
    whole: dict[str, Any] = {
        name: torch.cat([getattr(one, name) for one in parts]).detach() for name in (*_LEARNED, *_CONSTANT)
    }
    for name in _LEARNED:
        whole[name].requires_grad_()
    return replace(parts[0], **whole)


def pass_on(part: Views, whole: Views, rows: slice) -> None:
    """Lead the gradient of a whole batch's loss through one of its parts into the learned values, where it is added.

    Args:
        part: the part's views, computed with a graph.
        whole: from `joined`, after the backward pass of the loss.
        rows: where the part stands in the batch.
    """
    outputs: list[Tensor] = []
    gradients: list[Tensor] = []
    for name in _LEARNED:
        output, gradient = getattr(part, name), getattr(whole, name).grad
        if gradient is not None and output.requires_grad:
            outputs.append(output)
            gradients.append(gradient[rows])
    if outputs:
        torch.autograd.backward(outputs, gradients)
