"""The journal of a window: what was written is read after a kill, its window's lock keeps others away, and old ones go."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from capt_engine.errors import BadRequest, CannotWrite
from capt_engine.session import journal
from capt_engine.session.content import Session
from capt_engine.session.journal import Changes, Journal
from tests.engine.session import made


def write(folder: Path, n: int = 3, ended: str = "closed", name: str = "a") -> tuple[Path, Session]:
    """A journal of some pictures, whose window is gone."""
    session = made.session(folder, n)
    one = Journal(folder / f"{name}.journal")
    one.write(Changes(session.pictures, tuple(p.path for p in session.pictures), session.state, "/x.capt"))
    one.end(ended)
    return one.path, session


def without_sets(session: Session) -> Session:
    """A session as a journal has it: large pictures are made again."""
    return replace(session, pictures=tuple(replace(one, attacked=()) for one in session.pictures), file="/x.capt")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """All of it, and where the session was saved."""
    path, session = write(tmp_path)
    assert journal.read(path) == without_sets(session)


def test_changes_come_one_by_one(tmp_path: Path) -> None:
    """A picture that comes again replaces itself and keeps its thumbnail; one that is out of the order is forgotten."""
    a, b, c = made.session(tmp_path).pictures
    one = Journal(tmp_path / "a.journal")
    one.write(Changes((a, b), (a.path, b.path), {"page": "explore"}))
    one.write(Changes((replace(b, facts={"label": "x"}, thumbnail=b""), c), (c.path, b.path)))
    one.end("")
    found = journal.read(one.path)
    assert found.state == {"page": "explore"}
    assert [(p.path, p.facts.get("label"), p.thumbnail) for p in found.pictures] == [
        (c.path, "cat", c.thumbnail),
        (b.path, "x", b.thumbnail),
    ]


def test_a_living_window_has_its_journal_for_itself(tmp_path: Path) -> None:
    """Nobody else reads it, lists it, or deletes it."""
    one = Journal(tmp_path / "a.journal")
    one.write(Changes(made.session(tmp_path).pictures))
    assert journal.prune(tmp_path) == ()
    with pytest.raises(BadRequest, match="open in another window"):
        journal.read(one.path)
    one.end("closed")
    assert [kept.path for kept in journal.kept(tmp_path)] == [one.path]


def test_what_is_kept_is_told(tmp_path: Path) -> None:
    """Number of pictures and of results, how the window ended, and which went as the oldest; an empty one is none."""
    for number in range(5):
        write(tmp_path, number + 1, name=f"{number}")
    crashed, _ = write(tmp_path, 4, "", "z")
    Journal(tmp_path / "empty.journal").write(Changes((), (), {}))
    left = journal.prune(tmp_path)
    assert [(one.path.stem, one.n_pictures, one.n_results, one.has_crashed) for one in left] == [
        ("z", 4, 2, True),
        ("4", 5, 2, False),
        ("3", 4, 2, False),
        ("2", 3, 1, False),
    ]
    assert not (tmp_path / "0.journal").exists()
    journal.mark_ended(crashed)
    assert not journal.kept(tmp_path)[0].has_crashed


def test_a_damaged_journal_is_a_sentence(tmp_path: Path) -> None:
    """Whether SQLite finds the damage or we do; it does not keep the others from being listed."""
    sound, _ = write(tmp_path)
    path, _ = write(tmp_path, name="b")
    with sqlite3.connect(path) as base:
        base.execute("UPDATE pictures SET numbers = x'00'")
    base.close()
    with pytest.raises(BadRequest, match="is damaged"):
        journal.read(path)
    path.write_bytes(b"SQLite format 3\0" + bytes(2000))
    with pytest.raises(BadRequest):
        journal.read(path)
    assert [one.path for one in journal.kept(tmp_path)] == [sound]


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    """And what is written next is whole: nothing is thought to be there that is not."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite):
        Journal(tmp_path / "file" / "a.journal").write(Changes(made.session(tmp_path).pictures))
