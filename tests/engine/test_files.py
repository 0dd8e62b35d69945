"""A report takes the old one's place whole, or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from capt_engine.errors import BadRequest, Cancelled, CannotWrite
from capt_engine.files import (
    copy,
    move_new,
    new_folder,
    put,
    refuse_foreign_file,
    refuse_foreign_folder,
    remove_folder,
    set_aside,
    sha256,
    write_atomic,
)

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices are made the POSIX way")


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
    write_atomic(target, b"new")
    write_atomic(target.parent / "deep" / "er" / "x.csv", b"y")
    assert target.read_bytes() == b"new"
    assert sorted(one.name for one in target.parent.iterdir()) == ["deep", "report.pdf"]


def test_what_a_killed_writer_left_goes_a_day_later(target: Path) -> None:
    """Of this file, by our own name, and old: a fresh one, another file's, a folder, a link and what only looks alike stay."""
    old = time.time() - 25 * 3600
    stale, fresh, other, alike, folder, link = (
        target.with_name(name)
        for name in (
            ".report.pdf.abcdef_1.capt-part",
            ".report.pdf.abcdef_2.capt-part",
            ".reports.pdf.abcdef_1.capt-part",
            ".report.pdf.abcdef_1.part",
            ".report.pdf.abcdef_3.capt-part",
            ".report.pdf.abcdef_4.capt-part",
        )
    )
    for one in (stale, fresh, other, alike):
        one.write_bytes(b"half")
    folder.mkdir()
    link.symlink_to(alike)
    for one in (stale, other, alike, folder):
        os.utime(one, (old, old))
    write_atomic(target, b"new", durable=False)
    assert stale.exists()
    write_atomic(target, b"new")
    left = {one.name for one in target.parent.iterdir()}
    assert left == {one.name for one in (target, fresh, other, alike, folder, link)}


