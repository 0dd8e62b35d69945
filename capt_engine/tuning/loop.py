"""Tuning, as a loop that can be read: draw a batch, attack it, take the loss, step; after each epoch, a state that can be resumed.

Every random draw depends on the seed, the epoch and the picture alone, so a run that was stopped after an epoch and resumed ends in the
same prompts, bit for bit on a CPU, as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.errors import CaptError
from capt_engine.model.prompts import Prompts
from capt_engine.progress import Progress
from capt_engine.records import TuneStep
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.objective import NEEDS_REFERENCE_ON_ATTACKED, Objective, Settings, Terms, Views
from capt_engine.tuning.prompted import PromptedClip
from capt_engine.tuning.schedule import learning_rate

MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4

# The family's failure on EuroSAT: the loss sits at ln k while clean and adversarial predictions have become the same constant.
_COLLAPSED_KL = 1e-2
_COLLAPSED_CE = 0.02


class TuningFailed(CaptError):
    """The loss is no number any more; the last epoch's prompts are kept."""


@dataclass(frozen=True)
class Recipe:
    """One run: an objective with its settings, the inner attack (None: clean pictures only), and how the optimiser goes."""

    objective: Objective
    settings: Settings
    attack: InnerAttack | None
    epochs: int = 10
    batch_size: int = 4
    lr: float = 0.0035
    seed: int = 1


@dataclass
class State:
    """What an epoch leaves behind: enough to go on as if nothing had happened."""

    epoch: int = 0
    momentum: dict[str, Tensor] = field(default_factory=dict)


