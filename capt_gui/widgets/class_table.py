"""The classes as rows of a table: a strip of pictures, the name, and numbers that sort."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QKeySequence, QPainter, QPaintEvent
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
from capt_gui.widgets.class_cells import PAD, STRIP_WIDTH, StripPainter, paint_words
from capt_gui.widgets.painting import draw_focus_ring

_ROW = 50
_HEADER_ROOM = 34

_Index = QModelIndex | QPersistentModelIndex


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
        self._order = QSortFilterProxyModel(self)
        self._order.setSortRole(ClassRole.SORT)
        self._order.setFilterRole(ClassRole.NAME)
        self._order.setFilterKeyColumn(0)
        self._order.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._theme = theme
        self._delegate = ClassDelegate(theme, strip_column, self)
        self.setItemDelegate(self._delegate)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        # Tab leaves the table, the arrows move in it
        self.setTabKeyNavigation(False)
        self.setSortingEnabled(True)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalScrollBar().setSingleStep(24)
        self.setAccessibleName(self.tr("Classes"))
        words = self.tr("Up and down choose a class, Space leaves it out or takes it back, Return goes to its pictures")
        self.setAccessibleDescription(self.tr("Up and down move from class to class") if only_shows else words)
        theme.changed.connect(self._on_theme_changed)

    def set_model(self, model: QAbstractItemModel) -> None:
        """Show the rows of a model that answers `ClassRole`."""
        self._order.setSourceModel(model)
        self.setModel(self._order)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        # numbers are narrower than the names of their columns, which have room for the mark of the order
        metrics = self.fontMetrics()
        for column in range(1, model.columnCount()):
            words = str(model.headerData(column, Qt.Orientation.Horizontal) or "")
            wide = STRIP_WIDTH if column == self._strip else metrics.horizontalAdvance(words) + _HEADER_ROOM
            header.resizeSection(column, wide)
        header.setSortIndicatorClearable(True)
        model.modelReset.connect(self._on_reset)

    def set_filter(self, words: str) -> None:
        """Show only the classes whose name holds these letters."""
        self._order.setFilterFixedString(words)

    def current_name(self) -> str:
        """The current class, empty when there is none."""
        return _name(self.currentIndex())

    def selected_names(self) -> list[str]:
        """The selected classes, from the top."""
        rows = self.selectionModel().selectedRows()
        return [_name(index) for index in sorted(rows, key=lambda index: index.row())]

    def select_name(self, name: str) -> None:
        """Make a class current and bring it into view; nothing happens when it is not shown."""
        for row in range(self._order.rowCount()):
            index = self._order.index(row, 0)
            if _name(index) == name:
                self.setCurrentIndex(index)
                self.scrollTo(index)
                return

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Say which class is current."""
        super().currentChanged(current, previous)
        # the ring spans the row, which may have other cells to paint than Qt thinks
        self.viewport().update()
        if _name(current) != _name(previous):
            self.current_changed.emit(_name(current))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the table, and one ring around the whole of the current row."""
        super().paintEvent(event)
        current = self.currentIndex()
        if self.hasFocus() and current.isValid():
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            row = self.visualRect(current.sibling(current.row(), 0))
            ring = QRectF(0, row.top(), self.viewport().width(), row.height() - 1)
            draw_focus_ring(painter, ring.adjusted(1, 1, -1, -1), self._theme, 6)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The ring spans the row, so the whole row is painted."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The ring goes from the whole row."""
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space, Delete and Backspace leave the selected classes out or take them back; Return goes to the pictures."""
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
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_name():
            self.entered_row.emit(self.current_name())
            event.accept()
        else:
            super().keyPressEvent(event)

    def _on_reset(self) -> None:
        self._delegate.forget()
        if self._order.rowCount():
            self.setCurrentIndex(self._order.index(0, 0))

    def _on_theme_changed(self) -> None:
        self._delegate.forget()
        self.viewport().update()


class ClassDelegate(QStyledItemDelegate):
    """A row of one colour, marked at its left end where it is chosen; strips of pictures, words and numbers on it."""

    def __init__(self, theme: Theme, strip_column: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._column = strip_column
        self._strip = StripPainter(theme)

    def forget(self) -> None:
        """Drop the prepared thumbnails."""
        self._strip.forget()

    def sizeHint(self, _option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Room for the words, which the header asks for."""
        metrics = QFontMetricsF(self._theme.font("body"))
        words = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        return QSize(round(metrics.horizontalAdvance(words)) + 2 * PAD, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one cell."""
        theme = self._theme
        rect = QRectF(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if selected:
            painter.setBrush(theme.color("accent_soft"))
            painter.drawRect(rect)
        else:
            painter.setBrush(theme.color("border"))
            painter.drawRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1))
        if selected and index.column() == 0:
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(rect.left(), rect.center().y() - 12, 3, 24), 1.5, 1.5)
        if index.column() == self._column:
            painter.setOpacity(0.25 if index.data(ClassRole.LEFT_OUT) else 1.0)
            self._strip.paint(painter, rect, index.data(ClassRole.STRIP) or ())
            painter.setOpacity(1.0)
        else:
            paint_words(painter, rect, index, theme, self.tr("left out"))
        painter.restore()


def _name(index: _Index) -> str:
    return str(index.sibling(index.row(), 0).data(ClassRole.NAME) or "") if index.isValid() else ""
