"""A report takes the old one's place whole, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capt_engine.errors import BadRequest, Cancelled
from capt_engine.files import write_whole


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that holds something already."""
    file = tmp_path / "report.pdf"
    file.write_bytes(b"the old one")
    return file


def failing(error: OSError) -> Callable[..., None]:
    """A call that the system refuses."""

    def refuse(*arguments: object, **more: object) -> None:
        del arguments, more
        raise error

    return refuse


def intact(target: Path) -> bool:
    """The old file is as it was and nothing lies beside it."""
    return target.read_bytes() == b"the old one" and [one.name for one in target.parent.iterdir()] == ["report.pdf"]


def test_the_new_file_takes_the_place_whole(target: Path) -> None:
    """Content, and folders on the way to it; nothing else is left."""
    write_whole(target, b"new")
    write_whole(target.parent / "deep" / "er" / "x.csv", b"y")
    assert target.read_bytes() == b"new"
    assert sorted(one.name for one in target.parent.iterdir()) == ["deep", "report.pdf"]


def test_a_full_disk(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said in a sentence, and the old file stays."""
    monkeypatch.setattr(os, "fsync", failing(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(BadRequest, match="no room left"):
        write_whole(target, b"new")
    assert intact(target)


def test_a_file_that_is_open_elsewhere(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows says it: the sentence asks to close it."""
    monkeypatch.setattr(os, "replace", failing(PermissionError(errno.EACCES, "Access is denied")))
    with pytest.raises(BadRequest, match="another program has it open"):
        write_whole(target, b"new")
    assert intact(target)


def test_a_place_that_cannot_be_written(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without rights, a folder where a file should be, a file where a folder should be."""
    with pytest.raises(BadRequest, match="is a folder"):
        write_whole(target.parent, b"new")
    with pytest.raises(BadRequest, match="cannot be written"):
        write_whole(target / "report.pdf", b"new")
    monkeypatch.setattr("tempfile.mkstemp", failing(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(BadRequest, match="cannot be written"):
        write_whole(target.parent / "other.pdf", b"new")
    assert intact(target)


def test_cancelled_in_the_middle(target: Path) -> None:
    """Nothing of the new file is left."""
    calls = []

    def between() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_whole(target, bytes(5_000_000), between)
    assert intact(target)
