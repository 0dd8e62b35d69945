"""A CLIPModel folder of the transformers library (config.json beside the weights), renamed to what open_clip calls the same tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import torch
from torch import Tensor

from capt_engine.download.weight_index import SUFFIX, parts_of
from capt_engine.errors import BadCheckpoint
from capt_engine.model.importers.base import State
from capt_engine.model.importers.head_widths import Tower
from capt_engine.model.importers.openai import MEAN, STD
from capt_engine.model.importers.reading import Contents
from capt_engine.reading import fitted, read_json

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_PREPROCESSOR = "preprocessor_config.json"
_LONGEST_CONFIG, _DAMAGED = 1_000_000, "The folder is damaged."
T = TypeVar("T")
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
    """Recognise the weights of a CLIPModel of the library transformers.

    Args:
        state: tensors by name.

    Returns:
        True where the names are those of a CLIPModel.
    """
    return {"text_model.embeddings.token_embedding.weight", "vision_model.embeddings.class_embedding"} <= state.keys()


def state_in(folder: Path, read: Callable[[Path], Contents]) -> State:
    """Read the weights of a CLIPModel folder, which may be in several files with an index beside them.

    Args:
        folder: the model's folder.
        read: reads one file of weights.

    Returns:
        The tensors by transformers' names.

    Raises:
        BadCheckpoint: there are no weights, a part of them is missing, or they are no CLIPModel's.
    """
    found = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    index = next((folder / f"{name}{SUFFIX}" for name in WEIGHTS if (folder / f"{name}{SUFFIX}").is_file()), None)
    if found is None and index is None:
        raise BadCheckpoint(
            f"{str(folder)!r} holds neither {' nor '.join(WEIGHTS)}.", "The weights must lie beside the configuration."
        )
    parts = [found.name] if found is not None else parts_of(index) if index is not None else []
    state: dict[str, Tensor] = {}
    for part in parts:
        if not (folder / part).is_file():
            raise BadCheckpoint(f"{str(folder)!r} lacks {part!r}, a part of its weights.", "Copy the folder again.")
        for name, value in read(folder / part).state.items():
            if name in state:
                raise BadCheckpoint(f"{part!r} holds {name[:80]!r}, which another part holds already.", _DAMAGED)
            state[name] = value
    if not is_clip_model(state):
        raise BadCheckpoint(f"{parts[0]!r} does not hold a CLIPModel.", "Only CLIP is supported.")
    return state


def renamed(state: State) -> dict[str, Tensor]:
    """Convert the weights of a transformers CLIPModel to the names and layout of open_clip.

    Args:
        state: the tensors of a CLIPModel by transformers' names.

    Returns:
        The same weights by open_clip's names: q, k and v (d, d) joined to (3d, d), projections transposed.

    Raises:
        BadCheckpoint: q, k or v of a layer is missing, or a tensor is none of a CLIPModel.
    """
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


_Heads = Annotated[int, msgspec.Meta(ge=1, le=1024)]
_Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]


@dataclass(frozen=True)
class _Config:
    """config.json; the older `…_config_dict` wins over `…_config`, as it does there."""

    model_type: str = "clip"
    text_config: dict[str, Any] | None = None
    text_config_dict: dict[str, Any] | None = None
    vision_config: dict[str, Any] | None = None
    vision_config_dict: dict[str, Any] | None = None


@dataclass(frozen=True)
class _Tower:
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = _EPS
    num_attention_heads: _Heads | None = None


@dataclass(frozen=True)
class Look:
    """Mean and deviation that pictures are normalised with, as preprocessor_config.json has them."""

    image_mean: tuple[_Unit, _Unit, _Unit] = MEAN
    image_std: tuple[_Unit, _Unit, _Unit] = STD


@dataclass(frozen=True)
class FolderConfig:
    """The part of a CLIPModel folder's configuration that the shapes of its weights do not say; look: None where nothing says it."""

    quick_gelu: bool
    text_heads: int
    vision_heads: int
    look: Look | None

    def heads(self, tower: Tower, width: int) -> int:
        """Return the heads of a tower, "text_cfg" or "vision_cfg"; raise BadCheckpoint where they do not fill its width."""
        found = self.text_heads if tower == "text_cfg" else self.vision_heads
        if width % found:
            raise BadCheckpoint(f"{found} attention heads do not fill a tower that is {width} wide.", _DAMAGED)
        return found


def folder_config(folder: Path) -> FolderConfig:
    """Read activation, attention heads and normalisation from the configuration files of a CLIPModel folder.

    The files are config.json and preprocessor_config.json; the second may be missing. Raises BadCheckpoint where they
    are damaged, or describe no CLIP that is supported.
    """
    config = _read(folder / CONFIG, _Config)
    if config.model_type != "clip":
        raise BadCheckpoint(
            f"{str(folder)!r} holds a model of the type {config.model_type[:40]!r}.", "Only CLIP is supported."
        )
    text = _tower({**(config.text_config or {}), **(config.text_config_dict or {})})
    vision = _tower({**(config.vision_config or {}), **(config.vision_config_dict or {})})
    acts = {text.hidden_act, vision.hidden_act}
    if len(acts) != 1 or not acts <= {"quick_gelu", "gelu"}:
        raise BadCheckpoint(
            f"The towers' activations are {', '.join(map(repr, sorted(acts)))}.", "Such models are not supported."
        )
    if any(abs(part.layer_norm_eps - _EPS) > 1e-9 for part in (text, vision)):
        raise BadCheckpoint("The model's norms have another epsilon than CLIP's.", "Such models are not supported.")
    look = _read(folder / _PREPROCESSOR, Look) if (folder / _PREPROCESSOR).is_file() else None
    heads = text.num_attention_heads or 8, vision.num_attention_heads or 12
    return FolderConfig(acts == {"quick_gelu"}, *heads, look)


def _tower(part: dict[str, Any]) -> _Tower:
    return fitted(part, _Tower, called=CONFIG, error=BadCheckpoint, hint=_DAMAGED)


def _read(path: Path, kind: type[T]) -> T:
    return read_json(path, kind, error=BadCheckpoint, hint=_DAMAGED, most=_LONGEST_CONFIG, finite=True)
