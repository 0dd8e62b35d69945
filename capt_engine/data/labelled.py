"""Pictures with labels, from class folders, from a CSV with `path,label`, or from a split file as CoOp publishes them."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from capt_engine.data.folders import natural_key
from capt_engine.data.picture_tree import Obstacle, pictures_below, pictures_in, subfolders
from capt_engine.errors import BadRequest

DEFAULT_TEMPLATE = "a photo of a {}."
WHOLE = "all"
"""The one "split" of a data set that has none."""

TEMPLATE_FILE = "template.txt"
"""Beside class folders: the sentence that their names stand in."""

SPLITS = ("train", "val", "test")
_SPLIT_OF = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_called(name: str) -> str:
    """ "train", "val" or "test", whichever a common name of it means; "" for any other name."""
    return _SPLIT_OF.get(name.lower(), "")


# Where the published split files' pictures lie, seen from the file (CoOp's DATASETS.md); the last is the file's own folder.
_IMAGE_FOLDERS = ("images", "101_ObjectCategories", "jpg", "SUN397", "2750", "UCF-101-midframes", "")

# The largest published one, of Food101, has 6 MB.
_LARGEST_LIST_BYTES = 500 * 2**20

_EXPECTED = (
    "Expected: a folder with one subfolder per class, a CSV with the columns path and label, or a split_zhou_*.json."
)


@dataclass(frozen=True, slots=True)
class Item:
    """One picture: where it is, and the index of its class."""

    path: str
    label: int


@dataclass(frozen=True)
class LabelledSet:
    """Pictures with labels: `items[i].label` indexes `classes`; `template` holds one {} for the class name.

    Class names are as the source spells them, underscores included.
    """

    name: str
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    template: str = DEFAULT_TEMPLATE
    root: str = ""

    def counts(self) -> tuple[int, ...]:
        """Pictures of each class, (k,)."""
        counts = [0] * len(self.classes)
        for item in self.items:
            counts[item.label] += 1
        return tuple(counts)


class _Row(NamedTuple):
    path: str
    label: int
    class_name: str


def load_labelled(
    path: str | os.PathLike[str], split: str | None = None, *, image_root: str | None = None
) -> LabelledSet:
    """One split of the data set at `path`, whichever of the three kinds it is; labels mean the same in each split.

    split: "train", "val" or "test" ("valid" and "validation" mean val). None: the data set's only split; where there are
    several, that is an error, as training and test pictures must not be mixed by accident.
    image_root: for a split file, the folder its paths start from, where it is not beside the file.
    Raises BadRequest.
    """
    sets = load_splits(path, image_root=image_root)
    offered = ", ".join(sets)
    if split is None:
        if len(sets) > 1:
            raise BadRequest(f"{os.fspath(path)} has several parts: {offered}.", "Say which of them to use.")
        return next(iter(sets.values()))
    wanted = _SPLIT_OF.get(split.lower(), split)
    if wanted not in sets:
        if tuple(sets) == (WHOLE,):
            raise BadRequest(
                f"{os.fspath(path)} is not divided into parts, so it has no part called {split!r}.",
                "Use all of it, or make folders called train, val and test with the classes in them.",
            )
        raise BadRequest(f"{os.fspath(path)} has no part called {split!r}.", f"It has: {offered}.")
    return sets[wanted]


OnObstacle = Callable[[str, Obstacle], None]
"""Told of the class ("" above all classes) and of a folder that cannot be read or a link that is not followed."""


def load_splits(
    path: str | os.PathLike[str], *, image_root: str | None = None, on_obstacle: OnObstacle | None = None
) -> dict[str, LabelledSet]:
    """Every split of the data set at `path` ("train", "val", "test", as far as there are any), or {"all": …} of an undivided one.

    on_obstacle: gets what the search goes on without; None makes a folder that cannot be read an error, as leaving it out would change
    the task in silence. Raises BadRequest.
    """
    # Made absolute, so that the items stay valid wherever they are used from.
    where = os.path.normpath(Path(path).absolute()) if "\0" not in os.fspath(path) else ""
    # Not Path.exists, which raises where a name is too long.
    if not where or not os.path.exists(where):  # noqa: PTH110
        raise BadRequest(f"There is no such file or folder: {os.fspath(path)!r}.", "Check the path.")
    if Path(where).is_dir():
        lists = [file for file in _names(where) if file.startswith("split_zhou_") and file.endswith(".json")]
        if len(lists) > 1:
            raise BadRequest(f"{where} holds several split files: {', '.join(lists)}.", "Choose one of them.")
        return (
            _from_split_file(str(Path(where, lists[0])), image_root)
            if lists
            else _from_class_folders(where, on_obstacle)
        )
    if not Path(where).is_file():
        raise BadRequest(f"{where} is neither a file nor a folder.", _EXPECTED)
    text = text_of(where, "surrogateescape")
    if text.lstrip()[:1] not in ("{", "["):
        return _from_csv(where, text)
    if not is_text(text):
        raise _not_utf8(where)
    return _from_split_file(where, image_root, text)


# Class folders


def _from_class_folders(root: str, on_obstacle: OnObstacle | None = None) -> dict[str, LabelledSet]:
    parts = _split_folders(root)
    pictures = {split: classes_below(folder, root, on_obstacle) for split, folder in parts.items()}
    filled = {name for by_class in pictures.values() for name in by_class}
    classes = tuple(sorted(filled, key=natural_key))
    if not classes and pictures_in(root):
        raise BadRequest(
            f"{root} holds pictures, but no class folders.",
            "If it is one class, name the folders of the other classes as well; else sort the pictures into one subfolder per class.",
        )
    if not classes:
        raise BadRequest(f"{root} has no class folders with pictures in them.", _EXPECTED)
    label = {name: index for index, name in enumerate(classes)}
    template = _template_of(root)
    return {
        split: LabelledSet(
            Path(root).name,
            classes,
            tuple(Item(file, label[name]) for name in classes for file in by_class.get(name, ())),
            template,
            root,
        )
        for split, by_class in pictures.items()
    }


def classes_below(folder: str, top: str, on_obstacle: OnObstacle | None = None) -> dict[str, tuple[str, ...]]:
    """The pictures of each class folder in `folder`, which is, or is a part of, the data set in `top`. Raises BadRequest.

    A folder without a picture is somebody's notes rather than a class, but one that cannot be read may hold anything.
    """
    found: dict[str, tuple[str, ...]] = {}
    locked: set[str] = set()

    def tell(name: str, obstacle: Obstacle) -> None:
        if on_obstacle is not None:
            on_obstacle(name, obstacle)
            if not obstacle.is_link:
                locked.add(name)
        elif not obstacle.is_link:
            raise obstacle.why

    for name in subfolders(folder, partial(tell, "")):
        files = pictures_below(str(Path(folder, name)), top, partial(tell, name))
        if files or name in locked:
            found[name] = files
    return found


def _template_of(root: str) -> str:
    """What a file template.txt beside the class folders says that class names stand in, where there is one."""
    file = Path(root, TEMPLATE_FILE)
    if not file.is_file():
        return DEFAULT_TEMPLATE
    template = text_of(str(file)).strip()
    if not is_template(template):
        raise BadRequest(
            f"{file} does not hold one line with one {{}} for the class name.", f"For example: {DEFAULT_TEMPLATE}"
        )
    return template


def is_template(text: str) -> bool:
    """Whether a text is one line with one {} for the class name."""
    return text.count("{}") == 1 and "\n" not in text


def _split_folders(root: str) -> dict[str, str]:
    """Where each split's class folders are; a class may be called "train" too, so the names alone do not decide."""
    names = subfolders(root)
    claimed: dict[str, list[str]] = {split: [] for split in SPLITS}
    for name in names:
        folder = str(Path(root, name))
        if name.lower() in _SPLIT_OF and subfolders(folder) and not pictures_in(folder):
            claimed[_SPLIT_OF[name.lower()]].append(name)
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


