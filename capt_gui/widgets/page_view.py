"""The pages of a report, one below the other, as sheets of paper on a desk."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from capt_engine.records import Picture
from capt_gui.theme import Theme
from capt_gui.widgets.page_store import PageStore
from capt_gui.widgets.painting import draw_focus_ring

_MARGIN = 24
_GAP = 20
_WIDEST_FIT = 1000
_ZOOMS = (0.25, 4.0)
# 100 %: an A4 sheet as wide as on a desk, at 96 dots an inch
_PAPER_WIDTH = 794
_OVERLAP = 0.9


class PageView(QAbstractScrollArea):
    """Pictures in, signals out. page_changed(page, pages): from 1, 0 without pages. zoom_changed(factor).

    The zoom is a factor of a sheet's own width, or None for one that fits the width.
    """

    page_changed = Signal(int, int)
    zoom_changed = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._store = PageStore()
        self._zoom: float | None = None
        self._tops: list[int] = []
        self._last_shown = (0, 0)
        self._faded = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Pages of the report"))
        self.setAccessibleDescription(
            self.tr("Page up and page down turn the pages, Home and End go to the first and last")
        )
        self.verticalScrollBar().setSingleStep(40)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self.viewport().update)

    def begin(self, count: int) -> None:
        """Forget all pages and lay out `count` empty sheets, which `put_page` fills; the scroll position stays."""
        self._store.begin(count)
        self._faded = False
        self._arrange()
        self._on_scrolled()

    def put_page(self, number: int, page: Picture) -> None:
        """Show the picture of a page on its sheet; `number` counts from 0, and one beyond the last sheet is ignored."""
        if number < self._store.count:
            differs = self._store.shape(number) != QSize(page.width, page.height)
            self._store.put(number, page)
            if differs:
                self._arrange()
            self.viewport().update()

    def set_faded(self, faded: bool) -> None:
        """Paint the pages faded, to show that they are out of date; False paints them in full again."""
        if faded != self._faded:
            self._faded = faded
            self.viewport().update()

    def page(self) -> int:
        """Return the number of the page in front, from 1; 0 when there are no pages."""
        if not self._tops:
            return 0
        middle = self.verticalScrollBar().value() + self.viewport().height() / 3
        return max(sum(top <= middle for top in self._tops), 1)

    def pages(self) -> int:
        """Return the number of pages, also of those that have not arrived yet."""
        return self._store.count

    def zoom(self) -> float:
        """Return the present zoom: 1.0 is a sheet as wide as A4 on paper, at 96 dots an inch; 1.0 without pages."""
        return self._sheet(0).width() / _PAPER_WIDTH if self._tops else 1.0

    def go_to(self, page: int) -> None:
        """Scroll to the top of the page of this number, from 1; out of range it is the first or the last page."""
        if self._tops:
            page = min(max(page, 1), len(self._tops))
            self.verticalScrollBar().setValue(self._tops[page - 1] - _GAP // 2 if page > 1 else 0)

    def next_page(self) -> None:
        """Scroll to the top of the next page."""
        self.go_to(self.page() + 1)

    def previous_page(self) -> None:
        """Scroll to the top of the previous page."""
        self.go_to(self.page() - 1)

    def zoom_in(self) -> None:
        """Enlarge the pages by a quarter, up to a zoom of 4."""
        self._set_zoom(self.zoom() * 1.25)

    def zoom_out(self) -> None:
        """Shrink the pages by a fifth, down to a zoom of 0.25."""
        self._set_zoom(self.zoom() * 0.8)

    def zoom_to_width(self) -> None:
        """Make the sheets as wide as the view, up to 1000 pixels, and keep them so when the view changes its size."""
        self._set_zoom(None)

    def zoom_to_page(self) -> None:
        """Zoom so that one whole sheet can be seen, and stay on the present page."""
        if self._tops:
            page, shape = self.page(), self._store.shape(0)
            height = self.viewport().height() - 2 * _GAP
            self._set_zoom(height * shape.width() / shape.height() / _PAPER_WIDTH)
            self.go_to(page)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll on with Page Down or Space, back with Page Up or Backspace, to the first or last page with Home or End.

        A sheet higher than the window is read to its end first.
        """
        bar, key = self.verticalScrollBar(), event.key()
        step = round(self.viewport().height() * _OVERLAP)
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_Space):
            ahead = [top - _GAP // 2 for top in self._tops if top - _GAP // 2 > bar.value() + 1]
            bar.setValue(min([bar.value() + step, *ahead]))
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_Backspace):
            behind = [top - _GAP // 2 for top in self._tops if top - _GAP // 2 < bar.value() - 1]
            bar.setValue(max([bar.value() - step, *behind]))
        elif key == Qt.Key.Key_Home:
            bar.setValue(0)
        elif key == Qt.Key.Key_End:
            self.go_to(len(self._tops))
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll with the wheel, or zoom with Ctrl and the wheel."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            self._set_zoom(self.zoom() * (1.1 if event.angleDelta().y() > 0 else 1 / 1.1))
            event.accept()
        else:
            super().wheelEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the sheets out for the new size, so that those that fit the width go on fitting."""
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the sheets that are in sight on a darker ground, and a ring while the view has the focus."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # a desk a shade deeper than the window, so that paper stands out
        desk = self._theme.mixed("border", 0.6, "background") if not self._theme.is_dark else QColor("#0d0f13")
        painter.fillRect(self.viewport().rect(), desk)
        for number in range(len(self._tops)):
            rect = self._on_screen(number)
            if rect.bottom() > -_GAP and rect.top() < self.viewport().height() + _GAP:
                self._paint_sheet(painter, rect, number)
        if self.hasFocus():
            draw_focus_ring(painter, QRectF(self.viewport().rect()), self._theme)

    def _paint_sheet(self, painter: QPainter, rect: QRectF, number: int) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        # a soft shadow: a few wider and fainter sheets below, a little further down
        painter.setBrush(QColor(10, 14, 30, 20 if self._theme.is_dark else 4))
        for reach in range(10, 0, -1):
            painter.drawRoundedRect(rect.adjusted(-reach, -reach + 4, reach, reach + 4), reach + 2, reach + 2)
        # paper is light in both themes
        painter.setBrush(QColor("#ffffff"))
        painter.drawRect(rect)
        pixmap = self._store.pixmap(number, rect.size().toSize(), self.devicePixelRatioF())
        if pixmap is not None:
            painter.setOpacity(0.45 if self._faded else 1.0)
            painter.drawPixmap(rect.topLeft(), pixmap)
            painter.setOpacity(1.0)

    def _on_screen(self, number: int) -> QRectF:
        size = self._sheet(number)
        free = self.viewport().width() - size.width()
        left = free // 2 if free > 0 else -self.horizontalScrollBar().value() + _MARGIN
        return QRectF(left, self._tops[number] - self.verticalScrollBar().value(), size.width(), size.height())

    def _sheet(self, number: int) -> QSize:
        shape = self._store.shape(number)
        room = min(self.viewport().width() - 2 * _MARGIN, _WIDEST_FIT)
        width = max(room if self._zoom is None else round(self._zoom * _PAPER_WIDTH), 40)
        return QSize(width, round(width * shape.height() / shape.width()))

    def _set_zoom(self, zoom: float | None) -> None:
        """Zoom, and keep what is in the middle there."""
        bar = self.verticalScrollBar()
        centre = (bar.value() + self.viewport().height() / 2) / max(self._length(), 1)
        self._zoom = None if zoom is None else min(max(zoom, _ZOOMS[0]), _ZOOMS[1])
        self._arrange()
        bar.setValue(round(centre * self._length() - self.viewport().height() / 2))

    def _length(self) -> int:
        return self._tops[-1] + self._sheet(len(self._tops) - 1).height() + _GAP if self._tops else 0

    def _arrange(self) -> None:
        """Lay the sheets out, and tell the scroll bars."""
        self._tops = []
        top, widest = _GAP, 0
        for number in range(self._store.count):
            size = self._sheet(number)
            self._tops.append(top)
            top += size.height() + _GAP
            widest = max(widest, size.width())
        view = self.viewport().size()
        self.verticalScrollBar().setRange(0, max(top - view.height(), 0) if self._tops else 0)
        self.verticalScrollBar().setPageStep(view.height())
        overhang = widest + 2 * _MARGIN - view.width() if self._zoom is not None else 0
        self.horizontalScrollBar().setRange(0, max(overhang, 0))
        self.horizontalScrollBar().setPageStep(view.width())
        self.viewport().update()
        self.zoom_changed.emit(self.zoom())

    def _on_scrolled(self) -> None:
        self.viewport().update()
        if (now := (self.page(), self._store.count)) != self._last_shown:
            self._last_shown = now
            self.page_changed.emit(*now)
