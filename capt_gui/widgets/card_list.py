"""Lists whose rows are painted as cards: the view, and how a card stands out when it is pointed at, selected or has the focus."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from capt_gui.theme import Theme
from capt_gui.widgets.painting import Thumbnails, draw_box, draw_focus_ring, draw_selection_bar

Index = QModelIndex | QPersistentModelIndex

KEY = Qt.ItemDataRole.UserRole + 1
"""The role by which a row is known: the path of a picture, the name of a class."""


class CardList(QListView):
    """Rows of one size, painted by a `CardDelegate`; their model answers KEY. `current_changed(key)`: another row is current."""

    current_changed = Signal(str)

    def __init__(self, delegate: CardDelegate, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        delegate.setParent(self)
        self.setItemDelegate(delegate)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        set_up_view(self)
        delegate.theme.changed.connect(self.viewport().update)

    def current_key(self) -> str:
        """Return the key of the current row (such as a picture's path or a class name), "" when there is none."""
        return _key(self.currentIndex())

    def selected_keys(self) -> list[str]:
        """Return the keys of the selected rows (paths or names, as the model gives them), from the top."""
        return [_key(index) for index in sorted(self.selectedIndexes(), key=lambda index: index.row())]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the current row in sight where it was, also when a banner takes room above the list."""
        place = self.visualRect(self.currentIndex())
        was_seen = QRect(QPoint(0, 0), event.oldSize()).contains(place.center()) and not place.isEmpty()
        super().resizeEvent(event)
        if was_seen:
            self.scrollTo(self.currentIndex())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Make the first row the current one where none is, as the current row is what shows the focus."""
        super().focusInEvent(event)
        model = self.model()
        if model is not None and model.rowCount() and not self.currentIndex().isValid():
            self.selectionModel().setCurrentIndex(model.index(0, 0), QItemSelectionModel.SelectionFlag.NoUpdate)

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Emit `current_changed` with the key of the row `current`, "" when no row is current now."""
        super().currentChanged(current, previous)
        self.current_changed.emit(_key(current))


class CardDelegate(QStyledItemDelegate):
    """Paints a card behind a row, and the focus ring on it; `draw_card` paints what is on it.

    inset: the room around the card, across and down, in pixels. has_bar: the selected card has a bar at its left end.
    """

    inset = (1.0, 1.0)
    has_bar = True
    thumbnail_size = 52

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.thumbnails = Thumbnails(self.thumbnail_size, 8)
        self.ground = "surface"

    def draw_card(self, painter: QPainter, card: QRectF, index: Index) -> None:
        """Paint the content of the row `index` into the rectangle `card`; each kind of list has to override this."""
        raise NotImplementedError

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row: the background of its card, its content by `draw_card`, the marks of selection and focus."""
        across, down = self.inset
        card = QRectF(option.rect).adjusted(across, down, -across, -down)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.ground = "surface"
        if option.state & QStyle.StateFlag.State_Selected:
            self.ground = "accent_soft"
        elif option.state & QStyle.StateFlag.State_MouseOver:
            self.ground = "surface_raised"
        if self.ground != "surface":
            draw_box(painter, card, self.theme.color(self.ground), 9)
        if self.ground == "accent_soft" and self.has_bar:
            draw_selection_bar(painter, card, self.theme)
        self.draw_card(painter, card, index)
        if option.state & QStyle.StateFlag.State_HasFocus:
            draw_focus_ring(painter, card, self.theme)
        painter.restore()


def set_up_view(view: QAbstractItemView) -> None:
    """Set up a list or table view: scroll by pixels, track the mouse, edit nothing, and let Tab leave the view."""
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setMouseTracking(True)
    view.setTabKeyNavigation(False)
    view.verticalScrollBar().setSingleStep(24)


def set_up_table(table: QTableView) -> None:
    """Set up a table: select whole rows, sort by its header, show no grid or row numbers, edit nothing."""
    set_up_view(table)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    table.setSortingEnabled(True)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setSortIndicatorClearable(True)


def _key(index: Index) -> str:
    return str(index.data(KEY) or "")
