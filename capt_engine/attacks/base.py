"""The parts that all attacks share: norms, the threat model, per-picture random generators and the protocol of an attack."""

from __future__ import annotations

import hashlib
import math
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import ClassVar, overload

import torch
from torch import Tensor

from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.inputs import check_eps, check_images, check_labels, count_classes, picture_keys
from capt_engine.attacks.philox import WORDS, Words, blocks
from capt_engine.errors import BadRequest
from capt_engine.model.devices import exact, finest
from capt_engine.progress import Progress, no_progress
from capt_engine.records import NormInfo
from capt_engine.registry import Table, build, describe

LogitsFn = Callable[[Tensor], Tensor]  # pixels (n, 3, h, w) in [0, 1] → logits (n, k)


class PictureRngs:
    """One random stream per picture (Philox4x32-10): neither batch nor order changes the values of a picture.

    On every device integers and uniform values are the same bits; normal ones agree to 1e-6, as devices differ in log and cos.
    """

    def __init__(self, words: Sequence[tuple[int, int, int]]) -> None:
        """Make streams from two words of key and one of the counter each, all in [0, 2³²)."""
        self._keys = torch.tensor(words, dtype=torch.long).view(-1, 3)
        # How often each stream has drawn; shared with the streams that `only` gives.
        self._calls = torch.zeros(len(words), dtype=torch.long)
        self._places = torch.arange(len(words))

    @classmethod
    def of(cls, seed: int, keys: Sequence[str], use: str = "") -> PictureRngs:
        """Make one random stream for each picture, decided by seed, use and the picture's key alone.

        Args:
            seed: the run's seed.
            keys: one name a picture (say, its SHA-256).
            use: the purpose of the draws, any text, so that two uses of one picture draw apart.

        Returns:
            One stream a picture, in the order of `keys`.
        """
        digests = (hashlib.sha256("\0".join((str(seed), use, key)).encode()).digest() for key in keys)
        return cls([struct.unpack("<3I", digest[:12]) for digest in digests])

    def only(self, places: Tensor) -> PictureRngs:
        """Select the streams of some pictures, for those that are still attacked when others are done.

        Args:
            places: indices (m,) of the pictures.

        Returns:
            Their m streams in that order, shared with this object: a draw from either moves the stream on for both.
        """
        some = copy(self)
        some._places = self._places[places.cpu()]
        return some

    def unused(self) -> list[tuple[int, int, int]] | None:
        """Return the words that make the same streams anew; None where something was drawn from one of them already."""
        if bool(self._calls[self._places].any()):
            return None
        return [(one[0], one[1], one[2]) for one in self._keys[self._places].tolist()]

    def uniform(self, like: Tensor) -> Tensor:
        """Draw uniform values, each picture's from its own stream.

        Args:
            like: a tensor (n, …), one row a picture, for shape and device; its values do not matter.

        Returns:
            Values in [0, 1), multiples of 2⁻²⁴, float32, shaped like `like`.
        """
        return self._filled(like, torch.float32, lambda words: [(word >> 8) * 2**-24 for word in words])

    def integers(self, like: Tensor, below: int) -> Tensor:
        """Draw whole numbers, each picture's from its own stream; no value is likelier by more than 2⁻³².

        Args:
            like: a tensor (n, …), one row a picture, for shape and device; its values do not matter.
            below: one more than the largest number, at most 2³¹.

        Returns:
            Integers from 0 to `below` − 1, int64, shaped like `like`.
        """
        return self._filled(like, torch.int64, lambda words: [(word * below) >> 32 for word in words])

    def normal(self, like: Tensor) -> Tensor:
        """Draw standard normal values, each picture's from its own stream (Box & Muller 1958).

        Args:
            like: a tensor (n, …), one row a picture, for shape and device; its values do not matter.

        Returns:
            Values of mean 0 and standard deviation 1, float32, shaped like `like`.
        """
        return self._filled(like, torch.float32, _normals)

    def _filled(self, like: Tensor, kind: torch.dtype, values: Callable[[Words], list[Tensor]]) -> Tensor:
        """A tensor like `like` of the four values that each block of random bits makes, and the streams moved on."""
        keys, calls = self._keys[self._places].to(like.device), self._calls[self._places].to(like.device)
        self._calls[self._places] += 1
        count = math.ceil(math.prod(like.shape[1:]) / WORDS)
        filled = torch.empty((len(like), WORDS, count), dtype=kind, device=like.device)
        for rows, columns, words in blocks(keys, calls, count):
            for i, value in enumerate(values(words)):
                filled[rows, i, columns] = value
        return filled.flatten(1)[:, : math.prod(like.shape[1:])].reshape(like.shape)


