"""The pictures of a session are found again: beside it, where they were, or near it by their content."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest

from capt_engine.session import originals
from capt_engine.session.content import Session, SessionPicture


def picture(path: Path, data: bytes = b"") -> SessionPicture:
    """A picture of a session whose file had this content."""
    return SessionPicture(str(path), hashlib.sha256(data).hexdigest() if data else "", len(data))


def test_beside_before_where_it_was(tmp_path: Path) -> None:
    """A folder that was copied with its session is used, and not the one that it was copied from."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "a.png").write_bytes(b"one")
    one = picture(old / "a.png", b"one")
    assert originals.find([one], ["a.png"], new) == (str(new / "a.png"),)
    assert originals.find([one], ["b.png"], new) == (str(old / "a.png"),)


def test_a_moved_file_is_known_by_its_content(tmp_path: Path) -> None:
    """Of two files of one size the one with the same content; a file stands for one picture only."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "x.png").write_bytes(b"two")
    (tmp_path / "below" / "y.png").write_bytes(b"one")
    wanted = [picture(tmp_path / "gone" / "a.png", b"one"), picture(tmp_path / "gone" / "b.png", b"one")]
    assert originals.find(wanted, ["", ""], tmp_path) == (str(tmp_path / "below" / "y.png"), "")


def test_names_that_lead_elsewhere_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another computer is not asked, and neither a pipe nor a device is taken for a picture."""
    asked: list[str] = []
    real = Path.stat
    monkeypatch.setattr(Path, "stat", lambda self, **_: asked.append(str(self)) or real(self))  # type: ignore[func-returns-value]
    strange = [SessionPicture(path) for path in ("//host/share/a.png", "\\\\host\\a.png", "/dev/zero")]
    assert originals.find(strange, ["//host/a.png", "", ""], tmp_path) == ("", "", "")
    assert asked == ["/dev/zero"]
    assert originals.changed([SessionPicture("/dev/zero", "ab")]) == ()


def test_a_picture_without_a_lasting_file_travels_in_the_session(tmp_path: Path) -> None:
    """What was pasted is written under a name of ours, whatever the session calls it."""
    with tempfile.TemporaryDirectory(prefix=originals.PASTED) as folder:
        path = Path(folder, "pasted-1.png")
        path.write_bytes(b"pixels")
        kept = originals.with_original(picture(path, b"pixels"))
        assert kept.original == b"pixels"
    evil = SessionPicture("/etc/../pasted.sh", original=b"pixels")
    back = originals.put_originals(Session({}, (kept, evil)), tmp_path)
    assert [one.path for one in back.pictures] == [str(tmp_path / "pasted-1.png"), str(tmp_path / "pasted-2.png")]
    assert originals.with_original(picture(tmp_path / "a.png")).original == b""
