"""The plot of the logit shift: lying bars around zero."""

from __future__ import annotations

from typing import Any, NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout

from capt_engine.formatting import signed
from capt_gui.theme import Theme
from capt_gui.widgets.input import arrow_step
from capt_gui.widgets.layout import fill
from capt_gui.widgets.painting import draw_empty, elided, text_width
from capt_gui.widgets.plot_chart import PlotChart

_ROW = 24
_TIGHT_ROW = 15
_AXIS = 44
_MARGIN = 4


class ShiftBar(NamedTuple):
    """One class: both logits and which sides chose it."""

    name: str
    clean: float
    attacked: float
    wins_clean: bool
    wins_attacked: bool

    @property
    def shift(self) -> float:
        """Return how far the attack moved the logit: attacked minus clean."""
        return self.attacked - self.clean


class ShiftPlot(PlotChart):
    """Horizontal bars around zero; the mouse, or Up and Down, points at one of them: `pointed_at(row)`, −1 for none."""

    pointed_at = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "")
        self._bars: tuple[ShiftBar, ...] = ()
        self._reach = (0.0, 0.0)
        self._current = -1
        self._highlight: Any = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMaximumHeight(120)
        self.setAccessibleName(self.tr("Shift of the score of each class"))
        self._column = fill(QVBoxLayout(self), margins=_MARGIN)

    def prepare(self) -> None:
        """Load the plotting library and make the empty plot, which takes long; do nothing if that is done already."""
        if self._view is not None:
            return
        import pyqtgraph

        view = pyqtgraph.PlotWidget(self, useOpenGL=False, enableMenu=False)
        item = view.getPlotItem()
        item.hideButtons()
        item.invertY(True)
        item.getAxis("bottom").enableAutoSIPrefix(False)
        self._adopt(view, item.getViewBox())
        view.setVisible(False)
        self._column.addWidget(view)

    def set_bars(self, bars: tuple[ShiftBar, ...], reach: tuple[float, float] = (0.0, 0.0)) -> None:
        """Show a bar for each class, the first on top; an empty tuple shows the empty state.

        reach: the lowest and highest shift that the scale has to hold besides the bars, as for a second plot on the
        same scale.
        """
        self._bars = bars
        self._reach = reach
        self._current = -1
        shifts = "; ".join(f"{bar.name} {signed(bar.shift)}" for bar in bars)
        self.setAccessibleDescription(shifts or self._empty_text())
        if bars:
            self.prepare()
        self.setMaximumHeight(self.sizeHint().height())
        self.updateGeometry()
        self._draw()
        self.reset_zoom()

    def bars(self) -> tuple[ShiftBar, ...]:
        """Return the bars shown (a class with its clean and attacked logit each), from the top."""
        return self._bars

    def mark(self, row: int) -> None:
        """Highlight the bar in `row`, −1 for none, and emit `pointed_at` if that is another one than before."""
        if row == self._current:
            return
        self._current = row
        if self._highlight is not None:
            self._highlight.setVisible(row >= 0)
            if row >= 0:
                self._highlight.setOpts(y=[row])
        self.pointed_at.emit(row)

    def point_at(self, spot: QPointF | None) -> None:
        """Highlight the bar at `spot`, in coordinates of the plot; None, or a place below the bars, highlights none."""
        row = round(spot.y()) if spot is not None else -1
        self.mark(row if row < len(self._bars) else -1)

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels, high enough for the bars of all classes."""
        return QSize(360, len(self._bars) * _ROW + _AXIS + 2 * _MARGIN if self._bars else 120)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels, at which the bars stand close but never on each other."""
        return QSize(220, len(self._bars) * _TIGHT_ROW + _AXIS + 2 * _MARGIN if self._bars else 80)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the plot anew, with the names cut to the new width."""
        super().resizeEvent(event)
        self._draw()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the highlight from bar to bar with Up and Down."""
        if self._bars and (step := arrow_step(event)):
            self.mark(min(max(self._current + step, 0), len(self._bars) - 1))
        else:
            super().keyPressEvent(event)

    def draw(self, painter: QPainter) -> None:
        """Paint the text of the empty state while there are no bars; bars are painted by the plotting library."""
        if not self._bars:
            draw_empty(painter, QRectF(self.rect()), self._empty_text(), self._theme)

    def _on_theme_changed(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self.update()
        if self._view is None:
            return
        self._view.setVisible(bool(self._bars))
        if not self._bars:
            return
        import pyqtgraph as pg

        theme, item = self._theme, self._view.getPlotItem()
        self._view.setBackground(theme.color("surface"))
        item.clear()
        shifts = [bar.shift for bar in self._bars]
        low, high = min(*shifts, *self._reach), max(*shifts, *self._reach)
        reach = max(-low, high, 1e-3)
        low, high = min(low, -0.25 * reach), max(high, 0.25 * reach)
        # Room beyond the longest bars for their figures, which have a size in pixels and not in logits.
        figure = text_width(theme, "caption", signed(-88.88)) + 12
        room = (high - low) * figure / max(self.width() - self._names_width() - 2 * figure - 2 * _MARGIN, figure)
        low, high, count = low - room, high + room, len(self._bars)
        self._highlight = pg.BarGraphItem(x0=[low], x1=[high], y=[max(self._current, 0)], height=1.0, pen=None)
        self._highlight.setOpts(brush=theme.color("surface_raised"))
        self._highlight.setZValue(-10)
        self._highlight.setVisible(self._current >= 0)
        item.addItem(self._highlight)
        brushes = [theme.color("attacked" if shift > 0 else "clean") for shift in shifts]
        item.addItem(pg.BarGraphItem(x0=0, y=range(count), width=shifts, height=0.58, brushes=brushes, pen=None))
        item.addItem(pg.InfiniteLine(0, angle=90, pen=pg.mkPen(theme.color("control"), width=1)))
        for row, bar in enumerate(self._bars):
            color = theme.color("text" if bar.wins_clean or bar.wins_attacked else "text_muted")
            figures = pg.TextItem(signed(bar.shift), color=color, anchor=(0 if bar.shift >= 0 else 1, 0.5))
            figures.setFont(theme.font("caption"))
            figures.setPos(bar.shift, row)
            item.addItem(figures)
        self._style_axes(item.getAxis("left"), item.getAxis("bottom"))
        self._set_whole(QRectF(low, -0.5, high - low, count), (0.05, min(3 / count, 1.0)))

    def _style_axes(self, left: Any, bottom: Any) -> None:
        theme = self._theme
        metrics, width = QFontMetricsF(theme.font("body")), self._names_width()
        names = [self._marked(bar) for bar in self._bars]
        left.setTicks([[(row, elided(metrics, name, width)) for row, name in enumerate(names)]])
        left.setStyle(tickFont=theme.font("body"), tickLength=0, tickTextOffset=8, autoExpandTextSpace=False)
        left.setWidth(width + 14)
        left.setPen(None)
        left.setTickPen(theme.color("surface"))
        left.setTextPen(theme.color("text"))
        bottom.setStyle(tickFont=theme.font("caption"), tickLength=0, tickTextOffset=6)
        bottom.setPen(theme.color("grid"))
        bottom.setTextPen(theme.color("text_muted"))
        bottom.setHeight(_AXIS)
        css = {"color": theme.color("text_muted").name(), "font-size": f"{theme.font('caption').pixelSize()}px"}
        bottom.setLabel(self.tr("logit under attack − clean"), **css)

    def _names_width(self) -> float:
        longest = max(text_width(self._theme, "body", self._marked(bar)) for bar in self._bars)
        return min(longest + 4, 0.33 * self.width())

    def _marked(self, bar: ShiftBar) -> str:
        marks = ("● " if bar.wins_clean else "") + ("◆ " if bar.wins_attacked else "")
        return marks + bar.name

    def _empty_text(self) -> str:
        return self.tr("How far an attack moves each score appears here.")
