"""A chart over two axes with a title, a line of read-out values, and a place that the mouse or the keyboard chooses."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout

from capt_engine.formatting import exact_percent, tick
from capt_gui.theme import Theme
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.input import arrow_step
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.legend import Legend
from capt_gui.widgets.plot_chart import PlotChart

# for the buttons in the corner
_BUTTONS = 62


class AxesChart(PlotChart):
    """Curves or bars over two axes; Left and Right, Home and End, or the mouse choose the place whose values are read out.

    share: values are fractions and the scale of y is 0 to 100 %.
    """

    def __init__(self, theme: Theme, title: str, empty: str, *, share: bool = False) -> None:
        """empty: the text where there is nothing to draw."""
        super().__init__(theme, title)
        self._empty, self._share = empty, share
        # every x that has a value
        self._places: list[float] = []
        # the place that is read out, None where the user chose none
        self._cursor: float | None = None
        self._rule: Any = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleDescription(empty)
        self._title = ElidedLabel(title, "strong")
        self._title.setContentsMargins(0, 0, _BUTTONS, 0)
        self._legend = Legend(theme)
        self._legend.hide()
        self._nothing = text(empty, "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for label in (self._legend, self._nothing):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        parts = (self._title, self._legend, (self._nothing, 1))
        self._column = fill(QVBoxLayout(self), *parts, spacing=4, margins=(6, 6, 6, 4))

    def description(self) -> str:
        """Return the values that the chart reads out now as a sentence; each kind of chart has to override this."""
        raise NotImplementedError

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels, wider than high."""
        return QSize(380, 176)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels at which curves can still be told apart."""
        return QSize(220, 124)

    def point_at(self, spot: QPointF | None) -> None:
        """Read out the values at the x that is nearest to `spot`, in coordinates of the axes; None chooses no x."""
        nearest = None
        if self._places and spot is not None:
            after = bisect_right(self._places, spot.x(), key=self._at)
            nearest = min(
                self._places[max(after - 1, 0) : after + 1], key=lambda place: abs(self._at(place) - spot.x())
            )
        self._read(nearest)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Stop reading out the chosen place on the x axis when the chart loses the keyboard focus."""
        super().focusOutEvent(event)
        self._read(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the read-out from value to value with Left, Right, Home and End, and choose no value with Escape."""
        places, key = self._places, Qt.Key(event.key())
        if places and (step := arrow_step(event, across=True)):
            here = places.index(self._cursor) if self._cursor in places else len(places) - 1
            self._read(places[min(max(here + step, 0), len(places) - 1)], follow=True)
        elif places and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._read(places[0 if key == Qt.Key.Key_Home else -1], follow=True)
        elif key == Qt.Key.Key_Escape and self._cursor is not None:
            self._read(None)
        else:
            super().keyPressEvent(event)

    def _everything(self) -> QRectF:
        """Return the coordinates of all there is."""
        raise NotImplementedError

    def _draw_items(self, item: Any) -> None:
        """Put curves or bars into an empty plot item of pyqtgraph."""
        raise NotImplementedError

    def _show_place(self) -> None:
        """Read out the values of the present place."""
        raise NotImplementedError

    def _draw(self) -> None:
        there = bool(self._places)
        if self._cursor not in self._places:
            self._cursor = None
        self._nothing.setVisible(not there)
        self._legend.setVisible(there)
        if there and self._view is None:
            self._make_view()
        if self._view is not None:
            self._view.setVisible(there)
        if there:
            import pyqtgraph

            item = self._view.getPlotItem()
            self._view.setBackground(self._theme.color("surface"))
            item.clear()
            self._style_axes(item.getAxis("left"), item.getAxis("bottom"))
            # the last text of the axis is centred below the last place
            spare = QFontMetricsF(self._theme.font("caption")).horizontalAdvance("0000") / 2
            item.layout.setContentsMargins(0, 2, spare, 0)
            self._draw_items(item)
            self._rule.setPen(pyqtgraph.mkPen(self._theme.color("control"), width=1))
            item.addItem(self._rule)
            self._set_whole(self._everything(), (2 / max(len(self._places), 200), 0.005))
        self._refresh()

    def _make_view(self) -> None:
        import pyqtgraph

        from capt_gui.widgets.plot_items import Axis

        axes = {side: Axis(side) for side in ("left", "bottom")}
        view = pyqtgraph.PlotWidget(self, useOpenGL=False, enableMenu=False, axisItems=axes)
        item = view.getPlotItem()
        item.hideButtons()
        self._rule = pyqtgraph.InfiniteLine(angle=90)
        # between the grid and what is drawn
        self._rule.setZValue(-0.5)
        self._adopt(view, item.getViewBox())
        self._column.addWidget(view, 1)

    def _style_axes(self, left: Any, bottom: Any) -> None:
        metrics = QFontMetricsF(self._theme.font("caption"))
        left.written = exact_percent if self._share else tick
        left.restyle(self._theme, grid=True)
        left.setWidth(metrics.horizontalAdvance("100 %" if self._share else "0.0000") + 8)
        bottom.restyle(self._theme, grid=False)
        bottom.setHeight(metrics.height() + 8)

    def _at(self, place: float) -> float:
        """Return the coordinate of a place of the x axis."""
        return place

    def _focus_spot(self) -> QPointF | None:
        return QPointF(self._at(self._cursor), self.seen_rect().center().y()) if self._cursor is not None else None

    def _read(self, place: float | None, *, follow: bool = False) -> None:
        """Read out a place; follow: bring it into sight."""
        if place == self._cursor:
            return
        self._cursor = place
        if place is not None and follow:
            seen, at = self.seen_rect(), self._at(place)
            if not seen.left() <= at <= seen.right():
                seen.moveCenter(QPointF(at, seen.center().y()))
                self._look_at(seen)
        self._refresh()

    def _refresh(self) -> None:
        self.setAccessibleDescription(self.description())
        if self._places:
            self._rule.setVisible(self._cursor is not None)
            if self._cursor is not None:
                self._rule.setPos(self._at(self._cursor))
            self._show_place()

    def _on_theme_changed(self) -> None:
        self._draw()
