"""The classes as rows of a table: a strip of pictures, the name, and numbers that sort."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, QObject, QRectF, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from capt_gui.roles import ClassRole
from capt_gui.theme import Theme
from capt_gui.widgets.card_list import Index, set_up_table
from capt_gui.widgets.painting import (
    LEFT,
    RIGHT,
    Thumbnails,
    draw_box,
    draw_focus_ring,
    draw_selection_bar,
    draw_text,
    line_height,
    text_width,
)

_ROW = 50
_HEADER_ROOM = 34
_LEAST_NAME = 90
_PAD = 12
_THUMB, _GAP, _SHOWN = 34, 4, 4
_STRIP_WIDTH = _SHOWN * (_THUMB + _GAP) + _PAD


class ClassTable(QTableView):
    """Sorts by its header, filters by name.

    `current_changed(name)`; `toggled(names)` for Space and Delete; `entered_row(name)` for Return.
    """

    current_changed = Signal(str)
    toggled = Signal(list)
    entered_row = Signal(str)

    def __init__(
        self, theme: Theme, strip_column: int, parent: QWidget | None = None, *, only_shows: bool = False
    ) -> None:
        """only_shows: nothing can be left out here, and there is nothing to go on to."""
        super().__init__(parent)
        self._strip = strip_column
        # of every column but that of the names, in pixels
        self._widths: dict[int, int] = {}
        self._order = QSortFilterProxyModel(self)
        self._order.setSortRole(ClassRole.SORT)
        self._order.setFilterRole(ClassRole.NAME)
        self._order.setFilterKeyColumn(0)
        self._order.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._theme = theme
        self.setItemDelegate(ClassDelegate(theme, strip_column, self))
        set_up_table(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrap(False)
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setAccessibleName(self.tr("Classes"))
        words = self.tr("Up and down choose a class, Space leaves it out or takes it back, Return goes to its pictures")
        self.setAccessibleDescription(self.tr("Up and down move from class to class") if only_shows else words)
        theme.changed.connect(self.viewport().update)

    def set_model(self, model: QAbstractItemModel) -> None:
        """Show the rows of a model that has the data roles of `ClassRole`, at first unsorted."""
        self._order.setSourceModel(model)
        self.setModel(self._order)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        # numbers are narrower than the names of their columns, which have room for the mark of the order
        metrics = self.fontMetrics()
        for column in range(1, model.columnCount()):
            words = str(model.headerData(column, Qt.Orientation.Horizontal) or "")
            wide = _STRIP_WIDTH if column == self._strip else metrics.horizontalAdvance(words) + _HEADER_ROOM
            header.resizeSection(column, wide)
            self._widths[column] = wide
        self._use_room()
        model.modelReset.connect(self._on_reset)

    def set_filter(self, words: str) -> None:
        """Show only the classes whose name contains `words`, in upper or lower case; "" shows all."""
        self._order.setFilterFixedString(words)

    def current_key(self) -> str:
        """Return the name of the current class, "" when there is none."""
        return _name(self.currentIndex())

    def selected_names(self) -> list[str]:
        """Return the names of the selected classes, in the order of the rows as shown."""
        rows = self.selectionModel().selectedRows()
        return [_name(index) for index in sorted(rows, key=lambda index: index.row())]

    def select_name(self, name: str) -> None:
        """Make the class of this name current and scroll to it; nothing happens when the table does not show it."""
        for row in range(self._order.rowCount()):
            index = self._order.index(row, 0)
            if _name(index) == name:
                self.setCurrentIndex(index)
                self.scrollTo(index)
                return

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Emit `current_changed` with the name of the new class when the current cell moves to another class."""
        super().currentChanged(current, previous)
        # the ring spans the row, which may have other cells to paint than Qt thinks
        self.viewport().update()
        if _name(current) != _name(previous):
            self.current_changed.emit(_name(current))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the table, and while it has the focus one ring around the whole current row."""
        super().paintEvent(event)
        current = self.currentIndex()
        if self.hasFocus() and current.isValid():
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            row = self.visualRect(current.sibling(current.row(), 0))
            ring = QRectF(0, row.top(), self.viewport().width(), row.height() - 1)
            draw_focus_ring(painter, ring.adjusted(1, 1, -1, -1), self._theme, 6)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many columns as the new width has room for beside the names; the strip of pictures goes first."""
        super().resizeEvent(event)
        self._use_room()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emit `toggled` with the selected names on Space, Delete or Backspace, `entered_row` with the current on Return.

        Home and End go to the first and the last row. Whoever takes `toggled` leaves the classes out or takes them
        back.
        """
        keys = (Qt.Key.Key_Backspace, Qt.Key.Key_Space)
        removes = event.matches(QKeySequence.StandardKey.Delete) or event.key() in keys
        if removes and (names := self.selected_names()):
            self.toggled.emit(names)
            event.accept()
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End) and self._order.rowCount():
            # the row is what matters here, not the cell
            self.setCurrentIndex(
                self._order.index(0 if event.key() == Qt.Key.Key_Home else self._order.rowCount() - 1, 0)
            )
            event.accept()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_key():
            self.entered_row.emit(self.current_key())
            event.accept()
        else:
            super().keyPressEvent(event)

    def _use_room(self) -> None:
        """Hide the strip of pictures where it leaves no room for the names, and then columns from the right."""
        spare = self.viewport().width() - _LEAST_NAME - sum(self._widths.values())
        for column in sorted(self._widths, key=lambda column: (column != self._strip, -column)):
            self.setColumnHidden(column, spare < 0)
            spare += self._widths[column] if spare < 0 else 0

    def _on_reset(self) -> None:
        if self._order.rowCount():
            self.setCurrentIndex(self._order.index(0, 0))


class ClassDelegate(QStyledItemDelegate):
    """A row of one colour, marked at its left end where it is chosen; strips of pictures, names and numbers on it."""

    def __init__(self, theme: Theme, strip_column: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = strip_column
        self._thumbnails = Thumbnails(_THUMB, 6)

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the size in pixels that the text of the cell `index` needs."""
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        return QSize(round(text_width(self._theme, "body", text)) + 2 * _PAD, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the cell `index`: the strip of pictures, the name or a number, over the background of its row."""
        theme, rect = self._theme, QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            draw_box(painter, rect, theme.color("accent_soft"))
            if index.column() == 0:
                draw_selection_bar(painter, rect, theme)
        else:
            draw_box(painter, QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), theme.color("border"))
        if index.column() == self._column:
            painter.setOpacity(0.25 if index.data(ClassRole.LEFT_OUT) else 1.0)
            self._draw_strip(painter, rect, index.data(ClassRole.STRIP) or ())
        else:
            self._draw_cell_text(painter, rect.adjusted(_PAD, 0, -_PAD, 0), index)
        painter.restore()

    def _draw_strip(self, painter: QPainter, rect: QRectF, strip: Sequence[QImage | None]) -> None:
        """Paint the pictures, and empty places for those that are still to come."""
        ratio = painter.device().devicePixelRatioF()
        place = QRectF(rect.left() + 2, rect.center().y() - _THUMB / 2, _THUMB, _THUMB)
        for image in strip[:_SHOWN]:
            if isinstance(image, QImage) and not image.isNull():
                painter.drawPixmap(place.topLeft(), self._thumbnails.pixmap(image, ratio))
            else:
                draw_box(painter, place, self._theme.color("surface_raised"), 6)
            place.translate(_THUMB + _GAP, 0)

    def _draw_cell_text(self, painter: QPainter, room: QRectF, index: Index) -> None:
        """Paint a name at the left, in bold, or a number at the right; a name that is left out is struck through and says so."""
        theme, text = self._theme, str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        first, gone = index.column() == 0, bool(index.data(ClassRole.LEFT_OUT))
        if first and gone:
            font, small = theme.font("body"), line_height(theme, "caption")
            font.setStrikeOut(True)
            height = line_height(theme, "body")
            line = QRectF(room.left(), room.center().y() - (height + small) / 2, room.width(), height)
            draw_text(painter, line, text, theme, font, "text_muted")
            below = QRectF(room.left(), line.bottom(), room.width(), small)
            draw_text(painter, below, self.tr("left out"), theme, "caption", "text_muted")
            return
        role = "text_muted" if gone else str(index.data(ClassRole.TONE) or "") or "text"
        draw_text(painter, room, text, theme, "strong" if first else "body", role, LEFT if first else RIGHT)


def _name(index: Index) -> str:
    return str(index.sibling(index.row(), 0).data(ClassRole.NAME) or "") if index.isValid() else ""
