"""The image tower of the photograph model tuned on attacked pictures, without labels.

A frozen copy of the tower says what each clean picture is; the tuned one learns to say the same of the attacked picture, by the
distance of the embeddings (FARE, Schlarmann et al., ICML 2024, arXiv 2402.12336) or by KL of the answers among class captions
(RSLAD, Zi et al., ICCV 2021, arXiv 2108.07969). One gradient step from a random start attacks (Wong et al., ICLR 2020, arXiv
2001.03994). Most steps see smaller pictures, which cost less; the last ones see the model's own size.
"""

from __future__ import annotations

import copy
import json
import math
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import PCG64, Generator
from PIL import Image
from torch import Tensor, nn

from capt_engine.data.class_lists import IMAGENET, names_of
from capt_engine.data.images import decoded, read_photo
from capt_engine.errors import BadRequest
from capt_engine.files import write_atomic
from capt_engine.model.clip import TOWER_FORMAT, TOWER_WEIGHTS, Backbone, lasting_id, load_backbone
from capt_engine.model.devices import pick_device
from capt_engine.model.store.model_store import TOWER_CONFIG
from capt_engine.model.tensor_file import require_finite, write_tensors
from capt_engine.model.text import class_features
from capt_engine.photo.build import PLAIN, training_pictures
from capt_engine.photo.crops import random_crop
from capt_engine.photo.stage import Stage
from capt_engine.progress import Progress

FARE, DISTIL = "fare", "distil"
LOSSES: Final = (FARE, DISTIL)
BASE: Final = "photo"
CIFAR_EACH: Final = 500
_STREAM = 7
# The step is a sign, so a large factor changes nothing but keeps small gradients from vanishing.
_SCALE = 64.0
_LEAST_SCALE = 0.02


@dataclass(frozen=True)
class Round:
    """A part of a run with its own warm-up and cosine.

    steps: of the optimiser, the last `full_steps` at the model's own size and those before at `small` pixels. lr: of a weight, as a
    share of the root mean square of its tensor, because the scales of a trunk with folded norms differ by a factor of a hundred.
    """

    steps: int
    full_steps: int
    small: int
    lr: float


@dataclass(frozen=True)
class RobustPlan:
    """The settings that decide which weights come out.

    batch, cifar: pictures in a step, and how many of them are CIFAR's. eps, step_size: of the inner attack, in pixel units [0, 1].
    mixed: the share of pictures that are mixed with another one. loss: of LOSSES.
    """

    seed: int = 0
    loss: str = DISTIL
    rounds: tuple[Round, ...] = (Round(700, 60, 128, 5e-4), Round(440, 160, 160, 3e-4))
    batch: int = 32
    cifar: int = 4
    eps: float = 1.25 / 255
    step_size: float = 1.5 / 255
    mixed: float = 0.3

    @property
    def steps(self) -> int:
        """The steps of all rounds."""
        return sum(one.steps for one in self.rounds)

    def side(self, step: int, full: int) -> int:
        """The width of the pictures of a step, counted from 0 through all rounds, where the model's own is `full`."""
        for one in self.rounds:
            if step < one.steps:
                return full if step >= one.steps - one.full_steps else one.small
            step -= one.steps
        raise ValueError(f"There are only {self.steps} steps.")


class Pictures:
    """Training pictures by their place: photographs first, then CIFAR's; every batch is drawn by seed and step alone."""

    def __init__(self, photographs: Sequence[Image.Image], cifar: Sequence[Image.Image]) -> None:
        """photographs: of any size. cifar: small ones, or none."""
        self.photographs, self.cifar = photographs, cifar

    def batch(self, plan: RobustPlan, step: int, side: int) -> Tensor:
        """Draw the clean pictures of one step.

        Args:
            plan: its seed, batch, cifar and mixed.
            step: from 0.
            side: width and height in pixels.

        Returns:
            Pixels (batch, 3, side, side) in [0, 1]: random crops, some of them mixed with their neighbour in the batch.
        """
        rng = Generator(PCG64([plan.seed, _STREAM, step]))
        few = min(plan.cifar, plan.batch) if self.cifar else 0
        chosen = [self.photographs[int(i)] for i in rng.integers(0, len(self.photographs), plan.batch - few)]
        chosen += [self.cifar[int(i)] for i in rng.integers(0, len(self.cifar), few)] if few else []
        order = rng.permutation(plan.batch)
        crops = np.stack([np.asarray(random_crop(chosen[int(i)], rng, side)) for i in order])
        share = np.where(rng.random(plan.batch) < plan.mixed, rng.random(plan.batch), 1.0).astype(np.float32)
        clean = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
        own = torch.from_numpy(share)[:, None, None, None]
        mixed = own * clean + (1 - own) * clean.roll(1, 0)
        return mixed.contiguous(memory_format=torch.channels_last)


