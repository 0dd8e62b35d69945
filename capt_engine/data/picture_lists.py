"""Data sets that are lists of pictures: a CSV, or a split file as CoOp publishes them.

A CSV begins with a line that names its columns, in any order: `path` (from the CSV's own folder) and `label`; `split` (train, val or
test); `class_name`, which makes the labels numbers that say the order of the classes; `label_index`, the class's index in a longer list,
which tells classes of one name apart; and `template`, the same in every row. A column of targets has any name. Other usual names of
the columns are read too, such as `file_name` (Hugging Face's metadata.csv) and `class`, and paths as Windows writes them.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from capt_engine.data.folders import natural_key
from capt_engine.data.labelled_set import (
    DEFAULT_TEMPLATE,
    SPLITS,
    WHOLE,
    Item,
    LabelledSet,
    TargetColumn,
    is_template,
    is_text,
    not_utf8,
    split_called,
    text_of,
)
from capt_engine.errors import BadRequest
from capt_engine.reading import decode

# Where the published split files' pictures lie, seen from the file (CoOp's DATASETS.md); the last is the file's own folder.
_IMAGE_FOLDERS = ("images", "101_ObjectCategories", "jpg", "SUN397", "2750", "UCF-101-midframes", "")

INDEX_COLUMN = "label_index"
_TARGET = "target"

# Each column by the names that lists of others have for it; the first that a list has counts.
_CALLED = {
    "path": ("path", "file_name", "filename", "filepath", "file_path", "image_path", "img_path", "image", "img"),
    "label": ("label", "labels", "class", "category", "class_label", "class_name", "classname", "label_name"),
    "class_name": ("class_name", "classname", "label_name", "category_name"),
    INDEX_COLUMN: (INDEX_COLUMN,),
    "split": ("split",),
    "template": ("template",),
}
_DELIMITERS = (",", ";", "\t")

# ImageNet's list of 1.3 million pictures is 0.1 GB.
_MOST_BYTES = 1 << 30


class _Row(NamedTuple):
    path: str
    label: int
    class_name: str
    target: int | None = None


class _Line(NamedTuple):
    """A row of a CSV, with its number in the file and the fields that were there, as text."""

    number: int
    fields: dict[str, str]


# CSV


def from_csv(path: str, text: str, targets: TargetColumn | None = None) -> dict[str, LabelledSet]:
    """Read the labelled set of each split from a CSV with the columns path and label.

    path: the file, from whose folder the pictures' paths start. text: its contents. Columns class_name, label_index,
    split and template may be there too. targets: the column that holds each picture's target, None for none. The keys
    are "train", "val" and "test", as far as they occur, or "all" without a column split. Raises BadRequest where a
    column or field is missing or wrong, or the pictures are not there.
    """
    header = text.partition("\n")[0]
    # Spreadsheets of half the world write semicolons.
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BadRequest(f"{path} is not a sound CSV file ({error}).", "Save it again as CSV, in UTF-8.") from error
    columns = [name.strip().lower() for name in lines[0]] if lines else []
    at = _places(columns)
    if "path" not in at or "label" not in at:
        raise BadRequest(
            f"{path} does not begin with a line that names the columns path and label.",
            "Its first line should be: path,label (file_name, image … are read as path; class, category … as label)"
            if columns
            else "The file is empty.",
        )
    if targets is not None:
        if targets.name.strip().lower() not in columns:
            raise BadRequest(f"{path} has no column {targets.name!r}.", f"Its columns are: {', '.join(columns)}.")
        at[_TARGET] = columns.index(targets.name.strip().lower())
    rows: list[_Line] = []
    templates: dict[str, int] = {}
    for number, line in enumerate(lines[1:], 2):
        if not any(field.strip() for field in line):
            continue
        fields = {name: line[index].strip() if index < len(line) else "" for name, index in at.items()}
        if not all(fields.values()):
            empty = next(columns[at[name]] for name, field in fields.items() if not field)
            raise BadRequest(f"Row {number} of {path} has no {empty}.", "Fill it in, or remove the row.")
        templates.setdefault(fields.get("template", DEFAULT_TEMPLATE), number)
        # A name may begin or end with a space, though spaces around a field are mostly a spreadsheet's.
        whole = line[at["path"]]
        if whole != fields["path"] and os.path.lexists(Path(path).parent / whole):
            fields["path"] = whole
        _require_text(path, fields)
        rows.append(_Line(number, fields))
    if "class_name" in at and "class_name" not in columns and not all(_is_whole(one.fields["label"]) for one in rows):
        # What only may be the names of numbers stands beside labels that are names already.
        for one in rows:
            del one.fields["class_name"]
    template = _one_template(path, templates)
    sets = _from_table(path, rows, targets)
    return {split: replace(each, template=template) for split, each in sets.items()}


def _places(columns: Sequence[str]) -> dict[str, int]:
    """Find the column of each kind that is there, by its usual names; names of classes beside no labels are the labels."""
    at: dict[str, int] = {}
    for kind, names in _CALLED.items():
        found = next((columns.index(name) for name in names if name in columns), None)
        if found is not None and found not in at.values():
            at[kind] = found
    return at


def _one_template(path: str, templates: dict[str, int]) -> str:
    """Return the column template, which must be the same in every row; the value is the row it was first met in."""
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
        raise not_utf8(path)


def _from_table(path: str, table: Sequence[_Line], targets: TargetColumn | None) -> dict[str, LabelledSet]:
    """The rows of a CSV; without a column of class names, the labels are the names."""
    named = any("class_name" in fields for _, fields in table)
    # Labels of one name and different indices in a longer list are different classes.
    called = {(fields["label"], _index(path, number, fields)) for number, fields in table}
    order = sorted(called, key=lambda one: (natural_key(one[0]), one[1] or 0))
    place = {one: at for at, one in enumerate(order)}
    rows: dict[str, list[_Row]] = {}
    indices: dict[int, int | None] = {}
    for number, fields in table:
        label, index = fields["label"], _index(path, number, fields)
        if named and not _is_whole(label):
            raise BadRequest(
                f"The label {label!r} in {path} is not a number, though class_name says what each number means.",
                "Number the classes from 0, or leave the column class_name out.",
            )
        split = fields.get("split", WHOLE)
        wanted = WHOLE if split == WHOLE else split_called(split)
        if not wanted:
            raise BadRequest(f"{path} names a split called {split!r}.", "Use train, val and test.")
        at = int(label) if named else place[label, index]
        if indices.setdefault(at, index) != index:
            raise BadRequest(
                f"Row {number} of {path} gives its class another {INDEX_COLUMN} than the rows before it.",
                "Give every class one index.",
            )
        target = _target(path, number, fields, targets, len(order)) if targets is not None else None
        rows.setdefault(wanted, []).append(_Row(fields["path"], at, fields.get("class_name", label), target))
    ordered = {split: rows[split] for split in (*SPLITS, WHOLE) if split in rows}
    sets = _from_rows(path, ordered, (str(Path(path).parent),))
    given = tuple(index for _, index in sorted(indices.items()) if index is not None)
    return {split: replace(each, indices=given) for split, each in sets.items()}


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _index(path: str, number: int, fields: dict[str, str]) -> int | None:
    text = fields.get(INDEX_COLUMN)
    if text is not None and not _is_whole(text):
        raise BadRequest(
            f"Row {number} of {path} has the {INDEX_COLUMN} {text!r}, which is no whole number from 0.",
            "Correct it, or leave the column out.",
        )
    return None if text is None else int(text)


def _target(path: str, number: int, fields: dict[str, str], targets: TargetColumn, own: int) -> int:
    text, classes = fields[_TARGET], targets.classes or own
    if not _is_whole(text) or int(text) >= classes:
        raise BadRequest(
            f"Row {number} of {path} has the {targets.name} {text!r}; the classes judged among go from 0 to {classes - 1}.",
            "Correct it, or name with --classes the list that the column counts in.",
        )
    return int(text)


# Split files


def from_split_file(path: str, text: str | None = None) -> dict[str, LabelledSet]:
    """Read the train, val and test sets of a CoOp split file (JSON) whose pictures lie beside it, in a usual folder.

    path: the split file. text: its contents if already read, None to read them. Raises BadRequest where the file is no
    sound split file, or the pictures are not found.
    """
    return read_split_file(path, [str(Path(path).parent / folder) for folder in _IMAGE_FOLDERS], text)


def read_split_file(
    path: str, roots: Sequence[str], text: str | None = None, *, sure: bool = False
) -> dict[str, LabelledSet]:
    """Read the train, val and test sets of a CoOp split file: {"train" | "val" | "test": [[path, label from 0, class name], …]}.

    path: the split file. roots: folders that the listed paths may start from; the first that holds a listed picture is
    taken, or with `sure` the first of all, unchecked. text: the file's contents if already read, None to read them.
    Raises BadRequest where the file is no sound split file, or no folder holds the pictures. Source: CoOp,
    datasets/oxford_pets.py.
    """
    hint = "It may be cut off; fetch it again."
    lists = decode(text_of(path) if text is None else text, dict[str, Any], called=path, hint=hint, most=_MOST_BYTES)
    if not all(isinstance(lists.get(split), list) for split in SPLITS):
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
    once = _each_once(path, root, rows)
    return {
        split: LabelledSet(
            Path(path).stem.removeprefix("split_zhou_"),
            classes,
            tuple(Item(file, row.label, row.target) for file, row in part),
            root=root,
        )
        for split, part in once.items()
    }


def _each_once(path: str, root: str, rows: dict[str, list[_Row]]) -> dict[str, list[tuple[str, _Row]]]:
    """Find the file of each row; a file that a split lists several times is in it once.

    Raises BadRequest where a file has two labels or two targets: its rows and the figures would not agree.
    """
    found: dict[str, list[tuple[str, _Row]]] = {}
    met: dict[str, _Row] = {}
    for split, part in rows.items():
        found[split], here = [], set[str]()
        for row in part:
            file = _file_of(root, row.path)
            key = os.path.normpath(file)
            other = met.setdefault(key, row)
            if (other.label, other.target) != (row.label, row.target):
                what = "label" if other.label != row.label else "target"
                one, two = (other.class_name, row.class_name) if what == "label" else (other.target, row.target)
                raise BadRequest(
                    f"{path} lists {row.path!r} twice, with the {what}s {one!r} and {two!r}.",
                    f"Give every picture one {what}: remove one of its rows.",
                )
            if key not in here:
                here.add(key)
                found[split].append((file, row))
    return found


def _file_of(root: str, listed: str) -> str:
    """Return the file of a listed path, which may be written as Windows does, with backslashes for slashes."""
    file = str(Path(root, listed))
    if "\\" not in listed or os.sep == "\\" or _is_there(file):
        return file
    return str(Path(root, listed.replace("\\", "/")))


def _is_there(file: str) -> bool:
    # A ValueError is a path with a zero byte, which no file has.
    try:
        return os.path.lexists(file)
    except ValueError:
        return False


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
        if any(_is_there(_file_of(root, row.path)) for row in rows[:20]):
            return os.path.normpath(Path(root).absolute())
    raise BadRequest(
        f"The pictures that {path} lists are not where they should be; the first would be {str(Path(roots[0], rows[0].path))!r}.",
        "Put the list and the picture folder where they belong to each other.",
    )
