"""Published model weights, in whatever form they came, installed as a folder of ours: open_clip's form, or a tuned image tower.

Known: an open_clip folder (weights as safetensors or pickled), a CLIPModel folder of transformers, a bare state dict of a CLIP (OpenAI's
TorchScript archive too), TeCoA's container with APT's backbones, and the bare image towers of FARE.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from capt_engine import files
from capt_engine.bundled_models import BUNDLED
from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.folders import models_dir
from capt_engine.model import vocabulary
from capt_engine.model.clip import (
    TOWER_FORMAT,
    TOWER_WEIGHTS,
    Backbone,
    lasting_id,
    load_backbone,
)
from capt_engine.model.importers import hugging_face, openai, towers
from capt_engine.model.importers.base import State
from capt_engine.model.importers.reading import Contents, read_published
from capt_engine.model.store import install_record
from capt_engine.model.store.model_store import LOCAL_DIR, TOWER_CONFIG
from capt_engine.model.tensor_file import write_tensors
from capt_engine.reading import read_json

OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
_PICKLED = ("open_clip_pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
ACTIVATIONS = ("quickgelu", "gelu")
Read = Callable[[Path], Contents]


@dataclass(frozen=True)
class ImportedModel:
    """A model that was installed: its form before, and what the files said and what had to be assumed, in sentences."""

    name: str
    folder: Path
    form: str
    backbone: Backbone
    said: tuple[str, ...]
    assumed: tuple[str, ...]


def install(
    path: Path,
    name: str,
    *,
    base: str = "",
    activation: str = "",
    root: Path | None = None,
    source: Mapping[str, str] | None = None,
    progress: Callable[[], None] = lambda: None,
) -> ImportedModel:
    """Convert published weights and install them as a model called `name`, whole or not at all.

    path: a weights file or a model folder. base: the id of the model that a lone image tower belongs to. activation:
    "quickgelu" or "gelu" where the files do not say, else "". root: the folder of installed models, None for the usual
    one. source: further facts for the install record, for one that was downloaded. progress: called several times a
    second while files are read; what it raises ends the import, and nothing is left of it. Raises BadCheckpoint where
    the form is not known or the files are damaged, BadRequest where something must be stated or the name is taken.
    """
    root = root or models_dir()
    install_record.checked_name(name, BUNDLED)
    if activation not in ("", *ACTIVATIONS):
        raise BadRequest(f"There is no activation {activation!r}.", f"Known: {', '.join(ACTIVATIONS)}.")
    if (root / name).exists():
        raise BadRequest(f"There is already a model called {name!r}.", "Choose another name, or remove it first.")
    staged = root / f".{name}.import"
    install_record.discard(staged)
    with files.refused(root / name):
        staged.mkdir(parents=True)
    try:
        read = partial(read_published, progress=progress)
        form, said, assumed = _converted(path, staged, base, activation, read)
        backbone = load_backbone(f"{LOCAL_DIR}{staged}", torch.device("cpu"))  # raises where it does not fit together
        parts = tuple(sorted(staged.iterdir()))
        facts = {
            "model": name,
            "imported_from": path.name,
            "form": form,
            "said": said,
            "assumed": assumed,
            "sha256": backbone.sha256,
            **(source or {}),
        }
        install_record.remember(staged / install_record.INSTALLED, parts, facts)
        files.move_new(staged, root / name)
    finally:
        install_record.discard(staged)
    return ImportedModel(name, root / name, form, backbone, tuple(said), tuple(assumed))


def _converted(path: Path, out: Path, base: str, activation: str, read: Read) -> tuple[str, list[str], list[str]]:
    if path.is_dir():
        if (path / TOWER_CONFIG).is_file():
            files.copy(path / TOWER_CONFIG, out / TOWER_CONFIG)
            files.copy(path / TOWER_WEIGHTS, out / TOWER_WEIGHTS)
            return "tuned tower folder", ["The folder says everything."], []
        if (path / OPEN_CLIP_CONFIG).is_file():
            return _open_clip_folder(path, out, activation, read)
        if (path / hugging_face.CONFIG).is_file():
            return _clip_model_folder(path, out, activation, read)
        raise BadCheckpoint(
            f"{str(path)!r} is no model folder: it holds neither {OPEN_CLIP_CONFIG} nor {hugging_face.CONFIG}.",
            "Name the folder that holds the configuration beside the weights, or a weights file.",
        )
    contents = read(path)
    tower = towers.tower(contents)
    if tower is not None:
        has_prompts = any(one.numel() for one in contents.groups.get("add_prompter", {}).values())
        return _tower(path, tower, has_prompts, out, base, activation)
    if base:
        raise BadRequest(f"{path.name!r} is a whole model, which needs no base.", "Leave --base out.")
    if hugging_face.is_clip_model(contents.state):
        raise BadRequest(
            f"{path.name!r} holds the weights of a CLIPModel; what else must be known is in the config.json beside it.",
            "Name the folder instead.",
        )
    if not openai.is_clip(contents.state):
        shown = ", ".join(repr(one[:60]) for one in sorted(contents.state)[:5])
        raise BadCheckpoint(
            f"{path.name!r} is of no known kind of model; it holds {len(contents.state)} tensors: {shown} …",
            "Known: a CLIP of OpenAI's or open_clip's names, TeCoA's container, a bare image tower; prompts go to `capt prompts import`, "
            "networks for LPIPS to `capt lpips import`.",
        )
    assumed = ["The pictures are normalised with OpenAI's mean and deviation; the file does not say."]
    if not activation:
        assumed.append(
            "It was trained with QuickGELU, as OpenAI's models were (--activation gelu for most others); the file does not say."
        )
    config = openai.config(contents.state, quick_gelu=activation != "gelu")
    _write(out, openai.weights(contents.state), config, openai.preprocessing())
    return "state dict", ["The sizes were read from the weights."], assumed


@dataclass(frozen=True)
class _OpenClipConfig:
    model_cfg: dict[str, Any]
    preprocess_cfg: dict[str, Any] | None = None


def _open_clip_folder(path: Path, out: Path, activation: str, read: Read) -> tuple[str, list[str], list[str]]:
    found = [path / name for name in _PICKLED if (path / name).is_file()] or sorted(path.glob("*.safetensors"))
    found = [one for one in found if one.suffix == ".safetensors"] or found
    if not found:
        raise BadCheckpoint(
            f"{str(path)!r} holds a configuration but no weights.", "They are called open_clip_model.safetensors."
        )
    state = openai.weights(read(found[0]).state)
    found_config = read_json(
        path / OPEN_CLIP_CONFIG, _OpenClipConfig, error=BadCheckpoint, hint="The folder is damaged."
    )
    config, look = found_config.model_cfg, found_config.preprocess_cfg or openai.preprocessing()
    said = [f"The configuration says {'QuickGELU' if config.get('quick_gelu') else 'GELU'}."]
    if activation:
        config["quick_gelu"] = activation == "quickgelu"
        said.append(f"--activation {activation} was given and holds instead.")
    if (path / vocabulary.FILE).is_file():
        files.copy(path / vocabulary.FILE, out / vocabulary.FILE)
    _write(out, state, config, look)
    return "open_clip folder", said, []


def _clip_model_folder(path: Path, out: Path, activation: str, read: Read) -> tuple[str, list[str], list[str]]:
    found = [path / name for name in hugging_face.WEIGHTS if (path / name).is_file()]
    if not found:
        raise BadCheckpoint(
            f"{str(path)!r} holds neither {' nor '.join(hugging_face.WEIGHTS)}.", "Weights in parts are not supported."
        )
    state = read(found[0]).state
    if not hugging_face.is_clip_model(state):
        raise BadCheckpoint(f"{found[0].name!r} does not hold a CLIPModel.", "Only CLIP is supported.")
    found_config = hugging_face.folder_config(path)
    look = found_config.look or hugging_face.Look()
    weights = hugging_face.renamed(state)
    config = openai.config(
        weights,
        quick_gelu=activation == "quickgelu" if activation else found_config.quick_gelu,
        text_heads=found_config.text_heads,
        vision_heads=found_config.vision_heads,
    )
    _write(out, weights, config, openai.preprocessing(look.image_mean, look.image_std))
    said = [
        f"config.json says {'QuickGELU' if found_config.quick_gelu else 'GELU'}; names were changed to open_clip's."
    ]
    assumed = ["The pictures are normalised as OpenAI's; there is no preprocessor_config.json."]
    return "CLIPModel folder", said, [] if found_config.look else assumed


def _tower(
    path: Path, found: tuple[str, State], has_prompts: bool, out: Path, base: str, activation: str
) -> tuple[str, list[str], list[str]]:
    kind, state = found
    if activation:
        raise BadRequest(
            "An image tower has its base's activation.", "Leave --activation out; choose the base accordingly."
        )
    if not base:
        raise BadRequest(
            f"{path.name!r} holds an image tower alone; its text tower is that of the model it was tuned from.",
            "Name that model with --base, for instance the ViT-B/32 of OpenAI.",
        )
    under = load_backbone(base, torch.device("cpu"))
    if under.base is not None:
        raise BadRequest(f"{base!r} is itself a tuned tower.", f"Name the model below that one: {under.base.id!r}.")
    tower = towers.fitted(state, under)
    assumed = [
        f"It was tuned from {base!r}, because that was named; text tower, activation and preprocessing are taken from there."
    ]
    if remark := towers.remark(tower, under):
        assumed.append(remark)
    write_tensors(out / TOWER_WEIGHTS, tower, {"format": "pt"})
    said = {
        "format": TOWER_FORMAT,
        "base": lasting_id(base),
        "base_sha256": under.sha256,
        "method": kind,
        "imported_from": path.name,
    }
    files.write_atomic(out / TOWER_CONFIG, json.dumps(said, indent=1) + "\n")
    label = "TeCoA container" if kind == "tecoa" else "bare image tower"
    said_too = ["Its tensors are those of the base's image tower, in name and size."]
    if has_prompts:
        said_too.append("The file holds visual prompts beside the tower; the tower alone was imported.")
    return label, said_too, assumed


def _write(out: Path, state: State, config: dict[str, Any], look: dict[str, Any]) -> None:
    write_tensors(out / OPEN_CLIP_WEIGHTS, state, {"format": "pt"})
    text = json.dumps({"model_cfg": config, "preprocess_cfg": look}, indent=1)
    files.write_atomic(out / OPEN_CLIP_CONFIG, text + "\n")
