"""Weights that go to a device together are the same weights."""

from __future__ import annotations

import torch
from torch import nn

from capt_engine.model.transfer import move_module, moved

CPU = torch.device("cpu")


def test_tensors_keep_their_values_types_and_order_in_memory() -> None:
    """Scalars, empty ones, channels last, parts of others, repeated values; in the order they came."""
    some = [
        torch.randn(3, 4),
        torch.tensor(7.0),
        torch.arange(5),
        torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        torch.randn(6, 6)[:, ::2],
        torch.zeros(0),
        torch.ones(1, 3).expand(4, 3),
        torch.tensor([True, False]),
    ]
    found = moved(some, CPU)
    assert all(torch.equal(one, other) and one.dtype == other.dtype for one, other in zip(some, found, strict=True))
    assert found[3].is_contiguous(memory_format=torch.channels_last)
    assert found[0].untyped_storage().data_ptr() == found[1].untyped_storage().data_ptr()
    assert all(
        one.data_ptr() % 64 == found[0].data_ptr() % 64 for one in found if one.dtype == torch.float32 and one.numel()
    )


def test_a_module_answers_as_before_and_shares_what_it_shared() -> None:
    """Parameters, buffers that are saved or not, and a weight in two places."""
    module = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 3)).eval()
    module[2].weight = module[0].weight
    module.register_buffer("mask", torch.ones(2), persistent=False)
    module.requires_grad_(False)
    x, state = torch.randn(4, 3), {name: value.clone() for name, value in module.state_dict().items()}
    before = module(x)
    weight = module[0].weight
    (beside,) = move_module(module, CPU, (torch.arange(3.0),))
    assert torch.equal(module(x), before)
    assert module[2].weight is module[0].weight is not weight
    assert not any(one.requires_grad for one in module.parameters())
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    assert beside.tolist() == [0.0, 1.0, 2.0]
    # A buffer's storage is its own, so that a copy of it takes no more.
    assert module.get_buffer("mask").untyped_storage().nbytes() < 100
