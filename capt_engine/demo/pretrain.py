"""Trains the bundled tiny CLIP from nothing on pictures and captions of the toy world.

Each picture is scored against one caption per class of several families (shapes, colours, materials, and joined ones),
with templates and synonyms drawn anew at every step. On so small a vocabulary this cross-entropy over class captions
learns faster than contrasting the pairs of a batch. Half of the patches are dropped for most of the run (Li et al.,
"Scaling Language-Image Pre-training via Masking", CVPR 2023), which about doubles the speed. A picture is
never asked to rule out a pair of shape and colour that training has not shown: otherwise the model learns which shape never
has which colour, and holds that against a pair when it meets one.
"""

from __future__ import annotations

import copy
import io
import json
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from numpy.random import PCG64, Generator
from torch import Tensor, nn
from torch.nn import functional as F

from capt_engine.demo.captions import QUALITY_TEMPLATE, SHAPE_TEMPLATE, SIMPLE, class_caption, class_name, vocabulary
from capt_engine.demo.domains import Pixels, Subject
from capt_engine.demo.world import REVISION, UNSEEN_PAIRS, pretraining_scene
from capt_engine.errors import BadCheckpoint
from capt_engine.files import write_atomic
from capt_engine.model import imports
from capt_engine.model.tensor_file import write_tensors
from capt_engine.model.vocabulary import FILE, listed
from capt_engine.progress import Progress

open_clip = imports.open_clip()

CONTEXT_LENGTH = 32
INPUT_SIZE = 64
PREPROCESS = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
MAX_LOGIT_SCALE = math.log(100)

_WEIGHTS = {
    "shapes": 1.0,
    "colours": 0.3,
    "materials": 0.9,
    "shape-material": 0.4,
    "colour-shape": 0.4,
    "colour-material-shape": 0.6,
}


@dataclass(frozen=True)
class Plan:
    """The settings that decide which weights come out, apart from the machine; `steps` may be changed on the way."""

    pictures: int = 50_000
    steps: int = 2_000
    batch: int = 128
    lr: float = 1.2e-3
    weight_decay: float = 0.05
    warm_up: int = 120
    smoothing: float = 0.05
    averaging: float = 0.997
    patch_dropout: float = 0.5
    whole_share: float = 0.12
    seed: int = 0
    width: int = 192
    layers: int = 6
    text_width: int = 80
    text_layers: int = 4

    def model_cfg(self) -> dict[str, Any]:
        """Return the architecture as the dictionary `model_cfg` that open_clip reads."""
        return {
            "embed_dim": 128,
            "quick_gelu": False,
            "vision_cfg": {
                "image_size": INPUT_SIZE,
                "patch_size": 8,
                "width": self.width,
                "head_width": 32,
                "layers": self.layers,
                "mlp_ratio": 4.0,
            },
            "text_cfg": {
                "context_length": CONTEXT_LENGTH,
                "vocab_size": 49408,
                "width": self.text_width,
                "heads": 4,
                "layers": self.text_layers,
            },
        }


def new_model(plan: Plan) -> nn.Module:
    """Make an untrained open_clip `CLIP` of the plan's sizes, with random weights drawn by the plan's seed."""
    cfg = plan.model_cfg()
    cfg["vision_cfg"]["patch_dropout"] = plan.patch_dropout
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        model: nn.Module = open_clip.CLIP(**cfg)
        return model


def export(model: nn.Module, plan: Plan, folder: Path, step: int) -> None:
    """Write a model as an open_clip folder: open_clip_config.json, the weights in fp16 as safetensors, and the words it knows.

    model: the weights to write. plan, step: the settings of the training and the step reached, kept in the weights file
    for the model card. folder: where to write; files there are replaced.
    """
    weights = {name: value.detach().half() for name, value in model.state_dict().items()}
    recipe = asdict(plan) | {"step": step, "revision": REVISION}
    path = folder / "open_clip_model.safetensors"
    write_tensors(path, weights, {"format": "pt", "recipe": json.dumps(recipe)})
    config = {"model_cfg": plan.model_cfg(), "preprocess_cfg": PREPROCESS}
    write_atomic(folder / "open_clip_config.json", json.dumps(config, indent=2) + "\n")
    write_atomic(folder / FILE, listed(vocabulary()))


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    return open_clip.SimpleTokenizer(context_length=CONTEXT_LENGTH)


@lru_cache(maxsize=50_000)
def _tokens(sentence: str) -> tuple[int, ...]:
    row = _tokenizer()(sentence)[0]
    return tuple(row[: int(row.argmax()) + 1].tolist())


def encode_sentences(clip: nn.Module, sentences: list[str], device: torch.device) -> Tensor:
    """Encode sentences with the text tower of a model in training.

    Args:
        clip: an open_clip `CLIP`.
        sentences: the k sentences.
        device: where the model is.

    Returns:
        Text features (k, d) of length 1. Padding after the longest sentence is left out, which the causal mask makes
        exact.
    """
    model: Any = clip
    rows = [_tokens(sentence) for sentence in sentences]
    length = max(map(len, rows))
    text = torch.tensor([row + (0,) * (length - len(row)) for row in rows], device=device)
    x = model.token_embedding(text) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    x = x[torch.arange(len(rows), device=device), text.argmax(dim=1)] @ model.text_projection
    return F.normalize(x, dim=-1)


