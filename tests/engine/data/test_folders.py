"""What the user names becomes one list of picture files, in an order a person would choose."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from capt_engine.data.folders import Collected, RealPaths, collect

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and such names are made the POSIX way")


def fill(folder: Path, *names: str, content: bytes = PNG) -> None:
    """Writes files of the same content, with the folders they need."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def names(found: Collected, folder: Path) -> list[str]:
    """The files found, as seen from a folder."""
    return [os.path.relpath(file, folder) for file in found.files]


def test_order_is_natural_and_stable(tmp_path: Path) -> None:
    """Numbers count as numbers, capital letters as small ones, and the order of creation not at all."""
    wanted = ["a.png", "B.png", "img1.png", "img2.png", "img2b.png", "img10.png", f"img{'9' * 90}.png", "sub/1.png"]
    shuffled = random.Random(0).sample(wanted, len(wanted))
    fill(tmp_path, *shuffled)
    assert names(collect([tmp_path]), tmp_path) == wanted
    assert collect([tmp_path]) == collect([str(tmp_path)])


def test_folders_are_walked_to_their_depths(tmp_path: Path) -> None:
    """Pictures are found however deep they lie, folder after folder."""
    deep = "/".join(["d"] * 60)
    fill(tmp_path, "x2/b.png", "x10/a.png", "top.png", f"{deep}/c.png")
    assert names(collect([tmp_path]), tmp_path) == ["top.png", f"{deep}/c.png", "x2/b.png", "x10/a.png"]


def test_clutter_is_passed_over_in_silence(tmp_path: Path) -> None:
    """Hidden files, what systems leave behind and files that are no pictures are neither taken nor spoken of."""
    fill(tmp_path, ".hidden.png", ".git/a.png", "__MACOSX/a.png", "Thumbs.db", ".DS_Store", "desktop.ini")
    fill(tmp_path, "labels.csv", "notes.txt", "data.json", "README.md", "film.mp4", "all.zip")
    fill(tmp_path, "unknown.xyz", "LICENSE", content=b"just some words")
    assert collect([tmp_path]) == Collected(())


def test_unsupported_pictures_are_taken(tmp_path: Path) -> None:
    """A picture that cannot be read is listed all the same, so that it gets its sentence."""
    wanted = ["a.heic", "b.psd", "c.JP2", "d.tga", "e.ico", "f.dds", "g.sgi", "h.pgm", "i.NEF"]
    fill(tmp_path, *wanted, content=b"anything")
    assert names(collect([tmp_path]), tmp_path) == wanted


def test_files_of_no_telling_name_are_judged_by_their_first_bytes(tmp_path: Path) -> None:
    """Without a suffix, or with an unknown one, a file is taken if it begins like a picture."""
    fill(tmp_path, "IMG_0001", "photo.orig")
    fill(tmp_path, "words", "program.bin", "nothing", content=b"")
    fill(tmp_path, "sheet", content=b"8BPS\0\1")
    assert names(collect([tmp_path]), tmp_path) == ["IMG_0001", "photo.orig", "sheet"]


def test_named_files_are_always_taken(tmp_path: Path) -> None:
    """Whoever names a text file shall hear from the decoder what is wrong with it; the order is the user's."""
    fill(tmp_path, "z.txt", ".hidden.png", "a.png")
    wanted = [tmp_path / name for name in ("z.txt", ".hidden.png", "a.png")]
    assert collect(wanted).files == tuple(map(str, wanted))


def test_missing_paths_have_their_sentence(tmp_path: Path) -> None:
    """What does not exist, or cannot, is told rather than taken."""
    fill(tmp_path, "a.png")
    found = collect([tmp_path / "gone", tmp_path / "a.png", "a\0b", tmp_path / "a.png" / "below"])
    assert found.files == (str(tmp_path / "a.png"),)
    assert [path for path, _ in found.skipped] == [str(tmp_path / "gone"), "a\0b", str(tmp_path / "a.png" / "below")]
    assert all(sentence.endswith(".") for _, sentence in found.skipped)


