"""The result of a scan as one file, `inventory.csv`, from which a split is made without opening a picture again.

The first line is `#` and a JSON object: `inventory` (the version, 1), `root`, `template`, `classes` (names in order), `token_limit`,
`long_names` ([name, tokens], …), and the `sha256` of all bytes behind that line. Those are a CSV table: a line that names the columns of
`COLUMNS`, then one line for each picture, in the order of the data set. `label` counts the classes from 0 and `class` is its name;
`cluster` is the same number, from 1, for pictures that are the same or look alike, and empty for one that has no like; `problem` says
why a picture cannot be used, whose `sha256` is then empty and whose sides are 0. File names that are not UTF-8 keep their bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from capt_engine.data.labelled_set import shown
from capt_engine.errors import BadRequest
from capt_engine.reading import decode, fitted
from capt_engine.records.data import LongName

FILE = "inventory.csv"
VERSION = 1
COLUMNS = ("path", "label", "class", "split", "sha256", "width", "height", "cluster", "problem")

_SCAN_AGAIN = "Scan the pictures again."


class Entry(NamedTuple):
    """One picture: `cluster` 0 where no other is like it; `problem` "" where it can be used."""

    path: str
    label: int
    split: str
    sha256: str
    width: int
    height: int
    cluster: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Inventory:
    """All pictures of a data set, in its order, and what else a split has to know."""

    root: str
    template: str
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    token_limit: int = 0
    long_names: tuple[LongName, ...] = ()


@dataclass(frozen=True)
class _Head:
    root: str
    template: str
    classes: tuple[str, ...]
    token_limit: int
    long_names: tuple[tuple[str, int], ...]
    sha256: str


@dataclass(frozen=True)
class Kept:
    """The used part of an inventory: labels count the kept classes, and `parts[i]` is "train", "val" or "test" for `entries[i]`."""

    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    parts: tuple[str, ...]


def to_bytes(inventory: Inventory) -> bytes:
    """Return the file inventory.csv of an inventory: a line of JSON about the data set, then a CSV row per picture."""
    table = table_bytes(
        COLUMNS,
        (
            (path, label, inventory.classes[label], split, sha256, width, height, cluster or "", problem)
            for path, label, split, sha256, width, height, cluster, problem in inventory.entries
        ),
    )
    head = {
        "inventory": VERSION,
        "root": inventory.root,
        "template": inventory.template,
        "classes": inventory.classes,
        "token_limit": inventory.token_limit,
        "long_names": [(each.name, each.tokens) for each in inventory.long_names],
        "sha256": hashlib.sha256(table).hexdigest(),
    }
    # In ASCII, where half of a surrogate pair, which stands for a byte that is no letter, is written \udc….
    return f"# {json.dumps(head)}\r\n".encode("ascii") + table


def table_bytes(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """Return a CSV file as bytes, made of a line of column names and the rows.

    UTF-8, but bytes of file names that are not UTF-8 are written as they are.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def read(path: str | os.PathLike[str]) -> Inventory:
    """Read an inventory (the list of pictures that a scan wrote) from the file at `path`.

    Raises BadRequest where the file is missing, damaged, no inventory, or of another version.
    """
    name = f"The inventory {shown(path)}"
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise BadRequest(f"{name} cannot be read ({reason}).", _SCAN_AGAIN) from error
    first, _, table = data.partition(b"\r\n")
    try:
        said = decode(first[2:], dict[str, Any], called=name, hint=_SCAN_AGAIN) if first.startswith(b"# ") else {}
        if "inventory" not in said:
            raise BadRequest(f"{name} is not an inventory of pictures.", _SCAN_AGAIN)
        if said["inventory"] != VERSION:
            raise BadRequest(f"{name} was written by another version of CAPT Explorer.", _SCAN_AGAIN)
        head = fitted(said, _Head, called=name, hint=_SCAN_AGAIN)
        if head.sha256 != hashlib.sha256(table).hexdigest():
            raise ValueError("it was changed or cut off")
        lines = csv.reader(io.StringIO(table.decode("utf-8", "surrogateescape"), newline=""), strict=True)
        if tuple(next(lines)) != COLUMNS:
            raise ValueError("other columns")
        return Inventory(
            root=head.root,
            template=head.template,
            classes=head.classes,
            entries=tuple(_entry(line, head.classes) for line in lines),
            token_limit=head.token_limit,
            long_names=tuple(LongName(*one) for one in head.long_names),
        )
    except (ValueError, IndexError, StopIteration, csv.Error) as error:
        raise BadRequest(f"{name} is damaged ({error}).", _SCAN_AGAIN) from error


def _entry(line: list[str], classes: tuple[str, ...]) -> Entry:
    path, label, name, split, sha256, width, height, cluster, problem = line
    if classes[int(label)] != name:
        raise ValueError(f"class {label} is not {name!r}")
    return Entry(path, int(label), split, sha256, int(width), int(height), int(cluster or 0), problem)
