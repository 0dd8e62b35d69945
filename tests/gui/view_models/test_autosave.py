"""Autosave: each window has a journal of its own, an empty gallery takes nothing away, and a disk that refuses is told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import make_row, picture
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_engine.session import journal
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.session.autosave import Autosave
from capt_gui.view_models.session.disk import Disk

PATHS = [f"/p/{name}.png" for name in "abc"]
Window = tuple[GalleryModel, Autosave]


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Callable[..., Window]]:
    """Make the gallery and the autosave of a window, as often as wanted."""
    made: list[tuple[GalleryModel, Disk, Autosave]] = []

    def make(folder: Path = tmp_path) -> Window:
        gallery, disk = GalleryModel(), Disk()
        made.append((gallery, disk, Autosave(gallery, disk, lambda: ({"n": 1}, None), folder)))
        return gallery, made[-1][2]

    make.rest = lambda: qtbot.waitUntil(lambda: not any(d.is_busy or a.is_behind for _, d, a in made))  # type: ignore[attr-defined]
    yield make
    for _, disk, autosave in made:
        autosave.close(keep=True)
        disk.close()


def fill(gallery: GalleryModel) -> None:
    """Three pictures with thumbnails, one with a result."""
    gallery.add(PATHS)
    gallery.put_previews([r.Preview(path, 8, 6, picture()) for path in PATHS])
    gallery.put_rows([make_row(PATHS[0])], r.AnalyzeRequest(()))


def test_two_windows_have_a_journal_each(window: Callable[..., Window], tmp_path: Path) -> None:
    """A second window neither lists nor deletes the journal of the first, which lives, and writes into its own."""
    one, first = window()
    two, second = window()
    fill(one)
    window.rest()  # type: ignore[attr-defined]
    second.list_kept()
    window.rest()  # type: ignore[attr-defined]
    assert second.kept == ()
    fill(two)
    two.remove(PATHS[1:])
    window.rest()  # type: ignore[attr-defined]
    first.close(keep=True)
    second.close(keep=True, asked=False)
    window.rest()  # type: ignore[attr-defined]
    found = sorted((one.n_pictures, one.n_results, one.has_crashed) for one in journal.kept(tmp_path))
    assert found == [(1, 1, True), (3, 1, False)]


def test_an_empty_gallery_takes_nothing_away(window: Callable[..., Window], tmp_path: Path) -> None:
    """What was there stays as a journal of its own; what comes then, and what an undo brings back, is written into another."""
    gallery, autosave = window()
    fill(gallery)
    window.rest()  # type: ignore[attr-defined]
    taken = gallery.take(PATHS)
    window.rest()  # type: ignore[attr-defined]
    (kept,) = journal.kept(tmp_path)
    assert (kept.n_pictures, kept.n_results, kept.has_crashed) == (3, 1, False)
    gallery.put_back(taken[:2])
    window.rest()  # type: ignore[attr-defined]
    autosave.close(keep=True)
    window.rest()  # type: ignore[attr-defined]
    again = next(one for one in journal.kept(tmp_path) if one.path != kept.path)
    pictures = journal.read(again.path).pictures
    assert [(one.path, len(one.rows), one.thumbnail != b"") for one in pictures] == [
        (PATHS[0], 1, True),
        (PATHS[1], 0, True),
    ]


def test_what_is_the_same_is_no_change(window: Callable[..., Window]) -> None:
    """A result that was drawn again, in another time, and a picture that waits, change no session."""
    gallery, autosave = window()
    fill(gallery)
    window.rest()  # type: ignore[attr-defined]
    touched: list[int] = []
    autosave.touched.connect(lambda: touched.append(1))
    gallery.set_pending(PATHS, "running")
    gallery.put_rows([make_row(PATHS[0])], r.AnalyzeRequest(()))
    gallery.set_pending(PATHS, "")
    window.rest()  # type: ignore[attr-defined]
    assert touched == []
    gallery.set_tags({PATHS[2]: ("odd",)})
    window.rest()  # type: ignore[attr-defined]
    assert touched == [1]


def test_a_disk_that_refuses_is_told_once(window: Callable[..., Window], tmp_path: Path, qtbot: QtBot) -> None:
    """The window goes on; nothing is lost when it is closed with room again."""
    (tmp_path / "file").write_bytes(b"")
    gallery, autosave = window(tmp_path / "file" / "journals")
    told: list[r.Failure] = []
    autosave.failed.connect(told.append)
    fill(gallery)
    qtbot.waitUntil(lambda: len(told) == 1)
    assert told[0].message.startswith("The journal ")
    gallery.set_labels({PATHS[0]: "x"})
    (tmp_path / "file").unlink()
    autosave.close(keep=True)
    window.rest()  # type: ignore[attr-defined]
    (kept,) = journal.kept(tmp_path / "file" / "journals")
    assert [one.facts["label"] for one in journal.read(kept.path).pictures] == ["x", "", ""]
