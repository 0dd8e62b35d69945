"""What every attack shares: the norms, the threat, and random draws that depend on the picture and nothing else."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.progress import Progress
from capt_engine.records import NormInfo
from capt_engine.registry import Table

Logits = Callable[[Tensor], Tensor]  # pixels (n, 3, h, w) in [0, 1] → logits (n, k)


class PictureRngs:
    """One random stream per picture, drawn on the CPU: neither batch nor order nor device changes what a picture gets."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._streams = [torch.Generator().manual_seed(seed) for seed in seeds]

    @classmethod
    def of(cls, seed: int, keys: Sequence[str]) -> PictureRngs:
        """Streams for the pictures named by `keys` (say, their SHA-256) under the run's `seed`."""
        digests = (hashlib.sha256(f"{seed}:{key}".encode()).digest() for key in keys)
        return cls([int.from_bytes(digest[:8], "little", signed=True) for digest in digests])

    def uniform(self, like: Tensor) -> Tensor:
        """Values in [0, 1), shaped and placed like `like` (n, …); the i-th picture's come from its own stream."""
        return torch.stack([torch.rand(like.shape[1:], generator=stream) for stream in self._streams]).to(like.device)

    def only(self, places: Tensor) -> PictureRngs:
        """The streams of the pictures at `places` (m,), shared with these: for those that are still attacked when others are done."""
        some = PictureRngs(())
        some._streams = [self._streams[place] for place in places.tolist()]
        return some

    def normal(self, like: Tensor) -> Tensor:
        """Standard normal values, shaped and placed like `like` (n, …)."""
        return torch.stack([torch.randn(like.shape[1:], generator=stream) for stream in self._streams]).to(like.device)


@dataclass(frozen=True)
class Norm:
    """A norm as a value: how long a perturbation is, how it is brought back into the ball, which step climbs fastest.

    length: (n, …) → (n,). project(delta, eps): onto the ball of radius eps. steepest(gradient): the unit step.
    random(draws, like, eps): a point of the ball. whole(delta, eps): a change by whole 255ths next to delta, in the ball.
    """

    name: str
    label: str
    summary: str
    default_eps: float
    high_eps: float
    length: Callable[[Tensor], Tensor]
    project: Callable[[Tensor, float], Tensor]
    steepest: Callable[[Tensor], Tensor]
    random: Callable[[PictureRngs, Tensor, float], Tensor]
    whole: Callable[[Tensor, float], Tensor]

    @property
    def info(self) -> NormInfo:
        """What a form needs to know."""
        return NormInfo(self.name, self.label, self.summary, self.default_eps, self.high_eps)


def _per_picture(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.dim() - 1))


def _linf_length(delta: Tensor) -> Tensor:
    return delta.flatten(1).abs().amax(dim=1)


def _linf_project(delta: Tensor, eps: float) -> Tensor:
    return delta.clamp(-eps, eps)


def _linf_random(rngs: PictureRngs, like: Tensor, eps: float) -> Tensor:
    return (rngs.uniform(like) * 2 - 1) * eps


def _linf_whole(delta: Tensor, eps: float) -> Tensor:
    # A hair more than ε · 255, which single precision may have left just below a whole number.
    most = math.floor(eps * 255 + 1e-4)
    return (delta * 255).round().clamp(-most, most) / 255


def _l2_length(delta: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1)
    return length


def _l2_project(delta: Tensor, eps: float) -> Tensor:
    return delta * _per_picture((eps / _l2_length(delta).clamp_min(1e-12)).clamp_max(1.0), delta)


def _l2_steepest(gradient: Tensor) -> Tensor:
    length = _l2_length(gradient)
    # A gradient of zero has no direction; dividing by one leaves it zero instead of making it NaN.
    return gradient / _per_picture(torch.where(length > 0, length, torch.ones_like(length)), gradient)


def _l2_random(rngs: PictureRngs, like: Tensor, eps: float) -> Tensor:
    direction = _l2_steepest(rngs.normal(like))
    return direction * _per_picture(rngs.uniform(like.flatten(1)[:, :1]).flatten(), like) * eps


