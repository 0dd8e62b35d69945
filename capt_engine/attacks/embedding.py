"""The attack on the image embedding that AdvPT trains and tests with (Zhang et al. 2024, arXiv 2311.11261): no text, no label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat, check_fits
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter, project
from capt_engine.attacks.settings import restarts_param
from capt_engine.errors import BadRequest
from capt_engine.progress import Progress
from capt_engine.registry import param

# AdvPT's steps add up to one and a quarter of the budget.
_TOTAL = 1.25


@runtime_checkable
class Answer(Protocol):
    """The answer of a model that shows its embeddings."""

    @property
    def logits(self) -> Tensor:
        """Return the logits, (n, k)."""

    @property
    def features(self) -> Tensor:
        """Return the image embeddings, (n, d)."""


@runtime_checkable
class Embedding(Protocol):
    """A model that shows its image embeddings."""

    def forward(self, images: Tensor) -> Answer:
        """Classify pictures and show their embeddings.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].

        Returns:
            Logits (n, k) and image embeddings (n, d), as an `Answer`.
        """


@dataclass(frozen=True)
class EmbeddingAttack(Attack):
    """PGD on KL(softmax f(x) ‖ softmax f(x + δ)), f the unit image embedding: it pushes the picture away from itself, not from a class.

    It knows neither the prompts nor the label, so accuracy under it is no worst case and no match for accuracy under APGD; it is here
    because published figures were made with it. The point of largest divergence is returned, or the clean picture where that point
    would raise the margin of the label.
    Cost: restarts × (steps + 1) forward and restarts × steps backward passes, and one forward pass of the clean pictures.
    """

    name = "embedding"
    label = "Embedding attack (AdvPT)"
    summary = (
        "Pushes the picture's embedding away from where it was, blind to prompts and classes: weaker than it looks."
    )
    knowledge = "gradients"
    norms = ("linf", "l2")
    untargeted_only = True

    steps: int = param(
        40, "Steps", low=1, high=10_000, help="40 is what AdvPT tests with; a step goes 1.25 ε / steps far."
    )
    restarts: int = restarts_param("Start again from another random point and keep the furthest.")

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch: restarts × (steps + 1)."""
        return self.restarts * (self.steps + 1)

    def notes(self, classes: int) -> tuple[str, ...]:  # noqa: ARG002 - the same for any number
        """Return a sentence for the report, the same for any `classes`: accuracy under this attack is no worst case."""
        return ("This attack knows neither prompts nor labels; accuracy under it is no worst case.",)

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch by pushing each picture's embedding away from where it was.

        Args:
            model: a model with embeddings, see `Embedding`.
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,); they only decide if the clean picture is returned.
            threat: norm and budget; not targeted.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within the budget: those of largest divergence; the clean
            picture where that one would not lower the label's margin.

        Raises:
            BadRequest: the threat is targeted, or the model shows no image embeddings.
        """
        check_fits(self, threat)
        embedder: object = model
        with torch.no_grad():
            clean = embedder.forward(images) if isinstance(embedder, Embedding) else None
        # Every nn.Module has a `forward`, and most give logits alone.
        if not isinstance(embedder, Embedding) or not isinstance(clean, Answer) or clean.features.isnan().any():
            raise BadRequest(
                "This model shows no image embeddings, which the embedding attack needs.",
                "Choose an attack on its answers.",
            )
        criterion, counter = Criterion(labels, False), ProgressCounter(progress, self.work)
        reference = clean.features.softmax(dim=1)
        best, furthest = images.clone(), torch.zeros_like(clean.logits[:, 0])
        adversarial_margin = criterion.adversarial_margin(clean.logits)
        for _ in range(self.restarts):
            # At the picture itself the divergence and its gradient are 0: only a random start gets anywhere.
            delta = project(images, threat.norm.random(rngs, images, threat.eps), threat.norm, threat.eps)
            for step in range(self.steps + 1):
                counter(f"step {step} of {self.steps}")
                attacked = (images + delta).clamp(0, 1).requires_grad_(step < self.steps)
                with torch.set_grad_enabled(step < self.steps):
                    answer = embedder.forward(attacked)
                    divergence = F.kl_div(answer.features.log_softmax(dim=1), reference, reduction="none").sum(dim=1)
                    total = divergence.sum()
                further = divergence.detach() > furthest
                best = torch.where(further.view(-1, 1, 1, 1), attacked.detach(), best)
                furthest = torch.where(further, divergence.detach(), furthest)
                adversarial_margin = torch.where(
                    further, criterion.adversarial_margin(answer.logits.detach()), adversarial_margin
                )
                if step < self.steps and total.requires_grad:
                    (gradient,) = torch.autograd.grad(total, attacked)
                    ahead = delta + _TOTAL * threat.eps / self.steps * threat.norm.normalize(gradient)
                    delta = project(images, ahead, threat.norm, threat.eps)
        helps = (adversarial_margin > criterion.adversarial_margin(clean.logits)).view(-1, 1, 1, 1)
        return torch.where(helps, best, images)
