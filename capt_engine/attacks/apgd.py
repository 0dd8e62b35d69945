"""Auto-PGD (Croce & Hein 2020, arXiv 2003.01690): PGD with momentum that chooses its own step size; no setting to get wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat, check_fits
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import LossAndGradient, ProgressCounter, Score, project, value_and_grad
from capt_engine.attacks.losses import LOSSES, TARGETED_DLR_CLASSES, loss_notes, targeted_dlr, without_label
from capt_engine.attacks.settings import restarts_param, samples_param, stop_param
from capt_engine.attacks.worst import Worst
from capt_engine.progress import Progress
from capt_engine.registry import param

# Section 3 of the paper: α, ρ, and the first, shortest and shrinking parts of the schedule of checkpoints.
_MOMENTUM = 0.75
_RISING = 0.75
_FIRST, _SHRINK, _SHORTEST = 0.22, 0.03, 0.06


@dataclass(frozen=True)
class _State:
    """One ascent, picture by picture.

    Attributes:
        active: (m,), the indices of these pictures.
        delta, loss, gradient: the perturbations (m, 3, h, w), their losses (m,), and the gradients of those.
        best_delta, best_loss, best_gradient: the same where the loss was highest.
        previous: (m, 3, h, w), the perturbations a step ago.
        step_size: (m,), of the next step.
        rises: (m,), the steps since the checkpoint that raised the loss.
        halved: (m,), True where the checkpoint halved the step size.
        checkpoint_loss: (m,), the highest loss at the checkpoint.
    """

    active: Tensor
    delta: Tensor
    loss: Tensor
    gradient: Tensor
    best_delta: Tensor
    best_loss: Tensor
    best_gradient: Tensor
    previous: Tensor
    step_size: Tensor
    rises: Tensor
    halved: Tensor
    checkpoint_loss: Tensor

    def only(self, kept: Tensor) -> _State:
        """The state of the pictures where `kept` (m,) is true."""
        numbers = kept.nonzero().flatten()
        if len(numbers) == len(kept):
            return self
        return _State(**{name: value[numbers] for name, value in vars(self).items()})


def checkpoints(steps: int) -> list[int]:
    """Return the numbers of the steps after which APGD judges its step size, in increasing order, out of 1 to `steps`.

    Their distances shrink to a lower limit (section 3.2 of Croce & Hein 2020, as their code rounds).
    """
    length, shrink, shortest = (max(int(share * steps), 1) for share in (_FIRST, _SHRINK, _SHORTEST))
    found: list[int] = []
    while (found[-1] if found else 0) + length <= steps:
        found.append((found[-1] if found else 0) + length)
        length = max(length - shrink, shortest)
    return found


class Ascent:
    """Ascents on one batch: the model, the criterion, and the strongest pictures of all ascents so far.

    Args:
        model: pixels (n, 3, h, w) -> logits (n, k).
        images: the clean pixels, (n, 3, h, w) in [0, 1].
        criterion: the goal of the attack.
        threat: norm, budget and goal.
        samples: EOT samples of each gradient.
        stop: end the work on a picture once the criterion is met.

    Attributes:
        worst: the strongest picture so far.
    """

    def __init__(
        self, model: LogitsFn, images: Tensor, criterion: Criterion, threat: Threat, *, samples: int, stop: bool
    ) -> None:
        self.images, self.criterion, self.worst = images, criterion, Worst(model, images, criterion)
        self._model, self._threat, self._samples, self._stop = model, threat, samples, stop

    def ascend(
        self, start: Tensor, score: Callable[[Tensor], Score], steps: int, counter: ProgressCounter, note: str
    ) -> None:
        """Climb a loss from one start for every unfinished picture, and keep the strongest pictures in `worst`.

        Args:
            start: perturbations (n, 3, h, w) to begin at; they are projected onto the ball first.
            score: takes the indices (m,) of pictures and returns their loss: logits (m, k) → (m,), larger is better for
                the attacker.
            steps: the number of steps; the climb ends earlier once every picture is finished.
            counter: called once at the start and once a step.
            note: text that stands before each message of `counter`, such as "target 1 of 3, ".
        """
        active = self.worst.active(self._stop)
        if not len(active):
            return
        counter(f"{note}start")
        state = self._begin(active, start[active], score(active))
        judged, last = checkpoints(steps), 0
        for step in range(1, steps + 1):
            if self._stop:
                state = state.only(self.worst.unfinished(self._stop)[state.active])
                if not len(state.active):
                    return
            counter(f"{note}step {step} of {steps}")
            state = self._step(state, score(state.active), first=step == 1)
            if step in judged:
                state, last = self._judge(state, step - last), step

    def _begin(self, active: Tensor, start: Tensor, score: Score) -> _State:
        at = project(self.images[active], start, self._threat.norm, self._threat.eps)
        seen = self._evaluate(active, at, score)
        zeros = torch.zeros(len(active), device=at.device)
        # The first step may cross the whole ball.
        step = zeros + 2 * self._threat.eps
        now = (at, seen.loss, seen.gradient)
        return _State(active, *now, *now, at, step, zeros, zeros.bool(), seen.loss)

    def _evaluate(self, active: Tensor, at: Tensor, score: Score) -> LossAndGradient:
        attacked = (self.images[active] + at).clamp(0, 1)
        wanted = self.criterion.of(active)
        seen = value_and_grad(self._model, attacked, wanted, score, samples=self._samples, stop=self._stop)
        self.worst.offer(attacked, seen.adversarial_margin, active)
        return seen

    def _step(self, state: _State, score: Score, *, first: bool) -> _State:
        """Equation 3: a projected gradient step, then momentum along the step before, projected again."""
        images, norm, eps = self.images[state.active], self._threat.norm, self._threat.eps
        ahead = project(images, state.delta + _wide(state.step_size) * norm.normalize(state.gradient), norm, eps)
        if not first:
            onwards = state.delta + _MOMENTUM * (ahead - state.delta) + (1 - _MOMENTUM) * (state.delta - state.previous)
            ahead = project(images, onwards, norm, eps)
        seen = self._evaluate(state.active, ahead, score)
        higher = seen.loss > state.best_loss
        return replace(
            state,
            delta=ahead,
            loss=seen.loss,
            gradient=seen.gradient,
            best_delta=torch.where(_wide(higher), ahead, state.best_delta),
            best_loss=torch.where(higher, seen.loss, state.best_loss),
            best_gradient=torch.where(_wide(higher), seen.gradient, state.best_gradient),
            previous=state.delta,
            rises=state.rises + (seen.loss > state.loss),
        )

    def _judge(self, state: _State, interval: int) -> _State:
        """Conditions 1 and 2: where too few steps raised the loss, or its maximum did not move, halve the step size and go back to it."""
        stuck = (~state.halved) & (state.best_loss <= state.checkpoint_loss)
        halved = (state.rises < _RISING * interval) | stuck
        return replace(
            state,
            delta=torch.where(_wide(halved), state.best_delta, state.delta),
            loss=torch.where(halved, state.best_loss, state.loss),
            gradient=torch.where(_wide(halved), state.best_gradient, state.gradient),
            previous=torch.where(_wide(halved), state.best_delta, state.previous),
            step_size=torch.where(halved, state.step_size / 2, state.step_size),
            rises=torch.zeros_like(state.rises),
            halved=halved,
            checkpoint_loss=state.best_loss,
        )


def _wide(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


@dataclass(frozen=True)
class APGD(Attack):
    """The shared part of the three attacks below, which differ in their loss.

    Cost: restarts × (steps + 1) × samples forward and backward passes, and one forward pass of the clean pictures.
    """

    knowledge = "gradients"
    norms = ("linf", "l2")
    loss: ClassVar[str]

    steps: int = param(
        100, "Steps", low=1, high=10_000, help="100 is what published figures use; it needs no step size."
    )
    restarts: int = restarts_param()
    stop_early: bool = stop_param()
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch at most: restarts × (steps + 1)."""
        return self.restarts * (self.steps + 1)

    def notes(self, classes: int) -> tuple[str, ...]:
        """Return a sentence for the report if the loss needs more `classes`, so the margin is used; else nothing."""
        return loss_notes(self.loss, classes)

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch with Auto-PGD on this class's loss, from a random start at each restart.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: norm, budget and goal.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within the budget; the clean picture where nothing better was
            found.
        """
        criterion, counter = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work)
        ascent = Ascent(model, images, criterion, threat, samples=self.samples, stop=self.stop_early)

        def score(active: Tensor) -> Score:
            return lambda logits: criterion.sign * LOSSES[self.loss](logits, labels[active])

        for _ in range(self.restarts):
            # Drawn for every picture, finished or not, so that what a picture gets does not depend on the others.
            ascent.ascend(threat.norm.random(rngs, images, threat.eps), score, self.steps, counter, "")
        return ascent.worst.pictures


@dataclass(frozen=True)
class APGDCE(APGD):
    """APGD on the cross-entropy, first of the four attacks of AutoAttack."""

    name = "apgd-ce"
    label = "APGD-CE"
    summary = "PGD that chooses its own step size, on the cross-entropy: strong without any tuning."
    loss = "cross-entropy"


@dataclass(frozen=True)
class APGDMargin(APGD):
    """APGD on the margin between the label and the best other class, for any number of classes from two on."""

    name = "apgd-margin"
    label = "APGD-margin"
    summary = "PGD that chooses its own step size, on the margin of the right class over the best other one."
    loss = "margin"


@dataclass(frozen=True)
class APGDDLR(APGD):
    """APGD on the difference-of-logits ratio, which no scaling of the logits can hide from; on the margin below three classes."""

    name = "apgd-dlr"
    label = "APGD-DLR"
    summary = "PGD that chooses its own step size, on a loss that a model's over-confidence cannot flatten."
    loss = "dlr"


@dataclass(frozen=True)
class APGDT(Attack):
    """APGD on the targeted DLR loss, towards each of the likeliest wrong classes in turn: the strongest single attack of AutoAttack.

    Below four classes the difference of the two logits takes its place. With k classes there are k − 1 targets at most.
    Cost: targets × restarts × (steps + 1) × samples forward and backward passes, and one forward pass of the clean pictures; far less
    where it stops at success.
    """

    name = "apgd-t"
    label = "APGD-T"
    summary = "APGD towards each of the likeliest wrong classes in turn: the strongest of these, and the slowest."
    knowledge = "gradients"
    norms = ("linf", "l2")
    untargeted_only = True

    steps: int = param(100, "Steps", low=1, high=10_000, help="For each target; 100 is what published figures use.")
    restarts: int = restarts_param()
    targets: int = param(
        9, "Targets", low=1, high=999, help="How many of the likeliest wrong classes are tried; 9 in published figures."
    )
    stop_early: bool = stop_param(default=True)
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch at most: targets × restarts × (steps + 1)."""
        return self.targets * self.restarts * (self.steps + 1)

    def notes(self, classes: int) -> tuple[str, ...]:
        """Return sentences for the report if `classes` are too few for the loss (under 4) or the targets; else nothing."""
        said = []
        if classes < TARGETED_DLR_CLASSES:
            said.append(
                f"The targeted DLR loss needs {TARGETED_DLR_CLASSES} classes; with {classes} the margin to each target takes its place."
            )
        if classes - 1 < self.targets:
            said.append(
                f"With {classes} classes there {'is 1 target' if classes == 2 else f'are {classes - 1} targets'}."
            )
        return tuple(said)

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch with Auto-PGD towards each of the likeliest wrong classes in turn.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from.
            threat: norm and budget; not targeted.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within the budget; the clean picture where nothing better was
            found.

        Raises:
            BadRequest: the threat is targeted, as this attack chooses its targets itself, or its norm is another than
                L∞ and L2.
        """
        check_fits(self, threat)
        counter = ProgressCounter(progress, self.work)
        ascent = Ascent(model, images, Criterion(labels, False), threat, samples=self.samples, stop=self.stop_early)
        others = without_label(ascent.worst.clean_logits, labels).argsort(dim=1, descending=True, stable=True)
        count = min(self.targets, ascent.worst.clean_logits.shape[1] - 1)
        for rank in range(count):

            def score(active: Tensor, target: Tensor = others[:, rank]) -> Score:
                return lambda logits: targeted_dlr(logits, labels[active], target[active])

            for _ in range(self.restarts):
                start = threat.norm.random(rngs, images, threat.eps)
                ascent.ascend(start, score, self.steps, counter, f"target {rank + 1} of {count}, ")
        return ascent.worst.pictures
