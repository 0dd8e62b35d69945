"""One SQLite database of all that was computed of pictures; several programs may read and write it at once.

Whatever is wrong with it only means that nothing is found or kept, and a sentence: a run never fails because of its store.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from capt_engine import folders
from capt_engine.files import set_aside
from capt_engine.formatting import counted, size
from capt_engine.results.disks import network_file_system
from capt_engine.results.limits import LOW, budget

T = TypeVar("T")

FILE = "results-1.sqlite"
"""The name of the database; a store of another form gets another number."""

_APPLICATION, _FORM = 0x43415054, 1
_WAIT_S = 5.0
# Between two looks at how much room there is.
_EVERY_S = 10.0
# A value that was used within the last hour is not marked as used again.
_SAME_USE_S = 3600
_AT_ONCE = 500
# What goes beyond the budget at once, as a share of it, so that not every new value sends an old one away.
_SPARE = 0.1
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS questions(digest BLOB PRIMARY KEY, series BLOB NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL, "
    "attack TEXT NOT NULL, eps REAL NOT NULL, parts BLOB NOT NULL, hits INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS by_series ON questions(series)",
    "CREATE TABLE IF NOT EXISTS cells(subject BLOB NOT NULL, question BLOB NOT NULL, used INTEGER NOT NULL, value BLOB NOT NULL, "
    "PRIMARY KEY(subject, question))",
    "CREATE INDEX IF NOT EXISTS by_use ON cells(used)",
)


@dataclass(frozen=True)
class Question:
    """All that an answer depends on but the picture.

    digest: of everything; series: of everything but ε, so that the answers to one picture at every ε are found together. kind: of the
    cell that answers it. model: the SHA-256 of the weights, attack: its name, for the list of what is stored. parts: the digests of the
    questions about the clean answer, the clean pixels and the attacked pixels that belong to it, one after the other.
    """

    digest: bytes
    series: bytes
    kind: str
    model: str = ""
    attack: str = ""
    eps: float = 0.0
    parts: bytes = b""


@dataclass(frozen=True)
class Group:
    """A line of the list of what is stored: how many entries of one model and attack, their bytes, and how often they were used."""

    model: str
    attack: str
    entries: int
    n_bytes: int
    hits: int


Entry = tuple[Question, bytes, bytes]
"""A question, the subject that it was asked about, and the value to be stored."""


class _Foreign(Exception):
    """The file is a database of another program."""


class _Unfit(Exception):
    """There can be no store in this folder; the text says why."""


class ResultStore:
    """The store as one thread of one program uses it; the database is opened at the first use.

    folder: the folder of the database; None for that of the program. n_bytes: the most that the database may take, None for the usual.
    low: the bytes to leave free on the disk.
    """

    def __init__(self, folder: Path | None = None, *, n_bytes: int | None = None, low: int = LOW) -> None:
        self._folder = folder or folders.results_dir()
        self._n_bytes, self._low = budget() if n_bytes is None else n_bytes, low
        self._link: sqlite3.Connection | None = None
        self._inode = 0
        self._is_usable = self._is_writable = True
        self._set_aside = 0
        self._used: dict[tuple[bytes, bytes], None] = {}
        self._hits: dict[bytes, int] = {}
        self._looked_s = time.monotonic()
        self._said: dict[str, None] = {}

    @property
    def path(self) -> Path:
        """Return the path of the database file; it need not exist."""
        return self._folder / FILE

    @property
    def note(self) -> str:
        """Return the sentences on what went wrong or was removed, "" where there is nothing to say."""
        return " ".join(self._said)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, subjects: Sequence[bytes], questions: Iterable[bytes]) -> dict[tuple[bytes, bytes], bytes]:
        """Return the stored values by subject and question; what is not stored is left out.

        subjects: keys of pictures. questions: digests.
        """
        some = list(dict.fromkeys(questions))
        found: dict[tuple[bytes, bytes], bytes] = {}
        nothing: dict[tuple[bytes, bytes], bytes] = {}
        for at in range(0, len(some), _AT_ONCE):
            part = some[at : at + _AT_ONCE]
            found |= self._safely(partial(self._found, subjects=subjects, questions=part), nothing, make=False)
        return found

    def of_series(self, series: bytes, subject: bytes) -> list[tuple[Question, bytes]]:
        """Return the questions of a series that are answered for one subject, each with the value stored for it."""

        def answered(link: sqlite3.Connection) -> list[tuple[Question, bytes]]:
            rows = link.execute(
                "SELECT q.digest, q.series, q.kind, q.model, q.attack, q.eps, q.parts, c.value FROM questions q "
                "JOIN cells c ON c.question = q.digest AND c.subject = ? WHERE q.series = ? ORDER BY q.eps",
                (subject, series),
            )
            return [(Question(*row[:-1]), row[-1]) for row in rows]

        return self._safely(answered, [], make=False)

    def put(self, cells: Iterable[Entry], unasked: Iterable[Entry] = ()) -> None:
        """Store (question, subject, value) triples, all at once; values that are there already are replaced.

        unasked: triples that nobody has wanted yet: they are the first to go.
        """
        now = int(time.time())
        some = [(*one, now) for one in cells] + [(*one, 0) for one in unasked]
        if some and self._is_writable:
            self._safely(lambda link: self._put(link, some), None)

    def groups(self) -> tuple[Group, ...]:
        """List what is stored by model and attack, the largest first; empty where there is no store."""

        def listed(link: sqlite3.Connection) -> tuple[Group, ...]:
            rows = link.execute(
                "SELECT q.model, q.attack, sum(c.n), sum(c.b), sum(q.hits) FROM questions q JOIN (SELECT question, count(*) n, "
                "sum(length(value)) b FROM cells GROUP BY question) c ON c.question = q.digest GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2"
            )
            return tuple(Group(*row) for row in rows)

        return self._safely(listed, (), make=False)

    def n_bytes(self) -> int:
        """Return the bytes that the database takes on the disk; 0 where there is none."""
        total = 0
        for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
            with suppress(OSError):
                total += (self._folder / name).stat().st_size
        return total

    def trim(self, to: int | None = None, unused_for_s: float | None = None) -> tuple[int, int]:
        """Remove what was not used for longest, and return how many values went, and their bytes.

        to: until no more than so many bytes are taken; None: no limit. unused_for_s: also all that was not used for so
        long.
        """

        def trimmed(link: sqlite3.Connection) -> tuple[int, int]:
            n = n_bytes = 0
            if unused_for_s is not None:
                n, n_bytes = self._removed(link, None, int(time.time() - unused_for_s))
            if to is not None and (over := self._taken(link) - to) > 0:
                more, more_bytes = self._removed(link, over if to else None, None)
                n, n_bytes = n + more, n_bytes + more_bytes
            return n, n_bytes

        return self._safely(trimmed, (0, 0), make=False)

    def close(self) -> None:
        """Write down what was used, make room where the store has grown too large, and close the database."""
        if self._link is not None:
            self._safely(self._count_uses, None)
            self._safely(self._keep_small, None)
        self._cut()

    def _safely(self, action: Callable[[sqlite3.Connection], T], otherwise: T, *, make: bool = True) -> T:
        """The result of `action`, or `otherwise` where the database cannot be used, or is not there and not to be made."""
        if not self._is_usable:
            return otherwise
        try:
            link = self._opened(make=make)
            return otherwise if link is None else action(link)
        except (sqlite3.Error, OSError, _Foreign, _Unfit) as error:
            self._give_up(error)
            return otherwise

    def _opened(self, *, make: bool) -> sqlite3.Connection | None:
        if self._link is not None:
            return self._link
        if not make and not self.path.exists():
            return None
        if kind := network_file_system(self._folder):
            raise _Unfit(
                f"it would lie on a file system of another computer ({kind}), where two programs cannot share it. "
                f"Name a folder on a disk of this one in {folders.RESULTS}."
            )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # It holds pictures: for its owner alone, and so are the files that SQLite puts beside it.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self._inode = self.path.stat().st_ino
        link = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
        try:
            _prepare(link)
        except BaseException:
            link.close()
            raise
        self._link = link
        return link

    def _found(
        self, link: sqlite3.Connection, subjects: Sequence[bytes], questions: Sequence[bytes]
    ) -> dict[tuple[bytes, bytes], bytes]:
        rows = link.execute(
            f"SELECT subject, question, used, value FROM cells WHERE subject IN ({_marks(subjects)}) AND question IN ({_marks(questions)})",
            (*subjects, *questions),
        )
        found, now = {}, int(time.time())
        for one, question, used, value in rows:
            found[one, question] = value
            self._hits[question] = self._hits.get(question, 0) + 1
            if used < now - _SAME_USE_S:
                self._used[one, question] = None
        if len(self._used) > _AT_ONCE * 10:
            self._count_uses(link)
        return found

    def _put(self, link: sqlite3.Connection, cells: Sequence[tuple[Question, bytes, bytes, int]]) -> None:
        with _transaction(link):
            link.executemany(
                "INSERT OR IGNORE INTO questions VALUES(?, ?, ?, ?, ?, ?, ?, 0)",
                [
                    (q.digest, q.series, q.kind, q.model, q.attack, q.eps, q.parts)
                    for q in {one.digest: one for one, _, _, _ in cells}.values()
                ],
            )
            link.executemany(
                "INSERT OR REPLACE INTO cells VALUES(?, ?, ?, ?)",
                [(subject, question.digest, used, value) for question, subject, value, used in cells],
            )
        if time.monotonic() - self._looked_s > _EVERY_S:
            self._keep_small(link)

    def _count_uses(self, link: sqlite3.Connection) -> None:
        now = int(time.time())
        used, self._used = self._used, {}
        hits, self._hits = self._hits, {}
        if used or hits:
            with _transaction(link):
                link.executemany(
                    "UPDATE cells SET used = ? WHERE subject = ? AND question = ?", [(now, *one) for one in used]
                )
                link.executemany(
                    "UPDATE questions SET hits = hits + ? WHERE digest = ?", [(n, one) for one, n in hits.items()]
                )

    def _keep_small(self, link: sqlite3.Connection) -> None:
        """Remove the oldest where the budget is spent or the disk nearly full; store nothing more where that does not help."""
        self._looked_s = time.monotonic()
        over = self._taken(link) - self._n_bytes
        if over > 0:
            self._removed(link, over + int(_SPARE * self._n_bytes), None)
        short = self._low - self._free()
        if short <= 0:
            return
        n, n_bytes = self._removed(link, short, None)
        gone = (
            f"{counted(n, 'result')} ({size(n_bytes)}) of the result store were removed, the longest unused first"
            if n
            else ""
        )
        self._is_writable = self._free() >= self._low
        rest = "" if self._is_writable else "nothing more is stored until there is room"
        why = f"The disk has less than {size(self._low)} free"
        self._say(f"{why}: {'; '.join(filter(None, (gone, rest)))}.")

    def _taken(self, link: sqlite3.Connection) -> int:
        pages, unused, each = (
            link.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - unused) * each)

    def _free(self) -> int:
        return shutil.disk_usage(self._folder).free

    def _removed(self, link: sqlite3.Connection, n_bytes: int | None, before: int | None) -> tuple[int, int]:
        """Remove the values used longest ago: so many bytes of them, or all that were last used before a time."""
        gone = gone_bytes = 0
        while n_bytes is None or gone_bytes < n_bytes:
            rows = link.execute(
                "SELECT rowid, length(value) + 100, used FROM cells ORDER BY used, rowid LIMIT ?", (_AT_ONCE,)
            ).fetchall()
            some = []
            for row, length, used in rows:
                if (before is not None and used >= before) or (n_bytes is not None and gone_bytes >= n_bytes):
                    break
                some.append((row,))
                gone_bytes += length
            if not some:
                break
            with _transaction(link):
                link.executemany("DELETE FROM cells WHERE rowid = ?", some)
            gone += len(some)
        if gone:
            with _transaction(link):
                link.execute("DELETE FROM questions WHERE digest NOT IN (SELECT question FROM cells)")
            # A script, as `execute` would free a single page.
            link.executescript("PRAGMA incremental_vacuum")
            link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return gone, gone_bytes

    def _give_up(self, error: Exception) -> None:
        """Set a broken or foreign database aside and begin anew once; else use none for the rest of this run."""
        code = getattr(error, "sqlite_errorcode", None)
        is_broken = isinstance(error, _Foreign) or (code is not None and code & 0xFF in _BROKEN)
        self._cut()
        if is_broken and not self._set_aside and (aside := self._aside()) is not None:
            self._set_aside += 1
            self._say(
                f"The result store was damaged, or is no such store; it was renamed {aside.name!r}, and a new one begun."
            )
            return
        self._is_usable = False
        self._say(f"The result store is not used: {_reason(error, code, self.path)}")

    def _aside(self) -> Path | None:
        """Rename the database and its log, if it is still the one that was opened; None where the system refuses."""
        try:
            if self.path.stat().st_ino != self._inode:
                return self.path  # another program has done it already
        except OSError:
            return self.path
        aside = set_aside(self.path)
        for ending in ("-wal", "-shm"):
            if (beside := self.path.with_name(FILE + ending)).exists():
                set_aside(beside)
        return aside

    def _cut(self) -> None:
        if self._link is not None:
            with suppress(sqlite3.Error):
                self._link.close()
        self._link = None

    def _say(self, sentence: str) -> None:
        self._said[sentence] = None


def _prepare(link: sqlite3.Connection) -> None:
    """Make the tables in a new database; raises _Foreign for another program's, _Unfit where there can be no log beside it."""
    link.execute("PRAGMA trusted_schema = OFF")
    marks = tuple(link.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    n_tables = link.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if marks != (_APPLICATION, _FORM) and (marks != (0, 0) or n_tables):
        raise _Foreign
    if not n_tables:
        link.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if link.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise _Unfit("its file system has no memory that programs share.")
    link.execute("PRAGMA synchronous = NORMAL")
    if marks != (_APPLICATION, _FORM):
        with _transaction(link):
            for statement in _SCHEMA:
                link.execute(statement)
            link.execute(f"PRAGMA application_id = {_APPLICATION}")
            link.execute(f"PRAGMA user_version = {_FORM}")


@contextmanager
def _transaction(link: sqlite3.Connection) -> Iterator[None]:
    link.execute("BEGIN IMMEDIATE")
    try:
        yield
        link.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            link.execute("ROLLBACK")
        raise


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _reason(error: Exception, code: int | None, path: Path) -> str:
    """Why the store cannot be used, as the end of a sentence."""
    match code and code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another program has had it locked for {_WAIT_S:g} s."
        case sqlite3.SQLITE_FULL:
            return f"there is no room left on the disk for {str(path)!r}."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return f"{str(path)!r} may not be written."
    return str(error) if isinstance(error, _Unfit) else f"{str(path)!r} cannot be used ({error})."
