"""Measured figures of the photograph model: accuracy among ImageNet's names and among everyday words, with the trunk's own beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from capt_engine.data.class_lists import IMAGENET, everyday, judged_among, names_of
from capt_engine.data.images import read_photo
from capt_engine.data.labelled_set import Item, LabelledSet
from capt_engine.data.sources import load_splits
from capt_engine.errors import BadRequest
from capt_engine.files import write_atomic
from capt_engine.formatting import counted, interval, number, percent_number
from capt_engine.metrics.interval import wilson
from capt_engine.model import trunk
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.text import DEFAULT_TEMPLATE
from capt_engine.photo.plan import MEAN, STD
from capt_engine.progress import Progress

CIFAR10_WORDS = ("airplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""CIFAR-10's classes in its order, by their everyday words; its own name for a car is automobile."""

APART = ("deer", "horse")
"""Words for which ImageNet has no class, or one: they are left out of the accuracy among the other eight."""

FILE, CARD = "figures.json", "README.md"
MARKS = ("<!-- figures -->", "<!-- end of figures -->")

_BATCH = 50


@dataclass(frozen=True)
class Figure:
    """One accuracy of the model and of the trunk's own classifier on the same pictures.

    pictures, names: what was classified, and among which names. right, right_in_5: pictures with the true name first, and
    among the first five; trunk_right, trunk_right_in_5: the trunk's, or None where it has no class for them.
    """

    pictures: str
    names: str
    n: int
    right: int
    right_in_5: int
    trunk_right: int | None
    trunk_right_in_5: int | None


@dataclass(frozen=True)
class Measured:
    """All figures of a model, by the SHA-256 of its weights. ms: of a forward pass a picture, in a batch, on `threads` threads."""

    sha256: str
    ms: float
    threads: int
    figures: tuple[Figure, ...]


