"""The pictures as a table: a small thumbnail with the name, and a column for each thing that is known."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QObject, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from capt_gui.roles import GalleryRole
from capt_gui.theme import Theme
from capt_gui.widgets.card_list import KEY, Index, set_up_table
from capt_gui.widgets.gallery_view import SYMBOLS
from capt_gui.widgets.painting import LEFT, RIGHT, Thumbnails, draw_box, draw_focus_ring, draw_selection_bar

_ROW = 40
_THUMB = 30
_PAD = 10
_SYMBOL = 16
_NAME_WIDTH = 210
_LEAST, _MOST = 76, 190
_HEADER_ROOM = 42


class GalleryTable(QTableView):
    """A table of `GalleryRole` rows. `opened(path)` on a double click and on Return.

    header_menu_requested(column, place): somebody asks what there is to do with a column.
    """

    opened = Signal(str)
    header_menu_requested = Signal(int, QPoint)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        # chosen by the user, by title
        self._widths: dict[str, int] = {}
        self._sizing = False
        delegate = GalleryTableDelegate(theme, self)
        self.setItemDelegate(delegate)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        set_up_table(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setWordWrap(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setSectionsMovable(False)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu)
        header.sectionResized.connect(self._on_resized)
        self.setAccessibleName(self.tr("Pictures as a table"))
        self.setAccessibleDescription(
            self.tr("Up and down choose a picture, Delete takes it off the list, the menu key shows what can be done")
        )
        self.doubleClicked.connect(self._on_double_clicked)
        theme.changed.connect(self.viewport().update)

    def setModel(self, model: QAbstractItemModel | None) -> None:
        """Show the rows of `model`, at first unsorted; its columns may come and go."""
        super().setModel(model)
        if model is None:
            return
        model.columnsInserted.connect(self.size_columns)
        model.headerDataChanged.connect(self.size_columns)
        self.size_columns()

    def size_columns(self, *_: object) -> None:
        """Give each column the width that its title needs, or that the user has given it."""
        model, header = self.model(), self.horizontalHeader()
        metrics = QFontMetricsF(self._theme.font("body"))
        self._sizing = True
        for column in range(model.columnCount()):
            title = str(model.headerData(column, Qt.Orientation.Horizontal) or "")
            wide = round(metrics.horizontalAdvance(title)) + _HEADER_ROOM
            usual = _NAME_WIDTH if column == 0 else min(max(wide, _LEAST), _MOST)
            header.resizeSection(column, self._widths.get(title, usual))
        self._sizing = False

    def show_order(self, column: int, *, descending: bool) -> None:
        """Mark the column by which the rows are ordered, −1 for none; nothing is ordered by this."""
        header = self.horizontalHeader()
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        if (header.sortIndicatorSection(), header.sortIndicatorOrder()) != (column, order):
            header.blockSignals(True)
            header.setSortIndicator(column, order)
            header.blockSignals(False)
            header.viewport().update()

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Repaint the rows, because the focus ring spans the whole row."""
        super().currentChanged(current, previous)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the table, and while it has the focus one ring around the whole current row."""
        super().paintEvent(event)
        current = self.currentIndex()
        if self.hasFocus() and current.isValid():
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            top = self.rowViewportPosition(current.row())
            ring = QRectF(0, top, self.viewport().width(), _ROW - 1)
            draw_focus_ring(painter, ring.adjusted(1, 1, -1, -1), self._theme, 6)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the first or the last row on Home and End; the row is what matters here, not the cell."""
        model = self.model()
        if event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End) and model is not None and model.rowCount():
            row = 0 if event.key() == Qt.Key.Key_Home else model.rowCount() - 1
            self.setCurrentIndex(model.index(row, max(self.currentIndex().column(), 0)))
            event.accept()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(key_of(self.currentIndex()))
            event.accept()
        else:
            super().keyPressEvent(event)

    def _on_double_clicked(self, index: Index) -> None:
        self.opened.emit(key_of(index))

    def _on_header_menu(self, place: QPoint) -> None:
        header = self.horizontalHeader()
        self.header_menu_requested.emit(header.logicalIndexAt(place), header.mapToGlobal(place))

    def _on_resized(self, column: int, _old: int, wide: int) -> None:
        if not self._sizing:
            title = str(self.model().headerData(column, Qt.Orientation.Horizontal) or "")
            self._widths[title] = wide


class GalleryTableDelegate(QStyledItemDelegate):
    """Rows of one colour, marked at their left end where they are chosen; outcomes as symbol and word, numbers at the right."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._thumbnails = Thumbnails(_THUMB, 5)
        self._prepare()
        theme.changed.connect(self._prepare)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the size of a cell in pixels; rows are all of one height."""
        return QSize(_LEAST, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the cell `index` over the background of its row."""
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first = index.column() == 0
        if option.state & QStyle.StateFlag.State_Selected:
            draw_box(painter, rect, self._chosen)
            if first:
                draw_selection_bar(painter, rect, self._theme)
        else:
            painter.fillRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), self._line)
        room = rect.adjusted(_PAD, 0, -_PAD, 0)
        ratio = painter.device().devicePixelRatioF()
        # in one piece, as each question to the model takes its time
        text, state, is_number = index.data(GalleryRole.CELL) or ("", "", False)
        if first:
            self._draw_thumbnail(painter, room, index, state, ratio)
            room.setLeft(room.left() + _THUMB + 8)
        elif state in SYMBOLS:
            name, role = SYMBOLS[state]
            corner = QPointF(room.left(), room.center().y() - _SYMBOL / 2)
            painter.drawPixmap(corner, self._theme.pixmap(name, _SYMBOL, role, ratio))
            room.setLeft(room.left() + _SYMBOL + 6)
        if text:
            middle = Qt.TextElideMode.ElideMiddle if first else Qt.TextElideMode.ElideRight
            painter.setFont(self._font)
            painter.setPen(self._faint if first and state == "failed" else self._text)
            shown = self._metrics.elidedText(text, middle, room.width())
            painter.drawText(room, RIGHT if is_number else LEFT, shown)
        painter.restore()

    def _draw_thumbnail(self, painter: QPainter, room: QRectF, index: Index, state: str, ratio: float) -> None:
        place = QRectF(room.left(), room.center().y() - _THUMB / 2, _THUMB, _THUMB)
        image = index.data(GalleryRole.THUMBNAIL)
        if isinstance(image, QImage) and not image.isNull():
            painter.drawPixmap(place.topLeft(), self._thumbnails.pixmap(image, ratio))
            return
        draw_box(painter, place, self._empty, 5)
        name, role = ("state-failed", "warning") if state == "failed" else ("picture", "control")
        painter.drawPixmap(place.center() - QPointF(8, 8), self._theme.pixmap(name, 16, role, ratio))

    def _prepare(self) -> None:
        """Make fonts and colours once, as a screenful has hundreds of cells."""
        theme = self._theme
        self._font = theme.font("body")
        self._metrics = QFontMetricsF(self._font)
        self._text, self._faint, self._line = (theme.color(role) for role in ("text", "text_muted", "border"))
        self._chosen, self._empty = theme.color("accent_soft"), theme.color("surface_raised")


def key_of(index: Index) -> str:
    """Return the path of the picture in the row of `index`, "" for an invalid one."""
    return str(index.sibling(index.row(), 0).data(KEY) or "") if index.isValid() else ""
