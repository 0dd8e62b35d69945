"""Auto-PGD (Croce & Hein 2020, arXiv 2003.01690): PGD with momentum that chooses its own step size; no setting to get wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from capt_engine.attacks.base import Logits, PictureRngs, Threat, check_fits
from capt_engine.attacks.gradients import (
    Criterion,
    LossAndGradient,
    ProgressCounter,
    Score,
    project,
    samples_param,
    stop_param,
    value_and_grad,
)
from capt_engine.attacks.losses import LOSSES, TARGETED_DLR_CLASSES, loss_notes, targeted_dlr
from capt_engine.progress import Progress
from capt_engine.registry import param

# Section 3 of the paper: α, ρ, and the first, shortest and shrinking parts of the schedule of checkpoints.
_MOMENTUM = 0.75
_RISING = 0.75
_FIRST, _SHRINK, _SHORTEST = 0.22, 0.03, 0.06


@dataclass(frozen=True)
class _State:
    """One ascent, picture by picture. at: deltas now; before: a step ago; top: at the highest loss, where `summit` was seen.

    step (m,): length of the next; rises (m,): steps that climbed since the checkpoint; halved (m,): was it shortened there; held (m,):
    the highest loss there. who (m,): which of the pictures these are.
    """

    who: Tensor
    at: Tensor
    before: Tensor
    seen: LossAndGradient
    top: Tensor
    summit: LossAndGradient
    step: Tensor
    rises: Tensor
    halved: Tensor
    held: Tensor

    def only(self, kept: Tensor) -> _State:
        """Without the pictures that are done with."""
        if bool(kept.all()):
            return self
        return _State(**{name: _picked(value, kept) for name, value in vars(self).items()})


def _picked(value: Any, kept: Tensor) -> Any:
    return (
        LossAndGradient(*(part[kept] for part in vars(value).values()))
        if isinstance(value, LossAndGradient)
        else value[kept]
    )


def checkpoints(steps: int) -> list[int]:
    """The steps after which progress is judged, increasing: ever more often (section 3.2 of the paper, as its code rounds)."""
    length, shrink, shortest = (max(int(share * steps), 1) for share in (_FIRST, _SHRINK, _SHORTEST))
    found: list[int] = []
    while (found[-1] if found else 0) + length <= steps:
        found.append((found[-1] if found else 0) + length)
        length = max(length - shrink, shortest)
    return found


class Ascent:
    """What all ascents on one batch share: whom they ask, what they want, and the strongest point that any of them met.

    best (n, 3, h, w), best_reached (n,): the clean pictures at first, so no picture ends better off than it began.
    """

    def __init__(
        self, model: Logits, images: Tensor, criterion: Criterion, threat: Threat, *, samples: int, stop: bool
    ) -> None:
        self.images, self.criterion = images, criterion
        self._model, self._threat, self._samples, self._stop = model, threat, samples, stop
        with torch.no_grad():
            self.clean = model(images)
        self.best, self.best_reached = images.clone(), criterion.adversarial_margin(self.clean)

    def open(self) -> Tensor:
        """Which pictures are worth another step, (n,)."""
        return self.best_reached <= 0 if self._stop else torch.ones_like(self.best_reached, dtype=torch.bool)

    def climb(
        self, start: Tensor, score: Callable[[Tensor], Score], steps: int, counter: ProgressCounter, note: str
    ) -> None:
        """One ascent of `score`, a function made for the pictures whose indices it is given, from `start` (n, 3, h, w) in the ball."""
        who = self.open().nonzero().flatten()
        if not len(who):
            return
        counter(f"{note}start")
        state = self._begin(who, start[who], score(who))
        judged, last = checkpoints(steps), 0
        for step in range(1, steps + 1):
            state = state.only(self.open()[state.who])
            if not len(state.who):
                return
            counter(f"{note}step {step} of {steps}")
            state = self._step(state, score(state.who), first=step == 1)
            if step in judged:
                state, last = self._judge(state, step - last), step

    def _begin(self, who: Tensor, start: Tensor, score: Score) -> _State:
        at = project(self.images[who], start, self._threat.norm, self._threat.eps)
        seen = self._look(who, at, score)
        zeros = torch.zeros(len(who), device=at.device)
        # The first step may cross the whole ball.
        step = zeros + 2 * self._threat.eps
        return _State(who, at, at, seen, at, seen, step, zeros, zeros.bool(), seen.loss)

    def _look(self, who: Tensor, at: Tensor, score: Score) -> LossAndGradient:
        attacked = (self.images[who] + at).clamp(0, 1)
        seen = value_and_grad(self._model, attacked, self.criterion.of(who), score, samples=self._samples)
        better = seen.adversarial_margin > self.best_reached[who]
        self.best[who[better]], self.best_reached[who[better]] = attacked[better], seen.adversarial_margin[better]
        return seen

    def _step(self, state: _State, score: Score, *, first: bool) -> _State:
        """Equation 3: a step up the slope, then part of the way there and on along the step before."""
        images, norm, eps = self.images[state.who], self._threat.norm, self._threat.eps
        ahead = project(images, state.at + _wide(state.step) * norm.steepest(state.seen.gradient), norm, eps)
        if not first:
            onwards = state.at + _MOMENTUM * (ahead - state.at) + (1 - _MOMENTUM) * (state.at - state.before)
            ahead = project(images, onwards, norm, eps)
        seen = self._look(state.who, ahead, score)
        higher = seen.loss > state.summit.loss
        return replace(
            state,
            at=ahead,
            before=state.at,
            seen=seen,
            top=torch.where(_wide(higher), ahead, state.top),
            summit=_chosen(higher, seen, state.summit),
            rises=state.rises + (seen.loss > state.seen.loss),
        )

    def _judge(self, state: _State, interval: int) -> _State:
        """Conditions 1 and 2: where it hardly climbs, or found nothing higher at a step size not halved last time, halve and go back up."""
        stuck = (~state.halved) & (state.summit.loss <= state.held)
        halved = (state.rises < _RISING * interval) | stuck
        return replace(
            state,
            at=torch.where(_wide(halved), state.top, state.at),
            before=torch.where(_wide(halved), state.top, state.before),
            seen=_chosen(halved, state.summit, state.seen),
            step=torch.where(halved, state.step / 2, state.step),
            rises=torch.zeros_like(state.rises),
            halved=halved,
            held=state.summit.loss,
        )


def _wide(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def _chosen(which: Tensor, one: LossAndGradient, other: LossAndGradient) -> LossAndGradient:
    return LossAndGradient(
        torch.where(which, one.loss, other.loss),
        torch.where(which, one.adversarial_margin, other.adversarial_margin),
        torch.where(_wide(which), one.gradient, other.gradient),
    )


@dataclass(frozen=True)
class APGD:
    """What the three attacks below share; they differ in what they climb.

    Cost: restarts × (steps + 1) × samples forward and backward passes, and one forward pass of the clean pictures.
    """

    knowledge: ClassVar[str] = "gradients"
    norms: ClassVar[tuple[str, ...]] = ("linf", "l2")
    loss: ClassVar[str]

    steps: int = param(
        100, "Steps", low=1, high=10_000, help="100 is what published figures use; it needs no step size."
    )
    restarts: int = param(
        1, "Restarts", low=1, high=1_000, help="Start again from another random point and keep the best."
    )
    stop_early: bool = stop_param()
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """Ticks of one batch, or fewer where every picture has been stopped at."""
        return self.restarts * (self.steps + 1)

    def notes(self, classes: int) -> tuple[str, ...]:
        """What has to be said about a run with this many classes."""
        return loss_notes(self.loss, classes)

    def run(
        self, model: Logits, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """See `Attack.run`."""
        criterion, counter = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work)
        ascent = Ascent(model, images, criterion, threat, samples=self.samples, stop=self.stop_early)

        def score(who: Tensor) -> Score:
            return lambda logits: criterion.sign * LOSSES[self.loss](logits, labels[who])

        for _ in range(self.restarts):
            # Drawn for every picture, finished or not, so that what a picture gets does not depend on the others.
            ascent.climb(threat.norm.random(rngs, images, threat.eps), score, self.steps, counter, "")
        return ascent.best


@dataclass(frozen=True)
class APGDCE(APGD):
    """APGD on the cross-entropy, first of the four attacks of AutoAttack."""

    name: ClassVar[str] = "apgd-ce"
    label: ClassVar[str] = "APGD-CE"
    summary: ClassVar[str] = "PGD that chooses its own step size, on the cross-entropy: strong without any tuning."
    loss: ClassVar[str] = "cross-entropy"


@dataclass(frozen=True)
class APGDMargin(APGD):
    """APGD on the margin between the label and the best other class, for any number of classes from two on."""

    name: ClassVar[str] = "apgd-margin"
    label: ClassVar[str] = "APGD-margin"
    summary: ClassVar[str] = (
        "PGD that chooses its own step size, on the lead of the right class over the best other one."
    )
    loss: ClassVar[str] = "margin"


@dataclass(frozen=True)
class APGDDLR(APGD):
    """APGD on the difference-of-logits ratio, which no scaling of the logits can hide from; on the margin below three classes."""

    name: ClassVar[str] = "apgd-dlr"
    label: ClassVar[str] = "APGD-DLR"
    summary: ClassVar[str] = (
        "PGD that chooses its own step size, on a loss that a model's over-confidence cannot flatten."
    )
    loss: ClassVar[str] = "dlr"


@dataclass(frozen=True)
class APGDT:
    """APGD on the targeted DLR loss, towards each of the likeliest wrong classes in turn: the strongest single attack of AutoAttack.

    Below four classes the difference of the two logits is climbed instead. With k classes there are k − 1 targets at most.
    Cost: targets × restarts × (steps + 1) × samples forward and backward passes, and one forward pass of the clean pictures; far less
    where it stops at success.
    """

    name: ClassVar[str] = "apgd-t"
    label: ClassVar[str] = "APGD-T"
    summary: ClassVar[str] = (
        "APGD towards each of the likeliest wrong classes in turn: the strongest of these, and the slowest."
    )
    knowledge: ClassVar[str] = "gradients"
    norms: ClassVar[tuple[str, ...]] = ("linf", "l2")
    untargeted_only: ClassVar[bool] = True

    steps: int = param(100, "Steps", low=1, high=10_000, help="For each target; 100 is what published figures use.")
    restarts: int = param(
        1, "Restarts", low=1, high=1_000, help="Start again from another random point and keep the best."
    )
    targets: int = param(
        9, "Targets", low=1, high=999, help="How many of the likeliest wrong classes are tried; 9 in published figures."
    )
    stop_early: bool = stop_param(default=True)
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """Ticks of one batch, or fewer where there are fewer classes or every picture has been stopped at."""
        return self.targets * self.restarts * (self.steps + 1)

    def notes(self, classes: int) -> tuple[str, ...]:
        """What has to be said about a run with this many classes."""
        said = []
        if classes < TARGETED_DLR_CLASSES:
            said.append(
                f"The targeted DLR loss needs {TARGETED_DLR_CLASSES} classes; with {classes} the margin to each target was climbed instead."
            )
        if classes - 1 < self.targets:
            said.append(
                f"With {classes} classes there {'is 1 target' if classes == 2 else f'are {classes - 1} targets'}."
            )
        return tuple(said)

    def run(
        self, model: Logits, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """See `Attack.run`; raises BadRequest for a targeted threat, as it chooses its targets itself."""
        check_fits(self, threat)
        counter = ProgressCounter(progress, self.work)
        ascent = Ascent(model, images, Criterion(labels, False), threat, samples=self.samples, stop=self.stop_early)
        others = ascent.clean.scatter(1, labels[:, None], -torch.inf).argsort(dim=1, descending=True, stable=True)
        count = min(self.targets, ascent.clean.shape[1] - 1)
        for rank in range(count):

            def score(who: Tensor, target: Tensor = others[:, rank]) -> Score:
                return lambda logits: targeted_dlr(logits, labels[who], target[who])

            for _ in range(self.restarts):
                start = threat.norm.random(rngs, images, threat.eps)
                ascent.climb(start, score, self.steps, counter, f"target {rank + 1} of {count}, ")
        return ascent.best
