"""The worst case of a search: the strongest picture so far."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.attacks.base import LogitsFn
from capt_engine.attacks.criterion import Criterion


class Worst:
    """The strongest picture so far, the clean one to begin with, so that no search ever helps the model.

    Args:
        model: pixels (n, 3, h, w) -> logits (n, k).
        images: the clean pixels, (n, 3, h, w) in [0, 1].
        criterion: the goal of the attack.

    Attributes:
        clean_logits: (n, k), of the clean pictures.
        pictures: (n, 3, h, w) in [0, 1].
        adversarial_margin: (n,), of `pictures`, see `Criterion`.
    """

    def __init__(self, model: LogitsFn, images: Tensor, criterion: Criterion) -> None:
        self._model, self._criterion = model, criterion
        with torch.no_grad():
            self.clean_logits = model(images)
        self.pictures, self.adversarial_margin = images.clone(), criterion.adversarial_margin(self.clean_logits)

    def try_out(self, pictures: Tensor, which: Tensor) -> None:
        """Classify changed pictures, and keep those that are stronger than the strongest so far.

        Args:
            pictures: pixels (m, 3, h, w) in [0, 1].
            which: (m,), the indices of the clean pictures that they were made from.
        """
        with torch.no_grad():
            self.offer(pictures, self._criterion.of(which).adversarial_margin(self._model(pictures)), which)

    def offer(self, pictures: Tensor, adversarial_margin: Tensor, which: Tensor) -> None:
        """Keep the pictures whose adversarial margin is above that of the strongest so far.

        Args:
            pictures: pixels (m, 3, h, w) in [0, 1].
            adversarial_margin: (m,), their margins, see `Criterion`.
            which: (m,), the indices of the clean pictures that they were made from, each once.
        """
        before = self.adversarial_margin[which]
        better = adversarial_margin > before
        # Chosen by where, not by an index of the better ones: how many these are is nothing that a GPU must be waited for.
        self.pictures[which] = torch.where(better.view(-1, 1, 1, 1), pictures, self.pictures[which])
        self.adversarial_margin[which] = torch.where(better, adversarial_margin, before)

    def unfinished(self, stop_early: bool) -> Tensor:
        """Return a mask (n,) of the pictures to search on: all, or with `stop_early` those that are not fooled yet."""
        margins = self.adversarial_margin
        return margins <= 0 if stop_early else torch.ones_like(margins, dtype=torch.bool)

    def active(self, stop_early: bool) -> Tensor:
        """Return the indices (m,) of the pictures to search on: all, or with `stop_early` those not fooled yet."""
        if not stop_early:
            return torch.arange(len(self.pictures), device=self.pictures.device)
        return self.unfinished(stop_early).nonzero().flatten()
