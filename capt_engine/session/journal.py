"""The journal of a window: what it holds, written a moment after each change, so that a crash takes a second of work at most.

A file of SQLite for each window. The window holds its lock, so that nobody else reads or writes the file while it lives.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from capt_engine.errors import BadRequest, CannotWrite, CaptError
from capt_engine.reading import decode
from capt_engine.session.content import Session, SessionPicture
from capt_engine.session.encoding import Described, described, plain, require_sound
from capt_engine.session.rows import Doubles, Shared, Unsound, doubles, lines_of, require_bounded, row_of

SUFFIX = ".journal"
KEPT = 3
"""So many journals of windows that are closed stay; the oldest go."""

_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pictures (path TEXT PRIMARY KEY, about TEXT NOT NULL, lines TEXT NOT NULL, numbers BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, thumbnail BLOB NOT NULL, original BLOB NOT NULL);
"""


# What is not said again stays.
_PUT_FILES = """
INSERT INTO files VALUES (?, ?, ?) ON CONFLICT (path) DO UPDATE SET
thumbnail = iif(length(excluded.thumbnail), excluded.thumbnail, thumbnail),
original = iif(length(excluded.original), excluded.original, original)
"""


@dataclass(frozen=True)
class Changes:
    """The part of a window that has changed: pictures, whose thumbnail is left out where it is as before, and the rest.

    order: the paths of all pictures, None where they are as before; a picture that is not among them is forgotten. state: None where it is
    as before.
    """

    pictures: tuple[SessionPicture, ...] = ()
    order: tuple[str, ...] | None = None
    state: Mapping[str, object] | None = None
    file: str = ""


@dataclass(frozen=True)
class KeptJournal:
    """A journal on disk whose window is gone.

    has_crashed: nobody closed the window. has_run: it shows the result of an evaluation. file: where its session was saved, or "".
    """

    path: Path
    written: str
    n_pictures: int
    n_results: int
    has_crashed: bool
    has_run: bool = False
    file: str = ""


@dataclass
class Journal:
    """The journal of one living window. Raises CannotWrite where the disk refuses."""

    path: Path
    _base: sqlite3.Connection | None = field(default=None, init=False)
    _shared: Shared = field(default_factory=Shared, init=False)
    # so many of the shared values are in the file
    _known: int = field(default=-1, init=False)

    def write(self, changes: Changes) -> None:
        """Write what has changed, all of it or nothing; the first time the file is made."""
        with _refused(self.path):
            base = self._base = self._base or _made(self.path)
            base.execute("BEGIN IMMEDIATE")
            try:
                self._write(base, changes)
                base.execute("COMMIT")
            except BaseException:
                self._known = -1
                if base.in_transaction:
                    base.execute("ROLLBACK")
                raise

    def end(self, how: str) -> None:
        """Give the lock back, and note that the window was closed: `how` is a word for people who look; "" is as after a crash."""
        base, self._base = self._base, None
        if base is not None:
            with _refused(self.path), closing(base):
                _put(base, {"ended": how})

    def _write(self, base: sqlite3.Connection, changes: Changes) -> None:
        facts = {"written": datetime.now(UTC).isoformat(timespec="seconds"), "file": changes.file}
        for one in changes.pictures:
            lines = lines_of(one.rows, self._shared)
            about = json.dumps(plain(described(one, self._shared)))
            base.execute(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?)",
                (_text(one.path), about, json.dumps(lines), doubles(one.rows) if lines else b""),
            )
            if one.thumbnail or one.original:
                files = (_text(one.path), one.thumbnail, one.original)
                base.execute(_PUT_FILES, files)
        if changes.order is not None:
            facts["order"] = json.dumps(changes.order)
            wanted = {_text(path) for path in changes.order}
            gone = [(path,) for (path,) in base.execute("SELECT path FROM pictures") if path not in wanted]
            for table in ("pictures", "files"):
                base.executemany(f"DELETE FROM {table} WHERE path = ?", gone)  # names of ours
        if changes.state is not None:
            facts["state"] = json.dumps(changes.state)
            facts["run"] = "shown" if changes.state.get("run") else ""
        if len(self._shared) != self._known:
            facts["shared"] = json.dumps(self._shared.plain())
            self._known = len(self._shared)
        _put(base, facts)


def _made(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    base = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        base.execute("PRAGMA locking_mode = EXCLUSIVE")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = NORMAL")
        base.executescript(_TABLES)
        _put(base, {"version": str(_VERSION), "state": "{}", "order": "[]", "shared": "{}", "file": "", "ended": ""})
    except BaseException:
        base.close()
        raise
    return base


def _put(base: sqlite3.Connection, facts: Mapping[str, str]) -> None:
    base.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())


