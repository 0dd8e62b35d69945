"""How well prompts do on the validation pictures, clean and attacked, while they are being learned."""

from __future__ import annotations

from collections.abc import Callable

import torch

from capt_engine.attacks.base import LINF, Draws, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.errors import DeviceProblem
from capt_engine.metrics.interval import wilson
from capt_engine.model.classifier import Classifier
from capt_engine.records import Share
from capt_engine.tuning.pictures import Read

STEPS = 10
"""Of the attack that watches: enough to see a trend; final figures need more."""


class Watch:
    """The validation pictures of one run, attacked within its training budget by PGD (a quarter of it a step)."""

    def __init__(self, pictures: Read, eps: float, seed: int) -> None:
        self._pictures = pictures
        self._eps = eps
        self._seed = seed
        self.batch = 64

    def __len__(self) -> int:
        return len(self._pictures)

    def measure(self, classifier: Classifier, tick: Callable[[], None]) -> tuple[Share, Share | None]:
        """Clean and robust share of the pictures that are right; robust is None where ε is 0."""
        clean = robust = at = 0
        while at < len(self):
            batch, out_of_memory = slice(at, at + self.batch), False
            try:
                counts = self._counts(classifier, batch, tick)
            except torch.OutOfMemoryError:
                out_of_memory = True
            if not out_of_memory:
                clean, robust, at = clean + counts[0], robust + counts[1], at + self.batch
            elif self.batch == 1:
                raise DeviceProblem(
                    "The device ran out of memory while validating a single picture.",
                    "Use --device cpu, or a smaller model.",
                )
            else:
                self.batch //= 2
                torch.cuda.empty_cache()
        return share(clean, len(self)), share(robust, len(self)) if self._eps > 0 else None

    def _counts(self, classifier: Classifier, batch: slice, tick: Callable[[], None]) -> tuple[int, int]:
        images = (self._pictures.images[batch].float() / 255).to(classifier.device)
        labels = self._pictures.labels[batch].to(classifier.device)
        with torch.no_grad():
            right = classifier(images).argmax(dim=1) == labels
        tick()
        if not self._eps:
            return int(right.sum()), 0
        draws = Draws.of(self._seed, self._pictures.sha256[batch])
        attacked = PGD(steps=STEPS).run(classifier, images, labels, Threat(LINF, self._eps), draws, lambda *_: tick())
        with torch.no_grad():
            held = right & (classifier(attacked).argmax(dim=1) == labels)
        return int(right.sum()), int(held.sum())


def share(k: int, n: int) -> Share:
    """k of n with its Wilson 95 % interval."""
    return Share(k, n, *wilson(k, n))
