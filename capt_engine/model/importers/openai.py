"""A whole CLIP as one state dict, as OpenAI (a TorchScript archive) and open_clip name its tensors; their shapes tell its sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.importers.base import State
from capt_engine.model.importers.head_widths import Tower

# What archives of OpenAI keep beside the weights.
_BESIDE = ("input_resolution", "context_length", "vocab_size", "attn_mask")
PATCHES = "visual.conv1.weight"
_TOKENS = 49_408
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def is_clip(state: State) -> bool:
    """Recognise the weights of a whole CLIP by the tensor names that OpenAI and open_clip use.

    Args:
        state: tensors by name.

    Returns:
        True where the names are those of OpenAI's and open_clip's.
    """
    return {
        "token_embedding.weight",
        "positional_embedding",
        "ln_final.weight",
        "logit_scale",
        PATCHES,
    } <= state.keys()


def weights(state: State) -> dict[str, Tensor]:
    """Drop the entries that OpenAI's archives keep beside the weights, such as the input resolution.

    Args:
        state: the tensors of a CLIP by name.

    Returns:
        The weights by the same names.
    """
    return {
        name: value
        for name, value in state.items()
        if name not in _BESIDE and not name.startswith("transformer.attn_mask")
    }


def preprocessing(mean: tuple[float, ...] = MEAN, std: tuple[float, ...] = STD) -> dict[str, Any]:
    """Return open_clip's preprocessing settings for a mean and a standard deviation per channel (OpenAI's by default).

    Pictures are resized bicubically, the shorter side to the model's size, and cut to the square in the middle.
    """
    return {"mean": list(mean), "std": list(std), "interpolation": "bicubic", "resize_mode": "shortest"}


def config(state: State, *, quick_gelu: bool, heads: Callable[[Tower, int], int]) -> dict[str, Any]:
    """Make open_clip's `model_cfg` from the shapes of a CLIP's weights.

    Args:
        state: the weights of a CLIP by open_clip's names.
        quick_gelu: True if the activation is QuickGELU, False if GELU.
        heads: gives the number of attention heads of a tower, "text_cfg" or "vision_cfg", and its width; a ResNet's is
            not asked for.

    Returns:
        The configuration, as open_clip reads it from JSON.

    Raises:
        BadCheckpoint: a tensor is missing or has a shape that no CLIP has, or there are more or fewer tokens than
            CLIP's tokenizer has.
    """
    try:
        context, width = state["positional_embedding"].shape
        layers = _layers(state, "transformer.resblocks.")
        words = state["token_embedding.weight"].shape[0]
        text = {
            "context_length": context,
            "vocab_size": words,
            "width": width,
            "heads": heads("text_cfg", width),
            "layers": layers,
            "mlp_ratio": state["transformer.resblocks.0.mlp.c_fc.weight"].shape[0] / width,
        }
        embed = state["text_projection"].shape[1]
        vision = _vit(state, heads) if "visual.class_embedding" in state else _resnet(state)
    except (KeyError, ValueError, IndexError, ZeroDivisionError) as error:
        raise BadCheckpoint(
            f"The weights are not those of a CLIP: {error} is missing or of another shape.", "Is the file whole?"
        ) from error
    if words != _TOKENS:
        raise BadCheckpoint(
            f"The model knows {words:,} tokens and CLIP's tokenizer has {_TOKENS:,}: it was trained with another one.",
            "Name its open_clip folder, whose configuration says which, if there is one.",
        )
    return {"embed_dim": embed, "quick_gelu": quick_gelu, "vision_cfg": vision, "text_cfg": text}


def _vit(state: State, heads: Callable[[Tower, int], int]) -> dict[str, Any]:
    width, _, patch, _ = state["visual.conv1.weight"].shape
    grid = math.isqrt(state["visual.positional_embedding"].shape[0] - 1)
    if grid * grid + 1 != state["visual.positional_embedding"].shape[0]:
        raise BadCheckpoint("The image tower's places form no square.", "Such models are not supported.")
    return {
        "image_size": grid * patch,
        "patch_size": patch,
        "width": width,
        "layers": _layers(state, "visual.transformer.resblocks."),
        "head_width": width // heads("vision_cfg", width),
        "mlp_ratio": state["visual.transformer.resblocks.0.mlp.c_fc.weight"].shape[0] / width,
    }


def _resnet(state: State) -> dict[str, Any]:
    blocks = [
        len({name.split(".")[2] for name in state if name.startswith(f"visual.layer{stage}.")})
        for stage in (1, 2, 3, 4)
    ]
    grid = math.isqrt(state["visual.attnpool.positional_embedding"].shape[0] - 1)
    return {
        "image_size": grid * 32,
        "width": state["visual.layer1.0.conv1.weight"].shape[0],
        "layers": blocks,
        "patch_size": None,
    }


def _layers(state: State, prefix: str) -> int:
    return len({name.removeprefix(prefix).partition(".")[0] for name in state if name.startswith(prefix)})