def _normals(words: Words) -> list[Tensor]:
    # Double precision makes all devices that have it agree to the last digit but one.
    kind = finest(words[0].device)
    found = []
    for radius, angle in (words[:2], words[2:]):
        length = (((radius >> 8) + 1).to(kind) * 2**-24).log().mul(-2).sqrt()
        turn = (angle >> 8).to(kind) * (2**-24 * 2 * math.pi)
        found += [length * turn.cos(), length * turn.sin()]
    return found


@dataclass(frozen=True)
class Norm:
    """A norm and the ball around a picture, as a value. Perturbations are (n, …) in pixel units, eps ≥ 0 is the ball's radius.

    Attributes:
        norm: (n, …) → (n,), the norm of each perturbation.
        project: (delta, eps) → the nearest point (n, …) of the ball, bit for bit `delta` where that lies inside.
        normalize: gradient (n, …) → the step of norm 1 that gains most along it (the steepest ascent), 0 where the gradient is 0.
        random: (rngs, like, eps) → a random point of the ball, shaped and placed like `like` (n, …).
        quantize: (delta, eps) → a nearby perturbation in the ball whose values are multiples of 1/255.
    """

    name: str
    label: str
    summary: str
    default_eps: float
    high_eps: float
    norm: Callable[[Tensor], Tensor]
    project: Callable[[Tensor, float], Tensor]
    normalize: Callable[[Tensor], Tensor]
    random: Callable[[PictureRngs, Tensor, float], Tensor]
    quantize: Callable[[Tensor, float], Tensor]

    @property
    def info(self) -> NormInfo:
        """Return the norm's name, label, summary, default and largest budget, for a form."""
        return NormInfo(self.name, self.label, self.summary, self.default_eps, self.high_eps)


def _per_picture(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.dim() - 1))


def _linf_norm(delta: Tensor) -> Tensor:
    return delta.flatten(1).abs().amax(dim=1)


def _linf_project(delta: Tensor, eps: float) -> Tensor:
    return delta.clamp(-eps, eps)


def _linf_random(rngs: PictureRngs, like: Tensor, eps: float) -> Tensor:
    return (rngs.uniform(like) * 2 - 1) * eps


def _linf_quantize(delta: Tensor, eps: float) -> Tensor:
    # A hair more than ε · 255, which single precision may have left just below a whole number.
    most = math.floor(eps * 255 + 1e-4)
    return (delta * 255).round().clamp(-most, most) / 255


def _l2_norm(delta: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1)
    return norm


def _l2_project(delta: Tensor, eps: float) -> Tensor:
    return delta * _per_picture((eps / _l2_norm(delta).clamp_min(1e-12)).clamp_max(1.0), delta)


def _l2_normalize(gradient: Tensor) -> Tensor:
    norm = _l2_norm(gradient)
    # A gradient of zero has no direction; dividing by one leaves it zero instead of making it NaN.
    return gradient / _per_picture(torch.where(norm > 0, norm, torch.ones_like(norm)), gradient)


def _l2_random(rngs: PictureRngs, like: Tensor, eps: float) -> Tensor:
    direction = _l2_normalize(rngs.normal(like))
    return direction * _per_picture(rngs.uniform(like.flatten(1)[:, :1]).flatten(), like) * eps


def _l2_quantize(delta: Tensor, eps: float) -> Tensor:
    """Round each value to the nearest 255th; where that leaves the ball, take back the narrowest roundings outwards until it does not."""
    steps = exact((delta * 255).flatten(1))
    rounded = steps.round()
    outwards = rounded.abs() > steps.abs()
    # Taking one back gains k² − (k − 1)² = 2k − 1; first come those that were nearest to being rounded inwards.
    order = torch.where(outwards, rounded.abs() - steps.abs(), -1.0).argsort(dim=1, descending=True, stable=True)
    gain = torch.where(outwards, 2 * rounded.abs() - 1, 0.0).gather(1, order).cumsum(dim=1)
    # Compared in whole numbers of (1/255)², so that a length of exactly ε is inside.
    excess = rounded.square().sum(dim=1, keepdim=True) - (eps * 255) ** 2 * (1 + 1e-9)
    before = torch.cat([torch.zeros_like(gain[:, :1]), gain[:, :-1]], dim=1)
    back = torch.zeros_like(outwards).scatter(1, order, before < excess) & outwards
    return ((rounded - back * rounded.sign()) / 255).to(delta).view_as(delta)


