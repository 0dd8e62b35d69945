"""Sorting out many pictures: the table, filters that combine, views, tags, labels, the context menu, and saving."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from guest import Guest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QMenu, QWidget

from capt_gui.pages.explore.page import ExplorePage
from capt_gui.settings import CARDS, SavedView
from capt_gui.view_models.navigation import EVALUATE, TUNE
from capt_gui.widgets.save_pictures_dialog import SavePicturesDialog

Shot = Callable[..., None]


@pytest.fixture
def page(guest: Guest, labelled: Path, tmp_path: Path) -> Iterator[ExplorePage]:
    """Explore with eight pictures that bring their labels, attacked."""
    classes = sorted(path for path in labelled.iterdir() if path.is_dir())[:4]
    for one in classes:
        shutil.copytree(one, tmp_path / "mine" / one.name)
    guest.drop(tmp_path / "mine")
    guest.until(lambda: guest.desk.gallery.rowCount() == 8)
    guest.settle()
    page = guest.window.page
    assert isinstance(page, ExplorePage)
    yield page
    guest.desk.rows.want(SavedView(""))
    guest.settings.gallery.views = []
    if page.gallery.look != CARDS:
        page.gallery.toggle_look()


def pick(menu: QMenu, *names: str) -> None:
    """Open a menu of the gallery and choose an entry, name by name."""
    menu.aboutToShow.emit()
    action: QAction | None = None
    for name in names:
        action = next(one for one in menu.actions() if one.text() == name)
        inner = action.menu()
        menu = inner if isinstance(inner, QMenu) else menu
    assert action is not None
    action.trigger()


def answer(words: str, shot: Callable[[QWidget], None] | None = None) -> None:
    """Type words into the dialog that the next step opens, and press Return."""

    def on_open() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QDialog)
        field = dialog.findChild(QLineEdit)
        assert field is not None
        QTest.keyClicks(field, words)
        if shot is not None:
            shot(dialog)
        QTest.keyClick(field, Qt.Key.Key_Return)

    QTimer.singleShot(50, on_open)


def test_the_weak_pictures_are_found_tagged_and_kept_as_a_view(guest: Guest, page: ExplorePage, shot: Shot) -> None:
    """From cards to a table, ordered by a metric, only what A loses and B holds, tagged, and found again by a view."""
    shot("table-cards")
    guest.keys("Ctrl+G")
    gallery, rows = page.gallery, guest.desk.rows
    keys = [column.key for column in rows.shown_columns]
    assert "label" in keys
    assert all(item.label in item.row.classes for item in rows.items())
    shot("table-all")
    pick(gallery.menus.columns, "A · Metrics", "A · Margin, attacked (logits)")
    pick(gallery.menus.order, "A · Metrics", "A · Margin, attacked (logits)")
    margins = [item.a.metric("margin_attacked") for item in rows.items()]
    assert margins == sorted(margins, reverse=True)
    pick(gallery.menus.filter, "Only A fails")
    guest.until(lambda: len(gallery.chips.chips()) == 2)
    lost = {
        item.path
        for item in guest.desk.gallery.items()
        if (item.outcome_of("a"), item.outcome_of("b")) == ("broken", "held")
    }
    assert {item.path for item in rows.items()} == lost
    shot("table-only-a-fails")
    guest.click("Clear all filters")
    gallery.table.setFocus()
    gallery.table.selectAll()
    answer("night")
    guest.keys("Ctrl+T")
    assert all(item.tags == ("night",) for item in guest.desk.gallery.items())
    guest.type("night", gallery.search)
    assert rows.rowCount() == 8
    answer("my view", lambda dialog: shot("table-save-view", dialog))
    pick(gallery.menus.views, "Save this view…")
    guest.click("Show cards (Ctrl+G)")
    pick(gallery.menus.views, "All pictures, the usual columns")
    assert gallery.search.text() == ""
    pick(gallery.menus.views, "my view")
    assert gallery.search.text() == "night"
    guest.choose("Edit", "Undo add tag night")
    guest.until(lambda: rows.rowCount() == 0)
    shot("table-nothing")
    guest.click("Show all")
    assert rows.rowCount() == 8


@pytest.mark.qt_log_ignore("raise", "grabbing the keyboard", "propagateSizeHints")
def test_chosen_pictures_have_a_menu_and_are_saved(guest: Guest, page: ExplorePage, shot: Shot, tmp_path: Path) -> None:
    """The context menu of two pictures; their pictures in a folder; the picture in full and back; what is added is chosen."""
    gallery = page.gallery
    paths = list(guest.desk.gallery.paths())
    gallery.select(paths[:2])
    place = gallery.view.visualRect(gallery.view.currentIndex()).center()
    asked = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, gallery.view.viewport().mapToGlobal(place))
    QApplication.sendEvent(gallery.view.viewport(), asked)
    menu = guest.dialog()
    assert isinstance(menu, QMenu)
    assert "Attack 2 pictures again" in [one.text() for one in menu.actions()]
    shot("table-menu", menu)
    menu.close()

    def on_open() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, SavePicturesDialog)
        dialog.folder.setText(str(tmp_path / "out"))
        dialog.boxes["amplified"].click()
        shot("table-save-pictures", dialog)
        guest.click("Save", dialog)

    QTimer.singleShot(50, on_open)
    guest.choose("File", "Save pictures")
    guest.until(lambda: "files were written" in page.banner.accessibleName())
    assert len(list((tmp_path / "out").glob("*.png"))) == 2 * 5
    shot("table-saved")
    QTest.mouseClick(gallery.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(gallery.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    guest.until(lambda: page.result.triptych.height() > guest.window.height() - 40)
    shot("table-full")
    guest.keys("Esc")
    guest.until(lambda: gallery.isVisible())
    extra = tmp_path / "extra.png"
    shutil.copy(paths[0], extra)
    guest.drop(extra)
    guest.until(lambda: guest.desk.gallery.rowCount() == 9)
    guest.settle()
    assert gallery.selected() == [str(extra)]


def test_the_toy_world_waits_on_evaluate_and_tune(guest: Guest, shot: Shot) -> None:
    """Both empty pages offer it; on Evaluate it is drawn, looked through, and ready to run."""
    for key, name in ((TUNE, "tune"), (EVALUATE, "evaluate")):
        guest.window.show_page(key)
        shot(f"table-toys-{name}")
    guest.click("Try the toy world")
    guest.until(lambda: guest.desk.evaluation.data.result is not None)
    assert guest.desk.evaluation.data.title == "toy world"
    assert guest.desk.evaluation.data.pictures_in_split >= 100
    shot("table-toys")
    guest.desk.evaluation.data.forget()
