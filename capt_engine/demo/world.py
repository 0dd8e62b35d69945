"""The bundled toy world: which pictures exist, in which splits, and which class each one has.

A small stand-in for a field of data sets. One distribution to pre-train on (domain `plain`, 7 of every 8 pairs of
shape and colour), and downstream sets that differ from it: other domains, finer classes, pairs never shown before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator

from capt_engine.demo.captions import COLOURS, MATERIALS, QUALITY_TEMPLATE, SHAPE_TEMPLATE, SHAPES, SIMPLE, class_name
from capt_engine.demo.domains import DOMAINS, Pixels, Subject, photograph
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.registry import Table

PICTURE_SIZE = 96
# Raised whenever a change to the code changes pictures, so that caches of older pictures are not mixed with newer ones.
REVISION = 1
SPLITS = ("train", "val", "test")

# The pre-training stream is a split of its own, so no downstream picture can be one of its pictures.
_STREAMS = ("pretrain", *SPLITS)

# One colour per shape, spread so that every colour is kept from one or two shapes: 14 of 112 pairs.
UNSEEN_PAIRS = frozenset((shape, tuple(COLOURS)[(3 * i + 1) % len(COLOURS)]) for i, shape in enumerate(SHAPES))


@dataclass(frozen=True)
class Task:
    """A question about a picture: which family its classes belong to, and the sentence they are put into."""

    name: str
    family: str
    template: str
    unseen_pairs: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names of the task in canonical words, in the order of the labels."""
        if self.family in SIMPLE:
            return tuple(SIMPLE[self.family])
        return tuple(f"{material} {shape}" for shape in SHAPES for material in MATERIALS)


TASKS = Table(
    "task",
    Task("shapes", "shapes", SHAPE_TEMPLATE),
    Task("colours", "colours", QUALITY_TEMPLATE),
    Task("materials", "materials", QUALITY_TEMPLATE),
    Task("shape-material", "shape-material", SHAPE_TEMPLATE),
    Task("unseen", "shapes", SHAPE_TEMPLATE, unseen_pairs=True),
)

# The downstream sets whose zero-shot figures are reported: (task, domain).
DOWNSTREAM = (
    ("shapes", "night"),
    ("shapes", "sketch"),
    ("shapes", "fog"),
    ("shapes", "clay"),
    ("shapes", "tumbled"),
    ("shapes", "film"),
    ("materials", "night"),
    ("colours", "film"),
    ("shape-material", "plain"),
    ("unseen", "plain"),
)


@dataclass(frozen=True)
class Scene:
    """One picture before it is drawn: its subject, its domain, and the seed of everything else about it."""

    subject: Subject
    domain: str
    seed: int


def _seed(stream: str, *parts: object) -> int:
    """A stable 64-bit seed whose last two bits are the stream, so the seeds of two streams never meet."""
    text = "/".join(map(str, parts)).encode()
    digest = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
    return digest & ~3 | _STREAMS.index(stream)


def _pick(rng: Generator, names: tuple[str, ...]) -> str:
    return names[int(rng.integers(len(names)))]


def _subject(rng: Generator, fixed: dict[str, str], unseen: bool) -> Subject:
    """A subject with some factors fixed and the others drawn among the allowed pairs of shape and colour."""
    material = fixed.get("material") or _pick(rng, tuple(MATERIALS))
    while True:
        shape = fixed.get("shape") or _pick(rng, tuple(SHAPES))
        colour = fixed.get("colour") or _pick(rng, tuple(COLOURS))
        if ((shape, colour) in UNSEEN_PAIRS) is unseen:
            return Subject(shape, colour, material)


def check_domain(task: Task, domain: str) -> None:
    """Raise UnknownName for a domain that does not exist, BadRequest for one that hides the task's classes.

    Only the domain "clay" does, in tasks about materials: everything there is made of clay.
    """
    if domain not in DOMAINS:
        raise UnknownName("domain", domain, DOMAINS)
    if domain == "clay" and "material" in task.family:
        raise BadRequest(
            f"The task {task.name!r} cannot be asked in the domain 'clay': there everything is made of clay.",
            "Choose another domain, for example 'plain'.",
        )


def scene(task_name: str, split: str, index: int, domain: str = "plain", seed: int = 0) -> Scene:
    """Return the description of picture `index` (from 0) of a split of a task, from which `picture` draws it.

    Classes take turns, so that k pictures in a row hold each of k classes once. task_name: a key of TASKS. split:
    "train", "val" or "test". domain: the look, one of DOMAINS. seed: another one gives other pictures. Raises
    UnknownName for an unknown task, split or domain, BadRequest for a domain that does not fit the task.
    """
    task = TASKS[task_name]
    check_domain(task, domain)
    if split not in SPLITS:
        raise UnknownName("split", split, SPLITS)
    rng = Generator(PCG64(_seed(split, "subject", task_name, split, domain, seed, index)))
    fixed = {}
    for name in task.classes[index % len(task.classes)].split(" "):
        fixed["colour" if name in COLOURS else "material" if name in MATERIALS else "shape"] = name
    subject = _subject(rng, fixed, task.unseen_pairs)
    return Scene(subject, domain, _seed(split, "look", task_name, split, domain, seed, index))


def pretraining_scene(index: int, seed: int = 0) -> Scene:
    """Return the description of picture `index` (from 0) of the endless pre-training stream, for `picture` to draw.

    The domain is "plain", shapes take turns, and no pair of shape and colour is one of UNSEEN_PAIRS. seed: another one
    gives another stream.
    """
    rng = Generator(PCG64(_seed("pretrain", "subject", seed, index)))
    shapes = tuple(SHAPES)
    subject = _subject(rng, {"shape": shapes[index % len(shapes)]}, unseen=False)
    return Scene(subject, "plain", _seed("pretrain", "look", seed, index))


def label(task_name: str, drawn: Scene) -> int:
    """Return the label of a scene in the task `task_name`: the index of its class among the task's classes."""
    task = TASKS[task_name]
    return task.classes.index(class_name(task.family, drawn.subject))


def picture(drawn: Scene, size: int = PICTURE_SIZE) -> Pixels:
    """Draw the picture of a scene; the same scene gives the same picture, bit for bit.

    Args:
        drawn: the scene.
        size: the side of the picture in pixels.

    Returns:
        RGB, uint8 (size, size, 3).
    """
    samples = 2 if size <= 160 else 3
    return photograph(drawn.subject, drawn.domain, Generator(PCG64(drawn.seed)), size, samples)


def pictures(task_name: str, split: str, count: int, domain: str = "plain", seed: int = 0) -> tuple[Pixels, list[int]]:
    """Draw the first `count` pictures of a split of a task, with their labels.

    Args:
        task_name: a key of TASKS.
        split: one of SPLITS.
        count: how many.
        domain: one of DOMAINS.
        seed: of the split; another one gives other pictures.

    Returns:
        RGB, uint8 (count, 96, 96, 3), and the label of each, an index into the task's classes.

    Raises:
        UnknownName: another task, split or domain.
        BadRequest: a domain that does not fit the task.
    """
    scenes = [scene(task_name, split, i, domain, seed) for i in range(count)]
    return np.stack([picture(one) for one in scenes]), [label(task_name, one) for one in scenes]
