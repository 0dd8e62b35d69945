"""Random noise as large as an attack's budget: the control that any attack has to beat (Carlini et al. 2019, arXiv 1902.06705)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.progress import Progress
from capt_engine.registry import param

# Each fills [−1, 1] in its own way; two standard deviations of the normal one lie inside.
_KINDS: dict[str, Callable[[PictureRngs, Tensor], Tensor]] = {
    "corners": lambda rngs, like: torch.where(rngs.uniform(like) < 0.5, -1.0, 1.0),
    "uniform": lambda rngs, like: rngs.uniform(like) * 2 - 1,
    "gaussian": lambda rngs, like: rngs.normal(like) / 2,
}


@dataclass(frozen=True)
class Noise(Attack):
    """Noise on the edge of the ball; it does not ask the model, so one draw may even help it.

    Cost: no forward pass for one draw, else one a draw.
    """

    name = "noise"
    label = "Random noise"
    summary = "Noise as strong as the budget, drawn without looking at the model: a control, not an attack."
    knowledge = "nothing"
    norms = ("linf", "l2")

    kind: str = param(
        "corners",
        "Kind",
        choices=tuple(_KINDS),
        help="Corners moves every value by the whole of ε up or down under L∞; under L2 every kind is as long as ε.",
    )
    draws: int = param(
        1,
        "Draws",
        low=1,
        high=10_000,
        help="With more than one, the draw that hurts most is kept, which takes looking.",
    )

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch: once a draw."""
        return self.draws

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Add random noise of the budget's size to one batch; of several draws, keep each picture's most harmful one.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k); asked only with more than one draw.
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: norm, budget and goal.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Noisy pictures (n, 3, h, w) in [0, 1], within the budget, also where the noise helps the model.
        """
        worst = torch.full_like(images[:, 0, 0, 0], -torch.inf)
        kept = images.clone()
        for draw in range(self.draws):
            progress(draw, self.work, f"draw {draw + 1} of {self.draws}")
            noise = _KINDS[self.kind](rngs, images)
            # Under L2 normalising takes it to the edge whatever its distribution; the projection takes off what rounding added.
            noise = noise if threat.norm is LINF else threat.norm.normalize(noise)
            noisy = (images + threat.norm.project(noise * threat.eps, threat.eps)).clamp(0, 1)
            if self.draws == 1:
                return noisy
            with torch.no_grad():
                margins = Criterion(labels, threat.targeted).adversarial_margin(model(noisy))
            better = margins > worst
            kept[better], worst[better] = noisy[better], margins[better]
        return kept
