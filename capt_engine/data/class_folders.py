"""Data sets of class folders: a folder with one subfolder per class, or with such folders for each of its parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from capt_engine.data.class_files import MAP_FILES, mapped
from capt_engine.data.folders import natural_key
from capt_engine.data.labelled_set import (
    DEFAULT_TEMPLATE,
    EXPECTED,
    SPLITS,
    TEMPLATE_FILE,
    WHOLE,
    Item,
    LabelledSet,
    is_template,
    split_called,
    text_of,
)
from capt_engine.data.picture_tree import Kind, Obstacle, no_pause, pictures_below, pictures_in, subfolders
from capt_engine.data.products import DRAWN, is_drawn, left_out, product
from capt_engine.errors import BadRequest

OnObstacle = Callable[[str, Obstacle], None]
"""A callback that gets the class ("" above all classes) and what the walk goes on without."""


def from_class_folders(
    root: str, on_obstacle: OnObstacle | None = None, between: Callable[[], None] = no_pause
) -> dict[str, LabelledSet]:
    """Read a folder of class folders, or of train, val and test with class folders in them, as labelled sets by split.

    The keys are "train", "val" and "test", as far as they are there, or "all" for an undivided folder. root: the
    folder. on_obstacle: called with (class name, obstacle) for each folder that cannot be read and each link that is
    not followed; with None an unreadable folder is an error. between: called before each folder is listed, may raise to
    stop. Runs and other folders that this program wrote are no classes; the sets' notes name them. A map classes.csv or
    classes.json beside the folders names the classes. Raises BadRequest where there are no class folders with pictures,
    a split has two folders, template.txt or the map is faulty, or a folder cannot be read.
    """
    if what := product(Path(root)):
        raise BadRequest(f"{root} is {what}, not a data set.", "Name the folder of the pictures instead.")
    notes: dict[str, None] = {}

    def tell(name: str, obstacle: Obstacle) -> None:
        if obstacle.kind is Kind.PRODUCT:
            notes[obstacle.why.message] = None
        elif on_obstacle is not None:
            on_obstacle(name, obstacle)
        elif obstacle.kind is Kind.UNREADABLE:
            raise obstacle.why

    parts = _split_folders(root, lambda obstacle: tell("", obstacle) if obstacle.kind is Kind.PRODUCT else None)
    pictures = {split: classes_below(folder, root, tell, between) for split, folder in parts.items()}
    filled = {name for by_class in pictures.values() for name in by_class}
    folders = tuple(sorted(filled, key=natural_key))
    if not folders and pictures_in(root):
        raise BadRequest(
            f"{root} holds pictures, but no class folders.",
            "If it is one class, name the folders of the other classes as well; else sort the pictures into one subfolder per class.",
        )
    if not folders:
        raise BadRequest(" ".join((f"{root} has no class folders with pictures in them.", *notes)), EXPECTED)
    classes = folders
    for file in filter(Path.is_file, (Path(root, name) for name in MAP_FILES)):
        classes, sentence = mapped(file, folders)
        notes[sentence] = None
        break
    label = {name: index for index, name in enumerate(folders)}
    template = _template_of(root)
    return {
        split: LabelledSet(
            Path(root).name,
            classes,
            tuple(Item(file, label[name]) for name in folders for file in by_class.get(name, ())),
            template,
            root,
            notes=tuple(notes),
        )
        for split, by_class in pictures.items()
    }


def classes_below(
    folder: str, top: str, on_obstacle: OnObstacle | None = None, between: Callable[[], None] = no_pause
) -> dict[str, tuple[str, ...]]:
    """Return the paths of the pictures of each class by class name; each subfolder of `folder` is a class.

    Pictures count at any depth of a subfolder; a subfolder without any is left out, unless a part of it could not be
    read, and so are runs and other folders that this program wrote. top: the folder of the whole data set, which is
    `folder` or holds it; links back into it are not followed. on_obstacle: called with (class name, obstacle) for each
    folder that cannot be read, each link that is not followed and each folder of this program; with None an unreadable
    folder raises BadRequest. between: called before each folder is listed, may raise to stop.
    """
    found: dict[str, tuple[str, ...]] = {}
    locked: set[str] = set()

    def tell(name: str, obstacle: Obstacle) -> None:
        if on_obstacle is not None:
            on_obstacle(name, obstacle)
            if obstacle.kind is Kind.UNREADABLE:
                locked.add(name)
        elif obstacle.kind is Kind.UNREADABLE:
            raise obstacle.why

    for name in subfolders(folder, partial(tell, "")):
        if is_drawn(Path(folder, name)):
            tell("", Obstacle(str(Path(folder, name)), BadRequest(left_out(name, DRAWN)), Kind.PRODUCT))
            continue
        files = pictures_below(str(Path(folder, name)), top, partial(tell, name), between)
        if files or name in locked:
            found[name] = files
    return found


def _template_of(root: str) -> str:
    """Read the template from a file template.txt beside the class folders; the default template if there is none."""
    file = Path(root, TEMPLATE_FILE)
    if not file.is_file():
        return DEFAULT_TEMPLATE
    template = text_of(str(file)).strip()
    if not is_template(template):
        raise BadRequest(
            f"{file} does not hold one line with one {{}} for the class name.", f"For example: {DEFAULT_TEMPLATE}"
        )
    return template


def _split_folders(root: str, on_obstacle: Callable[[Obstacle], None]) -> dict[str, str]:
    """Find the folder of each split's class folders; a class may be called "train" too, so the names alone do not decide."""
    names = subfolders(root, on_obstacle)
    claimed: dict[str, list[str]] = {split: [] for split in SPLITS}
    for name in names:
        folder = str(Path(root, name))
        part = split_called(name)
        if part and subfolders(folder) and not pictures_in(folder):
            claimed[part].append(name)
    found = {split: folders for split, folders in claimed.items() if folders}
    named = sum(len(folders) for folders in found.values())
    if len(found) < 2 and named < len(names):
        return {WHOLE: root}
    for split, folders in found.items():
        if len(folders) > 1:
            raise BadRequest(
                f"{root} has more than one folder for {split}: {', '.join(folders)}.",
                "Keep one of them, or rename the other.",
            )
    return {split: str(Path(root, folders[0])) for split, folders in found.items()} or {WHOLE: root}
