"""LPIPS with random weights, in memory and as the two files a user would have."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from capt_engine.model.lpips import NETS, Lpips, Net


def random_state(net: Net, seed: int = 0) -> dict[str, Tensor]:
    """Weights that let a signal through all layers as strong as it came, and weights of channels from 0 to 1."""
    stream = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in net.backbone_shapes.items():
        width = math.prod(shape[1:]) if len(shape) > 1 else 400
        state[name] = torch.randn(shape, generator=stream) * math.sqrt(2 / width)
    for name, shape in net.linear_shapes.items():
        state[name] = torch.rand(shape, generator=stream)
    return state


@cache
def random_lpips(name: str) -> Lpips:
    """A whole one on the CPU; made once, as VGG16 is large."""
    return Lpips(NETS[name], random_state(NETS[name]), torch.device("cpu"))


def files(folder: Path, net: Net, seed: int = 0) -> tuple[Path, Path]:
    """The network's file, with a classifier that nobody needs, and that of the channels."""
    state = random_state(net, seed)
    backbone, linear = folder / net.file, folder / f"{net.name}.pth"
    torch.save({**{name: state[name] for name in net.backbone_shapes}, "classifier.6.bias": torch.zeros(9)}, backbone)
    torch.save({name: state[name] for name in net.linear_shapes}, linear)
    return backbone, linear
