"""A session as one file, NAME.capt: a zip of JSON, a table and heaps of bytes; whoever made it, it is read whole or refused.

The description for people, part by part: docs/session-format.md.
"""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from capt_engine.errors import BadRequest, CaptError
from capt_engine.files import write_atomic
from capt_engine.reading import decode
from capt_engine.records import PictureRow
from capt_engine.session.content import Session, SessionPicture
from capt_engine.session.encoding import (
    MOST_PICTURES,
    Described,
    described,
    plain,
    require_sound,
    set_bytes,
    set_of,
)
from capt_engine.session.rows import COLUMNS, Doubles, Shared, Unsound, doubles, lines_of, require_bounded, row_of

SUFFIX = ".capt"
FORMAT, VERSION = "capt-session", 1
ATTACKED_BYTES = 32 << 20
"""So many bytes of large pictures are kept; of the others the window makes the attack again when somebody looks."""

_HINT = "It may be cut off or from another program; use a whole copy."
# What a part may be when unpacked. The JSON reader has the same limit for its own.
_MOST = {
    "session.json": 64 << 20,
    "shared.json": 64 << 20,
    "pictures.json": 64 << 20,
    "rows.csv": 256 << 20,
    "numbers.f64": 512 << 20,
    "thumbnails.bin": 512 << 20,
    "attacked.bin": 64 << 20,
    "originals.bin": 512 << 20,
}
# Ours hold some eight parts; a directory of a million would fill the memory before one is read.
_MOST_DIRECTORY = 1 << 16
# Ours shrink to a twentieth at most; a small file that would grow large is none of them.
_MOST_RATIO, _FREE_BYTES = 120, 1 << 20
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _COMMENT_BYTES = 22, 1 << 16
_BROKEN = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError,
    OverflowError, MemoryError, csv.Error,
)  # fmt: skip


def write(path: Path, session: Session, between: Callable[[], object] = lambda: None) -> None:
    """Write a session to the file `path`, over what is there, whole or not at all.

    between: called now and then; what it raises ends the writing. Raises CannotWrite where the disk refuses, BadRequest
    where there are more pictures than a session holds.
    """
    write_all(path, session.state, session.pictures, between)


def write_all(
    path: Path,
    state: Mapping[str, object],
    pictures: Iterable[SessionPicture],
    between: Callable[[], object] = lambda: None,
) -> None:
    """Write a session as `write` does, whose pictures come one after the other."""
    write_atomic(path, lambda file: _fill(file, path.absolute().parent, state, pictures, between))


def _fill(
    file: BinaryIO,
    folder: Path,
    state: Mapping[str, object],
    pictures: Iterable[SessionPicture],
    between: Callable[[], object],
) -> None:
    shared, about = Shared(), list[Described]()
    table, lines = io.StringIO(newline=""), list[dict[str, str]]()
    values, thumbnails, attacked, originals = bytearray(), bytearray(), bytearray(), bytearray()
    for at, picture in enumerate(pictures):
        between()
        if at == MOST_PICTURES:
            raise BadRequest(f"A session holds at most {MOST_PICTURES:,} pictures.", "Remove some, or make two of it.")
        sets = tuple(map(set_bytes, picture.attacked))
        kept = len(attacked) + sum(map(len, sets)) <= ATTACKED_BYTES
        about.append(described(picture if kept else _without_sets(picture), shared, near(picture.path, folder)))
        thumbnails += picture.thumbnail
        originals += picture.original
        for one in sets if kept else ():
            attacked += one
        found = lines_of(picture.rows, shared)
        for side, line in enumerate(found):
            lines.append({"picture": str(at), "side": "AB"[side], **line})
        values += doubles(picture.rows) if found else b""
    columns = dict.fromkeys(("picture", "side", *COLUMNS))
    for line in lines:
        columns |= dict.fromkeys(line)
    writer = csv.DictWriter(table, list(columns), restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines)
    written = datetime.now(UTC).isoformat(timespec="seconds")
    first = {"format": FORMAT, "version": VERSION, "written": written, "state": state}
    parts: tuple[tuple[str, bytes | bytearray, int], ...] = (
        ("session.json", _json(first), zipfile.ZIP_DEFLATED),
        ("shared.json", _json(shared.plain()), zipfile.ZIP_DEFLATED),
        ("pictures.json", _json([plain(one) for one in about]), zipfile.ZIP_DEFLATED),
        ("rows.csv", table.getvalue().encode(), zipfile.ZIP_DEFLATED),
        ("numbers.f64", values, zipfile.ZIP_STORED),
        ("thumbnails.bin", thumbnails, zipfile.ZIP_STORED),
        ("attacked.bin", attacked, zipfile.ZIP_STORED),
        ("originals.bin", originals, zipfile.ZIP_STORED),
    )
    with zipfile.ZipFile(file, "w", allowZip64=False) as archive:
        for name, data, kind in parts:
            between()
            archive.writestr(zipfile.ZipInfo(name), bytes(data), kind, 1)


def read(path: Path) -> Session:
    """Read the session in the file `path`; raises BadRequest where there is none, with one sentence on why."""
    return _read(path)[0]


def nearby(path: Path) -> tuple[Session, tuple[str, ...]]:
    """Read a session as `read` does, with the path of each picture from the session's folder, "" where it has none."""
    return _read(path)


