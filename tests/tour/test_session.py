"""Work that comes back: a session saved and opened again, its evaluation too, and the one that a crash would have taken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from guest import Guest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from capt_engine.records import PictureRow

Shot = Callable[..., None]


def at_rest(guest: Guest) -> None:
    """Wait until nothing of the session is read or written."""
    model = guest.window.sessions.model
    guest.until(lambda: not model.is_busy and not model.is_at_work)
    guest.settle()


def known(guest: Guest) -> list[object]:
    """All that is known of the pictures; a result that is computed again takes another time."""

    def timeless(row: PictureRow | None) -> PictureRow | None:
        return None if row is None else replace(row, time_s=0)

    return [replace(one, row=timeless(one.row), other=timeless(one.other)) for one in guest.desk.gallery.entries()]


def recent(guest: Guest) -> list[QAction]:
    """The entries of Open recent, as they are when the menu opens."""
    file = guest.window.menuBar().actions()[0].menu()
    assert isinstance(file, QMenu)
    (menu,) = [inner for action in file.actions() if isinstance(inner := action.menu(), QMenu)]
    menu.aboutToShow.emit()
    return [action for action in menu.actions() if action.text()]


def test_a_session_is_saved_and_comes_back(
    guest: Guest, shot: Shot, samples: tuple[Path, ...], labelled: Path, tmp_path: Path
) -> None:
    """Ctrl+S, a name; Ctrl+N; Open recent: pictures, answers, the right answer, classes, the evaluation and the page are as they were."""
    place = tmp_path / "toy shapes.capt"
    guest.window.sessions.ask_where = lambda _: str(place)
    guest.window.sessions.ask_to_save = lambda: "discard"
    guest.drop(*samples[:3])
    guest.settle()
    gallery = guest.desk.gallery
    first = gallery.paths()[0]
    gallery.set_labels({first: "mug"})
    before = known(guest)
    guest.window.show_page("evaluate")
    guest.desk.evaluation.choices.attack.set_attack("none")
    guest.desk.evaluation.choices.set_checks("off")
    guest.drop(labelled)
    guest.settle()
    guest.keys("F5", guest.window)
    guest.settle()
    verdict = guest.desk.evaluation.run.result
    assert verdict is not None
    shot("session-before")
    guest.keys("Ctrl+S", guest.window)
    at_rest(guest)
    assert guest.window.windowTitle() == "toy shapes[*] — CAPT Explorer"
    assert not guest.window.isWindowModified()
    gallery.set_labels({first: "cube"})
    at_rest(guest)
    assert guest.window.isWindowModified()
    guest.keys("Ctrl+N", guest.window)
    at_rest(guest)
    assert (gallery.rowCount(), guest.desk.evaluation.run.result) == (0, None)
    shot("session-new")
    entries = recent(guest)
    assert entries[0].text() == "toy shapes"
    entries[0].trigger()
    at_rest(guest)
    assert known(guest) == before
    assert guest.desk.evaluation.run.result == verdict
    assert guest.window.page_key == "evaluate"
    shot("session-opened")
    guest.window.show_page("explore")
    at_rest(guest)
    assert gallery.pictures(first) is not None
    assert not guest.window.isWindowModified()
    shot("session-opened-explore")
    guest.window.sessions.on_new()
    at_rest(guest)


def test_a_crash_takes_nothing(guest: Guest, shot: Shot, samples: tuple[Path, ...], tmp_path: Path) -> None:
    """The journal of a window that was killed is offered in a banner of the next one, and brings everything back."""
    guest.window.sessions.on_new()
    at_rest(guest)
    guest.drop(*samples[3:6])
    guest.settle()
    at_rest(guest)
    before = known(guest)
    folder = guest.folder / "sessions"
    left = max(folder.glob("*.journal"), key=lambda path: path.stat().st_mtime_ns)
    for end in ("", "-wal"):
        shutil.copy(f"{left}{end}", tmp_path / f"killed.journal{end}")
    guest.window.sessions.on_new()
    at_rest(guest)
    for file in tmp_path.glob("killed.journal*"):
        shutil.copy(file, folder)
    guest.window.sessions.model.start()
    at_rest(guest)
    assert "The last session ended without being closed." in guest.words()
    shot("session-crashed")
    guest.click("Reopen it")
    at_rest(guest)
    assert known(guest) == before
    shot("session-reopened")
    assert not (folder / "killed.journal").exists()
