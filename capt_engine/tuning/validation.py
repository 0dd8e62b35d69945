"""Clean and robust accuracy of prompts on the validation pictures while they are being learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.metrics.interval import wilson
from capt_engine.model.classifier import Classifier
from capt_engine.model.memory import with_smaller_batches
from capt_engine.records import Picture, Share, TuneSample
from capt_engine.tuning.pictures import Read

STEPS = 10
"""Of the attack that validates: enough to see a trend; final figures need more."""


SHOWN = 12
"""Pictures of a strip."""


class Measured(NamedTuple):
    """Clean and robust share of the validation pictures that are right, and some pictures as they were seen.

    A share is None where there are no pictures, or no attack.
    """

    clean: Share | None
    robust: Share | None
    samples: tuple[TuneSample, ...] = ()


class _Counts(NamedTuple):
    clean: int
    robust: int
    samples: tuple[tuple[int, TuneSample], ...]


def validator_of(train: Read, val: Read | None, eps: float, seed: int) -> Validator:
    """Make the validator of a run from its validation pictures `val`.

    Where `val` is None, a few of the training pictures `train` are shown, but no accuracy is counted. eps: the L∞
    budget of the attack, in [0, 1]; 0 attacks nothing. seed: decides the attack's draws.
    """
    return Validator(some_of(train, SHOWN) if val is None else val, eps, seed, counts=val is not None)


class Validator:
    """The pictures that one run is validated on, attacked within its training budget by PGD (a quarter of it a step).

    counts: whether they say how good the prompts are, which pictures that were learned from do not.
    """

    def __init__(self, pictures: Read, eps: float, seed: int, *, counts: bool = True) -> None:
        self._pictures = pictures
        self._eps = eps
        self._seed = seed
        self._is_counting = counts
        self._shown = spread(pictures.labels.tolist(), SHOWN)
        self.batch_size = 64

    def __len__(self) -> int:
        return len(self._pictures)

    def measure(self, classifier: Classifier, progress: Callable[[], None]) -> Measured:
        """Measure the accuracy of `classifier` on the validation pictures, clean and attacked; return some as samples.

        The samples are the same few pictures each time, spread over the classes. An accuracy is None where training
        pictures stand in, or nothing is attacked. progress: called at each step; what it raises ends the measurement.
        """
        clean = robust = at = 0
        samples: dict[int, TuneSample] = {}
        while at < len(self):

            def counted(batch_size: int, at: int = at) -> _Counts:
                self.batch_size = batch_size
                return self._counts(classifier, slice(at, at + batch_size), progress)

            counts = with_smaller_batches(counted, self.batch_size, classifier.device)
            clean, robust, at = clean + counts.clean, robust + counts.robust, at + self.batch_size
            samples |= dict(counts.samples)
        shown = tuple(samples[index] for index in self._shown)
        if not self._is_counting:
            return Measured(None, None, shown)
        return Measured(share(clean, len(self)), share(robust, len(self)) if self._eps > 0 else None, shown)

    def _counts(self, classifier: Classifier, batch: slice, progress: Callable[[], None]) -> _Counts:
        images = self._pictures.pixels(batch).to(classifier.device)
        stored = _as_bytes(images)
        labels = self._pictures.labels[batch].to(classifier.device)
        with torch.no_grad():
            answers = classifier(images).argmax(dim=1)
        right = answers == labels
        progress()
        if not self._eps:
            return _Counts(int(right.sum()), 0, self._samples(classifier, batch, stored, stored, answers, answers))
        rngs = PictureRngs.of(self._seed, self._pictures.sha256[batch])
        attacked = PGD(steps=STEPS).run(
            classifier, images, labels, Threat(LINF, self._eps), rngs, lambda *_: progress()
        )
        with torch.no_grad():
            misled = classifier(attacked).argmax(dim=1)
        samples = self._samples(classifier, batch, stored, _as_bytes(attacked), answers, misled)
        return _Counts(int(right.sum()), int((right & (misled == labels)).sum()), samples)

    def _samples(
        self, classifier: Classifier, batch: slice, clean: Tensor, attacked: Tensor, answers: Tensor, misled: Tensor
    ) -> tuple[tuple[int, TuneSample], ...]:
        names, labels = classifier.classes, self._pictures.labels
        return tuple(
            (
                index,
                TuneSample(
                    _picture(clean[index - batch.start]),
                    _picture(attacked[index - batch.start]),
                    names[int(labels[index])],
                    names[int(answers[index - batch.start])],
                    names[int(misled[index - batch.start])],
                ),
            )
            for index in self._shown
            if batch.start <= index < batch.stop
        )


def some_of(pictures: Read, n: int) -> Read:
    """Return at most `n` of `pictures`, spread over the classes, in their order."""
    chosen = list(spread(pictures.labels.tolist(), n))
    return replace(
        pictures,
        images=pictures.images[chosen],
        labels=pictures.labels[chosen],
        sha256=tuple(pictures.sha256[index] for index in chosen),
        originals=tuple(pictures.originals[index] for index in chosen) if pictures.originals else (),
    )


def spread(labels: Sequence[int], n: int) -> tuple[int, ...]:
    """Return at most `n` indices into `labels`, in rising order, spread over the classes.

    First comes one picture of each class (of classes at even distances where there are more than n), then a second of
    each, and so on.
    """
    by_class: dict[int, list[int]] = {}
    for index, label in enumerate(labels):
        by_class.setdefault(label, []).append(index)
    present = sorted(by_class)
    if len(present) > n:
        present = [present[at * len(present) // n] for at in range(n)]
    longest = max((len(by_class[label]) for label in present), default=0)
    turns = [by_class[label][turn] for turn in range(longest) for label in present if turn < len(by_class[label])]
    return tuple(sorted(turns[:n]))


def _as_bytes(images: Tensor) -> Tensor:
    return (images * 255).round().to(torch.uint8)


def _picture(image: Tensor) -> Picture:
    _, height, width = image.shape
    return Picture(width, height, image.permute(1, 2, 0).contiguous().cpu().numpy().tobytes())


def share(k: int, n: int) -> Share:
    """Return `k` of `n` as a share with its 95 % Wilson interval; raises ValueError unless n > 0 and 0 ≤ k ≤ n."""
    return Share(k, n, *wilson(k, n))
