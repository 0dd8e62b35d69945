"""The attack of an analysis, run again on one picture and reported step by step; it finds what the analysis found."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.trace import TraceStep, traced
from capt_engine.errors import BadRequest
from capt_engine.evaluation.picture_sets import picture_sets
from capt_engine.evaluation.plan import Plan, PlannedAttack
from capt_engine.progress import Progress
from capt_engine.records import PictureSet, ReplayResult, ReplayStep
from capt_engine.wrappers.quantized import run_attack
from capt_engine.wrappers.remembered import remembered
from capt_engine.wrappers.resizing import pixels_for

_MOST_BYTES = 96_000_000
"""Of all pictures of a replay together; of a longer one every second, third … picture is kept."""


def replay(plan: Plan, path: str, side: str, emit: Callable[[ReplayStep], None], progress: Progress) -> ReplayResult:
    """Run the attack of an analysis again on one picture, as it was run there, and tell each step.

    plan: the plan of the analysis. path: the picture's file. side: "a" or "b", the prompts whose attack is meant. emit:
    called with each step, the clean picture first. progress: called at each step; what it raises (Cancelled) ends the
    replay. Returns the number of steps, and which of them the attack kept. Raises BadRequest where there is no attack, or
    one that follows no gradient step by step; BadImage.
    """
    if not plan.planned_attacks:
        raise BadRequest("There was no attack that could be shown again.", "Choose an attack and press Run.")
    planned = plan.planned_attacks[0]
    if planned.attack.knowledge != "gradients":
        raise _stepless(planned)
    judge = plan.variants[-1 if side == "b" else 0]
    source = next(source for one, source in plan.pairs if one is judge)
    model = remembered(source.classifier)
    photo, seen = pixels_for(plan.classifier, path)
    images = seen[None].to(plan.classifier.device)
    with torch.no_grad():
        clean = model(images)
    targeted = planned.threat.targeted
    labels = torch.tensor([plan.target], device=clean.device) if targeted else clean.argmax(dim=1)
    trace = _Trace(planned, images, clean, Criterion(labels, targeted), source.classifier.classes, emit)
    rngs = PictureRngs.of(plan.seed, [photo.sha256])
    traced(
        lambda step: run_attack(planned.attack, model, images, labels, planned.threat, rngs, step),
        progress,
        trace.on_step,
    )
    if not trace.n:
        raise _stepless(planned)
    return ReplayResult(trace.n, trace.kept)


def _stepless(planned: PlannedAttack) -> BadRequest:
    return BadRequest(
        f"{planned.attack.label} follows no gradient step by step, so there is nothing to show again.",
        "FGSM, PGD and the APGD attacks can be shown step by step.",
    )


@dataclass
class _Trace:
    """The steps that were reported so far, n of them, and the one (`kept`) whose margin was best for the attacker."""

    planned: PlannedAttack
    images: Tensor
    clean: Tensor
    criterion: Criterion
    classes: tuple[str, ...]
    emit: Callable[[ReplayStep], None]
    n: int = 0
    kept: int = 0
    best: float = -math.inf
    seen: PictureSet | None = None

    def on_step(self, step: TraceStep) -> None:
        if not self.n and not torch.equal(step.pictures, self.images):
            margin = self.criterion.adversarial_margin(self.clean)
            self._tell(TraceStep("", self.images, self.clean, step.score(self.clean), margin, step.score))
        self._tell(step)

    def _tell(self, step: TraceStep) -> None:
        probabilities = step.logits[0].cpu().double().softmax(dim=0)
        winner = int(probabilities.argmax())
        margin = float(step.adversarial_margin[0])
        if margin > self.best:
            self.best, self.kept = margin, self.n
        self.emit(
            ReplayStep(
                step.name or "clean",
                float(step.loss[0]),
                -margin,
                self.classes[winner],
                float(probabilities[winner]),
                self._pictures(step.pictures) if self.n % self._every == 0 else None,
            )
        )
        self.n += 1

    @property
    def _every(self) -> int:
        return max(1, math.ceil(self.planned.attack.work * 2 * self.images.numel() / _MOST_BYTES))

    def _pictures(self, pictures: Tensor) -> PictureSet:
        (made,) = picture_sets(self.images, pictures, self.planned)
        # the clean picture is one object, however many steps there are
        self.seen = self.seen or made
        return replace(made, seen=self.seen.seen)