LINF = Norm(
    "linf",
    "L∞ (largest change of any value)",
    "No colour value of any pixel moves by more than ε.",
    4 / 255,
    1.0,
    _linf_norm,
    _linf_project,
    torch.sign,
    _linf_random,
    _linf_quantize,
)
L2 = Norm(
    "l2",
    "L2 (length of the whole change)",
    "The Euclidean length of the change over all pixels stays within ε; few pixels may move far.",
    1.0,
    100.0,
    _l2_norm,
    _l2_project,
    _l2_normalize,
    _l2_random,
    _l2_quantize,
)
NORMS = Table("norm", LINF, L2)


@dataclass(frozen=True)
class Threat:
    """The threat model: a ball of radius `eps` (pixel units, [0, 1] under L∞) in `norm`, and the attacker's goal.

    Attributes:
        norm: the norm of the ball.
        eps: its radius.
        targeted: True where the goal is one given class, False where any wrong class will do.
        eight_bits: True where only pictures of 8-bit values count; `wrappers.quantized.run_attack` then rounds what an attack finds.
    """

    norm: Norm = LINF
    eps: float = 4 / 255
    targeted: bool = False
    eight_bits: bool = False


KNOWLEDGE = ("gradients", "scores", "decisions", "nothing")
"""The access to the model that an attack needs, most first: gradients, logits, the winning class; nothing, for a mere control."""


