"""Tuning, as a loop that can be read: draw a batch, attack it, take the loss, step; after each epoch, a state that can be resumed.

What is learned is prompts (`prompted.PromptLearner`) or an image tower (`image_tower.TowerLearner`). Every random draw depends on the
seed, the epoch and the picture alone, so a run that was stopped after an epoch and resumed ends in the same values, bit for bit on a
CPU, as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from capt_engine.attacks.base import PictureRngs
from capt_engine.errors import CaptError, DeviceProblem
from capt_engine.model.devices import free_memory, is_out_of_memory
from capt_engine.progress import Progress
from capt_engine.records import ALPHA_BINS, TuneStep
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.objective import NEEDS_REFERENCE_ON_ATTACKED, Objective, Settings, Terms, Views
from capt_engine.tuning.parts import joined, pass_on
from capt_engine.tuning.schedule import Schedule, warm_epoch_then_cosine

MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4

# The family's failure on EuroSAT: the loss sits at ln k while clean and adversarial predictions have become the same constant.
_COLLAPSED_KL = 1e-2
_COLLAPSED_CE = 0.02


class TuningFailed(CaptError):
    """The loss is no number any more; the last epoch's prompts are kept."""


class Answers(NamedTuple):
    """Logits (n, k) and unit image features (n, d) of a batch, clean and attacked; clean is None where the learner leaves it out."""

    clean: Tensor | None
    adversarial: Tensor
    clean_features: Tensor | None
    adversarial_features: Tensor


class Shown(NamedTuple):
    """The pictures of a step or of a part of it: numbers (n,) among all, clean pixels (n, 3, h, w), labels (n,), and attacked pixels."""

    numbers: Tensor
    images: Tensor
    labels: Tensor
    attacked: Tensor | None


class Learner(Protocol):
    """Learned values, such as prompts, inside a model of which the rest stays as it is."""

    def named_parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        """Return every learned parameter as a pair of its name and itself."""

    def begin_step(self) -> None:
        """Prepare one step of training: compute once what all its forward passes share."""

    def constant_logits(self, images: Tensor) -> Tensor:
        """Classify pictures with the learned values as constants, for the inner attack.

        Args:
            images: pixels (n, 3, h, w) in [0, 1].

        Returns:
            Logits (n, k), differentiable in the pixels alone.
        """

    def answers(self, images: Tensor, attacked: Tensor | None) -> Answers:
        """Classify a batch, clean and attacked, as the loss needs it.

        Args:
            images: clean pixels (n, 3, h, w) in [0, 1].
            attacked: attacked pixels of the same shape; None where there is no attack.

        Returns:
            Logits (n, k) and unit image features (n, d) of both, differentiable in the learned values.
            None stands for those of the clean pictures where the loss does not need them.
        """

    def begin_parts(self) -> None:
        """Prepare to take the gradients of a step part by part: what the forward passes share gets its own gradient first."""

    def end_parts(self) -> None:
        """Take the gradients of what the parts shared, after the last of them."""

    def end_step(self) -> None:
        """Finish one step of training: put the model into the state in which it is measured and attacked."""


@dataclass(frozen=True)
class Recipe:
    """One run: an objective with its settings, the inner attack (None: clean pictures only), and how the optimiser goes.

    Attributes:
        lr: the peak of the learning rate, which goes by `schedule`.
        optimiser: "sgd" (momentum 0.9) or "adamw".
        keep_last: take a step with the last, smaller batch of an epoch too; else it is left out where a whole batch remains.
    """

    objective: Objective
    settings: Settings
    attack: InnerAttack | None
    epochs: int = 10
    batch_size: int = 4
    lr: float = 0.0035
    seed: int = 1
    optimiser: str = "sgd"
    weight_decay: float = WEIGHT_DECAY
    schedule: Schedule = warm_epoch_then_cosine
    keep_last: bool = False


@dataclass
class State:
    """The state after an epoch, enough to go on as if nothing had happened. optimiser: slot → learned value's name → tensor."""

    epoch: int = 0
    optimiser: dict[str, dict[str, Tensor]] = field(default_factory=dict)


