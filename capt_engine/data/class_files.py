"""Files of class names: a list with one name per line, or a map from folders to names, as text, CSV or JSON."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capt_engine.data.class_names import listed
from capt_engine.data.folders import natural_key
from capt_engine.errors import BadRequest
from capt_engine.reading import decode
from capt_engine.records.vocabulary import ABOUT_NAMES, distinct

MAP_FILES = ("classes.csv", "classes.json")
"""Beside class folders: the map from their names to the names of their classes."""

_FOLDERS = ("folder", "directory", "dir", "wnid", "synset", "id", "label", "index", "class_id", "class")
_NAMES = ("name", "class_name", "classname", "class", "label_name", "names", "words")
_WNID = re.compile(r"n\d{8}(?=[\s,;])")
_HINT = "A list is [name, …], a map {folder: name, …}."
_LARGEST_BYTES = 16 << 20


@dataclass(frozen=True)
class ClassFile:
    """The names in a file, in its order; of a map also the folder that each is for, else `folders` is empty."""

    names: tuple[str, ...]
    folders: tuple[str, ...] = ()


def read_class_file(path: str) -> ClassFile:
    """Read a file of class names or a map from folders to names.

    Text: a line is a name, commas included, as ImageNet writes them; a single line holds names between commas. A map is
    a CSV whose first line names the columns folder and name, lines that begin with WordNet ids, or a JSON object; values
    of it may be [WordNet id, name]. Raises BadRequest where the file cannot be read or holds no names.
    """
    try:
        data = Path(path).read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(
            f"The class list {path!r} cannot be read: {error}.", "It must be a UTF-8 text file."
        ) from error
    found = _from_json(path, text) if text.lstrip()[:1] in ("[", "{") else _from_lines(text)
    if not found.names:
        raise BadRequest(f"The class list {path!r} holds no name.", "Write one name per line.")
    return found


def mapped(file: Path, folders: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return the names that a map beside class folders gives them, and a sentence that shows the pairing.

    A file that maps none of them is about something else: their own names are returned, and the sentence says so. Raises
    BadRequest where it names some of the folders and not all.
    """
    try:
        found = read_class_file(str(file))
        found = found if found.folders else paired(found.names, folders) or found
        names = dict(zip(found.folders, found.names, strict=bool(found.folders)))
    except BadRequest:
        names = {}
    missing = [folder for folder in folders if folder not in names]
    if len(missing) == len(folders):
        return tuple(folders), f"{file.name} beside the folders is no map (folder,name) of theirs, so it was not used."
    if missing:
        raise BadRequest(
            f"The map {str(file)!r} has no name for {len(missing)} of the {len(folders)} folders: {listed(missing)}.",
            "Write a line (folder,name) for each of them.",
        )
    classes = distinct([names[folder] for folder in folders])
    return classes, f"{ABOUT_NAMES}by {file.name}: {pairs_shown(folders, classes)}."


def pairs_shown(folders: Sequence[str], names: Sequence[str]) -> str:
    """List the first pairs of folder and name for a sentence."""
    return listed([f"{one} → {other}" for one, other in zip(folders, names, strict=True)], between="; ")


def typed_names(text: str) -> tuple[str, ...]:
    """Return the names that stand between commas in `text`; a name in double quotes may hold commas. Empty ones are dropped."""
    cells = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(name for cell in cells if (name := cell.strip()))


def as_typed(names: Sequence[str]) -> str:
    """Return names as text that `typed_names` reads back: with commas between, and quotes around those that need them."""
    return ",".join('"' + name.replace('"', '""') + '"' if set(name) & set(',"') else name for name in names)


def paired(names: Sequence[str], folders: Sequence[str]) -> ClassFile | None:
    """Read a list whose every line is a folder and a name, as a map; None where some folder stands at the beginning of no line.

    Only of folders whose names are no words, numbers and WordNet ids: "crane, bird" may be one class of a folder "crane".
    """
    if any(any(map(str.isalpha, folder)) and not re.fullmatch(r"n\d{8}", folder) for folder in folders):
        return None
    for mark in ("\t", ",", ";", " "):
        parts = [name.partition(mark) for name in names]
        found = {first.strip(): rest.strip() for first, _, rest in parts if rest.strip()}
        if found and found.keys() >= set(folders):
            rows = [one for one in found.items() if one[0].lower() not in _FOLDERS or one[0] in folders]
            return ClassFile(tuple(name for _, name in rows), tuple(folder for folder, _ in rows))
    return None


def _from_json(path: str, text: str) -> ClassFile:
    kind: Any = list[str] | dict[str, str | list[str]]
    found: Any = decode(text, kind, called=f"The class list {path!r}", hint=_HINT, most=_LARGEST_BYTES)
    if isinstance(found, list):
        return ClassFile(tuple(name.strip() for name in found if name.strip()))
    rows = []
    for key in sorted(found, key=natural_key) if all(map(str.isdigit, found)) else found:
        value = found[key]
        match [key, value] if isinstance(value, str) else value:
            case [folder, name] if folder.strip() and name.strip():
                rows.append((folder.strip(), name.strip()))
            case _:
                raise BadRequest(f"The class list {path!r} has no name for {key!r}.", _HINT)
    return ClassFile(tuple(name for _, name in rows), tuple(folder for folder, _ in rows))


def _from_lines(text: str) -> ClassFile:
    lines = [line.strip().rstrip(",").strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return ClassFile(())
    header = re.split("[,;\t]", lines[0].lower())
    cells = [cell.strip().strip('"') for cell in header]
    folder = next((at for at, cell in enumerate(cells) if cell in _FOLDERS), None)
    name = next((at for at, cell in enumerate(cells) if cell in _NAMES and at != folder), None)
    if folder is not None and name is not None:
        mark = next(mark for mark in "\t;," if mark in lines[0])
        rows = list(csv.reader(lines[1:], delimiter=mark, skipinitialspace=True))
        some = [(row[folder].strip(), row[name].strip()) for row in rows if len(row) > max(folder, name)]
        return ClassFile(tuple(name for _, name in some), tuple(folder for folder, _ in some))
    if all(_WNID.match(line) for line in lines):
        return ClassFile(tuple(line[9:].strip(" \t,;") for line in lines), tuple(line[:9] for line in lines))
    if len(lines) == 1:
        return ClassFile(typed_names(lines[0]))
    return ClassFile(tuple(map(_unquoted, lines)))


def _unquoted(line: str) -> str:
    """Return a line without the quotes around all of it."""
    cells = next(csv.reader([line]), [line]) if line.startswith('"') else [line]
    return cells[0].strip() if len(cells) == 1 else line