def test_a_full_disk(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said in a sentence, and the old file stays."""
    monkeypatch.setattr(os, "fsync", failing(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(CannotWrite, match="no room left"):
        write_atomic(target, b"new")
    assert intact(target)


def test_a_file_that_is_open_elsewhere(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows says it: the sentence asks to close it."""
    monkeypatch.setattr(os, "replace", failing(PermissionError(errno.EACCES, "Access is denied")))
    with pytest.raises(CannotWrite, match="another program has it open"):
        write_atomic(target, b"new")
    assert intact(target)


def test_a_place_that_cannot_be_written(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without rights, a folder where a file should be, a file where a folder should be."""
    with pytest.raises(BadRequest, match="is a folder"):
        write_atomic(target.parent, b"new")
    with pytest.raises(CannotWrite, match="cannot be written"):
        write_atomic(target / "report.pdf", b"new")
    monkeypatch.setattr("tempfile.mkstemp", failing(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(CannotWrite, match="cannot be written"):
        write_atomic(target.parent / "other.pdf", b"new")
    assert intact(target)


def test_cancelled_in_the_middle(target: Path) -> None:
    """Nothing of the new file is left."""
    calls = []

    def between() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_atomic(target, bytes(5_000_000), between)
    assert intact(target)


@pytest.mark.parametrize("content", ["naïve", "naïve".encode(), lambda file: file.write("naïve".encode())])
def test_text_bytes_or_a_function_fill_it(tmp_path: Path, content: str | bytes | Callable[[BinaryIO], object]) -> None:
    """The same bytes arrive whichever way they are given, and their SHA-256 is the one that others compute."""
    write_atomic(tmp_path / "x", content)
    assert (tmp_path / "x").read_bytes() == b"na\xc3\xafve"
    assert sha256(tmp_path / "x") == hashlib.sha256(b"na\xc3\xafve").hexdigest()


def test_a_failing_function_leaves_the_old_file(target: Path) -> None:
    """Whatever is raised while the file is being filled passes, and nothing of the new file stays."""

    def fill(file: BinaryIO) -> None:
        file.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomic(target, fill)
    assert intact(target)


def test_folders_made_on_the_way_go_with_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails takes the folders that it made with it, and no others."""
    monkeypatch.setattr(os, "replace", failing(OSError(errno.EROFS, "Read-only file system")))
    with pytest.raises(CannotWrite, match="read-only"):
        write_atomic(tmp_path / "a" / "b" / "x", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_name_too_long(tmp_path: Path) -> None:
    """A name that the disk does not take is a sentence, and nothing is left."""
    with pytest.raises(CannotWrite, match="too long") as caught:
        write_atomic(tmp_path / ("x" * 300), b"new")
    assert caught.value.exit_code == 5
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="other systems have no umask")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_new_files_have_the_rights_that_others_have(tmp_path: Path, mask: int) -> None:
    """The umask decides, as for any other program; a file that is replaced keeps its rights."""
    before = os.umask(mask)
    try:
        write_atomic(tmp_path / "new", b"x")
        with new_folder(tmp_path / "folder") as partial:
            (partial / "inside").write_bytes(b"x")
        write_atomic(tmp_path / "kept", b"x")
        (tmp_path / "kept").chmod(0o640)
        write_atomic(tmp_path / "kept", b"y")
    finally:
        os.umask(before)
    modes = {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
    assert modes == {"new": 0o666 & ~mask, "folder": 0o777 & ~mask, "kept": 0o640}


def test_a_new_folder_comes_whole(tmp_path: Path) -> None:
    """Not before it is filled, into an empty folder too, and not at all where filling it fails."""
    for name in ("a", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with new_folder(tmp_path / name) as partial:
            (partial / "x").write_bytes(b"x")
            assert not (tmp_path / name / "x").exists()
        assert [one.name for one in (tmp_path / name).iterdir()] == ["x"]

    def half(path: Path) -> None:
        with new_folder(path) as partial:
            (partial / "x").write_bytes(b"x")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CannotWrite, match="no room"):
        half(tmp_path / "b")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "empty"]


def test_the_folder_we_stand_in_can_be_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--out .` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    with new_folder(Path()) as partial:
        (partial / "x").write_bytes(b"x")
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_what_is_finished_is_never_put_over_another(target: Path) -> None:
    """Neither a file nor a folder; the one that is there stays."""
    staged = target.with_name("staged")
    for make in (lambda: staged.write_bytes(b"new"), staged.mkdir):
        make()
        with pytest.raises(BadRequest, match="already something called"):
            move_new(staged, target)
        if staged.is_file():
            staged.unlink()
    staged.rmdir()
    assert intact(target)
    with pytest.raises(BadRequest, match="already something called"), new_folder(target):
        pass
    assert intact(target)


def test_a_copy_and_a_file_set_aside(target: Path) -> None:
    """A copy is the same bytes; what is set aside gets the next free name."""
    copy(target, target.with_name("copy.pdf"))
    assert target.with_name("copy.pdf").read_bytes() == b"the old one"
    assert set_aside(target) == target.with_name("report.bad-1.pdf")
    copy(target.with_name("copy.pdf"), target)
    assert set_aside(target) == target.with_name("report.bad-2.pdf")
    assert set_aside(target) is None


@posix
@pytest.mark.parametrize("what", ["a pipe", "a link", "a dangling link", "a socket", "a device"])
def test_only_a_file_is_ever_replaced(tmp_path: Path, what: str) -> None:
    """Whatever else has the name stays as it is, and a sentence names it; no writer waits for a reader."""
    place, mine = tmp_path / "out.pdf", tmp_path / "mine.pdf"
    mine.write_bytes(b"mine")
    if what == "a pipe":
        os.mkfifo(place)
    elif what == "a socket":
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(place))
    elif what == "a device":
        place = Path(os.devnull)
    else:
        place.symlink_to(mine if what == "a link" else tmp_path / "nowhere")
    before = place.lstat()
    for write in (lambda: write_atomic(place, b"new"), lambda: put(mine, place)):
        with pytest.raises(BadRequest, match=f"is {what.replace('dangling ', '')}, and would be replaced"):
            write()
    after = place.lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert mine.read_bytes() == b"mine"
    assert {one.name for one in tmp_path.iterdir()} <= {"out.pdf", "mine.pdf"}


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """What we wrote before, an empty and a missing file are replaced; anything else is the user's."""
    ours = re.compile(rb"CAPT Explorer")
    place = tmp_path / "thesis.pdf"
    refuse_foreign_file(place, ours)
    place.touch()
    refuse_foreign_file(place, ours)
    place.write_bytes(b"%PDF" + bytes(200_000) + b"CAPT Explorer")
    refuse_foreign_file(place, ours)
    place.write_bytes(b"my thesis")
    with pytest.raises(BadRequest, match="was not written by this program"):
        refuse_foreign_file(place, ours)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """A folder is ours by a file that we put there."""
    folder = tmp_path / "model"
    refuse_foreign_folder(folder, "tower.json")
    folder.mkdir()
    refuse_foreign_folder(folder, "tower.json")
    (folder / "README.md").write_text("mine")
    with pytest.raises(BadRequest, match="did not write"):
        refuse_foreign_folder(folder, "tower.json")
    (folder / "tower.json").touch()
    refuse_foreign_folder(folder, "tower.json")


def test_removing_a_folder_takes_nothing_beside_it(tmp_path: Path) -> None:
    """Its name on the way out is none that a user's folder can have."""
    for name in ("model", ".model.removed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()
    remove_folder(tmp_path / "model")
    assert [one.name for one in tmp_path.iterdir()] == [".model.removed"]
