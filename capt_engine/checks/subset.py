"""The pictures of a run on which checks run the model again, and the outcome of an attack on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import value_and_grad
from capt_engine.attacks.losses import LOSSES
from capt_engine.attacks.pgd import PGD
from capt_engine.metrics.prediction import margin
from capt_engine.progress import Progress
from capt_engine.wrappers.quantized import run_attack
from capt_engine.wrappers.remembered import Remembered

BATCH_SIZES = (25, 4, 1)
"""Pictures per forward pass; the smaller numbers are tried where the device has no memory for the larger."""


@dataclass(frozen=True)
class AttackOutcome:
    """The outcome of one attack on a subset.

    Attributes:
        pictures: the adversarial pictures, (n, 3, h, w).
        margins: (n,), the label's logit minus the best other; for a targeted attack minus the target's margin. Negative = broken.
    """

    pictures: Tensor
    margins: Tensor

    @property
    def broken(self) -> Tensor:
        """Return a mask (n,) of the pictures on which the attack succeeded."""
        return self.margins < 0

    @property
    def n_broken(self) -> int:
        """Return the number of pictures on which the attack succeeded."""
        return int(self.broken.sum())

    @property
    def mean_margin(self) -> float:
        """Return the mean of `margins`, in logits."""
        return float(self.margins.mean())


@dataclass(frozen=True)
class Subset:
    """Pictures, their labels, and the model that classifies them.

    Attributes:
        name: the model's name where there are several, else "".
        model: pixels → logits.
        images: (n, 3, h, w) in [0, 1].
        labels: (n,).
        keys: one a picture, for its random generator under `seed`.
        clean_logits: (n, k).
        progress: called before each attack.
        batch_size: pictures per forward pass.
        memory: the model with a memory of its answers, for what attacks ask without a gradient; None for none. Another model
            has none of it.
    """

    name: str
    model: LogitsFn
    images: Tensor
    labels: Tensor
    keys: tuple[str, ...]
    seed: int
    clean_logits: Tensor
    progress: Progress
    batch_size: int = BATCH_SIZES[0]
    memory: Remembered | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def correct(self) -> Tensor:
        """Return a mask (n,) of the pictures that the model classifies correctly when clean."""
        return self.clean_logits.argmax(dim=1) == self.labels

    @property
    def margins(self) -> Tensor:
        """Return the label's logit minus the best other one, (n,), of the clean pictures."""
        return margin(self.clean_logits, self.labels)

    def only(self, kept: Tensor) -> Subset:
        """Keep some of the pictures.

        Args:
            kept: a mask (n,) of the pictures to keep, or their indices (m,) in the wanted order.

        Returns:
            A subset of these pictures, with the same model.
        """
        numbers = kept.nonzero().flatten().tolist() if kept.dtype == torch.bool else kept.tolist()
        return replace(
            self,
            images=self.images[numbers],
            labels=self.labels[numbers],
            keys=tuple(self.keys[i] for i in numbers),
            clean_logits=self.clean_logits[numbers],
        )

    def attack_with(
        self, attack: Attack, threat: Threat, targets: Tensor | None = None, source: LogitsFn | None = None
    ) -> AttackOutcome:
        """Attack the pictures: away from their labels, or to `targets` where the threat is targeted.

        Args:
            attack: the attack with its settings.
            threat: norm, budget, goal and rounding.
            targets: class indices (n,), for a targeted threat only.
            source: the model that the attack is computed on, pixels -> logits, for a transfer attack; by default the
                subset's own.

        Returns:
            The adversarial pictures, with their margins under the subset's own model.
        """
        labels = self.labels if targets is None else targets
        parts = []
        for at in _parts(len(self), self.batch_size):
            rngs = PictureRngs.of(self.seed, self.keys[at.start : at.stop])
            self.progress(0, 0, f"checking: {attack.label}")
            images = self.images[at]
            parts.append(run_attack(attack, source or self._asked, images, labels[at], threat, rngs, self._step))
        return self.evaluate(torch.cat(parts), targets)

    def evaluate(self, pictures: Tensor, targets: Tensor | None = None) -> AttackOutcome:
        """Classify adversarial versions of the pictures.

        Args:
            pictures: pixels (n, 3, h, w) in [0, 1], in the subset's order.
            targets: class indices (n,), for a targeted threat only.

        Returns:
            These pictures with their margins, negative where the attack succeeded.
        """
        logits = logits_of(self._asked, pictures, self.batch_size)
        margins = margin(logits, self.labels) if targets is None else -margin(logits, targets)
        return AttackOutcome(pictures, margins)

    def gradients(self, loss: str) -> Tensor:
        """Compute the gradient of each picture's own loss with respect to its pixels.

        Args:
            loss: the name of a loss in LOSSES.

        Returns:
            Gradients (n, 3, h, w); zeros where the model gives none.
        """
        found = []
        for at in _parts(len(self), self.batch_size):
            labels = self.labels[at]

            def score(logits: Tensor, labels: Tensor = labels) -> Tensor:
                return LOSSES[loss](logits, labels)

            found.append(value_and_grad(self.model, self.images[at], Criterion(labels), score).gradient)
        return torch.cat(found)

    def losses_along(self, attack: PGD, loss: str, threat: Threat) -> Tensor:
        """Compute the loss before and after each step of one PGD ascent.

        Args:
            attack: PGD with one restart; its own loss is not used.
            loss: the name of a loss in LOSSES, which is climbed and returned.
            threat: norm, budget and goal.

        Returns:
            Losses (steps + 1, n), from the start to the last step.
        """
        parts = []
        for at in _parts(len(self), self.batch_size):
            seen: list[Tensor] = []
            labels = self.labels[at]

            def recorded(images: Tensor, labels: Tensor = labels, seen: list[Tensor] = seen) -> Tensor:
                logits = self._asked(images)
                seen.append(LOSSES[loss](logits.detach(), labels))
                return logits

            rngs = PictureRngs.of(self.seed, self.keys[at.start : at.stop])
            replace(attack, loss=loss).run(recorded, self.images[at], labels, threat, rngs, self._step)
            # PGD's first pass is of the clean pictures, from which it also begins.
            parts.append(torch.stack(seen[1:]))
        return torch.cat(parts, dim=1)

    def modules(self) -> Iterator[nn.Module]:
        """Yield the torch modules that are the model or that it holds, as far as they can be found; none for a function."""
        of_clip = getattr(getattr(self.model, "backbone", None), "clip", None)
        held = vars(self.model).values() if hasattr(self.model, "__dict__") else ()
        for one in (self.model, of_clip, *held):
            if isinstance(one, nn.Module):
                yield one

    @property
    def _asked(self) -> LogitsFn:
        """The model, with its memory where that is of this model."""
        return self.memory if self.memory is not None and self.memory.inner is self.model else self.model

    def _step(self, done: int = 0, total: int = 0, note: str = "") -> None:
        """Report a step of an attack, so that a check can be stopped at every step, too."""
        del done, total
        self.progress(0, 0, f"checking, {note}" if note else "checking")


def logits_of(model: LogitsFn, images: Tensor, batch_size: int = BATCH_SIZES[0]) -> Tensor:
    """Classify pictures a batch at a time, without gradients.

    Args:
        model: pixels (n, 3, h, w) -> logits (n, k).
        images: pixels (n, 3, h, w) in [0, 1], n ≥ 1.
        batch_size: pictures per forward pass.

    Returns:
        Logits (n, k).
    """
    with torch.no_grad():
        return torch.cat([model(images[at]) for at in _parts(len(images), batch_size)])


def _parts(n: int, batch_size: int) -> list[slice]:
    return [slice(start, min(n, start + batch_size)) for start in range(0, n, batch_size)]