def measure(backbone: Backbone, photographs: Path, cifar10: Path, progress: Progress) -> Measured:
    """Measure the accuracies that the model's card reports.

    backbone: the photograph model. photographs: a list (CSV) or class folders with ImageNet's classes. cifar10: class folders
    of CIFAR-10's test pictures. progress: called with each batch. Raises BadRequest where the pictures are of other classes.
    """
    published = PublishedTrunk()
    seconds: list[float] = []
    sets = [_among_imagenet(photographs), *_among_words(cifar10)]
    total, done, figures = sum(len(one.items) for one, _, _ in sets), 0, []
    for data, groups, called in sets:
        classifier = Classifier(backbone, data.classes, DEFAULT_TEMPLATE)
        right = torch.zeros(4, dtype=torch.long)
        for x, y in _batches(backbone, data.items):
            began = time.perf_counter()
            with torch.no_grad():
                logits = classifier(x)
            seconds.append((time.perf_counter() - began) / len(y))
            right += torch.tensor([*_right(logits, y), *_right(published.logits(x, groups), y)])
            done += len(y)
            progress(done, total, called)
        one, five, trunk_one, trunk_five = right.tolist()
        knows = all(groups[label] for label in {item.label for item in data.items})
        names = f"{len(data.classes):,} names" if len(data.classes) == trunk.CLASSES else ", ".join(data.classes)
        figures.append(
            Figure(
                called,
                names,
                len(data.items),
                one,
                five,
                trunk_one if knows else None,
                trunk_five if knows else None,
            )
        )
    return Measured(backbone.sha256, sorted(seconds)[len(seconds) // 2] * 1000, torch.get_num_threads(), tuple(figures))


class PublishedTrunk:
    """The trunk with its own classifier, as others published it; no tower that was tuned from it changes its answers."""

    def __init__(self) -> None:
        self._trunk, self._rows, self._biases = trunk.published(1)

    @torch.no_grad()
    def logits(self, images: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
        """Classify pictures, each name by the best of its ImageNet classes.

        Args:
            images: pixels (n, 3, 224, 224) in [0, 1], on the CPU or any other device.
            groups: the ImageNet indices of each of k names; a name without any is never chosen.

        Returns:
            Logits (n, k), on the CPU.
        """
        features = self._trunk.features((images.cpu() - MEAN) / STD).mean((2, 3))
        logits = features @ self._rows.T + self._biases
        best = [
            logits[:, list(group)].amax(1) if group else logits.new_full((len(logits),), -torch.inf) for group in groups
        ]
        return torch.stack(best, dim=1)


def write(measured: Measured, folder: Path) -> None:
    """Write the figures into figures.json of the model's folder, and their table between the two marks of its card."""
    write_atomic(folder / FILE, json.dumps(asdict(measured), indent=1) + "\n")
    card = (folder / CARD).read_text(encoding="utf-8")
    write_atomic(folder / CARD, with_table(card, table(measured)))


def with_table(card: str, figures: str) -> str:
    """Return the text of a card with another table, `figures`, between its two marks."""
    before, after = card.partition(MARKS[0])[0], card.partition(MARKS[1])[2]
    return f"{before}{MARKS[0]}\n{figures}{MARKS[1]}{after}"


def table(measured: Measured) -> str:
    """Return the figures as a Markdown table with Wilson 95 % intervals, in percent, and the time of a forward pass."""
    speed = f"A forward pass took {number(measured.ms)} ms a picture, in batches of {_BATCH}, on {counted(measured.threads, 'thread')}."
    head = "| pictures | among | n | top-1 | top-5 | the trunk itself, top-1 | top-5 |\n| --- | --- | ---: | --- | --- | --- | --- |\n"
    rows = []
    for one in measured.figures:
        counts = (one.right, one.right_in_5, one.trunk_right, one.trunk_right_in_5)
        cells = " | ".join("no class of its own" if count is None else _share(count, one.n) for count in counts)
        rows.append(f"| {one.pictures} | {one.names} | {one.n:,} | {cells} |")
    return head + "\n".join(rows) + f"\n\n{speed}\n"


def _share(right: int, n: int) -> str:
    return f"{percent_number(right / n)} ({interval(*wilson(right, n))})"


def _right(logits: Tensor, labels: Tensor) -> tuple[int, int]:
    five = logits.topk(min(5, logits.shape[1]), dim=1).indices == labels[:, None]
    return int(five[:, 0].sum()), int(five.any(1).sum())


def _among_imagenet(path: Path) -> tuple[LabelledSet, list[tuple[int, ...]], str]:
    data = judged_among(_whole(path), names_of(IMAGENET))
    return data, [(index,) for index in range(trunk.CLASSES)], f"photographs of {path.parent.name or path.name}"


def _among_words(path: Path) -> Iterator[tuple[LabelledSet, list[tuple[int, ...]], str]]:
    """CIFAR-10's pictures of eight words among these eight, then of each of the other two among all ten."""
    whole = _whole(path)
    if len(whole.classes) != len(CIFAR10_WORDS):
        raise BadRequest(f"{path} has {len(whole.classes)} classes, not CIFAR-10's ten.", "Name its test folder.")
    classes = {one.names[0]: one.classes for one in everyday()}
    eight = tuple(word for word in CIFAR10_WORDS if word not in APART)
    for chosen, words in ((eight, eight), *(((one,), CIFAR10_WORDS) for one in APART)):
        items = tuple(
            Item(item.path, words.index(CIFAR10_WORDS[item.label]))
            for item in whole.items
            if CIFAR10_WORDS[item.label] in chosen
        )
        called = "CIFAR-10 test, enlarged" + (f": {chosen[0]}" if len(chosen) == 1 else "")
        yield LabelledSet(called, words, items), [classes.get(word, ()) for word in words], called


def _whole(path: Path) -> LabelledSet:
    splits = load_splits(path)
    return splits.get("test") or next(iter(splits.values()))


def _batches(backbone: Backbone, items: Sequence[Item]) -> Iterator[tuple[Tensor, Tensor]]:
    for first in range(0, len(items), _BATCH):
        some = items[first : first + _BATCH]
        images = torch.stack([backbone.view(Image.fromarray(read_photo(one.path).rgb)) for one in some])
        yield images.to(backbone.mean.device), torch.tensor([one.label for one in some])
