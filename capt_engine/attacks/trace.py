"""An attack watched step by step: what each step's loss, margin and picture were. Watching changes no bit of what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from capt_engine.attacks.gradients import LossAndGradient, Score, watched_gradients
from capt_engine.progress import Progress


@dataclass(frozen=True)
class TraceStep:
    """One step of an attack on a batch: the pictures that it asked the model about.

    Attributes:
        name: in the attack's own words, such as "step 3 of 20".
        pictures: (m, 3, h, w) in [0, 1], those that were still attacked.
        logits: (m, k), the model's answers; of several EOT samples the last one's.
        loss: (m,), larger = better for the attacker.
        adversarial_margin: (m,), positive where the attacker's goal is reached.
        score: the loss as a function of logits (m, k).
    """

    name: str
    pictures: Tensor
    logits: Tensor
    loss: Tensor
    adversarial_margin: Tensor
    score: Score


def traced(run: Callable[[Progress], Tensor], progress: Progress, on_step: Callable[[TraceStep], None]) -> Tensor:
    """Run an attack that follows gradients, and tell each of its steps.

    Args:
        run: runs the attack with the progress that it is given, and returns adversarial pictures (n, 3, h, w).
        progress: called as the attack calls it; an exception that it raises ends the attack.
        on_step: called behind each question that the attack asked with `value_and_grad`; of PGD, APGD and FGSM these are
            all but the first look at the clean picture.

    Returns:
        What `run` returned: the same bits as without being watched.
    """
    name = ""

    def named(done: int = 0, total: int = 0, note: str = "") -> None:
        nonlocal name
        # other jobs may run in there, whose gradients are not this attack's
        with watched_gradients(None):
            progress(done, total, note)
        name = note

    def seen(at: Tensor, logits: Tensor, found: LossAndGradient, score: Score) -> None:
        on_step(
            TraceStep(
                name, at.detach().clone(), logits.clone(), found.loss.clone(), found.adversarial_margin.clone(), score
            )
        )

    with watched_gradients(seen):
        return run(named)