class Tuning:
    """Prompts, the frozen CLIP they are learned for, and a few labelled pictures.

    images: (N, 3, h, w) at the model's own size, in [0, 1] or as bytes. labels: (N,). reference: the frozen model's clean logits
    (N, k) of those pictures, constants computed once; reference_logits(images) gives the frozen model's logits of other pictures,
    for the objectives that want them. changed(epoch, batch): what stands in the place of `images[batch]` in that epoch, where
    pictures are augmented; the reference model then sees those.
    """

    def __init__(
        self,
        clip: PromptedClip,
        prompts: Prompts,
        recipe: Recipe,
        images: Tensor,
        labels: Tensor,
        reference: Tensor,
        reference_logits: Callable[[Tensor], Tensor],
        state: State | None = None,
        changed: Callable[[int, Tensor], Tensor] | None = None,
    ) -> None:
        self.prompts = prompts
        self.state = state or State()
        self._clip, self._recipe = clip, recipe
        self._images, self._labels = images, labels
        self._reference, self._reference_logits, self._changed = reference, reference_logits, changed
        self._optimiser = torch.optim.SGD(prompts.parameters(), lr=0.0, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
        for name, parameter in prompts.named_parameters():
            if name in self.state.momentum:
                self._optimiser.state[parameter]["momentum_buffer"] = (
                    self.state.momentum[name].to(parameter.device).clone()
                )

    @property
    def steps_per_epoch(self) -> int:
        """The last, smaller batch is left out only where at least one whole batch remains."""
        return max(1, len(self._labels) // self._recipe.batch_size)

    def epochs(self, progress: Progress, on_step: Callable[[TuneStep], None] | None = None) -> Iterator[list[TuneStep]]:
        """Run the epochs that are left; each is yielded when it is done and `state` can be saved. Raises TuningFailed, Cancelled.

        on_step: called after every step.
        """
        for epoch in range(self.state.epoch + 1, self._recipe.epochs + 1):
            logs = []
            for i, batch in enumerate(self._batches(epoch)):
                logs.append(self._step(epoch, i, batch, progress))
                if on_step is not None:
                    on_step(logs[-1])
            momentum = {
                name: self._optimiser.state[parameter]["momentum_buffer"].clone()
                for name, parameter in self.prompts.named_parameters()
                if "momentum_buffer" in self._optimiser.state[parameter]
            }
            self.state = State(epoch, momentum)
            yield logs

    def trial(self, steps: int, progress: Progress) -> list[float]:
        """Seconds that each of the first `steps` steps takes. The prompts move, so this is for a copy that is thrown away.

        progress is called between them, not within: what it does is not the step's work.
        """
        batches = self._batches(self.state.epoch + 1)
        seconds = []
        for i in range(steps):
            progress()
            started_s = time.monotonic()
            self._step(self.state.epoch + 1, i % len(batches), batches[i % len(batches)], lambda *_: None)
            seconds.append(time.monotonic() - started_s)
        return seconds

    def _batches(self, epoch: int) -> list[Tensor]:
        stream = torch.Generator().manual_seed(_mixed(self._recipe.seed, epoch))
        order = torch.randperm(len(self._labels), generator=stream)
        size = self._recipe.batch_size
        return [order[i * size : (i + 1) * size] for i in range(self.steps_per_epoch)]

    def _step(self, epoch: int, index: int, batch: Tensor, progress: Progress) -> TuneStep:
        recipe = self._recipe
        total = recipe.epochs * self.steps_per_epoch
        done = (epoch - 1) * self.steps_per_epoch + index
        progress(done, total, f"epoch {epoch} of {recipe.epochs}")
        lr = learning_rate(epoch, recipe.epochs, recipe.lr)
        for group in self._optimiser.param_groups:
            group["lr"] = lr
        views, zeros = self._views(epoch, batch, progress=done / total)
        terms = recipe.objective(views, recipe.settings)
        if not bool(torch.isfinite(terms.loss)):
            raise TuningFailed(
                f"The loss of step {index + 1} in epoch {epoch} is not a number.",
                "Try a lower learning rate, or a smaller λ.",
            )
        self._optimiser.zero_grad()
        terms.loss.backward()  # type: ignore[no-untyped-call]
        gradient, norm = _norm(p.grad for p in self.prompts.parameters()), _norm(self.prompts.parameters())
        self._optimiser.step()
        return replace(_log(epoch, done, lr, views, terms, gradient, zeros), prompt_norm=norm)

    def _views(self, epoch: int, batch: Tensor, progress: float) -> tuple[Views, float]:
        images, labels = self._pictures(epoch, batch), self._labels[batch]
        tokens = self.prompts()
        text = self._clip.text(tokens)
        attacked, zeros = self._attacked(epoch, batch, images, labels, text)
        # Clean and attacked pictures go through the tower together: one pass of twice the width costs less than two.
        logits, features = self._clip.logits(
            torch.cat([images, attacked]) if attacked is not None else images, tokens, text
        )
        n = len(images)
        clean, adversarial = (logits[:n], logits[n:]) if attacked is not None else (logits, logits)
        reference = self._reference[batch] if self._changed is None else self._reference_logits(images)
        needs_it = self._recipe.objective in NEEDS_REFERENCE_ON_ATTACKED
        views = Views(
            labels=labels,
            clean=clean,
            adversarial=adversarial,
            frozen=reference,
            frozen_adversarial=self._reference_logits(attacked) if attacked is not None and needs_it else reference,
            clean_features=features[:n],
            adversarial_features=features[-n:],
            progress=progress,
        )
        return views, zeros

    def _pictures(self, epoch: int, batch: Tensor) -> Tensor:
        images = self._images[batch] if self._changed is None else self._changed(epoch, batch)
        images = images.to(self._labels.device)
        return images.float() / 255 if images.dtype == torch.uint8 else images

    def _attacked(
        self, epoch: int, batch: Tensor, images: Tensor, labels: Tensor, text: Tensor
    ) -> tuple[Tensor | None, float]:
        attack = self._recipe.attack
        if attack is None:
            return None, 0.0
        constant, fixed = self.prompts().detached(), text.detach()
        rngs = PictureRngs.of(self._recipe.seed, [f"{epoch}:{int(i)}" for i in batch])
        start = attack.threat.norm.random(rngs, images, attack.threat.eps)
        return attack.run(lambda x: self._clip.logits(x, constant, fixed)[0], images, labels, start)


def forecast(seconds: list[float], steps: int) -> float:
    """Seconds that `steps` steps will take, from the times of a dry run's steps; the first, which warms up, is not counted."""
    counted = sorted(seconds[1:]) or seconds
    return counted[len(counted) // 2] * steps


def has_collapsed(logs: list[TuneStep], classes: int) -> bool:
    """Have the predictions become one constant: no consistency term left, and clean cross-entropy within 2 % of ln k."""
    ce = sum(log.cross_entropy for log in logs) / len(logs)
    kl = sum(log.train for log in logs) / len(logs)
    return kl < _COLLAPSED_KL and abs(ce - math.log(classes)) <= _COLLAPSED_CE * math.log(classes)


def _norm(values: Iterable[Tensor | None]) -> float:
    """The Euclidean norm of all of them together."""
    return math.sqrt(sum(float(one.detach().square().sum()) for one in values if one is not None))


def _log(epoch: int, done: int, lr: float, views: Views, terms: Terms, gradient: float, zeros: float) -> TuneStep:
    alpha = terms.alpha.detach().float()
    return TuneStep(
        epoch=epoch,
        step=done + 1,
        lr=lr,
        loss=float(terms.loss.detach()),
        cross_entropy=float(terms.cross_entropy.detach()),
        train=float(terms.train.detach()),
        reference=float(terms.reference.detach()),
        alpha_mean=float(alpha.mean()),
        alpha_p10=float(alpha.quantile(0.1)),
        alpha_p90=float(alpha.quantile(0.9)),
        gradient_norm=gradient,
        zero_gradients=zeros,
        clean_accuracy=float((views.clean.argmax(dim=1) == views.labels).float().mean()),
        robust_accuracy=float((views.adversarial.argmax(dim=1) == views.labels).float().mean()),
    )


def _mixed(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch) % 2**63
