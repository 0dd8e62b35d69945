"""LPIPS (Zhang et al. 2018, arXiv 1801.03924): how different two pictures look to a network that was trained to name things.

Weights are the user's; nothing here ships or fetches any. A state holds the convolutions of torchvision's AlexNet or VGG16 by their
names ("features.0.weight" …) and one weight a channel for each of five places ("lin0.model.1.weight" …), as the authors published them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.errors import BadCheckpoint

State = Mapping[str, Tensor]

# Section 3 of the paper leaves these to the authors' code: mean and deviation of ImageNet, for pixels in [−1, 1], and what keeps a
# length of zero from being divided by.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_TINY = 1e-10
# So many pixels pass a GPU together; more would only take memory.
_PIXELS = 64 * 224**2


@dataclass(frozen=True)
class Conv:
    """A convolution, its number among torchvision's `features`; a ReLU follows it."""

    at: int
    n_in: int
    n_out: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1


@dataclass(frozen=True)
class Stage:
    """Convolutions up to a place where two pictures are compared; pool: the window of the maximum before them (stride 2), 0 for none."""

    convs: tuple[Conv, ...]
    pool: int = 0


@dataclass(frozen=True)
class Net:
    """One of the networks that LPIPS is defined on. file: what torchvision calls its weights."""

    name: str
    label: str
    file: str
    stages: tuple[Stage, ...]

    @property
    def convs(self) -> tuple[Conv, ...]:
        """All of them."""
        return tuple(conv for stage in self.stages for conv in stage.convs)

    @property
    def channels(self) -> tuple[int, ...]:
        """The number of channels at each place of comparison."""
        return tuple(stage.convs[-1].n_out for stage in self.stages)

    @property
    def backbone_shapes(self) -> dict[str, tuple[int, ...]]:
        """The tensors of the network by name."""
        shapes: dict[str, tuple[int, ...]] = {}
        for conv in self.convs:
            shapes[f"features.{conv.at}.weight"] = (conv.n_out, conv.n_in, conv.kernel, conv.kernel)
            shapes[f"features.{conv.at}.bias"] = (conv.n_out,)
        return shapes

    @property
    def linear_shapes(self) -> dict[str, tuple[int, ...]]:
        """The weights of the channels by name."""
        return {linear_name(i): (1, n, 1, 1) for i, n in enumerate(self.channels)}

    def fits(self, side: int) -> bool:
        """Is anything left of so many pixels at the last place?"""
        for stage in self.stages:
            side = (side - stage.pool) // 2 + 1 if stage.pool else side
            for conv in stage.convs:
                side = (side + 2 * conv.padding - conv.kernel) // conv.stride + 1
            if side < 1:
                return False
        return True


def linear_name(i: int) -> str:
    """Return the name of the weights of place i in the published file."""
    return f"lin{i}.model.1.weight"


def _vgg(number: int, n_in: int, n_out: int, count: int) -> tuple[Conv, ...]:
    # Every other layer is a ReLU.
    return tuple(Conv(number + 2 * i, n_out if i else n_in, n_out) for i in range(count))


ALEX = Net(
    "alex",
    "AlexNet",
    "alexnet-owt-7be5be79.pth",
    (
        Stage((Conv(0, 3, 64, 11, 4, 2),)),
        Stage((Conv(3, 64, 192, 5, 1, 2),), 3),
        Stage((Conv(6, 192, 384),), 3),
        Stage((Conv(8, 384, 256),)),
        Stage((Conv(10, 256, 256),)),
    ),
)
VGG = Net(
    "vgg",
    "VGG16",
    "vgg16-397923af.pth",
    (
        Stage(_vgg(0, 3, 64, 2)),
        Stage(_vgg(5, 64, 128, 2), 2),
        Stage(_vgg(10, 128, 256, 3), 2),
        Stage(_vgg(17, 256, 512, 3), 2),
        Stage(_vgg(24, 512, 512, 3), 2),
    ),
)
NETS = {net.name: net for net in (ALEX, VGG)}