def _l2_whole(delta: Tensor, eps: float) -> Tensor:
    """Each value to its nearest, and where that leaves the ball the narrowest roundings outwards are taken back until it does not."""
    wanted = (delta * 255).flatten(1).double()
    found = wanted.round()
    outwards = found.abs() > wanted.abs()
    # What taking one back brings: k² − (k − 1)² = 2k − 1; first those that were nearest to being rounded inwards.
    order = torch.where(outwards, found.abs() - wanted.abs(), -1.0).argsort(dim=1, descending=True, stable=True)
    gain = torch.where(outwards, 2 * found.abs() - 1, 0.0).gather(1, order).cumsum(dim=1)
    # Compared in whole numbers of (1/255)², so that a length of exactly ε is inside.
    excess = found.square().sum(dim=1, keepdim=True) - (eps * 255) ** 2 * (1 + 1e-9)
    before = torch.cat([torch.zeros_like(gain[:, :1]), gain[:, :-1]], dim=1)
    back = torch.zeros_like(outwards).scatter(1, order, before < excess) & outwards
    return ((found - back * found.sign()) / 255).to(delta.dtype).view_as(delta)


LINF = Norm(
    "linf",
    "L∞ (largest change of any value)",
    "No colour value of any pixel moves by more than ε.",
    4 / 255,
    1.0,
    _linf_length,
    _linf_project,
    torch.sign,
    _linf_random,
    _linf_whole,
)
L2 = Norm(
    "l2",
    "L2 (length of the whole change)",
    "The Euclidean length of the change over all pixels stays within ε; few pixels may move far.",
    1.0,
    100.0,
    _l2_length,
    _l2_project,
    _l2_steepest,
    _l2_random,
    _l2_whole,
)
NORMS = Table("norm", LINF, L2)


@dataclass(frozen=True)
class Threat:
    """What the attacker may do (`norm`, `eps` in pixel units [0, 1]) and wants: a given class if `targeted`, else any wrong one.

    eight_bits: what counts is a picture of 8-bit values; an evaluation rounds what attacks find (`evaluation.eight_bits`).
    """

    norm: Norm = LINF
    eps: float = 4 / 255
    targeted: bool = False
    eight_bits: bool = False


KNOWLEDGE = ("gradients", "scores", "decisions", "nothing")
"""What an attack asks of the model, most first: its slope, its logits, only its answer; or nothing, for a control that does not search."""


@runtime_checkable
class OwnBudget(Protocol):
    """An attack whose budget is no ball of a norm: a patch, a turn, a printed word. The threat's norm and eps do not bind it."""

    @property
    def budget(self) -> str:
        """What it may do to a picture, in words: "a patch over 5 % of the picture"."""


@runtime_checkable
class Outspoken(Protocol):
    """An attack that has something to say about what it did: another loss below so many classes, fewer targets than asked for."""

    def notes(self, classes: int) -> tuple[str, ...]:
        """Sentences for the report of a run with this many classes; none where all went as its settings say."""


class Attack(Protocol):
    """An attack: a frozen dataclass whose fields are made with `param`, and one function.

    name, label, summary: for tables, forms and captions. knowledge: what it asks of the model, one of KNOWLEDGE.
    norms: names of the norms whose ball it keeps to; none where it has a budget of its own (see `OwnBudget`).
    """

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str]
    knowledge: ClassVar[str]
    norms: ClassVar[tuple[str, ...]]

    @property
    def work(self) -> int:
        """How many times a run calls tick for one batch: the forward passes it makes, in effect."""

    def run(
        self, model: Logits, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attacked pictures (n, 3, h, w) in [0, 1], within threat.eps of `images` where the attack keeps to the threat's norm.

        labels: (n,) the classes to get away from, or to reach when threat.targeted. Weights and gradients of the model are left alone.
        """


def can_target(attack: type[Attack]) -> bool:
    """Can it be told which class to reach; an attack that cannot says so with a class variable `untargeted_only`."""
    return not getattr(attack, "untargeted_only", False)


def check_fits(attack: Attack, threat: Threat) -> None:
    """Raises BadRequest where the attack cannot keep to this threat: another norm than its own, or a target where it takes none."""
    if attack.norms and threat.norm.name not in attack.norms:
        known = " and ".join(NORMS[name].label for name in attack.norms)
        raise BadRequest(f"{attack.label} works under {known} only.", "Choose that norm, or another attack.")
    if threat.targeted and not can_target(type(attack)):
        raise BadRequest(
            f"{attack.label} cannot be told which class to reach.",
            "Let any wrong class do, or take APGD-DLR or APGD-margin.",
        )