def new_path(folder: Path) -> Path:
    """Return a path in `folder` for the journal of a new window, which no other has."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return folder / f"{stamp}-{secrets.token_hex(2)}{SUFFIX}"


def kept(folder: Path) -> tuple[KeptJournal, ...]:
    """Return the journals in `folder` that hold something and whose window is gone, the newest first; damaged ones are passed over."""
    try:
        paths = [path for path in folder.glob(f"*{SUFFIX}") if path.is_file() and not path.is_symlink()]
    except OSError:
        return ()
    found = [one for path in paths if (one := _about(path)) is not None and (one.n_pictures or one.has_run)]
    return tuple(sorted(found, key=lambda one: (one.written, one.path.name), reverse=True))


def read(path: Path) -> Session:
    """Read the journal of a window that is gone; raises BadRequest where it is damaged, or its window lives."""
    hint = "A copy of it may be sound; nothing else is lost."
    try:
        with closing(_opened(path)) as base:
            return _content(base)
    except sqlite3.OperationalError as problem:
        raise BadRequest("That session is open in another window.", "Close it there first.") from problem
    except (sqlite3.Error, Unsound, ValueError, KeyError, TypeError, IndexError, OverflowError) as problem:
        raise BadRequest(f"The journal {path.name!r} is damaged, and its session cannot be opened.", hint) from problem


def mark_ended(path: Path) -> None:
    """Note in a journal that nobody wants it offered at the start; one that cannot be opened is left alone."""
    with suppress(sqlite3.Error), closing(_opened(path)) as base:
        _put(base, {"ended": "dismissed"})


def forget(path: Path) -> None:
    """Delete a journal whose session was opened or is kept elsewhere; a system that refuses is ignored."""
    for end in ("", "-wal", "-shm"):
        with suppress(OSError):
            Path(f"{path}{end}").unlink(missing_ok=True)


def prune(folder: Path) -> tuple[KeptJournal, ...]:
    """Delete journals that hold nothing, and the oldest of windows that are gone: of those that crashed, and of the others, KEPT stay.

    Returns those that are left, as `kept` does.
    """
    every = kept(folder)
    for crashed in (True, False):
        for one in [one for one in every if one.has_crashed is crashed][KEPT:]:
            forget(one.path)
    for path in folder.glob(f"*{SUFFIX}"):
        if (about := _about(path)) is not None and not about.n_pictures and not about.has_run:
            forget(path)
    return kept(folder)


def _about(path: Path) -> KeptJournal | None:
    try:
        with closing(_opened(path)) as base:
            facts = dict(
                base.execute("SELECT name, value FROM facts WHERE name IN ('written', 'ended', 'file', 'run')")
            )
            ((n, done),) = base.execute("SELECT count(*), coalesce(sum(lines != '[]'), 0) FROM pictures")
            written, file = str(facts.get("written", "")), str(facts.get("file", ""))
            return KeptJournal(path, written, n, done, not facts.get("ended"), bool(facts.get("run")), file)
    except (sqlite3.Error, ValueError, TypeError):
        return None


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file that is there. Reading one that a crash left writes what is in its log into it first."""
    base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=0)
    try:
        base.execute("PRAGMA locking_mode = EXCLUSIVE")
        base.execute("SELECT count(*) FROM facts")
    except BaseException:
        base.close()
        raise
    return base


def _content(base: sqlite3.Connection) -> Session:
    facts: dict[str, str] = {str(name): str(value) for name, value in base.execute("SELECT name, value FROM facts")}
    if int(facts["version"]) != _VERSION:
        raise Unsound("its version is unknown")
    state = _parsed(facts["state"], dict[str, Any])
    require_bounded(state)
    shared = Shared.of(_parsed(facts["shared"], dict[str, Any]))
    pictures: dict[str, SessionPicture] = {}
    query = "SELECT about, lines, numbers, coalesce(thumbnail, x''), coalesce(original, x'') FROM pictures LEFT JOIN files USING (path)"
    for about, lines, values, thumbnail, original in base.execute(query):
        one = _picture(about, lines, values, shared)
        pictures[one.path] = SessionPicture(**{**vars(one), "thumbnail": bytes(thumbnail), "original": bytes(original)})
    order = _parsed(facts["order"], tuple[str, ...])
    # One whose place is not known, because the next moment was never written, comes last.
    every = dict.fromkeys((*order, *pictures))
    return Session(state, tuple(pictures[path] for path in every if path in pictures), facts.get("file", ""))


def _picture(about: str, lines: str, values: bytes, shared: Shared) -> SessionPicture:
    one: Described = _parsed(about, Described)
    require_sound(one, shared)
    numbers = Doubles(values)
    every: Sequence[dict[str, str]] = _parsed(lines, list[dict[str, str]])
    rows = tuple(row_of(line, one.path, numbers, shared) for line in every[:2])
    request = shared.requests[one.request] if one.request >= 0 else None
    return SessionPicture(one.path, one.sha256, one.n_bytes, one.modified_ns, one.facts, one.failure, rows, request)


def _parsed(text: str, kind: Any) -> Any:
    try:
        return decode(text, kind, called="A part of the journal")
    except CaptError as problem:
        raise Unsound("a part of it is damaged") from problem


def _text(path: str) -> str:
    """A path as SQLite can hold it; only the description has it to the letter."""
    return path.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Turn an error of the disk or of SQLite into CannotWrite."""
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise CannotWrite(
            f"The journal {path.name!r} cannot be written: {problem}.", "Make room on the disk."
        ) from problem