def checked(net: Net, state: State, where: str, hint: str) -> dict[str, Tensor]:
    """The tensors of a whole LPIPS in fp32, in order; raises BadCheckpoint where one is absent, of another shape, or no sound number."""
    wanted = {**net.backbone_shapes, **net.linear_shapes}
    kept = {}
    for name, shape in wanted.items():
        value = state.get(name)
        if value is None:
            raise BadCheckpoint(f"{where} lacks {name!r}, which LPIPS on {net.label} needs.", hint)
        if tuple(value.shape) != shape:
            raise BadCheckpoint(
                f"{where} holds {name!r} in the shape {_times(value.shape)}; {net.label}'s is {_times(shape)}.", hint
            )
        if not value.is_floating_point() or not bool(value.isfinite().all()):
            raise BadCheckpoint(f"{where} holds values in {name!r} that are not finite numbers.", hint)
        if name in net.linear_shapes and bool((value < 0).any()):
            raise BadCheckpoint(f"{where} holds negative weights in {name!r}; LPIPS has none (section 3).", hint)
        kept[name] = value.detach().float().contiguous()
    return kept


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "of a single number"


def digest(state: State) -> str:
    """SHA-256 over names, shapes and values, whatever file they came in and in whatever order."""
    total = hashlib.sha256()
    for name, value in sorted(state.items()):
        total.update(f"{name} {tuple(value.shape)}\n".encode())
        total.update(value.detach().cpu().contiguous().numpy().astype("<f4").tobytes())
    return total.hexdigest()


class Lpips:
    """The distance, with the weights it was given; a pure function of two batches, without gradient.

    sha256: of the weights. sources: SHA-256 of the files they came from, by what each was.
    """

    def __init__(self, net: Net, state: State, device: torch.device, sources: Mapping[str, str] | None = None) -> None:
        """Raises BadCheckpoint for weights that are not the network's."""
        weights = checked(net, state, "The state", "Give the weights of this network.")
        self.net, self.device = net, device
        self.sha256, self.sources = digest(weights), dict(sources or {})
        self._weights = {name: value.to(device) for name, value in weights.items()}
        self._shift = torch.tensor(_SHIFT, device=device).view(1, 3, 1, 1)
        self._scale = torch.tensor(_SCALE, device=device).view(1, 3, 1, 1)

    @property
    def facts(self) -> dict[str, str]:
        """Return the facts that name this network in a manifest: net, SHA-256 and sources."""
        return {"net": self.net.name, "sha256": self.sha256, **self.sources}

    def __call__(self, images: Tensor, others: Tensor, progress: Callable[[], None] = lambda: None) -> Tensor:
        """The distances of pairs of pictures, (n,), at least 0; pixels (n, 3, h, w) in [0, 1]. Pictures too small for it give NaN.

        tick: called before each pass; what it raises ends the measuring.
        """
        n, height, width = len(images), *images.shape[-2:]
        if not n or not self.net.fits(min(height, width)):
            return torch.full((n,), math.nan, device=images.device)
        # On a CPU one by one: a convolution of several small pictures rounds otherwise than that of one, and a run in parts would
        # differ from the whole. At 224 pixels that costs nothing, at the demo's 64 a few milliseconds a picture.
        together = 1 if self.device.type == "cpu" else max(1, _PIXELS // (height * width))
        found = []
        with torch.no_grad(), self._exactly():
            for at in range(0, n, together):
                progress()
                x, y = (self._scaled(some[at : at + together]) for some in (images, others))
                found.append(self._distance(x, y))
        return torch.cat(found).to(images.device)

    def _scaled(self, pixels: Tensor) -> Tensor:
        return (2 * pixels.to(self.device, torch.float32) - 1 - self._shift) / self._scale

    def _distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Equation 1. Stage by stage and each picture in a pass of its own, so that equal pictures are at 0 exactly."""
        total = torch.zeros(len(x), device=self.device)
        for i, stage in enumerate(self.net.stages):
            x, y = self._through(stage, x), self._through(stage, y)
            apart = (_unit(x) - _unit(y)).square()
            total = total + F.conv2d(apart, self._weights[linear_name(i)]).mean(dim=(1, 2, 3))
        return total

    def _through(self, stage: Stage, x: Tensor) -> Tensor:
        if stage.pool:
            x = F.max_pool2d(x, stage.pool, stride=2)
        for conv in stage.convs:
            weight, bias = (self._weights[f"features.{conv.at}.{name}"] for name in ("weight", "bias"))
            x = F.conv2d(x, weight, bias, conv.stride, conv.padding).relu_()
        return x

    def _exactly(self) -> AbstractContextManager[None]:
        """On NVIDIA's GPUs: the same each time, and no convolution rounded to ten bits on the way."""
        if self.device.type != "cuda":
            return nullcontext()
        return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


def _unit(x: Tensor) -> Tensor:
    """Every pixel's channels (n, c, h, w) as a vector of length 1."""
    return x / (x.square().sum(dim=1, keepdim=True).sqrt() + _TINY)