def test_each_file_is_listed_once(tmp_path: Path) -> None:
    """A file named twice, or named and also met in its folder, is one file."""
    fill(tmp_path, "a.png", "sub/b.png")
    found = collect([tmp_path / "sub" / "b.png", tmp_path, tmp_path / "sub" / ".." / "a.png", tmp_path / "sub"])
    assert names(found, tmp_path) == ["sub/b.png", "a.png"]


@posix
def test_links_are_followed_but_not_round_a_circle(tmp_path: Path) -> None:
    """A link to a folder elsewhere is walked, one to a folder above ends there, a doubled file counts once."""
    fill(tmp_path / "outside", "far.png")
    fill(tmp_path / "in", "a.png", "sub/b.png")
    (tmp_path / "in" / "sub" / "up").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / "z.png").symlink_to("a.png")
    assert names(collect([tmp_path / "in"]), tmp_path / "in") == ["a.png", "linked/far.png", "sub/b.png"]


@posix
def test_real_paths_are_those_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through linked folders and files, dots and ends of any kind, asked of the system once for a folder."""
    fill(tmp_path / "in", "a.png", "b.png", "sub/c.png")
    (tmp_path / "linked").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "z.png").symlink_to("a.png")
    (tmp_path / "in" / "loop.png").symlink_to("loop.png")
    monkeypatch.chdir(tmp_path)
    some = [
        "a.png",
        "b.png",
        "z.png",
        "loop.png",
        "gone.png",
        "sub/c.png",
        "sub/..",
        "sub/../a.png",
        ".",
        "",
        "sub/",
        "sub/.",
    ]
    paths = [f"{start}{one}" for start in ("in/", "linked/", f"{tmp_path}/linked/") for one in some] + [
        "in",
        "..",
        "",
        "/",
    ]
    real = RealPaths()
    assert [real.of(path) for path in paths] == [os.path.realpath(path) for path in paths]


@posix
def test_broken_links_and_pipes_do_not_stop_the_search(tmp_path: Path) -> None:
    """With a picture's suffix they are taken, to fail by themselves; without one they are passed over unopened."""
    fill(tmp_path, "a.png")
    for suffix in ("", ".png"):
        (tmp_path / f"loop{suffix}").symlink_to(f"loop{suffix}")
        (tmp_path / f"dangling{suffix}").symlink_to("gone")
        os.mkfifo(tmp_path / f"pipe{suffix}")
    assert names(collect([tmp_path]), tmp_path) == ["a.png", "dangling.png", "loop.png", "pipe.png"]
    assert "leads back to itself" in collect([tmp_path / "loop"]).skipped[0][1]
    assert collect([tmp_path / "pipe"]).files == (str(tmp_path / "pipe"),)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may look everywhere")
def test_forbidden_folder_has_its_sentence(tmp_path: Path) -> None:
    """A folder that cannot be listed is told, and the rest is still found."""
    fill(tmp_path, "a.png", "locked/b.png")
    (tmp_path / "locked").chmod(0)
    try:
        found = collect([tmp_path])
    finally:
        (tmp_path / "locked").chmod(0o700)
    assert names(found, tmp_path) == ["a.png"]
    assert "permission" in found.skipped[0][1]


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="other systems refuse such names")
def test_odd_names_are_found(tmp_path: Path) -> None:
    """Spaces, newlines, right-to-left letters, bytes that are no text, and the longest name there is."""
    wanted = {"a b\n.png", "תמונה.jpg", "\u202egnp.png", os.fsdecode(b"caf\xe9.png"), "n" * 251 + ".png", "Ⅷ²٣.png"}
    fill(tmp_path, *wanted)
    assert set(names(collect([tmp_path]), tmp_path)) == wanted