def _read(path: Path) -> tuple[Session, tuple[str, ...]]:
    called = repr(path.name)
    try:
        with _opened(path) as file, zipfile.ZipFile(file) as archive:
            return _content(archive, path, called)
    except CaptError:
        raise
    except Unsound as problem:
        raise BadRequest(f"The session {called} cannot be read: {problem}.", _HINT) from problem
    except FileNotFoundError as problem:
        raise BadRequest(
            f"There is no session {str(path)!r}.", "It may have been moved, renamed or deleted."
        ) from problem
    except _BROKEN as problem:
        reason = getattr(problem, "strerror", None) or "it is damaged, or no session at all"
        raise BadRequest(f"The session {called} cannot be read: {reason}.", _HINT) from problem


def _opened(path: Path) -> BinaryIO:
    """Open a regular file whose directory of parts is small, or raise."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unsound("it is no file")
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES))
        last = file.read()
        at = last.rfind(_END)
        if at < 0 or len(last) < at + _END_BYTES:
            raise Unsound("it is damaged, or no session at all")
        if int.from_bytes(last[at + 12 : at + 16], "little") > _MOST_DIRECTORY or _END_64 in last[max(0, at - 20) : at]:
            raise Unsound("it has too many parts")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _content(archive: zipfile.ZipFile, path: Path, called: str) -> tuple[Session, tuple[str, ...]]:
    first = _parsed(archive, "session.json", dict[str, Any], called)
    if first.get("format") != FORMAT or not isinstance(first.get("state"), dict):
        raise Unsound("it is no session")
    version = first.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise Unsound("its version is unknown")
    if version > VERSION:
        raise BadRequest(f"The session {called} was saved by a newer version of this program.", "Install that version.")
    require_bounded(first)
    shared = Shared.of(_parsed(archive, "shared.json", dict[str, Any], called))
    about = _parsed(archive, "pictures.json", list[Described], called)
    if len(about) > MOST_PICTURES:
        raise Unsound("it has too many pictures")
    for one in about:
        require_sound(one, shared)
        require_bounded(one.facts)
    if len({one.path for one in about}) < len(about):
        raise Unsound("a picture stands in it twice")
    rows = _rows(archive, [one.path for one in about], shared)
    thumbnails = _cut(_part(archive, "thumbnails.bin"), [one.thumbnail for one in about])
    originals = _cut(_part(archive, "originals.bin"), [one.original for one in about])
    sizes = [9 * width * height for one in about for width, height, _ in one.attacked]
    attacked = _cut(_part(archive, "attacked.bin"), sizes)
    pictures = []
    for at, (one, thumbnail, original) in enumerate(zip(about, thumbnails, originals, strict=True)):
        sets = tuple(set_of(next(attacked), *size) for size in one.attacked)
        request = shared.requests[one.request] if one.request >= 0 else None
        kept = rows.get(at, ())
        facts = (one.path, one.sha256, one.n_bytes, one.modified_ns, one.facts, one.failure)
        pictures.append(SessionPicture(*facts, kept, request, thumbnail, original, sets))
    return Session(first["state"], tuple(pictures), str(path.absolute())), tuple(one.near for one in about)


def _rows(archive: zipfile.ZipFile, paths: Sequence[str], shared: Shared) -> dict[int, tuple[PictureRow, ...]]:
    values = Doubles(_part(archive, "numbers.f64"))
    found: dict[int, tuple[PictureRow, ...]] = {}
    text = io.StringIO(_part(archive, "rows.csv").decode(), newline="")
    for line in csv.DictReader(text, restval="", restkey=""):
        at = int(line["picture"])
        before = found.get(at, ())
        if not 0 <= at < len(paths) or len(before) != "AB".index(line["side"] or "?"):
            raise Unsound("a result belongs to no picture")
        line.pop("", None)
        found[at] = (*before, row_of(line, paths[at], values, shared))
    if values.left:
        raise Unsound("numbers are left over")
    return found


def _parsed(archive: zipfile.ZipFile, name: str, kind: Any, called: str) -> Any:
    return decode(_part(archive, name), kind, called=f"{name} in the session {called}", hint=_HINT)


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    """One part, unpacked, if it is no larger than such a part may be."""
    try:
        info = archive.getinfo(name)
    except KeyError as problem:
        raise Unsound(f"it has no {name}") from problem
    most = _MOST[name]
    if info.file_size > min(most, _FREE_BYTES + _MOST_RATIO * info.compress_size):
        raise Unsound(f"its {name} is too large")
    with archive.open(info) as part:
        # What the directory says of a size is only said.
        data = part.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise Unsound(f"its {name} is damaged")
    return data


def _cut(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    if sum(sizes) != len(data):
        raise Unsound("its pictures are not as large as it says")
    return _pieces(data, sizes)


def _pieces(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size


def near(path: str, folder: Path) -> str:
    """Return the path of a picture from the session's `folder`, with "/" between its parts; "" where there is none."""
    with suppress(ValueError):
        return os.path.relpath(path, folder).replace(os.sep, "/")
    return ""


def _without_sets(picture: SessionPicture) -> SessionPicture:
    return SessionPicture(**{**vars(picture), "attacked": ()})


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()
