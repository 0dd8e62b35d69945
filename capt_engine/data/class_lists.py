"""The class lists that ship: ImageNet's 1,000 classes, everyday words, and WordNet's broader concepts over ImageNet's classes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache

from capt_engine.resources import resource


@dataclass(frozen=True)
class ImageNetClass:
    """One class of ImageNet: its index, WordNet id, label (each label once) and all names that WordNet gives it."""

    index: int
    synset: str
    label: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Concept:
    """A word for several classes of ImageNet: its names, the first being the usual one, and the indices of the classes."""

    names: tuple[str, ...]
    classes: tuple[int, ...]


@lru_cache(maxsize=1)
def imagenet() -> tuple[ImageNetClass, ...]:
    """The 1,000 classes in ImageNet's order."""
    return tuple(
        ImageNetClass(int(row["index"]), row["synset"], row["label"], tuple(row["names"].split(", ")))
        for row in _rows("imagenet.csv")
    )


@lru_cache(maxsize=1)
def concepts() -> tuple[Concept, ...]:
    """WordNet's concepts over 2 to 400 of the classes, the widest first."""
    return tuple(Concept(tuple(row["names"].split(", ")), _numbers(row["classes"])) for row in _rows("concepts.csv"))


@lru_cache(maxsize=1)
def everyday() -> tuple[Concept, ...]:
    """Everyday words, each with the classes that it covers; no class is covered by two."""
    return tuple(Concept((row["word"],), _numbers(row["classes"])) for row in _rows("everyday.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(resource("classes", name).read_text(encoding="utf-8").splitlines()))


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of "3 7-9"."""
    ends = (part.partition("-") for part in text.split())
    return tuple(number for first, _, last in ends for number in range(int(first), int(last or first) + 1))
