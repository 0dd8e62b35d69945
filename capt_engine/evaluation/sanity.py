"""Does it work at all? A few labelled pictures tell a model with the wrong activation, normalisation or words from a sound one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from capt_engine.data.labelled_set import Item, LabelledSet
from capt_engine.errors import BadImage
from capt_engine.model.classifier import Classifier
from capt_engine.records import SanityScore
from capt_engine.viewing import view

LIKELY = 0.05
CAUSES = (
    "Usual causes: the wrong activation (QuickGELU or GELU), another normalisation than it was trained with, another template or class "
    "position than the prompts were tuned with, another model than they were tuned for, or pictures of another world than it knows."
)
_BATCH = 16


def sanity(
    classifier: Classifier, items: Sequence[Item], pictures: str, progress: Callable[[int, int, str], None]
) -> SanityScore:
    """Let `classifier` label the pictures `items`; return how many are right, and the probability of that by guessing.

    items: labels index the classes of the classifier; files that cannot be read are left out. pictures: what the
    pictures are, in words, for the result. progress: called before each batch with done, total and a note.
    """
    right, n = 0, 0
    for start in range(0, len(items), _BATCH):
        progress(start, len(items), "scoring a few pictures")
        seen, labels = [], []
        for item in items[start : start + _BATCH]:
            try:
                seen.append(view(item.path, classifier.backbone)[1])
                labels.append(item.label)
            except BadImage:
                continue
        if seen:
            with torch.no_grad():
                found = classifier(torch.stack(seen).to(classifier.device)).argmax(dim=1).cpu()
            right, n = right + int((found == torch.tensor(labels)).sum()), n + len(seen)
    return judged(pictures, n, len(classifier.classes), right)


def judged(pictures: str, n: int, n_classes: int, right: int) -> SanityScore:
    """Return the score for `right` right answers on `n` pictures, with a warning where guessing does as well.

    pictures: what the pictures are, in words. n_classes: how many classes there were to choose from. For n = 0 the
    score says that there was no picture.
    """
    if n == 0:
        return unscored(pictures, "There was no picture to score it on.")
    p_value = at_least(right, n, 1 / n_classes)
    warning = ""
    if p_value > LIKELY:
        warning = f"Only {right} of {n} right, which is near guessing ({n / n_classes:.1f} expected). {CAUSES}"
    return SanityScore(pictures, n, n_classes, right, 1 / n_classes, p_value, warning)


def unscored(pictures: str, why: str) -> SanityScore:
    """Return a score of no pictures, whose warning is `why`: the reason why nothing was scored.

    pictures: what the pictures were to be, in words.
    """
    return SanityScore(pictures, 0, 0, 0, 0.0, 1.0, why)


def at_least(right: int, n: int, chance: float) -> float:
    """Return the probability that guessing gets at least `right` of `n` pictures right: the binomial tail.

    chance: the probability that one guess is right, in [0, 1].
    """
    return min(1.0, sum(math.comb(n, i) * chance**i * (1 - chance) ** (n - i) for i in range(right, n + 1)))


def few(data: LabelledSet, most: int = 200) -> tuple[Item, ...]:
    """Return at most `most` pictures of `data`, at even distances in its order."""
    step = max(1, math.ceil(len(data.items) / most))
    return data.items[::step]