# CSV


def _from_csv(path: str, text: str) -> dict[str, LabelledSet]:
    header = text.partition("\n")[0]
    # Spreadsheets of half the world write semicolons.
    delimiter = ";" if header.count(";") > header.count(",") else ","
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BadRequest(f"{path} is not a sound CSV file ({error}).", "Save it again as CSV, in UTF-8.") from error
    columns = [name.strip().lower() for name in lines[0]] if lines else []
    if "path" not in columns or "label" not in columns:
        raise BadRequest(
            f"{path} does not begin with a line that names the columns path and label.",
            "Its first line should be: path,label" if columns else "The file is empty.",
        )
    known = ("path", "label", "class_name", "split", "template")
    at = {name: columns.index(name) for name in known if name in columns}
    rows: list[tuple[str, str, str, str]] = []
    templates: dict[str, int] = {}
    for number, line in enumerate(lines[1:], 2):
        if not any(field.strip() for field in line):
            continue
        fields = {name: line[index].strip() if index < len(line) else "" for name, index in at.items()}
        if not all(fields.values()):
            empty = next(name for name, field in fields.items() if not field)
            raise BadRequest(f"Row {number} of {path} has no {empty}.", "Fill it in, or remove the row.")
        templates.setdefault(fields.get("template", DEFAULT_TEMPLATE), number)
        # A name may begin or end with a space, though spaces around a field are mostly a spreadsheet's.
        whole = line[at["path"]]
        if whole != fields["path"] and os.path.lexists(Path(path).parent / whole):
            fields["path"] = whole
        _require_text(path, fields)
        rows.append((fields["path"], fields["label"], fields.get("class_name", ""), fields.get("split", WHOLE)))
    template = _one_template(path, templates)
    return {
        split: replace(each, template=template) for split, each in _from_table(path, rows, "class_name" in at).items()
    }


