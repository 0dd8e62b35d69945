"""Small pictures and inventories, made for the tests of scanning and splitting."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from capt_engine.data.inventory import Entry, Inventory
from capt_engine.data.labelled_set import DEFAULT_TEMPLATE


def scene(seed: int, side: int = 40) -> Image.Image:
    """A smooth random picture, different for each seed."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC)


def class_folder(folder: Path, count: int, seed: int = 0) -> Path:
    """A folder with `count` different pictures; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(count):
        scene(1000 * seed + at).save(folder / f"{at}.png")
    return folder


def listed(sizes: dict[str, int], *, split: str = "all", template: str = DEFAULT_TEMPLATE) -> Inventory:
    """An inventory of pictures that are not there, `sizes` of each class, all different."""
    entries = [
        entry(f"/pictures/{name}/{at}.png", label, split)
        for label, (name, count) in enumerate(sizes.items())
        for at in range(count)
    ]
    return Inventory("/pictures", template, tuple(sizes), tuple(entries))


def entry(path: str, label: int, split: str = "all", cluster: int = 0, side: int = 96) -> Entry:
    """A usable picture; its bytes are those of its path."""
    digest = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()
    return Entry(path, label, split, digest, side, side, cluster)


def clustered(inventory: Inventory, *groups: Sequence[int]) -> Inventory:
    """The same inventory, the pictures of each group alike."""
    number = {at: cluster for cluster, group in enumerate(groups, 1) for at in group}
    entries = tuple(each._replace(cluster=number.get(at, 0)) for at, each in enumerate(inventory.entries))
    return Inventory(inventory.root, inventory.template, inventory.classes, entries)