class Reference(NamedTuple):
    """The frozen model: its logits (N, k) of the clean training pictures, computed once, and a function for those of other pictures."""

    clean: Tensor
    logits: Callable[[Tensor], Tensor]


class Tuning:
    """The training loop: a learner, the labelled pictures that it learns from, and how far it is.

    Args:
        learner: the prompts or the tower.
        recipe: how they are learned.
        images: (N, 3, h, w) at the model's own size, in [0, 1] or as bytes.
        labels: (N,), on the device of the model.
        reference: the frozen model; None for objectives that look at none.
        state: where an earlier run stopped.
        changed: changed(epoch, batch) gives the pictures in the place of `images[batch]` in that epoch, where pictures are augmented;
            the reference model then sees those.
        at_once: pictures of a batch that go through the model at once; None: all. The step is that of the whole batch all the same.
        on_smaller: called with fewer of them where memory runs out.
    """

    def __init__(
        self,
        learner: Learner,
        recipe: Recipe,
        images: Tensor,
        labels: Tensor,
        reference: Reference | None = None,
        state: State | None = None,
        changed: Callable[[int, Tensor], Tensor] | None = None,
        at_once: int | None = None,
        on_smaller: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.learner = learner
        self.at_once = min(at_once or recipe.batch_size, recipe.batch_size)
        self._on_smaller = on_smaller
        self._recipe = recipe
        self._images, self._labels = images, labels
        self._reference, self._changed = reference, changed
        self._parameters = dict(learner.named_parameters())
        self._optimiser = _optimiser(recipe, self._parameters.values())
        self.state = State()
        self.restore(state or State())

    def restore(self, state: State) -> None:
        """Set the epoch and the optimiser to `state`, which an earlier run left after a whole epoch.

        The learned values themselves are not in `state`; whoever calls this restores them.
        """
        self.state = state
        for slot, values in state.optimiser.items():
            for name, value in values.items():
                parameter = self._parameters[name]
                # AdamW counts its steps on the CPU.
                kept = value.clone() if slot == "step" else value.to(parameter.device, copy=True)
                self._optimiser.state[parameter][slot] = kept

    @property
    def steps_per_epoch(self) -> int:
        """Return the number of batches in an epoch; each is one step of the optimiser."""
        whole, rest = divmod(len(self._labels), self._recipe.batch_size)
        return whole + (rest > 0) if self._recipe.keep_last else max(1, whole)

    def epochs(self, progress: Progress, on_step: Callable[[TuneStep], None] | None = None) -> Iterator[list[TuneStep]]:
        """Run the epochs that are left, one for each value taken from this iterator: a list of its steps' figures.

        After each, `state` holds what an interrupted run needs to go on. progress: called at each step; what it raises
        (Cancelled) ends the run. on_step: called with the figures of every step. Raises TuningFailed where the loss is
        not a number.
        """
        for epoch in range(self.state.epoch + 1, self._recipe.epochs + 1):
            logs = []
            for i, batch in enumerate(self._batches(epoch)):
                logs.append(self._step(epoch, i, batch, progress))
                if on_step is not None:
                    on_step(logs[-1])
            slots: dict[str, dict[str, Tensor]] = {}
            for name, parameter in self._parameters.items():
                for slot, value in self._optimiser.state[parameter].items():
                    if isinstance(value, Tensor):
                        slots.setdefault(slot, {})[name] = value.detach().to("cpu", copy=True)
            self.state = State(epoch, slots)
            yield logs

    def trial(self, steps: int, progress: Progress) -> list[float]:
        """Do the first `steps` steps of the next epoch to time them, and return the seconds of each.

        The learned values are changed, so this is for a copy that is thrown away. progress: called before each step,
        outside of the measured time.
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
        lr = recipe.schedule(recipe.lr, (epoch, recipe.epochs), (done, total))
        for group in self._optimiser.param_groups:
            group["lr"] = lr
        views, terms, zeros = self._differentiated(epoch, batch, progress=done / total)
        seen = _read_out(views, terms, zeros, self._parameters.values())
        if not math.isfinite(seen.loss):
            raise TuningFailed(
                f"The loss of step {index + 1} in epoch {epoch} is not a number.",
                "Try a lower learning rate, or a smaller λ.",
            )
        self._optimiser.step()
        self.learner.end_step()
        return replace(seen, epoch=epoch, step=done + 1, lr=lr)

    def _differentiated(self, epoch: int, batch: Tensor, progress: float) -> tuple[Views, Terms, Tensor]:
        """The views of a batch, its loss, whose gradients lie in the learned values, and the share of zeros in the attack's gradients.

        Where memory runs out, half as many pictures go through the model at once, from then on. Raises DeviceProblem for a single one.
        """
        while True:
            self._optimiser.zero_grad()
            try:
                with_parts = self.at_once < len(batch)
                return self._in_parts(epoch, batch, progress) if with_parts else self._whole(epoch, batch, progress)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if self.at_once == 1:
                    raise DeviceProblem(
                        f"{self._labels.device.type} ran out of memory with a single picture.",
                        "Choose the CPU (--device cpu), fewer classes, or a smaller model.",
                    ) from None
            self.learner.end_step()
            free_memory(self._labels.device)
            self.at_once = (min(self.at_once, len(batch)) + 1) // 2
            self._on_smaller(self.at_once)

    def _whole(self, epoch: int, batch: Tensor, progress: float) -> tuple[Views, Terms, Tensor]:
        self.learner.begin_step()
        part, zeros = self._shown(epoch, batch)
        views = self._views(part, progress)
        terms = self._recipe.objective(views, self._recipe.settings)
        terms.loss.backward()  # type: ignore[no-untyped-call]
        return views, terms, zeros

    def _in_parts(self, epoch: int, batch: Tensor, progress: float) -> tuple[Views, Terms, Tensor]:
        """The same, with as many pictures at once as fit: the gradient of the loss by the answers of all comes first.

        Then each part is shown again, and its share of that gradient goes on to the learned values. So a loss may be any function of
        the whole batch.
        """
        self.learner.begin_step()
        shown = [self._shown(epoch, some) for some in torch.split(batch, self.at_once)]
        with torch.no_grad():
            whole = joined([self._views(part, progress) for part, _ in shown])
        terms = self._recipe.objective(whole, self._recipe.settings)
        terms.loss.backward()  # type: ignore[no-untyped-call]
        self.learner.begin_parts()
        at = 0
        for part, _ in shown:
            views, rows = self._views(part, progress), slice(at, at + len(part.numbers))
            pass_on(views, whole, rows)
            at = rows.stop
        self.learner.end_parts()
        zeros = torch.stack([share * len(part.numbers) for part, share in shown]).sum(dim=0) / len(batch)
        return whole, terms, zeros

    def _shown(self, epoch: int, batch: Tensor) -> tuple[Shown, Tensor]:
        images, labels = self._pictures(epoch, batch), self._labels[batch]
        attacked, zeros = self._attacked(epoch, batch, images, labels)
        return Shown(batch, images, labels, attacked), zeros

    def _views(self, shown: Shown, progress: float) -> Views:
        recipe, reference, attacked = self._recipe, self._reference, shown.attacked
        answers = self.learner.answers(shown.images, attacked)
        clean = answers.adversarial if answers.clean is None else answers.clean
        frozen = frozen_adversarial = clean.detach()
        if reference is not None:
            known = self._changed is None
            frozen = frozen_adversarial = reference.clean[shown.numbers] if known else reference.logits(shown.images)
            if attacked is not None and recipe.objective in NEEDS_REFERENCE_ON_ATTACKED:
                frozen_adversarial = reference.logits(attacked)
        return Views(
            labels=shown.labels,
            clean=clean,
            adversarial=answers.adversarial,
            frozen=frozen,
            frozen_adversarial=frozen_adversarial,
            clean_features=answers.adversarial_features if answers.clean_features is None else answers.clean_features,
            adversarial_features=answers.adversarial_features,
            progress=progress,
            has_clean=answers.clean is not None,
        )

    def _pictures(self, epoch: int, batch: Tensor) -> Tensor:
        images = self._images[batch] if self._changed is None else self._changed(epoch, batch)
        images = images.to(self._labels.device)
        return images.float() / 255 if images.dtype == torch.uint8 else images

    def _attacked(self, epoch: int, batch: Tensor, images: Tensor, labels: Tensor) -> tuple[Tensor | None, Tensor]:
        attack = self._recipe.attack
        if attack is None:
            return None, images.new_zeros(0)
        rngs = PictureRngs.of(self._recipe.seed, [f"{epoch}:{int(i)}" for i in batch])
        start = attack.threat.norm.random(rngs, images, attack.threat.eps)
        return attack.run(self.learner.constant_logits, images, labels, start)


def _optimiser(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(parameters, lr=recipe.lr, momentum=MOMENTUM, weight_decay=recipe.weight_decay)


def forecast(seconds: list[float], steps: int) -> float:
    """Return the seconds that `steps` steps will take, from the median of the measured `seconds` of single steps.

    The first of `seconds`, which warms up, is not counted where there are others.
    """
    counted = sorted(seconds[1:]) or seconds
    return counted[len(counted) // 2] * steps


def has_collapsed(logs: list[TuneStep], classes: int) -> bool:
    """Return True where all pictures get one answer: no consistency loss, cross-entropy within 2 % of ln k.

    logs: the steps of one epoch, which are averaged. classes: k, the number of classes.
    """
    ce = sum(log.cross_entropy for log in logs) / len(logs)
    kl = sum(log.train for log in logs) / len(logs)
    return kl < _COLLAPSED_KL and abs(ce - math.log(classes)) <= _COLLAPSED_CE * math.log(classes)


def _read_out(views: Views, terms: Terms, zeros: Tensor, parameters: Iterable[nn.Parameter]) -> TuneStep:
    """Bring all that is said of a step from the device at once, for which the host waits a single time."""
    weights = list(parameters)
    parts = [
        *(one.detach() for one in (terms.loss, terms.cross_entropy, terms.train, terms.reference)),
        *(_accuracy(logits, views.labels) for logits in (views.clean, views.adversarial)),
        terms.alpha.detach(),
        zeros,
        _squares(one.grad for one in weights),
        _squares(weights),
    ]
    # The loss is fp32, or fp64 where a test asks for it; nothing is rounded here.
    kind = terms.loss.dtype
    together = torch.cat([part.to(kind).flatten() for part in parts]).cpu()
    flat = torch.split(together, [part.numel() for part in parts])
    loss, cross_entropy, train, reference, clean, robust = (float(one) for one in flat[:6])
    alpha = flat[6].float()
    return TuneStep(
        epoch=0,
        step=0,
        lr=0.0,
        loss=loss,
        cross_entropy=cross_entropy,
        train=train,
        reference=reference,
        alpha_mean=float(alpha.mean()),
        alpha_p10=float(alpha.quantile(0.1)),
        alpha_p90=float(alpha.quantile(0.9)),
        gradient_norm=math.sqrt(sum(flat[8].tolist())),
        zero_gradients=sum(share / len(zeros) for share in flat[7].tolist()),
        clean_accuracy=clean if views.has_clean else math.nan,
        robust_accuracy=robust,
        prompt_norm=math.sqrt(sum(flat[9].tolist())),
        alpha_counts=tuple(map(int, alpha.histc(ALPHA_BINS, 0.0, 1.0))),
    )


def _squares(values: Iterable[Tensor | None]) -> Tensor:
    """The sum of squares of each of them, (m,)."""
    return torch.stack([one.detach().square().sum() for one in values if one is not None])


def _accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.argmax(dim=1) == labels).float().mean()


def _mixed(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch) % 2**63
