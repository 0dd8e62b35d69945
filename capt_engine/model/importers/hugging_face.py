"""A CLIPModel folder of the transformers library (config.json beside the weights), renamed to what open_clip calls the same tensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.importers.base import State
from capt_engine.model.importers.openai import MEAN, STD

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_PREPROCESSOR = "preprocessor_config.json"
_LONGEST_CONFIG = 1_000_000
_EPS = 1e-5
_TOWERS = {"text_model.": "", "vision_model.": "visual."}
_NAMES = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "embeddings.class_embedding": "class_embedding",
    "embeddings.patch_embedding.weight": "conv1.weight",
    "final_layer_norm": "ln_final",
    "pre_layrnorm": "ln_pre",  # so spelt there
    "post_layernorm": "ln_post",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
    "encoder.layers.": "transformer.resblocks.",
}


def is_clip_model(state: State) -> bool:
    """Return whether these are the tensors of a CLIPModel of transformers."""
    return {"text_model.embeddings.token_embedding.weight", "vision_model.embeddings.class_embedding"} <= state.keys()


def renamed(state: State) -> dict[str, Tensor]:
    """The same weights under open_clip's names: q, k and v joined, projections transposed. Raises BadCheckpoint."""
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.endswith("position_ids"):
            continue
        if name in ("text_projection.weight", "visual_projection.weight"):
            found["text_projection" if name.startswith("text") else "visual.proj"] = value.t().contiguous()
        elif name == "logit_scale":
            found[name] = value.reshape(())
        elif name.startswith(tuple(_TOWERS)):
            if ".self_attn.q_proj." in name:
                parts = [state.get(name.replace(".q_proj.", f".{one}_proj.")) for one in "qkv"]
                joined = [part for part in parts if part is not None]
                if len(joined) != 3:
                    raise BadCheckpoint(f"The weights lack what belongs to {name!r}.", "Is the file whole?")
                left, part = _named(name).rsplit(".self_attn.q_proj.", 1)
                found[f"{left}.attn.in_proj_{part}"] = torch.cat(joined)
            elif ".k_proj." not in name and ".v_proj." not in name:
                found[_named(name)] = value
        else:
            raise BadCheckpoint(f"The weights hold {name[:80]!r}, which a CLIPModel does not have.", "Is it a CLIP?")
    return found


def _named(name: str) -> str:
    tower = next(prefix for prefix in _TOWERS if name.startswith(prefix))
    rest = name.removeprefix(tower)
    for theirs, ours in _NAMES.items():
        rest = rest.replace(theirs, ours)
    return _TOWERS[tower] + rest


def told(folder: Path) -> dict[str, Any]:
    """Read from config.json and preprocessor_config.json what shapes do not say: activation, heads, mean, std. Raises BadCheckpoint."""
    config = _json(folder / CONFIG)
    text, vision = _part(config, "text"), _part(config, "vision")
    acts = {part.get("hidden_act", "quick_gelu") for part in (text, vision)}
    if len(acts) != 1 or not acts <= {"quick_gelu", "gelu"}:
        raise BadCheckpoint(
            f"The towers' activations are {', '.join(map(repr, sorted(map(str, acts))))}.",
            "Such models are not supported.",
        )
    if any(abs(float(part.get("layer_norm_eps", _EPS)) - _EPS) > 1e-9 for part in (text, vision)):
        raise BadCheckpoint("The model's norms have another epsilon than CLIP's.", "Such models are not supported.")
    look = _json(folder / _PREPROCESSOR) if (folder / _PREPROCESSOR).is_file() else {}
    return {
        "quick_gelu": acts == {"quick_gelu"},
        "text_heads": _count(text, "num_attention_heads", 8),
        "vision_heads": _count(vision, "num_attention_heads", 12),
        "mean": _three(look.get("image_mean"), MEAN),
        "std": _three(look.get("image_std"), STD),
        "told_look": bool(look),
    }


def _part(config: dict[str, Any], tower: str) -> dict[str, Any]:
    """The older `…_config_dict` wins over `…_config`, as it does there."""
    found: dict[str, Any] = {}
    for name in (f"{tower}_config", f"{tower}_config_dict"):
        value = config.get(name)
        found |= value if isinstance(value, dict) else {}
    return found


def _count(part: dict[str, Any], name: str, usual: int) -> int:
    value = part.get(name, usual)
    if type(value) is not int or not 1 <= value <= 1024:
        raise BadCheckpoint(f"{CONFIG} gives {name} as {str(value)[:40]!r}.", "The folder is damaged.")
    return value


def _three(value: object, usual: tuple[float, ...]) -> tuple[float, ...]:
    if value is None:
        return usual
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not all(isinstance(one, int | float) and 0 <= one <= 1 for one in value)
    ):
        raise BadCheckpoint(f"{_PREPROCESSOR} gives no sound normalisation.", "The folder is damaged.")
    return tuple(float(one) for one in value)


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LONGEST_CONFIG:
            raise BadCheckpoint(f"{path.name} is too long to be a configuration.", "The folder is damaged.")
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadCheckpoint(f"{str(path)!r} is not sound JSON.", "The folder is damaged.") from error
    if not isinstance(value, dict):
        raise BadCheckpoint(f"{str(path)!r} is no configuration.", "The folder is damaged.")
    return value
