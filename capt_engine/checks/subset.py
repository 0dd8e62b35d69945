"""Some pictures of a run, on which the model is asked again: what a check looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from capt_engine.attacks.base import Attack, Logits, PictureRngs, Threat
from capt_engine.attacks.losses import LOSSES, margin
from capt_engine.attacks.pgd import PGD
from capt_engine.progress import Progress
from capt_engine.wrappers.quantized import crafted

AT_ONCE = (25, 4, 1)
"""How many pictures a forward pass is given; fewer where the device has no room for so many."""


@dataclass(frozen=True)
class AttackOutcome:
    """What one attack did to a probe's pictures: leads (n,), the label's logit minus the best other (targeted: the other way round)."""

    pictures: Tensor
    leads: Tensor

    @property
    def broken(self) -> Tensor:
        """Which pictures no longer lead, (n,)."""
        return self.leads < 0

    @property
    def lead(self) -> float:
        """The mean lead."""
        return float(self.leads.mean())


@dataclass(frozen=True)
class Subset:
    """Pictures (n, 3, h, w) in [0, 1], their labels (n,), keys for random draws, and the model that is asked.

    who: the model's name where there are several. clean: logits (n, k). at_once: how many pictures are looked at together.
    """

    who: str
    model: Logits
    images: Tensor
    labels: Tensor
    keys: tuple[str, ...]
    seed: int
    clean: Tensor
    progress: Progress
    at_once: int = AT_ONCE[0]

    @classmethod
    def of(
        cls,
        who: str,
        model: Logits,
        images: Tensor,
        labels: Tensor,
        keys: Sequence[str],
        seed: int,
        progress: Progress,
        at_once: int = AT_ONCE[0],
    ) -> Subset:
        """Ask the model about the clean pictures."""
        clean = asked(model, images, at_once)
        return cls(who, model, images, labels, tuple(keys), seed, clean, progress, at_once)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def right(self) -> Tensor:
        """Which pictures are right when clean, (n,)."""
        return self.clean.argmax(dim=1) == self.labels

    @property
    def leads(self) -> Tensor:
        """The label's logit minus the best other one, (n,)."""
        return -margin(self.clean, self.labels)

    def only(self, kept: Tensor) -> Subset:
        """Some of the pictures."""
        numbers = kept.nonzero().flatten().tolist() if kept.dtype == torch.bool else kept.tolist()
        return replace(
            self,
            images=self.images[numbers],
            labels=self.labels[numbers],
            keys=tuple(self.keys[i] for i in numbers),
            clean=self.clean[numbers],
        )

    def under(
        self, attack: Attack, threat: Threat, aims: Tensor | None = None, on: Logits | None = None
    ) -> AttackOutcome:
        """The pictures attacked: away from their labels, or to `aims` (n,) where the threat is targeted; computed on `on`, or the model."""
        wanted = self.labels if aims is None else aims
        parts = []
        for at in _parts(len(self), self.at_once):
            rngs = PictureRngs.of(self.seed, self.keys[at.start : at.stop])
            self.progress(0, 0, f"checking: {attack.name}")
            images, asked_for = self.images[at], wanted[at]
            parts.append(crafted(attack, on or self.model, images, asked_for, threat, rngs, self._step))
        return self.shown(torch.cat(parts), aims)

    def shown(self, pictures: Tensor, aims: Tensor | None = None) -> AttackOutcome:
        """The model's answers to some doubles of the pictures."""
        logits = asked(self.model, pictures, self.at_once)
        leads = -margin(logits, self.labels) if aims is None else margin(logits, aims)
        return AttackOutcome(pictures, leads)

    def gradients(self, loss: Any) -> Tensor:
        """The gradient of each picture's own loss, (n, 3, h, w); zeros where the model gives none."""
        found = []
        for at in _parts(len(self), self.at_once):
            images = self.images[at].clone().requires_grad_(True)
            with torch.enable_grad():
                total = loss(self.model(images), self.labels[at]).sum()
                if total.requires_grad:
                    (gradient,) = torch.autograd.grad(total, images, allow_unused=True)
                else:
                    gradient = None
            found.append(torch.zeros_like(images) if gradient is None else gradient.detach())
        return torch.cat(found)

    def climbed(self, attack: PGD, loss: str, threat: Threat) -> Tensor:
        """The loss at each point of the way that a single ascent takes from the pictures themselves, (steps + 1, n)."""
        ways = []
        for at in _parts(len(self), self.at_once):
            seen: list[Tensor] = []
            labels = self.labels[at]

            def listened(images: Tensor, labels: Tensor = labels, seen: list[Tensor] = seen) -> Tensor:
                logits = self.model(images)
                seen.append(LOSSES[loss](logits.detach(), labels))
                return logits

            rngs = PictureRngs.of(self.seed, self.keys[at.start : at.stop])
            replace(attack, loss=loss).run(listened, self.images[at], labels, threat, rngs, self._step)
            # First of all PGD looks at the clean pictures, which is where it begins.
            ways.append(torch.stack(seen[1:]))
        return torch.cat(ways, dim=1)

    def modules(self) -> Iterator[nn.Module]:
        """The parts of the model that are torch modules, as far as they can be found."""
        of_clip = getattr(getattr(self.model, "backbone", None), "clip", None)
        held = vars(self.model).values() if hasattr(self.model, "__dict__") else ()
        for one in (self.model, of_clip, *held):
            if isinstance(one, nn.Module):
                yield one

    def _step(self, done: int = 0, total: int = 0, note: str = "") -> None:
        """So that a check can be stopped at every step, too."""
        del done, total
        self.progress(0, 0, f"checking, {note}" if note else "checking")


def asked(model: Logits, images: Tensor, at_once: int = AT_ONCE[0]) -> Tensor:
    """Logits (n, k), some pictures at a time, without gradients."""
    with torch.no_grad():
        return torch.cat([model(images[at]) for at in _parts(len(images), at_once)])


def _parts(n: int, at_once: int) -> list[slice]:
    return [slice(start, min(n, start + at_once)) for start in range(0, n, at_once)]
