"""The words of the photograph model: names of ImageNet's classes, of broader concepts, of everyday things, and sentences around them."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from capt_engine.data.class_lists import Concept, concepts, everyday, imagenet
from capt_engine.model.vocabulary import words

# Sentences of the kind that CLIP's users write; the plain one comes three times.
TEMPLATES = (
    *["a photo of a {}."] * 3,
    *[
        "{}",
        "a {}",
        "the {}",
        "a photo of {}.",
        "a photo of an {}.",
        "a picture of a {}.",
        "an image of a {}.",
        "this is a {}.",
    ],
    *["a photo of the {}.", "a photo of one {}.", "a photo of many {}.", "a photo of my {}.", "a photo of a small {}."],
    *["a photo of a large {}.", "a photo of a clean {}.", "a photo of a dirty {}.", "a photo of a nice {}."],
    *["a good photo of a {}.", "a bad photo of a {}.", "a blurry photo of a {}.", "a dark photo of the {}."],
    *[
        "a bright photo of the {}.",
        "a close-up photo of a {}.",
        "a cropped photo of a {}.",
        "a low resolution photo of a {}.",
    ],
    *["a black and white photo of a {}.", "a centered satellite photo of {}.", "a photo of a {}, a type of pet."],
    *[
        "a photo of a {}, a type of food.",
        "a photo of a {}, a type of flower.",
        "there is a {} in the picture.",
        "itap of a {}.",
    ],
    *[
        "a drawing of a {}.",
        "a painting of a {}.",
        "a rendering of a {}.",
        "an old photo of a {}.",
        "a photo of a {} outdoors.",
    ],
)


@lru_cache(maxsize=1)
def targets() -> tuple[Concept, ...]:
    """Return the things that are named, each set of classes once.

    The 1,000 classes come first, then everyday words of several classes, then WordNet's concepts.
    """
    found: dict[tuple[int, ...], Concept] = {(one.index,): Concept((one.label,), (one.index,)) for one in imagenet()}
    for concept in (*everyday(), *concepts()):
        found.setdefault(concept.classes, concept)
    return tuple(found.values())


@lru_cache(maxsize=1)
def names() -> tuple[tuple[str, ...], ...]:
    """The names of each target, in lower case, the usual one first; each name belongs to one target.

    A class's label comes before everything else, an everyday word before a concept's name, and a name that two classes share is
    nobody's. Plurals stand behind.
    """
    number = {one.classes: index for index, one in enumerate(targets())}
    shared = Counter(name.lower() for one in imagenet() for name in set(one.names))
    claims = [(one.label, one.index) for one in imagenet()]
    claims += [(one.names[0], number[one.classes]) for one in (*everyday(), *concepts())]
    claims += [(name, number[one.classes]) for one in concepts() for name in one.names[1:]]
    claims += [(name, one.index) for one in imagenet() for name in one.names if shared[name.lower()] == 1]
    owner: dict[str, int] = {}
    for name, target in claims:
        owner.setdefault(name.lower(), target)
    for name, target in list(owner.items()):
        owner.setdefault(plural(name), target)
    mine: list[list[str]] = [[] for _ in targets()]
    for name, target in owner.items():
        mine[target].append(name)
    return tuple(map(tuple, mine))


def plural(name: str) -> str:
    """The regular plural of an English name."""
    if re.search(r"([sxz]|ch|sh)$", name):
        return f"{name}es"
    return f"{name[:-1]}ies" if re.search(r"[^aeiou]y$", name) else f"{name}s"


def vocabulary() -> tuple[str, ...]:
    """Every word of every name and sentence, in lower case and in the order of the alphabet."""
    sentences = (*(template.replace("{}", " ") for template in TEMPLATES), *(name for some in names() for name in some))
    return tuple(sorted({word for sentence in sentences for word in words(sentence)}))
