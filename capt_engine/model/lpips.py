"""LPIPS (Zhang et al. 2018, arXiv 1801.03924): how different two pictures look to a network that was trained to name things.

Weights are the user's; nothing here ships or fetches any. A state holds the convolutions of torchvision's AlexNet or VGG16 by their
names ("features.0.weight" …) and one weight a channel for each of five places ("lin0.model.1.weight" …), as the authors published them.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from capt_engine.errors import BadCheckpoint
from capt_engine.model.numerics import exact_convolutions

State = Mapping[str, Tensor]

# Section 3 of the paper leaves these to the authors' code: mean and deviation of ImageNet, for pixels in [−1, 1], and what keeps a
# length of zero from being divided by.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_TINY = 1e-10
# So many pixels pass a GPU together; more would only take memory.
_PIXELS = 64 * 224**2


Layer = int | tuple[int, int, int, int]
"""A convolution with a ReLU behind it: channels, kernel, stride, padding; or the window of a maximum, in steps of two."""


@dataclass(frozen=True)
class Net:
    """One of the networks that LPIPS is defined on. file: what torchvision calls its weights.

    stages: the layers that lead to each place where two pictures are compared, from the one before.
    """

    name: str
    label: str
    file: str
    stages: tuple[tuple[Layer, ...], ...]

    @cached_property
    def modules(self) -> tuple[nn.Sequential, ...]:
        """Return the network's stages, one for each place of comparison, as torch modules without values.

        Shapes and numbers of the layers are torchvision's.
        """
        found, n_in, number = [], 3, itertools.count()
        for stage in self.stages:
            layers: list[nn.Module] = []
            for layer in stage:
                if isinstance(layer, int):
                    layers.append(nn.MaxPool2d(layer, stride=2))
                else:
                    layers += [nn.Conv2d(n_in, *layer, device="meta"), nn.ReLU(inplace=True)]
                    n_in = layer[0]
            found.append(nn.Sequential(OrderedDict((str(next(number)), one) for one in layers)).requires_grad_(False))
        return tuple(found)

    @property
    def channels(self) -> tuple[int, ...]:
        """Return the number of channels at each place where two pictures are compared."""
        return tuple(layer[0] for *_, layer in self.stages if not isinstance(layer, int))

    @property
    def backbone_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each tensor of the network by torchvision's name."""
        tensors = (one for stage in self.modules for one in stage.named_parameters())
        return {f"features.{name}": tuple(value.shape) for name, value in tensors}

    @property
    def linear_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape (1, channels, 1, 1) of the channel weights of each place of comparison, by the authors' name."""
        return {linear_name(i): (1, n, 1, 1) for i, n in enumerate(self.channels)}

    def fits(self, side: int) -> bool:
        """Return True if a square picture of `side` pixels is large enough to pass through the whole network."""
        try:
            nn.Sequential(*self.modules)(torch.empty(1, 3, side, side, device="meta"))
        except RuntimeError:
            return False
        return True


def linear_name(i: int) -> str:
    """Return the tensor name, in the authors' file, of the channel weights at comparison place i (from 0)."""
    return f"lin{i}.model.1.weight"


ALEX = Net(
    "alex",
    "AlexNet",
    "alexnet-owt-7be5be79.pth",
    (((64, 11, 4, 2),), (3, (192, 5, 1, 2)), (3, (384, 3, 1, 1)), ((256, 3, 1, 1),), ((256, 3, 1, 1),)),
)
VGG = Net(
    "vgg",
    "VGG16",
    "vgg16-397923af.pth",
    (
        ((64, 3, 1, 1),) * 2,
        (2, *((128, 3, 1, 1),) * 2),
        (2, *((256, 3, 1, 1),) * 3),
        (2, *((512, 3, 1, 1),) * 3),
        (2, *((512, 3, 1, 1),) * 3),
    ),
)
NETS = {net.name: net for net in (ALEX, VGG)}


def checked(net: Net, state: State, where: str, hint: str) -> dict[str, Tensor]:
    """Check that tensors are a whole LPIPS on a network, and pick those that it needs.

    Args:
        net: the network that they should be of.
        state: the tensors by name; others may be among them.
        where: the file or files, as a sentence begins with them.
        hint: what to do about a wrong one.

    Returns:
        The tensors in fp32, in the order of the network.

    Raises:
        BadCheckpoint: one is absent, has another shape, is no finite number, or is a negative weight of a channel.
    """
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
    """Hash weights, whatever file they came in and in whatever order.

    Args:
        state: tensors by name, of any shapes and on any device.

    Returns:
        SHA-256 over names, shapes and fp32 values, in hexadecimal.
    """
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
        self._stages = copy.deepcopy(net.modules)
        for stage in self._stages:
            own = {name: weights[f"features.{name}"] for name, _ in stage.named_parameters()}
            stage.load_state_dict(own, assign=True)
            stage.to(device)
        self._linear = [weights[name].to(device) for name in net.linear_shapes]
        self._shift = torch.tensor(_SHIFT, device=device).view(1, 3, 1, 1)
        self._scale = torch.tensor(_SCALE, device=device).view(1, 3, 1, 1)

    @property
    def facts(self) -> dict[str, str]:
        """Return facts for a manifest: the network's name, the SHA-256 of its weights and of their source files."""
        return {"net": self.net.name, "sha256": self.sha256, **self.sources}

    def __call__(self, images: Tensor, others: Tensor, progress: Callable[[], None] = lambda: None) -> Tensor:
        """The distances of pairs of pictures; those too small for the network give NaN.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].
            others: pixels of the same shape, compared with `images` one by one.
            progress: called before each pass; what it raises ends the measuring.

        Returns:
            Distances (n,), at least 0, on the device of `images` (Zhang et al. 2018, equation 1).
        """
        n, height, width = len(images), *images.shape[-2:]
        if not n or not self.net.fits(min(height, width)):
            return torch.full((n,), math.nan, device=images.device)
        # On a CPU one by one: a convolution of several small pictures rounds otherwise than that of one, and a run in parts would
        # differ from the whole. At 224 pixels that costs nothing, at the demo's 64 a few milliseconds a picture.
        together = 1 if self.device.type == "cpu" else max(1, _PIXELS // (height * width))
        found = []
        with torch.no_grad(), exact_convolutions(self.device):
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
        for stage, linear in zip(self._stages, self._linear, strict=True):
            x, y = stage(x), stage(y)
            apart = (_unit(x) - _unit(y)).square()
            total = total + F.conv2d(apart, linear).mean(dim=(1, 2, 3))
        return total


def _unit(x: Tensor) -> Tensor:
    """Every pixel's channels (n, c, h, w) as a vector of length 1."""
    return x / (x.square().sum(dim=1, keepdim=True).sqrt() + _TINY)