def _augmented(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures `(n, 3, s, s)` in [0, 1] as model input: cropped, turned, mirrored, re-lit at random, normalised."""
    n = pictures.shape[0]

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(n, *shape, generator=generator) * (high - low) + low

    side = draw(0.72, 1.02)
    angle = draw(-0.12, 0.12)
    mirror = torch.where(draw(0, 1) < 0.5, -1.0, 1.0)
    room = (1 - side).clamp(min=0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = side * angle.cos() * mirror, -side * angle.sin()
    theta[:, 1, 0], theta[:, 1, 1] = side * angle.sin() * mirror, side * angle.cos()
    theta[:, 0, 2], theta[:, 1, 2] = room * draw(-1, 1), room * draw(-1, 1)
    grid = F.affine_grid(theta, [n, 3, INPUT_SIZE, INPUT_SIZE], align_corners=False).to(pictures.device)
    views = F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    gain = draw(0.8, 1.2, 1, 1, 1) * draw(0.94, 1.06, 3, 1, 1)
    lift = draw(-0.08, 0.08, 1, 1, 1)
    contrast = draw(0.8, 1.2, 1, 1, 1)
    gain, lift, contrast = (one.to(pictures.device) for one in (gain, lift, contrast))
    views = ((views - 0.5) * contrast + 0.5) * gain + lift
    noise = torch.randn(views.shape, generator=generator) * draw(0, 0.03, 1, 1, 1)
    return ((views + noise.to(pictures.device)).clamp(0, 1) - 0.5) / 0.5


def _sentences(family: str, names: list[str], rng: Generator) -> list[str]:
    """One caption per class; in two of five steps the plain sentence that users start from."""
    if rng.random() < 0.4:
        quality = family in ("colours", "materials") and rng.random() < 0.7
        plain = QUALITY_TEMPLATE if quality else SHAPE_TEMPLATE
        return [plain.format(name) for name in names]
    return [class_caption(family, name, rng) for name in names]


def _unmet(family: str, names: list[str], subjects: list[Subject]) -> list[list[bool]]:
    """Which classes would, with what else the picture shows, make a pair of shape and colour that training never shows."""
    if family == "colours":
        return [[(subject.shape, name) in UNSEEN_PAIRS for name in names] for subject in subjects]
    if "colour" in family or "shape" not in family:
        return [[False] * len(names)] * len(subjects)
    shapes = [name.split(" ")[-1] for name in names]
    return [[(shape, subject.colour) in UNSEEN_PAIRS for shape in shapes] for subject in subjects]


def _cross_entropy(logits: Tensor, target: Tensor, unmet: Tensor, smoothing: float) -> Tensor:
    """Smoothed cross-entropy of logits (n, k) over the classes that are not unmet (n, k)."""
    chances = F.log_softmax(logits.masked_fill(unmet, -1e4), dim=1)
    sure = chances.gather(1, target[:, None])[:, 0]
    spread = chances.masked_fill(unmet, 0).sum(dim=1) / (~unmet).sum(dim=1)
    return -((1 - smoothing) * sure + smoothing * spread).mean()


def _loss(model: Any, images: Tensor, subjects: list[Subject], plan: Plan, rng: Generator) -> tuple[Tensor, str]:
    """The weighted cross-entropy over all families, and a line about it."""
    batches: list[tuple[str, list[str], list[int], list[str]]] = []
    for family in _WEIGHTS:
        mine = [class_name(family, subject) for subject in subjects]
        names = list(SIMPLE[family]) if family in SIMPLE else sorted(set(mine))
        column = {name: i for i, name in enumerate(names)}
        batches.append((family, names, [column[name] for name in mine], _sentences(family, names, rng)))
    features = F.normalize(model.visual(images), dim=-1)
    text = encode_sentences(model, [one for batch in batches for one in batch[3]], images.device)
    scale = model.logit_scale.exp()
    total, first, notes = torch.zeros((), device=images.device), 0, []
    for family, names, labels, _ in batches:
        logits = scale * features @ text[first : first + len(names)].T
        first += len(names)
        target = torch.tensor(labels, device=images.device)
        unmet = torch.tensor(_unmet(family, names, subjects), device=images.device)
        total = total + _WEIGHTS[family] * _cross_entropy(logits, target, unmet, plan.smoothing)
        if family in SIMPLE:
            notes.append(f"{family} {(logits.argmax(1) == target).float().mean():.2f}")
    return total, f"loss {total.item():.3f}, {', '.join(notes)}"


def _groups(model: Any, decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices only: words that no caption uses must not fade, nor gains and biases."""
    shrunk: list[Tensor] = []
    kept: list[Tensor] = []
    for name, parameter in model.named_parameters():
        fades = parameter.ndim >= 2 and "embedding" not in name
        (shrunk if fades else kept).append(parameter)
    return [{"params": shrunk, "weight_decay": decay}, {"params": kept, "weight_decay": 0.0}]


def _rate(plan: Plan, step: int) -> float:
    if step < plan.warm_up:
        return plan.lr * (step + 1) / plan.warm_up
    share = (step - plan.warm_up) / max(1, plan.steps - plan.warm_up)
    return plan.lr * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


class Pretraining:
    """A training run that can stop after any step and go on later as if it had not: every draw depends on seed and step only."""

    def __init__(self, plan: Plan, pictures: Pixels, checkpoint: Path, device: str = "cpu") -> None:
        """Begin, or go on from the checkpoint where there is one.

        Args:
            plan: everything that decides which weights come out.
            pictures: uint8 (plan.pictures, s, s, 3), in the order of the pre-training stream.
            checkpoint: the file of the run's state.
            device: where to compute.

        Raises:
            BadCheckpoint: the file was written by a run with other settings.
        """
        self.plan, self.step = plan, 0
        self._device = torch.device(device)
        self._pictures = torch.from_numpy(pictures)
        self._subjects = [pretraining_scene(i, plan.seed).subject for i in range(plan.pictures)]
        self._checkpoint = checkpoint
        self.model: Any = new_model(plan).to(self._device)
        self.average: nn.Module = copy.deepcopy(self.model).eval()
        self._optimizer = torch.optim.AdamW(
            _groups(self.model, plan.weight_decay), lr=plan.lr, betas=(0.9, 0.98), fused=True
        )
        if checkpoint.exists():
            self._resume()

    def _kept(self) -> dict[str, Any]:
        """Return the settings that must be the same in a checkpoint for it to belong to this run."""
        kept = asdict(self.plan) | {"revision": REVISION}
        del kept["steps"]
        return kept

    def _resume(self) -> None:
        state = torch.load(self._checkpoint, map_location=self._device, weights_only=True)
        if state["plan"] != self._kept():
            raise BadCheckpoint(
                f"{self._checkpoint} was written by a training run with other settings.",
                "Delete it to start again, or repeat the earlier settings.",
            )
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]

    def save(self) -> None:
        """Write the state of the run (weights, optimiser, step) to its checkpoint file, whole or not at all."""
        state = {
            "plan": self._kept(),
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        buffer = io.BytesIO()  # torch's own writer tells a full disk by another error
        torch.save(state, buffer)
        write_atomic(self._checkpoint, buffer.getvalue())

    def _batch(self) -> tuple[Tensor, list[Subject]]:
        """The pictures of this step, augmented: each epoch is a permutation of its own."""
        count, size = self.plan.pictures, min(self.plan.batch, self.plan.pictures)
        steps = count // size
        order = Generator(PCG64([self.plan.seed, 1, self.step // steps])).permutation(count)
        index = order[(self.step % steps) * size :][:size]
        pixels = self._pictures[torch.from_numpy(index)].to(self._device)
        generator = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + self.step)
        images = _augmented(pixels.permute(0, 3, 1, 2).float() / 255, generator)
        return images, [self._subjects[i] for i in index.tolist()]

    def advance(self) -> str:
        """Take one step of training and return a line of text about its loss and accuracies."""
        plan = self.plan
        whole = self.step >= plan.steps * (1 - plan.whole_share)
        if plan.patch_dropout > 0:
            self.model.visual.patch_dropout.prob = 0.0 if whole else plan.patch_dropout
        for group in self._optimizer.param_groups:
            group["lr"] = _rate(plan, self.step)
        images, subjects = self._batch()
        rng = Generator(PCG64([plan.seed, 2, self.step]))
        self.model.train()
        # open_clip's patch dropout draws from the global generator, so that is seeded by the step too.
        with torch.random.fork_rng(devices=[self._device] if self._device.type == "cuda" else []):
            torch.manual_seed(plan.seed * 1_000_003 + self.step)
            loss, note = _loss(self.model, images, subjects, plan, rng)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
            # A short memory at first, so that the average is not held back by the untrained weights.
            share = min(plan.averaging, (self.step + 1) / (self.step + 10))
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - share)
        self.step += 1
        return note

    def run(self, progress: Progress, save_every: int = 250, until: int | None = None) -> None:
        """Train on to the step `until` (None: the end of the plan), saving every `save_every` steps and at the end.

        progress: called after each step with (step, steps of the plan, a line about loss and accuracies); may raise to
        stop, and the steps since the last saving are then lost.
        """
        last = self.plan.steps if until is None else until
        while self.step < last:
            note = self.advance()
            progress(self.step, self.plan.steps, note)
            if self.step % save_every == 0 or self.step == last:
                self.save()


def default_checkpoint(folder: Path, plan: Plan) -> Path:
    """Return the usual path of a training run's state file: beside `folder`, which holds the rendered pictures.

    The name holds the plan's seed, but none of its other settings.
    """
    return folder.parent / f"pretrain-r{REVISION}-s{plan.seed}.pt"
