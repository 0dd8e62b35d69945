"""The gallery: keys, signals, tooltips' words, and ten thousand rows."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from pytestqt.qtbot import QtBot

from capt_gui.roles import GalleryRole
from capt_gui.theme import Theme
from capt_gui.view_models.truth import WORST_FIRST
from capt_gui.widgets.card_list import Index
from capt_gui.widgets.gallery_view import GalleryDelegate, GalleryView
from capt_gui.widgets.painting import in_two_lines


class Rows(QAbstractListModel):
    """A model of so many equal rows that counts how often it is asked."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self.asked = 0
        self._thumbnail = QImage(160, 120, QImage.Format.Format_RGB32)
        self._thumbnail.fill(QColor("steelblue"))

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008, N802
        """Flat."""
        return 0 if parent.isValid() else self._count

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> Any:
        """Every row the same but for its number."""
        self.asked += 1
        return {
            GalleryRole.PATH: f"/pictures/{index.row()}.png",
            GalleryRole.NAME: f"{index.row()}.png",
            GalleryRole.THUMBNAIL: self._thumbnail,
            GalleryRole.STATE: "held",
            GalleryRole.CAPTION: "torus 98 % → torus 71 %",
        }.get(role)  # type: ignore[call-overload]


class CountingDelegate(GalleryDelegate):
    """A delegate that counts the cards it paints."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.paints = 0

    def draw_card(self, painter: QPainter, card: QRectF, index: Index) -> None:
        """One more."""
        self.paints += 1
        super().draw_card(painter, card, index)


def shown(theme: Theme, qtbot: QtBot, count: int) -> tuple[GalleryView, Rows]:
    """A gallery of so many rows on the screen."""
    view, model = GalleryView(theme), Rows(count)
    view.setModel(model)
    qtbot.addWidget(view)
    view.resize(260, 600)
    with qtbot.waitExposed(view):
        view.show()
    return view, model


def test_up_and_down_choose_a_picture(theme: Theme, qtbot: QtBot) -> None:
    """Each key press says the path of the new current picture."""
    view, _ = shown(theme, qtbot, 3)
    heard: list[str] = []
    view.select_path("/pictures/0.png")
    view.current_changed.connect(heard.append)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert heard == [f"/pictures/{row}.png" for row in (1, 2, 1)]
    assert view.current_key() == "/pictures/1.png"


def test_delete_asks_for_the_selected_pictures(theme: Theme, qtbot: QtBot) -> None:
    """Two selected rows are asked for together, from the top."""
    view, _ = shown(theme, qtbot, 4)
    view.select_path("/pictures/2.png")
    qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(view.remove_requested) as asked:
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert asked.args == [["/pictures/1.png", "/pictures/2.png"]]


def test_delete_without_a_selection_asks_nothing(theme: Theme, qtbot: QtBot) -> None:
    """An empty request would be a puzzle for the page."""
    view, _ = shown(theme, qtbot, 0)
    with qtbot.assertNotEmitted(view.remove_requested):
        qtbot.keyClick(view, Qt.Key.Key_Delete)


def test_ten_thousand_rows_paint_only_what_is_seen(theme: Theme, qtbot: QtBot) -> None:
    """From the first row to the last, each step paints about one screenful."""
    view, model = shown(theme, qtbot, 10_000)
    delegate = CountingDelegate(theme)
    view.setItemDelegate(delegate)
    qtbot.waitUntil(lambda: view.verticalScrollBar().maximum() > 100_000)
    delegate.paints, model.asked = 0, 0
    for share in range(11):
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() * share // 10)
        view.viewport().repaint()
    assert 0 < delegate.paints < 11 * 2 * 12
    assert model.asked < 11 * 2 * 12 * 12


def test_every_state_has_words_of_its_own(theme: Theme, qtbot: QtBot) -> None:
    """Symbols are explained in the tooltip, each state differently."""
    view, _ = shown(theme, qtbot, 1)
    delegate = view.itemDelegate()
    assert isinstance(delegate, GalleryDelegate)
    states = {"waiting", "running", "failed", *WORST_FIRST}
    words = [delegate.state_text(state) for state in states]
    assert all(words)
    assert len(set(words)) == len(states)


@pytest.mark.parametrize("name", ["0000-night-variant-of-a-picture-0.png", "0000000000000000000000001.png"])
def test_a_name_in_a_narrow_list_shows_what_tells_it_apart(theme: Theme, name: str) -> None:
    """Two lines of the narrowest card hold twelve letters at the least, the first and the last of the name."""
    metrics = QFontMetricsF(theme.font("caption"))
    width = 127 - 62
    first, second = in_two_lines(metrics, name, width)
    assert max(metrics.horizontalAdvance(first), metrics.horizontalAdvance(second)) <= width
    assert name.startswith(first)
    assert second.startswith("…")
    assert name.endswith(second[1:])
    assert len(first) + len(second) - 1 >= 12
    assert second.endswith(name[-5:])
    assert in_two_lines(metrics, "cat.png", width) == ("cat.png", "")
