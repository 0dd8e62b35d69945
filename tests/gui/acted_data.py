"""What the acting engine answers about labelled pictures: class folders are listed, and divided by their order."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from PySide6.QtGui import QColor, QImage

from capt_engine import records as r

INVENTORY = "inventory.csv"


def write_folders(home: Path, counts: dict[str, int]) -> Path:
    """Class folders of small flat pictures, each of another colour."""
    for row, (name, count) in enumerate(counts.items()):
        folder = home / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            image = QImage(40, 30, QImage.Format.Format_RGB888)
            image.fill(QColor.fromHsv((row * 47) % 360, 200, 90 + number % 160))
            assert image.save(str(folder / f"{number:03d}.png"))
    return home


def found(
    counts: dict[str, int],
    *,
    root: str = "/data",
    inventory: str = "",
    unreadable: tuple[tuple[str, r.FailedPicture], ...] = (),
    tiny: tuple[r.TinyPicture, ...] = (),
    same: tuple[r.Duplicates, ...] = (),
    long_names: tuple[r.LongName, ...] = (),
    splits: tuple[tuple[str, int], ...] = (),
    notes: tuple[str, ...] = (),
) -> r.ScanResult:
    """A scan's answer: usable pictures by class, and what is wrong with them."""
    broken = [name for name, _ in unreadable]
    classes = tuple(
        r.ClassCount(name, count + broken.count(name), count, (("train", count),)) for name, count in counts.items()
    )
    some = [count for count in counts.values() if count] or [1]
    usable = sum(counts.values())
    return r.ScanResult(
        root, splits or (("train", usable),), classes, usable + len(broken), usable, unreadable, tiny, same, (),
        max(some) / min(some), long_names, 32, notes, "a {}.", inventory,
    )  # fmt: skip


def scan(request: r.ScanRequest) -> r.ScanResult:
    """List the files of class folders; what Qt cannot read is unreadable."""
    root = Path(request.data[0])
    folders = [Path(path) for path in request.data] if len(request.data) > 1 else sorted(root.iterdir())
    counts: dict[str, int] = {}
    unreadable: list[tuple[str, r.FailedPicture]] = []
    entries: list[tuple[str, str]] = []
    for folder in folders:
        counts[folder.name] = 0
        for file in sorted(folder.iterdir()):
            if QImage(str(file)).isNull():
                failure = r.FailedPicture(str(file), "This is no picture.", "Save it as PNG or JPEG.")
                unreadable.append((folder.name, failure))
            else:
                counts[folder.name] += 1
                entries.append((folder.name, str(file)))
    inventory = Path(request.keep) / INVENTORY
    with inventory.open("w", encoding="utf-8", newline="") as file_:
        csv.writer(file_).writerows(entries)
    return found(counts, root=str(root), inventory=str(inventory), unreadable=tuple(unreadable))


def split(request: r.SplitRequest) -> r.SplitResult:
    """The first of each class are tuned on, then come those that are watched, then the test; the rest is spare."""
    by_class: dict[str, list[str]] = {}
    with Path(request.inventory).open(encoding="utf-8", newline="") as file:
        for name, path in csv.reader(file):
            if name not in request.excluded_classes and path not in request.excluded:
                by_class.setdefault(name, []).append(path)
    classes, pictures = [], []
    for name, paths in by_class.items():
        test, watched = round(request.test_share * len(paths)), round(request.val_share * len(paths))
        pool = len(paths) - test - watched
        tuned = pool if request.shots is None else min(request.shots, pool)
        uses = ["train"] * tuned + ["unused"] * (pool - tuned) + ["val"] * watched + ["test"] * test
        pictures += [r.Assigned(path, name, use) for path, use in zip(paths, uses, strict=True)]
        classes.append(r.ClassSplit(name, pool, tuned, watched, test, pool - tuned))
    text = "\n".join(f"{own.path},{own.class_name},{own.use}" for own in pictures)
    if request.out:
        Path(request.out).write_text(text, encoding="utf-8")
    blocks = ("A split needs two classes.",) if len(classes) < 2 else ()
    few = any(own.test < 2 for own in classes)
    warnings = ("The test is small. Its figures will be rough.",) if few else ()
    sha256 = hashlib.sha256(text.encode()).hexdigest() if request.out else ""
    return r.SplitResult(tuple(classes), tuple(pictures), blocks, warnings, request.out, sha256)