class Attack(ABC):
    """An attack: a frozen dataclass whose fields are made with `param`, and one function `run`. It is called with defaults.

    Attributes:
        name, label, summary: for tables, forms and captions.
        knowledge: the access to the model that it needs, one of KNOWLEDGE.
        norms: names of the norms whose ball it keeps to; none where it has a budget of its own (see `budget`).
        untargeted_only: True for an attack that takes no target class.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str]
    knowledge: ClassVar[str]
    norms: ClassVar[tuple[str, ...]]
    untargeted_only: ClassVar[bool] = False

    @property
    @abstractmethod
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch, at most: the total that a progress bar counts up to."""

    @property
    def budget(self) -> str:
        """Return the budget in words for an attack that norm and ε do not bind, such as a patch; "" for all others."""
        return ""

    def notes(self, classes: int) -> tuple[str, ...]:  # noqa: ARG002 - for those that override it
        """Return remarks for the report of a run with so many `classes`, such as fewer targets than set; or none."""
        return ()

    @abstractmethod
    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch; the model's weights and their gradients are left alone.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: norm, budget and goal.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises (Cancelled) ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within `threat.eps` of `images` where the attack keeps to the
            threat's norm.

        Raises:
            BadRequest: the threat or the model does not fit the attack.
        """

    @overload
    def __call__(
        self,
        model: LogitsFn,
        x: Tensor,
        y: Tensor | Criterion,
        *,
        eps: float | None = None,
        norm: str | None = None,
        target: int | Tensor | None = None,
        seed: int = 0,
        keys: Sequence[str] | None = None,
        progress: Progress = no_progress,
    ) -> Tensor: ...

    @overload
    def __call__(
        self,
        model: LogitsFn,
        x: Tensor,
        y: Tensor | Criterion,
        *,
        eps: Sequence[float],
        norm: str | None = None,
        target: int | Tensor | None = None,
        seed: int = 0,
        keys: Sequence[str] | None = None,
        progress: Progress = no_progress,
    ) -> list[Tensor]: ...

    def __call__(
        self,
        model: LogitsFn,
        x: Tensor,
        y: Tensor | Criterion,
        *,
        eps: float | Sequence[float] | None = None,
        norm: str | None = None,
        target: int | Tensor | None = None,
        seed: int = 0,
        keys: Sequence[str] | None = None,
        progress: Progress = no_progress,
    ) -> Tensor | list[Tensor]:
        """Attack pictures; every wrong input is refused in a sentence, and model and inputs are left as they are.

        Args:
            model: any function or module in evaluation mode, pixels (n, 3, h, w) in [0, 1] → logits (n, k). One in training mode is
                refused, as attacking it would change its batch statistics. It gets one forward pass of the first picture more.
            x: clean pictures, (n, 3, h, w), float32 or float64 in [0, 1], on the model's device.
            y: labels (n,), class indices; or the goal as a `Criterion`.
            eps: the budget in pixel units; a list of budgets gives a list of results. Default: 4/255 under L∞, 1 under L2. Attacks with a
                budget of their own (see `budget`) ignore it.
            norm: "linf" or "l2". Default: L∞, or L2 for an attack that has no other.
            target: a class index, or one a picture (n,), to reach instead of any wrong class; `y` does not matter then.
            seed: with `keys` it decides all random draws.
            keys: one name a picture, so that a picture gets the same draws in any batch. Default: its place in `x`.
            progress: called `work` times at most for each budget; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], of the type and on the device of `x`; for a list of budgets a list of them. The
            clean picture stands where the attack found nothing better.

        Raises:
            BadRequest: a wrong shape, type or range, a setting out of range, or a threat model that does not fit the attack.

        Example:
            >>> import torch
            >>> from capt_engine.attacks.pgd import PGD
            >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 5)).eval()
            >>> x = torch.rand(2, 3, 8, 8)
            >>> y = model(x).argmax(dim=1)
            >>> adversarial = PGD(steps=10)(model, x, y, eps=8 / 255)
            >>> bool((adversarial - x).abs().max() <= 8 / 255 + 1e-6)
            True
            >>> small, large = PGD(steps=10)(model, x, y, eps=[0.5, 2.0], norm="l2")
            >>> small.shape
            torch.Size([2, 3, 8, 8])
        """
        build(type(self), tuple((one.name, getattr(self, one.name)) for one in describe(type(self))))
        check_images(x)
        chosen = NORMS[norm or (self.norms or NORMS.names())[0]]
        budgets = list(eps) if isinstance(eps, Sequence) else [chosen.default_eps if eps is None else eps]
        for budget in budgets:
            check_eps(budget, chosen.high_eps)
        names = picture_keys(keys, len(x))
        # Tensors made in inference mode carry no gradient, and an attack without one fails silently.
        with torch.inference_mode(False):
            images = x.detach().clone()
            found = [images] * len(budgets)
            if len(x):
                criterion = _criterion(y, target, images, count_classes(model, images))
                for i, budget in enumerate(budgets):
                    threat = Threat(chosen, budget, criterion.targeted)
                    check_fits(self, threat)
                    found[i] = self.run(model, images, criterion.labels, threat, PictureRngs.of(seed, names), progress)
        return found if isinstance(eps, Sequence) else found[0]


def _criterion(y: Tensor | Criterion, target: int | Tensor | None, images: Tensor, classes: int) -> Criterion:
    """The goal that labels and target mean; raises BadRequest where they contradict or do not fit the pictures."""
    if isinstance(target, int):
        target = torch.full_like(images[:, 0, 0, 0], target, dtype=torch.long)
    if isinstance(y, Criterion):
        if target is not None:
            raise BadRequest("A criterion and a target were given.", "Give one of them.")
        criterion = y
    else:
        criterion = Criterion(y) if target is None else Criterion(target, targeted=True)
    check_labels(criterion.labels, images, classes)
    return Criterion(criterion.labels.to(images.device, torch.long), criterion.targeted)


def check_fits(attack: Attack, threat: Threat) -> None:
    """Raise BadRequest if `attack` does not work under the norm of `threat`, or takes no target and `threat` has one."""
    if attack.norms and threat.norm.name not in attack.norms:
        known = " and ".join(NORMS[name].label for name in attack.norms)
        raise BadRequest(f"{attack.label} works under {known} only.", "Choose that norm, or another attack.")
    if threat.targeted and attack.untargeted_only:
        raise BadRequest(
            f"{attack.label} cannot aim at a given class.",
            "Let any wrong class do, or take APGD-DLR or APGD-margin.",
        )
