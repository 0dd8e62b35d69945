"""A session's file: what goes in comes out to the last bit, and what a stranger made of it is refused in a sentence."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capt_engine.errors import BadRequest, CannotWrite
from capt_engine.session import file
from capt_engine.session.content import Session
from tests.engine.session import made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The file of a session of three pictures."""
    path = tmp_path / "my session.capt"
    file.write(path, made.session(tmp_path))
    return path


def parts(path: Path) -> dict[str, bytes]:
    """The parts of a session's file by their names."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put(path: Path, parts: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> Path:
    """Write a session's file of these parts."""
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def test_what_is_written_is_read(place: Path, tmp_path: Path) -> None:
    """Every value of every picture, numbers to the last bit, and infinite ones."""
    assert file.read(place) == replace(made.session(tmp_path), file=str(place))


def test_the_parts_are_open_to_others(place: Path) -> None:
    """The table has one line for each result, the answers in words, and no cell that a spreadsheet would run."""
    found = parts(place)
    rows = list(csv.DictReader(io.StringIO(found["rows.csv"].decode())))
    assert [(one["picture"], one["side"], one["clean_pred"], one["adv_pred"]) for one in rows] == [
        ("0", "A", "cat", "'=dog"),
        ("0", "B", "cat", "'=dog"),
    ]
    about = json.loads(found["pictures.json"])
    assert [(one["near"], one["sha256"]) for one in about] == [(f"{i}.png", "ab" * 32) for i in range(3)]


def test_an_answer_without_numbers_is_left_out(tmp_path: Path) -> None:
    """A model that answered NaN makes no file that cannot be read: the picture is kept, its result is not."""
    one = made.session(tmp_path, 1).pictures[0]
    broken = replace(one.rows[0], clean=replace(one.rows[0].clean, logits=(float("nan"), 0.0, 0.0)))
    file.write(tmp_path / "a.capt", Session({}, (replace(one, rows=(broken, one.rows[1])),)))
    (back,) = file.read(tmp_path / "a.capt").pictures
    assert (back.rows, back.thumbnail) == ((), one.thumbnail)


def test_large_pictures_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that come first are kept; of the others the attack is made again."""
    monkeypatch.setattr(file, "ATTACKED_BYTES", 250)
    file.write(tmp_path / "a.capt", made.session(tmp_path, 6))
    assert [bool(one.attacked) for one in file.read(tmp_path / "a.capt").pictures] == [True, *[False] * 5]


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    """A change of one part."""
    return lambda found: found | {name: change(found[name])}


def as_json(name: str, change: Callable[[object], object]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    """A change of one JSON part."""
    return changed(name, lambda data: json.dumps(change(json.loads(data))).encode())


WRONG = {
    "no session": (lambda _: {"a.txt": b""}, "it has no session.json"),
    "a part is missing": (lambda found: {n: d for n, d in found.items() if n != "rows.csv"}, "it has no rows.csv"),
    "another format": (as_json("session.json", lambda v: v | {"format": "x"}), "it is no session"),  # type: ignore[operator]
    "a newer version": (as_json("session.json", lambda v: v | {"version": 9}), "newer version"),  # type: ignore[operator]
    "a huge number": (as_json("session.json", lambda v: v | {"state": {"a": 10**30}}), "out of bounds"),  # type: ignore[operator]
    "deep JSON": (changed("session.json", lambda _: b'{"state": ' + b"[" * 9999 + b"]" * 9999 + b"}"), "too deeply"),
    "a picture twice": (as_json("pictures.json", lambda v: [v[0], v[0], v[2]]), "stands in it twice"),  # type: ignore[index]
    "numbers missing": (changed("numbers.f64", lambda d: d[:-8]), "numbers are missing"),
    "numbers left": (changed("numbers.f64", lambda d: d + d[:8]), "numbers are left over"),
    "a number that is none": (changed("numbers.f64", lambda d: b"\xff" * 8 + d[8:]), "a logit is out of bounds"),
    "a line of no picture": (changed("rows.csv", lambda d: d.replace(b"\r\n0,A", b"\r\n9,A")), "belongs to no picture"),
    "a class that is none": (as_json("shared.json", lambda v: v | {"classes": []}), "a cell that cannot be"),  # type: ignore[operator]
    "thumbnails cut off": (changed("thumbnails.bin", lambda d: d[:-1]), "not as large as it says"),
    "a path of nothing": (as_json("pictures.json", lambda v: [v[0] | {"path": "a\0b"}, *v[1:]]), "no path"),  # type: ignore[index]
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_a_sentence(name: str, place: Path, tmp_path: Path) -> None:
    """Each way in which a file can be wrong is refused whole, with the reason."""
    change, words = WRONG[name]
    with pytest.raises(BadRequest, match=words):
        file.read(put(tmp_path / "bad.capt", change(parts(place))))


def test_a_small_file_that_would_grow_large_is_refused(place: Path, tmp_path: Path) -> None:
    """Neither a part that shrinks to nothing, nor one that is larger than it says, nor a directory of many is unpacked."""
    found = parts(place)
    bomb = put(tmp_path / "a.capt", found | {"rows.csv": b"0" * (40 << 20)}, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(BadRequest, match=r"its rows.csv is too large"):
        file.read(bomb)
    many = put(tmp_path / "b.capt", found | {f"part {i}": b"" for i in range(2000)})
    with pytest.raises(BadRequest, match="too many parts"):
        file.read(many)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A folder and a missing file are sentences too."""
    for path in (tmp_path, tmp_path / "none.capt"):
        with pytest.raises(BadRequest):
            file.read(path)


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    """A disk that refuses is a sentence, and what is there stays."""
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(CannotWrite):
        file.write(tmp_path / "a" / "b.capt", made.session(tmp_path))


def test_a_strangers_request_writes_nowhere(place: Path, tmp_path: Path) -> None:
    """The folder that a run would be kept in, and the device, are never those of the file."""
    keep = as_json("shared.json", lambda v: v | {"requests": [_with_keep(v["requests"][0])]})  # type: ignore[operator, index]
    one = file.read(put(tmp_path / "bad.capt", keep(parts(place)))).pictures[0]
    assert one.request is not None
    assert (one.request.paths, one.request.options.keep, one.request.options.resume) == ((), "", False)


def _with_keep(request: dict[str, object]) -> dict[str, object]:
    options = {**request["options"], "keep": "/elsewhere", "resume": True}  # type: ignore[dict-item]
    return request | {"paths": ["/a"], "options": options}
