"""The photograph model from the trunk's published weights and a folder of pictures: three stages, then an open_clip folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.files import write_atomic
from capt_engine.model import imports, token_table, trunk
from capt_engine.model.tensor_file import write_tensors
from capt_engine.model.vocabulary import FILE, listed
from capt_engine.photo.captions import names, vocabulary
from capt_engine.photo.crops import crop_maps
from capt_engine.photo.image_tower import ImageTower
from capt_engine.photo.joint_space import JointSpace
from capt_engine.photo.plan import PREPROCESS, Plan
from capt_engine.photo.text_tower import TextTower
from capt_engine.progress import Progress

open_clip = imports.open_clip()

PLAIN = "a photo of a {}."
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_AT_ONCE = 100


@dataclass(frozen=True)
class Heldback:
    """Accuracy among the 1,000 names on a crop of each training picture that no stage has seen, and the trunk's own."""

    n: int
    trunk: float
    joint_space: float
    with_text: float
    whole: float


def training_pictures(folder: Path) -> tuple[list[Path], Tensor]:
    """Pictures whose names begin with their ImageNet index, in that order, and the indices (n,). Raises BadRequest."""
    found = sorted(one for one in folder.iterdir() if one.suffix.lower() in _SUFFIXES and one.name[:4].isdigit())
    if not found:
        raise BadRequest(
            f"{folder} holds no picture whose name begins with a class index of four digits.",
            "Name the folder of training pictures, as in 0000_tench.jpg.",
        )
    return found, torch.tensor([int(one.name[:4]) for one in found])


def build(plan: Plan, pictures: Path, work: Path, out: Path, progress: Progress) -> Heldback:
    """Train the three stages, going on where an earlier run of the same plan stopped in `work`, and write the model to `out`."""
    paths, labels = training_pictures(pictures)
    whole, rows, biases = trunk.published(plan.width)
    whole.requires_grad_(False)
    maps = crop_maps(paths, whole, plan.crops + 1, plan.seed, work / "crops", progress)
    seen, unseen = maps[: plan.crops * len(paths)], maps[plan.crops * len(paths) :]
    pooled = _pooled(whole, maps)
    joint = JointSpace(plan, rows, biases, pooled[: len(seen)])
    joint.train(work / "joint.pt", progress)
    clip = new_clip(plan)
    text = TextTower(plan, clip, joint.vectors)
    text.train(work / "text.pt", progress)
    classes = _class_features(text)
    image = ImageTower(plan, clip, whole, joint, seen, classes)
    held = pooled[len(seen) :]
    encoded = joint.encode(held)
    image.train(work / "image.pt", progress)
    found = Heldback(
        n=len(labels),
        trunk=_accuracy(joint.answers(held), labels),
        joint_space=_accuracy(encoded @ F.normalize(joint.vectors[:1000], dim=1).T, labels),
        with_text=_accuracy(encoded @ classes.T, labels),
        whole=_accuracy(_encoded(image, unseen) @ classes.T, labels),
    )
    image.finish()
    export(clip, text.ids, plan, found, out)
    return found


def new_clip(plan: Plan) -> Any:
    """An untrained open_clip `CLIP` with the plan's seed, on whose place of patches the trunk is put later."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        clip = open_clip.CLIP(**plan.model_cfg())
    return clip.requires_grad_(False)


def export(clip: Any, ids: Tensor, plan: Plan, found: Heldback, folder: Path) -> None:
    """Write config, vocabulary, and all weights but the trunk's own as fp16 safetensors."""
    own = ("visual.conv1.stem.", "visual.conv1.blocks.", "visual.conv1.head.")
    state = {name: value for name, value in clip.state_dict().items() if not name.startswith(own)}
    rows = state.pop(token_table.ROWS)
    half = {name: value.half() for name, value in state.items()}
    recipe = json.dumps({"plan": asdict(plan), "held_back": asdict(found)})
    write_tensors(
        folder / "open_clip_model.safetensors", half | token_table.packed(rows.half(), ids), {"recipe": recipe}
    )
    config = {"model_cfg": plan.model_cfg(), "preprocess_cfg": PREPROCESS, "trunk": trunk.NAME}
    write_atomic(folder / "open_clip_config.json", json.dumps(config, indent=2) + "\n")
    write_atomic(folder / FILE, listed(vocabulary()))


@torch.no_grad()
def _pooled(whole: trunk.Trunk, maps: Tensor) -> Tensor:
    return torch.cat([whole.head(some.float()).mean((2, 3)) for some in torch.split(maps, _AT_ONCE)])


@torch.no_grad()
def _class_features(text: TextTower) -> Tensor:
    sentences: Sequence[str] = [PLAIN.format(some[0]) for some in names()[:1000]]
    return torch.cat([text.encode(sentences[first : first + 250]) for first in range(0, 1000, 250)])


@torch.no_grad()
def _encoded(image: ImageTower, maps: Tensor) -> Tensor:
    return torch.cat([image.encode(some) for some in torch.split(maps, _AT_ONCE)])


def _accuracy(scores: Tensor, labels: Tensor) -> float:
    return float((scores.argmax(1) == labels).float().mean())
