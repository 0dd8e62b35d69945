"""Keeping the worst case: the strongest picture that a search has met so far."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.attacks.base import Logits
from capt_engine.attacks.gradients import Criterion


class Worst:
    """The strongest picture met, the clean one to begin with: what comes of a search never helps the model.

    pictures: (n, 3, h, w); reached: (n,), as in `Aim`; clean: the model's logits of the clean pictures, (n, k).
    """

    def __init__(self, model: Logits, images: Tensor, criterion: Criterion) -> None:
        self._model, self._aim = model, criterion
        with torch.no_grad():
            self.clean = model(images)
        self.pictures, self.adversarial_margin = images.clone(), criterion.adversarial_margin(self.clean)

    def try_out(self, pictures: Tensor, which: Tensor) -> None:
        """Ask about `pictures` (m, 3, h, w), changed from those at places `which` (m,), and keep what is stronger."""
        with torch.no_grad():
            self.offer(pictures, self._aim.of(which).adversarial_margin(self._model(pictures)), which)

    def offer(self, pictures: Tensor, adversarial_margin: Tensor, which: Tensor) -> None:
        """Keep those that reached more than what was kept for their place."""
        better = adversarial_margin > self.adversarial_margin[which]
        self.pictures[which[better]], self.adversarial_margin[which[better]] = (
            pictures[better],
            adversarial_margin[better],
        )

    def left(self, stop_early: bool) -> Tensor:
        """Places that are searched on, (m,): all, or only those not fooled yet."""
        unfinished = (
            self.adversarial_margin <= 0 if stop_early else torch.ones_like(self.adversarial_margin, dtype=torch.bool)
        )
        return unfinished.nonzero().flatten()
