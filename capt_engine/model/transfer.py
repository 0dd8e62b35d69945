"""Weights on their way from the processor to an accelerator: packed into one buffer, so that the host waits once for a whole model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Each tensor begins at a multiple of so many values, as far apart as an accelerator's own allocations would lie.
_APART = 64


def moved(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Copy tensors to a device in one transfer for each type of number among them.

    Args:
        tensors: of any shape, type and order of dimensions in memory, on the processor.
        device: where they go.

    Returns:
        The same values on `device`, in the same order; those of one type are parts of one storage.
    """
    # Tensors with gaps, or whose values are repeated, come without.
    tensors = [one if torch.empty_like(one, device="meta").stride() == one.stride() else one.clone() for one in tensors]
    found: dict[int, Tensor] = {}
    for dtype in dict.fromkeys(one.dtype for one in tensors):
        some = [(i, one.detach()) for i, one in enumerate(tensors) if one.dtype == dtype]
        starts, end = [], 0
        for _, one in some:
            starts.append(end)
            end += -(-one.numel() // _APART) * _APART
        # Pages that stay in memory are what CUDA can copy from without the host.
        packed = torch.zeros(end, dtype=dtype, pin_memory=device.type == "cuda")
        for start, (_, one) in zip(starts, some, strict=True):
            packed.as_strided(one.shape, one.stride(), start).copy_(one)
        there = packed.to(device, non_blocking=True)
        for start, (i, one) in zip(starts, some, strict=True):
            found[i] = there.as_strided(one.shape, one.stride(), start)
    return [found[i] for i in range(len(tensors))]


def stacked(pictures: Sequence[Tensor], device: torch.device) -> Tensor:
    """Stack pictures into a batch on a device, for which CUDA lets no one wait.

    Args:
        pictures: n of shape (3, h, w), on the processor.
        device: where they go.

    Returns:
        Pixels (n, 3, h, w) on `device`.
    """
    batch = torch.stack(list(pictures))
    if device.type == "cuda":
        return batch.pin_memory().to(device, non_blocking=True)
    return batch.to(device)


def move_module(module: nn.Module, device: torch.device, beside: Sequence[Tensor] = ()) -> list[Tensor]:
    """Move a frozen module's parameters and buffers to a device, and some tensors with them, in one transfer for each type of number.

    Args:
        module: on the processor; a tensor that stands in two places of it still does.
        device: where it goes.
        beside: other tensors, on the processor.

    Returns:
        The other tensors on `device`.
    """
    places = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    once = list({id(one): one for _, one in places}.values())
    there = moved([*once, *beside], device)
    new: dict[int, Tensor] = {}
    for old, one in zip(once, there, strict=False):
        # A copy of a buffer copies the storage behind it, so that a buffer has one of its own.
        is_weight = isinstance(old, nn.Parameter)
        new[id(old)] = nn.Parameter(one, requires_grad=old.requires_grad) if is_weight else one.clone()
    for name, old in places:
        owner, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, new[id(old)])
    return there[len(once) :]