def _one_template(path: str, templates: dict[str, int]) -> str:
    """What the column template says, which must be the same in every row; the value is the row it was first met in."""
    for template, number in list(templates.items())[:2][::-1]:
        if not is_template(template):
            raise BadRequest(
                f"Row {number} of {path} has a template without one {{}} for the class name.",
                f"For example: {DEFAULT_TEMPLATE}",
            )
        if len(templates) > 1:
            raise BadRequest(
                f"Row {number} of {path} has another template than the rows before it.", "Give every row the same."
            )
    return next(iter(templates), DEFAULT_TEMPLATE)


def _require_text(path: str, fields: dict[str, str]) -> None:
    """Raises BadRequest for bytes that are not UTF-8, but for those in the name of a file that is there: it may have such a name."""
    broken = [name for name, field in fields.items() if not is_text(field)]
    if broken and not (broken == ["path"] and os.path.lexists(Path(path).parent / fields["path"])):
        raise _not_utf8(path)


def is_text(name: str) -> bool:
    """Whether a name can be written as UTF-8; one from a disk of another age may hold bytes that are no letters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_table(path: str, table: Sequence[tuple[str, str, str, str]], named: bool) -> dict[str, LabelledSet]:
    """The rows (path, label, class name, split) of a CSV; without a column of class names, the labels are the names."""
    names = sorted({label for _, label, _, _ in table}, key=natural_key)
    index = {name: str(at) for at, name in enumerate(names)}
    rows: dict[str, list[_Row]] = {}
    for file, label, class_name, split in table:
        number = label if named else index[label]
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise BadRequest(
                f"The label {label!r} in {path} is not a number, though class_name says what each number means.",
                "Number the classes from 0, or leave the column class_name out.",
            )
        wanted = _SPLIT_OF.get(split.lower(), split if split == WHOLE else "")
        if not wanted:
            raise BadRequest(f"{path} names a split called {split!r}.", "Use train, val and test.")
        rows.setdefault(wanted, []).append(_Row(file, int(number), class_name if named else label))
    ordered = {split: rows[split] for split in (*SPLITS, WHOLE) if split in rows}
    return _from_rows(path, ordered, (str(Path(path).parent),))


def shown(name: str | os.PathLike[str]) -> str:
    """A name as it can be put into a sentence: bytes that are no letters are written as \\udc…."""
    return os.fspath(name).encode("utf-8", "backslashreplace").decode()


# Split files


def _from_split_file(path: str, image_root: str | None, text: str | None = None) -> dict[str, LabelledSet]:
    here = Path(path).parent
    roots = (image_root,) if image_root is not None else tuple(str(here / folder) for folder in _IMAGE_FOLDERS)
    return read_split_file(path, roots, text)


def read_split_file(
    path: str, roots: Sequence[str], text: str | None = None, *, sure: bool = False
) -> dict[str, LabelledSet]:
    """The three splits of a CoOp split file: {"train" | "val" | "test": [[path, label from 0, class name], …]}.

    roots: folders that the paths may start from; the first that holds a listed picture is taken, or just the first if that is
    `sure`. text: the file, if already read.
    Raises BadRequest. Source: CoOp, datasets/oxford_pets.py.
    """
    try:
        lists = json.loads(text_of(path) if text is None else text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{path} is not a sound JSON file ({error}).", "It may be cut off; fetch it again.") from error
    if not isinstance(lists, dict) or not all(isinstance(lists.get(split), list) for split in SPLITS):
        raise BadRequest(
            f"{path} is not a split file: it needs the three lists train, val and test.", "Choose another file."
        )
    return _from_rows(
        path,
        {split: [_row(path, split, at, entry) for at, entry in enumerate(lists[split])] for split in SPLITS},
        roots,
        sure=sure,
    )


def _row(path: str, split: str, at: int, entry: object) -> _Row:
    match entry:
        case [str(file), int(label), str(class_name)] if file and label >= 0 and not isinstance(label, bool):
            return _Row(file, label, class_name)
    raise BadRequest(
        f"Entry {at} of the list {split} in {path} is not [path, label, class name].",
        "Labels are whole numbers from 0.",
    )


# Both lists


def _from_rows(
    path: str, rows: dict[str, list[_Row]], roots: Sequence[str], *, sure: bool = False
) -> dict[str, LabelledSet]:
    every = [row for part in rows.values() for row in part]
    if not every:
        raise BadRequest(f"{path} lists no pictures.", "Choose another file.")
    classes = _class_names(path, every)
    root = roots[0] if sure else _root_of(path, every, roots)
    return {
        split: LabelledSet(
            Path(path).stem.removeprefix("split_zhou_"),
            classes,
            tuple(Item(str(Path(root, row.path)), row.label) for row in part),
            root=root,
        )
        for split, part in rows.items()
    }


def _class_names(path: str, rows: Iterable[_Row]) -> tuple[str, ...]:
    names: dict[int, str] = {}
    for row in rows:
        if names.setdefault(row.label, row.class_name) != row.class_name:
            raise BadRequest(
                f"{path} calls class {row.label} both {names[row.label]!r} and {row.class_name!r}.",
                "Give each number one class name.",
            )
    if max(names) >= len(names):
        gap = next(label for label in range(len(names)) if label not in names)
        raise BadRequest(
            f"{path} has no pictures of class {gap}, though it has some of {max(names)}.",
            "Number from 0, without gaps.",
        )
    return tuple(names[label] for label in range(len(names)))


def _root_of(path: str, rows: Sequence[_Row], roots: Sequence[str]) -> str:
    """The first folder under which one of the first pictures is; asking for every picture is the scan's work."""
    for root in roots:
        for row in rows[:20]:
            # A ValueError is a path with a zero byte, which no file has.
            try:
                if os.path.lexists(Path(root, row.path)):
                    return os.path.normpath(Path(root).absolute())
            except ValueError:
                continue
    raise BadRequest(
        f"The pictures that {path} lists are not where they should be; the first would be {str(Path(roots[0], rows[0].path))!r}.",
        "Put the list and the picture folder where they belong to each other, or name the folder the paths start from.",
    )


def _names(folder: str) -> list[str]:
    try:
        return sorted(entry.name for entry in Path(folder).iterdir())
    except OSError as error:
        raise BadRequest(
            f"The folder {folder} cannot be read ({os.strerror(error.errno or 0)}).", "Check its permissions."
        ) from error


def text_of(path: str, errors: str = "strict") -> str:
    """A list of pictures or classes as text, from UTF-8 with or without a byte order mark. Raises BadRequest.

    errors: as in `bytes.decode`.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST_LIST_BYTES + 1)
        if len(data) > _LARGEST_LIST_BYTES:
            raise BadRequest(f"{path} is too large to be a list of pictures.", _EXPECTED)
        return data.decode("utf-8-sig", errors)
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read ({os.strerror(error.errno or 0)}).", "Check its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error


def _not_utf8(path: str) -> BadRequest:
    return BadRequest(f"{path} is not text in UTF-8.", "Save the list again as CSV in UTF-8, or choose another file.")
