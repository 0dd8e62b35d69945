"""The sheets on their desk: which one is in front, how large they are, and how keys turn them."""

from __future__ import annotations

import pytest
from fakes import picture
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capt_gui.theme import Theme
from capt_gui.widgets.page_store import PageStore
from capt_gui.widgets.page_view import PageView


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> PageView:
    """Four pages, higher than the window each."""
    view = PageView(theme)
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    view.begin(4)
    for number in range(4):
        view.put_page(number, picture(210, 297, 40 * number))
    return view


def test_the_page_in_front_is_told(view: PageView, qtbot: QtBot) -> None:
    """Going to a page tells it; beyond the ends there is nothing."""
    assert (view.page(), view.pages()) == (1, 4)
    with qtbot.waitSignal(view.page_changed) as told:
        view.next_page()
    assert told.args == [2, 4]
    view.go_to(99)
    assert view.page() == 4
    view.go_to(-1)
    assert view.page() == 1


def test_keys_turn_the_pages(view: PageView) -> None:
    """Page down reads a high sheet to its end, then stops at the top of the next one; End and Home jump."""
    bar = view.verticalScrollBar()
    seen = [1]
    for _ in range(30):
        before = bar.value()
        QTest.keyClick(view, Qt.Key.Key_PageDown)
        assert bar.value() - before <= view.viewport().height()
        seen.append(view.page())
    assert list(dict.fromkeys(seen)) == [1, 2, 3, 4]
    assert bar.value() == bar.maximum()
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert bar.value() == 0
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.page() == 4
    for _ in range(30):
        QTest.keyClick(view, Qt.Key.Key_PageUp)
    assert view.page() == 1


def test_sheets_fit_the_width_until_they_are_zoomed(view: PageView) -> None:
    """A wider window makes wider sheets; zooming has ends, and the way back fits again."""
    before = view.zoom()
    view.resize(600, 300)
    assert view.zoom() > before
    for _ in range(30):
        view.zoom_in()
    assert view.zoom() == pytest.approx(4.0, rel=0.01)
    assert view.horizontalScrollBar().maximum() > 0
    view.zoom_to_page()
    assert view.zoom() * 794 * 297 / 210 <= 300
    for _ in range(30):
        view.zoom_out()
    assert view.zoom() >= 0.24
    view.zoom_to_width()
    assert view.horizontalScrollBar().maximum() == 0


def test_paper_is_light_in_both_themes(view: PageView, theme: Theme) -> None:
    """A sheet that has not arrived is blank paper; one that is out of date is faded."""
    view.begin(1)
    for choice in ("light", "dark"):
        theme.set_choice(choice)
        assert view.viewport().grab().toImage().pixelColor(200, 150) == QColor("#ffffff")
    view.put_page(0, picture(210, 297, 0))
    assert view.viewport().grab().toImage().pixelColor(200, 150) == QColor("#000000")
    view.set_faded(True)
    assert view.viewport().grab().toImage().pixelColor(200, 150).lightness() > 100
    theme.set_choice("light")


def test_an_empty_desk_does_nothing(theme: Theme, qtbot: QtBot) -> None:
    """Keys and zooming on nothing are no mistake."""
    view = PageView(theme)
    qtbot.addWidget(view)
    view.show()
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_End):
        QTest.keyClick(view, key)
    view.zoom_in()
    view.zoom_to_page()
    view.put_page(0, picture())
    assert (view.page(), view.pages()) == (0, 0)


def test_pages_take_little_memory(qapp: object) -> None:
    """What is mostly white is packed, and comes back as it was."""
    del qapp
    store = PageStore()
    store.begin(2)
    page = picture(1000, 1400, 255)
    store.put(0, page)
    assert len(store._packed[0][1]) < len(page.rgb) / 50
    pixmap = store.pixmap(0, QSize(100, 140), 2.0)
    assert pixmap is not None
    assert (pixmap.width(), pixmap.toImage().pixelColor(5, 5)) == (200, QColor("#ffffff"))
    assert store.pixmap(1, QSize(100, 140), 1.0) is None
