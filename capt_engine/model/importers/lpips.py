"""The two files that LPIPS is made of, read as any stranger's file: torchvision's network, and the authors' weights of its channels."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.importers.reading import read_published
from capt_engine.model.lpips import ALEX, NETS, VGG, Net, State, checked, linear_name
from capt_engine.model.store import install_record

_FILES = (
    "One is torchvision's network (alexnet-owt-7be5be79.pth or vgg16-397923af.pth), the other the weights of its channels, "
    "alex.pth or vgg.pth from the folder weights/v0.1 of the package lpips."
)
_LINEAR = re.compile(r"lin\d+\.model\.\d+\.weight")


@dataclass(frozen=True)
class LpipsWeights:
    """A whole LPIPS; backbone, linear: name and SHA-256 of the file that each half came from."""

    net: Net
    state: dict[str, Tensor]
    backbone: tuple[str, str]
    linear: tuple[str, str]


def read_lpips(one: Path, other: Path, progress: Callable[[], None] = lambda: None) -> LpipsWeights:
    """Read LPIPS from its two published files, torchvision's network and the channel weights, in either order.

    Nothing in the files is run. progress: called several times a second while a file is read. Raises BadCheckpoint
    where the files are not two halves of one LPIPS.
    """
    halves: dict[bool, tuple[Path, State]] = {}
    for path in (one, other):
        state = read_published(path, progress=progress).state
        is_linear = _is_linear(path, state)
        if is_linear in halves:
            what = "weights of channels" if is_linear else "a network"
            raise BadCheckpoint(f"{halves[is_linear][0].name!r} and {path.name!r} both hold {what}.", _FILES)
        halves[is_linear] = (path, state)
    (backbone, features), (linear, weights) = halves[False], halves[True]
    net = _net(backbone, features)
    _check_linear(net, backbone, linear, weights)
    hint = f"LPIPS on {net.label} needs {net.file} and {net.name}.pth, as their authors released them."
    spare = sorted(name for name in features if name.startswith("features.") and name not in net.backbone_shapes)
    if spare:
        raise BadCheckpoint(f"{backbone.name!r} holds {spare[0]!r}, which {net.label} does not have.", hint)
    together = {name: features[name] for name in net.backbone_shapes if name in features} | dict(weights)
    where = f"{backbone.name!r} with {linear.name!r}"
    return LpipsWeights(net, checked(net, together, where, hint), _named(backbone), _named(linear))


def _is_linear(path: Path, state: Mapping[str, Tensor]) -> bool:
    """Weights of channels, or a network? Raises BadCheckpoint for neither."""
    if any(_LINEAR.fullmatch(name) for name in state):
        return True
    if "features.0.weight" in state:
        return False
    shown = ", ".join(repr(one[:60]) for one in sorted(state)[:3])
    raise BadCheckpoint(f"{path.name!r} is no half of LPIPS; it holds {len(state)} tensors: {shown} …", _FILES)


def _net(path: Path, state: Mapping[str, Tensor]) -> Net:
    """The network by its first convolution; raises BadCheckpoint."""
    shape = tuple(state["features.0.weight"].shape)
    for net in NETS.values():
        if net.backbone_shapes["features.0.weight"] == shape:
            return net
    raise BadCheckpoint(f"{path.name!r} is neither {ALEX.label} nor {VGG.label}, as torchvision has them.", _FILES)


def _check_linear(net: Net, backbone: Path, linear: Path, weights: Mapping[str, Tensor]) -> None:
    """Are these the channels of this network? Raises BadCheckpoint."""
    held = tuple(value.numel() for name, value in sorted(weights.items()) if _LINEAR.fullmatch(name))
    if held == net.channels and linear_name(0) in weights:
        return
    whose = next((one.label for one in NETS.values() if one.channels == held), "")
    what = f"{whose}'s" if whose else f"of {len(held)} places with {', '.join(map(str, held))} channels"
    raise BadCheckpoint(
        f"The weights in {linear.name!r} are {what}; {backbone.name!r} is {net.label}, "
        f"whose {len(net.channels)} places have {', '.join(map(str, net.channels))}.",
        f"Name {net.name}.pth beside it, from the folder weights/v0.1 of the package lpips.",
    )


def _named(path: Path) -> tuple[str, str]:
    # A file name may hold bytes that are no text.
    return path.name.encode("utf-8", "backslashreplace").decode(), install_record.sha256(path)