class RobustTuning:
    """A copy of a model's image tower, tuned to see attacked pictures as the frozen tower sees clean ones."""

    def __init__(self, backbone: Backbone, text: Tensor, pictures: Pictures, plan: RobustPlan) -> None:
        """backbone: on a CPU. text (k, d): unit features of class captions, used by the loss "distil" only."""
        if plan.loss not in LOSSES or any(one.steps < 1 or not 0 <= one.full_steps <= one.steps for one in plan.rounds):
            raise BadRequest(
                f"The loss must be one of {', '.join(LOSSES)}, and a round must have steps, not more of them at full size.",
                "Check the numbers.",
            )
        self.plan, self.backbone, self._text, self._pictures = plan, backbone, text, pictures
        self.tower = copy.deepcopy(backbone.visual).requires_grad_(False)
        self._scale = float(backbone.scale)

    def run(self, work: Path, progress: Progress, until: int | None = None) -> None:
        """Go on from the checkpoints in `work`, where there are any, to the end or to step `until`, counted through all rounds."""
        plan, tensors = self.plan, dict(self.tower.named_parameters())
        scales = {
            name: max(_LEAST_SCALE, float(value.detach().square().mean().sqrt()))
            for name, value in self.backbone.visual.named_parameters()
        }
        done, last = 0, plan.steps if until is None else until
        for number, one in enumerate(plan.rounds, 1):
            if done >= last:
                break
            self.tower.requires_grad_(True)
            rates = {name: one.lr * scale for name, scale in scales.items()}
            stage = Stage(f"round {number}", plan, one.steps, tensors, rates, warm_up=max(5, one.steps // 20))
            stage.run(partial(self._loss_of_round, done), work / f"round-{number}.pt", progress, last - done)
            done += one.steps
        self.tower.requires_grad_(False)

    def _loss_of_round(self, first: int, step: int) -> Tensor:
        return self.loss(first + step)

    def loss(self, step: int) -> Tensor:
        """Compute the mean distance of the attacked pictures' answers from the frozen tower's answers to the clean ones.

        Args:
            step: from 0 through all rounds; it decides the pictures, their size and the start of the attack.

        Returns:
            A scalar, differentiable in the tower's weights.
        """
        plan = self.plan
        clean = self._pictures.batch(plan, step, plan.side(step, self.backbone.size))
        generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + _STREAM * 100_003 + step)
        start = (2 * torch.rand(clean.shape, generator=generator) - 1) * plan.eps
        with torch.no_grad():
            wanted = self._answer(self.backbone.visual, clean)
        self.tower.requires_grad_(False)
        attacked = one_step_attack(lambda x: self._distance(x, wanted).sum(), clean, start, plan.eps, plan.step_size)
        self.tower.requires_grad_(True)
        return self._distance(attacked, wanted).mean()

    def _answer(self, tower: nn.Module, images: Tensor) -> Tensor:
        """Unit features (n, d), or log-probabilities (n, k) among the captions, as the loss needs."""
        features = encode_any_size(tower, (images - self.backbone.mean) / self.backbone.std)
        if self.plan.loss == FARE:
            return features
        return F.log_softmax(self._scale * features @ self._text.T, dim=1)

    def _distance(self, images: Tensor, wanted: Tensor) -> Tensor:
        found = self._answer(self.tower, images)
        return fare(found, wanted) if self.plan.loss == FARE else distil(found, wanted)


def fare(found: Tensor, wanted: Tensor) -> Tensor:
    """Compute FARE's loss: the squared L2 distance of two embeddings (arXiv 2402.12336, eq. 3), here of unit length.

    Args:
        found: features (n, d) of attacked pictures by the tuned tower.
        wanted: features (n, d) of the clean pictures by the frozen one.

    Returns:
        Distances (n,).
    """
    return (found - wanted).square().sum(dim=1)


def distil(found: Tensor, wanted: Tensor) -> Tensor:
    """Compute KL(p_frozen, clean ‖ p_tuned, attacked) (RSLAD, arXiv 2108.07969, with its clean term left out).

    Args:
        found: log-probabilities (n, k) of attacked pictures by the tuned tower.
        wanted: log-probabilities (n, k) of the clean pictures by the frozen one.

    Returns:
        Divergences (n,) in nats.
    """
    return F.kl_div(found, wanted, reduction="none", log_target=True).sum(dim=1)


def one_step_attack(
    loss: Callable[[Tensor], Tensor], images: Tensor, start: Tensor, eps: float, step_size: float
) -> Tensor:
    """Attack by one gradient step from a random start (FGSM-RS; Wong et al., ICLR 2020, arXiv 2001.03994, algorithm 3).

    Args:
        loss: pixels (n, 3, h, w) → a scalar to be raised.
        images: clean pixels (n, 3, h, w) in [0, 1].
        start: perturbation of the same shape, in [-eps, eps].
        eps: radius of the L∞ ball, in pixel units [0, 1].
        step_size: of the step, in the same units.

    Returns:
        Attacked pixels in [0, 1], within the ball.
    """
    begun = (images + start).clamp(0, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(begun) * _SCALE, begun)
    moved = (start + step_size * gradient.sign()).clamp(-eps, eps)
    return (images + moved).clamp(0, 1).contiguous(memory_format=torch.channels_last)


def encode_any_size(tower: nn.Module, normalised: Tensor) -> Tensor:
    """Encode square pictures of any size, the positional embedding interpolated to their number of places.

    Args:
        tower: a ViT with a trunk in the place of its patches.
        normalised: pictures (n, 3, side, side).

    Returns:
        Unit features (n, d), differentiable in pixels and weights.
    """
    own = tower.get_parameter("positional_embedding")
    has, needs = math.isqrt(len(own) - 1), -(-normalised.shape[-1] // 32)
    if has == needs:
        return F.normalize(tower(normalised), dim=-1)
    places = own[1:].T.reshape(1, -1, has, has)
    places = F.interpolate(places, (needs, needs), mode="bilinear", align_corners=False)
    embedding = torch.cat([own[:1], places.flatten(2)[0].T])
    return F.normalize(torch.func.functional_call(tower, {"positional_embedding": embedding}, (normalised,)), dim=-1)


def build(
    plan: RobustPlan, pictures: Path, cifar: Path | None, work: Path, out: Path, progress: Progress
) -> RobustTuning:
    """Tune the bundled photograph model's tower, going on where an earlier run stopped in `work`, and write it to `out`."""
    paths, _ = training_pictures(pictures)
    backbone = load_backbone(BASE, pick_device("cpu"))
    small = cifar_pictures(cifar, CIFAR_EACH) if cifar is not None and plan.cifar else []
    text = class_features(backbone, list(names_of(IMAGENET)), PLAIN)
    tuning = RobustTuning(backbone, text, Pictures(photographs(paths), small), plan)
    tuning.run(work, progress)
    data = f"{len(paths):,} photographs of ImageNet's training classes"
    if small:
        data += f", {len(small):,} training pictures of CIFAR-10"
    about = {
        "data": data,
        "captions": f"{len(text):,}, ImageNet's names in the template {PLAIN!r}",
        "command": "capt photo robust PICTURES" + (" --cifar FILE" if small else ""),
        "licence": "MIT, like the program that made it; the pictures are for research use",
    }
    export(tuning, about, out)
    return tuning


def photographs(paths: Sequence[Path]) -> list[Image.Image]:
    """Read pictures whole, as files hold them."""
    return [Image.fromarray(read_photo(one).rgb) for one in paths]


def cifar_pictures(archive: Path, each: int) -> list[Image.Image]:
    """Read the first `each` training pictures of each class from CIFAR-10's archive of class folders (`train/CLASS/0000.jpg`).

    Raises BadRequest where there are none.
    """
    found = []
    with tarfile.open(archive) as opened:
        for member in opened:
            parts = Path(member.name).parts
            held = opened.extractfile(member) if member.isfile() and "train" in parts else None
            if held is not None and int(Path(member.name).stem) < each:
                found.append(Image.fromarray(decoded(held.read(), member.name).rgb))
    if not found:
        raise BadRequest(f"{archive} holds no training pictures in class folders.", "Name CIFAR-10's archive.")
    return found


def export(tuning: RobustTuning, about: Mapping[str, str], folder: Path) -> None:
    """Write the tuned tower as a model over its base: weights in fp16, then tower.json, because a folder with that is a model.

    about: further facts for tower.json. Raises BadCheckpoint for weights that are not finite, CannotWrite where the disk
    refuses.
    """
    base, state = tuning.backbone, {name: value.half() for name, value in tuning.tower.state_dict().items()}
    require_finite(state, TOWER_WEIGHTS, "Try a lower learning rate.")
    document = {
        "format": TOWER_FORMAT,
        "base": lasting_id(base.id),
        "base_sha256": base.sha256,
        "method": tuning.plan.loss,
        "settings": asdict(tuning.plan),
        "about": dict(about),
        "versions": {"torch": torch.__version__.split("+")[0]},
    }
    write_tensors(folder / TOWER_WEIGHTS, state, {"format": "pt"})
    write_atomic(folder / TOWER_CONFIG, json.dumps(document, indent=1) + "\n")
