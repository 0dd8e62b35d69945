"""Tiny copies of the published data sets' layouts, for the tests that read or check them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from capt_engine.data.benchmarks import BENCHMARKS, IMAGENET, NUMBERED, SPLIT_FILE, SUBSET, VARIANTS

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)

WNIDS = ("n01440764", "n01443537", "n02007558")
NAMES = ("tench", "goldfish", "flamingo")


def put(path: Path, content: str | bytes = PNG) -> Path:
    """Writes one file, with the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_names(folder: Path) -> Path:
    """CoOp's list of class names, for three classes."""
    return put(folder / "classnames.txt", "".join(f"{wnid} {name}\n" for wnid, name in zip(WNIDS, NAMES, strict=True)))


def build(name: str, root: Path, place: int = 0) -> list[Path]:
    """A tiny copy of a benchmark's layout: returns all files and class folders without which it is not complete."""
    benchmark = BENCHMARKS[name]
    folder = root / benchmark.places[place][0]
    pictures = folder / benchmark.places[place][1]
    if benchmark.layout == SPLIT_FILE:
        top = "cars_" if name == "stanford_cars" else "some folder "
        lists: dict[str, list[tuple[str, int, str]]] = {
            split: [(f"{top}{split}/{label}.jpg", label, f"class_{label}") for label in order]
            for split, order in (("train", (1, 0, 2)), ("val", (0, 1)), ("test", (2, 1, 0)))
        }
        files = [put(pictures / path) for rows in lists.values() for path, _, _ in rows]
        return [*files, put(folder / benchmark.split_file, json.dumps(lists))]
    if benchmark.layout == VARIANTS:
        files = [put(folder / "variants.txt", "707-320\nA300B4\nDC-3 Mk II\n")]
        for number, split in enumerate(("train", "val", "test")):
            files.append(put(folder / f"images_variant_{split}.txt", f"00{number}1 DC-3 Mk II\n00{number}2 707-320\n"))
            files += [put(pictures / f"00{number}{i}.jpg") for i in (1, 2)]
        return files
    files = [write_names(folder)]
    for part in ("train", "val") if benchmark.layout == IMAGENET else ("",):
        for label, wnid in enumerate(WNIDS):
            if benchmark.layout == SUBSET and label == 1:
                continue
            files.append(
                put(pictures / part / (str(label) if benchmark.layout == NUMBERED else wnid) / "1.JPEG").parent
            )
    if benchmark.layout == SUBSET:
        put(pictures / "README.txt", "words")
        files = files[:1]
    return files


def remove(path: Path) -> None:
    """Takes away a file or a folder with all that is in it."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def tiny_sizes(name: str) -> tuple[int, tuple[int, int, int]]:
    """The classes, and the pictures in (train, val, test), of what `build` makes."""
    return {SPLIT_FILE: (3, (3, 2, 3)), VARIANTS: (3, (2, 2, 2)), IMAGENET: (3, (3, 0, 3)), SUBSET: (2, (0, 0, 2))}.get(
        BENCHMARKS[name].layout, (3, (0, 0, 3))
    )
