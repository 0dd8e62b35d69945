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
from safetensors import safe_open

from capt_engine import files, reading
from capt_engine.bundled_models import BUNDLED
from capt_engine.errors import BadCheckpoint, BadRequest, CaptError
from capt_engine.folders import models_dir
from capt_engine.model import distribution, vocabulary
from capt_engine.model.clip import (
    TOWER_FORMAT,
    TOWER_WEIGHTS,
    Backbone,
    lasting_id,
    load_backbone,
)
from capt_engine.model.importers import hugging_face, openai, recognised, towers
from capt_engine.model.importers.base import State
from capt_engine.model.importers.head_widths import Tower, head_width
from capt_engine.model.importers.reading import Contents, read_published
from capt_engine.model.store import install_record
from capt_engine.model.store.model_store import LOCAL_DIR, TOWER_CONFIG
from capt_engine.model.tensor_file import sound, write_tensors
from capt_engine.reading import read_json

OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
_PICKLED = ("open_clip_pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
_DAMAGED = "The folder is damaged."
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
    head_width: int = 0,
    root: Path | None = None,
    source: Mapping[str, str] | None = None,
    progress: Callable[[], None] = lambda: None,
) -> ImportedModel:
    """Convert published weights and install them as a model called `name`, whole or not at all.

    path: a weights file or a model folder. base: the id of the model that a lone image tower belongs to. activation:
    "quickgelu" or "gelu" where the files do not say, else "". head_width: of the attention heads, where neither the
    files nor published models of the same width say; 0 for unknown. root: the folder of installed models, None for the
    usual one. source: further facts for the install record, for one that was downloaded. progress: called several times a
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
    # A download lies in a hidden folder, of which nobody has heard.
    called = (source or {}).get("model") or path.name
    try:
        read = partial(read_published, progress=progress)
        try:
            form, said, assumed = _converted(path, staged, _Stated(base, activation, head_width), read)
            backbone = load_backbone(
                f"{LOCAL_DIR}{staged}", torch.device("cpu")
            )  # raises where it does not fit together
        except CaptError as error:
            given = called if source else str(path)
            error.message = error.message.replace(str(staged), given).replace(str(path), given)
            error.args = (error.message,)
            raise
        parts = tuple(sorted(staged.iterdir()))
        facts = {
            "model": name,
            "imported_from": called,
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


@dataclass(frozen=True)
class _Stated:
    """The facts that the user states because the files may not: "" and 0 for nothing."""

    base: str
    activation: str
    head_width: int


def _converted(path: Path, out: Path, stated: _Stated, read: Read) -> tuple[str, list[str], list[str]]:
    if path.is_dir():
        if (path / TOWER_CONFIG).is_file():
            if not (path / TOWER_WEIGHTS).is_file():
                raise BadCheckpoint(f"{str(path)!r} lacks {TOWER_WEIGHTS}, the tower itself.", "Copy the folder again.")
            files.copy(path / TOWER_CONFIG, out / TOWER_CONFIG)
            files.copy(path / TOWER_WEIGHTS, out / TOWER_WEIGHTS)
            _copy_beside(path, out)
            return "tuned tower folder", ["The folder says everything."], []
        if (path / OPEN_CLIP_CONFIG).is_file():
            return _open_clip_folder(path, out, stated.activation, read)
        if (path / hugging_face.CONFIG).is_file():
            return _clip_model_folder(path, out, stated.activation, read)
        raise BadCheckpoint(
            f"{str(path)!r} is no model folder: it holds neither {OPEN_CLIP_CONFIG} nor {hugging_face.CONFIG}.",
            "Name the folder that holds the configuration beside the weights, or a weights file.",
        )
    contents = read(path)
    tower = towers.tower(contents)
    if tower is not None:
        return _tower(path, tower, towers.has_prompts(contents), out, stated.base, stated.activation)
    if stated.base:
        raise BadRequest(f"{path.name!r} is a whole model, which needs no base.", "Leave --base out.")
    if hugging_face.is_clip_model(contents.state):
        raise BadRequest(
            f"{path.name!r} holds the weights of a CLIPModel; what else must be known is in the config.json beside it.",
            "Name the folder instead.",
        )
    return _state_dict(path, contents, out, stated)


def _state_dict(path: Path, contents: Contents, out: Path, stated: _Stated) -> tuple[str, list[str], list[str]]:
    """A whole CLIP in one file, which says neither how wide its heads are nor its activation."""
    contents, prefix = contents.below_one_module(openai.PATCHES)
    state = contents.state
    if not openai.is_clip(state):
        known = (
            "Known: a CLIP of OpenAI's or open_clip's names, TeCoA's container, a bare image tower; prompts go to `capt prompts import`, "
            "networks for LPIPS to `capt lpips import`."
        )
        raise recognised.refusal(path.name, contents.state, "kind of model", known)
    if contents.beside:
        raise BadCheckpoint(
            f"{path.name!r} holds {contents.beside[:80]!r} beside the model: which of them is wanted cannot be seen.",
            "Save the model's own state dict alone.",
        )
    said, assumed = ["The sizes were read from the weights."], []
    if prefix:
        said.append(f"All its tensors were below {prefix!r}; that was taken away.")

    def heads(tower: Tower, width: int) -> int:
        found, why = head_width(tower, width, stated.head_width)
        assumed.append(why)
        return width // found

    config = openai.config(state, quick_gelu=stated.activation != "gelu", heads=heads)
    assumed.append("The pictures are normalised with OpenAI's mean and deviation; the file does not say.")
    if not stated.activation:
        assumed.append(
            "It was trained with QuickGELU, as OpenAI's models were (--activation gelu for most others); the file does not say."
        )
    _write(out, openai.weights(state), {"model_cfg": config, "preprocess_cfg": openai.preprocessing()})
    return "state dict", said, assumed


@dataclass(frozen=True)
class _OpenClipConfig:
    model_cfg: dict[str, Any]
    preprocess_cfg: dict[str, Any] | None = None


def _open_clip_folder(path: Path, out: Path, activation: str, read: Read) -> tuple[str, list[str], list[str]]:
    beside = (distribution.FILE,)
    found = [path / name for name in _PICKLED if (path / name).is_file()]
    found = found or sorted(one for one in path.glob("*.safetensors") if one.name not in beside)
    found = [one for one in found if one.suffix == ".safetensors"] or found
    if not found:
        raise BadCheckpoint(
            f"{str(path)!r} holds a configuration but no weights.", "They are called open_clip_model.safetensors."
        )
    kept = read_json(path / OPEN_CLIP_CONFIG, dict[str, Any], error=BadCheckpoint, hint=_DAMAGED)
    config = reading.fitted(kept, _OpenClipConfig, called=OPEN_CLIP_CONFIG, error=BadCheckpoint, hint=_DAMAGED)
    said = [f"The configuration says {'QuickGELU' if config.model_cfg.get('quick_gelu') else 'GELU'}."]
    if activation:
        config.model_cfg["quick_gelu"] = activation == "quickgelu"
        said.append(f"--activation {activation} was given and holds instead.")
    # All that the configuration says is kept: a trunk, for one, is no part of the weights.
    whole = {**kept, "model_cfg": config.model_cfg, "preprocess_cfg": config.preprocess_cfg or openai.preprocessing()}
    state = openai.weights(read(found[0]).state)
    if hugging_face.is_clip_model(state):  # as at the hub, where one folder may serve both libraries
        state = hugging_face.renamed(state)
    if found[0].suffix == ".safetensors" and _names_in(found[0]) == state.keys():
        # To the byte: what was tuned for the model, and statistics of its pictures, go by the file's SHA-256.
        files.copy(found[0], out / OPEN_CLIP_WEIGHTS)
    else:
        write_tensors(out / OPEN_CLIP_WEIGHTS, state, {"format": "pt"})
    _write_config(out, whole)
    _copy_beside(path, out)
    return "open_clip folder", said, []


def _names_in(weights: Path) -> set[str]:
    with sound(weights.name, _DAMAGED), safe_open(weights, framework="pt") as file:
        return set(file.keys())


def _copy_beside(path: Path, out: Path) -> None:
    """Copy what a folder of ours says of the model beside its weights: its vocabulary, and statistics of its pictures."""
    for name in (vocabulary.FILE, distribution.FILE):
        if (path / name).is_file():
            files.copy(path / name, out / name)


def _clip_model_folder(path: Path, out: Path, activation: str, read: Read) -> tuple[str, list[str], list[str]]:
    found_config = hugging_face.folder_config(path)
    state = hugging_face.state_in(path, read)
    weights = hugging_face.renamed(state)
    look = found_config.look or hugging_face.Look()
    config = openai.config(
        weights,
        quick_gelu=activation == "quickgelu" if activation else found_config.quick_gelu,
        heads=found_config.heads,
    )
    _write(out, weights, {"model_cfg": config, "preprocess_cfg": openai.preprocessing(look.image_mean, look.image_std)})
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


def _write(out: Path, state: State, config: dict[str, Any]) -> None:
    write_tensors(out / OPEN_CLIP_WEIGHTS, state, {"format": "pt"})
    _write_config(out, config)


def _write_config(out: Path, config: dict[str, Any]) -> None:
    files.write_atomic(out / OPEN_CLIP_CONFIG, json.dumps(config, indent=1) + "\n")
