"""The plot of the logit shift: the one place that knows pyqtgraph."""

from __future__ import annotations

from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from capt_engine.formatting import signed
from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, elided

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
        """Attacked minus clean."""
        return self.attacked - self.clean


class ShiftPlot(QWidget):
    """Horizontal bars around zero; the mouse, or up and down, points at one of them.

    The plot lets the mouse through to this widget: so the wheel scrolls the page, and pointing is one code path.
    """

    pointed_at = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._bars: tuple[ShiftBar, ...] = ()
        self._reach = (0.0, 0.0)
        self._current = -1
        self._pg: Any = None
        self._plot: Any = None
        self._highlight: Any = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMaximumHeight(120)
        self.setAccessibleName(self.tr("Shift of the score of each class"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        theme.changed.connect(self._draw)

    def prepare(self) -> None:
        """Load pyqtgraph and make the empty plot. Not at import: it takes longer than the rest of the window."""
        if self._plot is not None:
            return
        import pyqtgraph

        self._pg = pyqtgraph
        self._plot = pyqtgraph.PlotWidget(self, useOpenGL=False)
        self._plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setFrameShape(self._plot.Shape.NoFrame)
        self._plot.setVisible(False)
        item = self._plot.getPlotItem()
        item.setMouseEnabled(x=False, y=False)
        item.hideButtons()
        item.setMenuEnabled(False)
        item.invertY(True)
        item.showGrid(x=False, y=False)
        item.getAxis("bottom").enableAutoSIPrefix(False)
        self.layout().addWidget(self._plot)  # type: ignore[union-attr]

    def set_bars(self, bars: tuple[ShiftBar, ...], reach: tuple[float, float] = (0.0, 0.0)) -> None:
        """Show these classes, the first on top; the scale holds their shifts and what `reach` says."""
        self._bars = bars
        self._reach = reach
        self._current = -1
        words = "; ".join(f"{bar.name} {signed(bar.shift)}" for bar in bars)
        self.setAccessibleDescription(words or self._empty_text())
        if bars:
            self.prepare()
        self.setMaximumHeight(self.sizeHint().height())
        self.updateGeometry()
        self._draw()

    def bars(self) -> tuple[ShiftBar, ...]:
        """The bars shown, from the top."""
        return self._bars

    def sizeHint(self) -> QSize:
        """Return a size that is high enough for all classes."""
        return QSize(360, len(self._bars) * _ROW + _AXIS + 2 * _MARGIN if self._bars else 120)

    def minimumSizeHint(self) -> QSize:
        """Rows may stand closer where room is short, but never on each other."""
        return QSize(220, len(self._bars) * _TIGHT_ROW + _AXIS + 2 * _MARGIN if self._bars else 80)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names are cut to the new width."""
        super().resizeEvent(event)
        self._draw()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the bar under the mouse."""
        self.point_at(self._row_at(event.position()))

    def leaveEvent(self, _event: QEvent) -> None:
        """Point at nothing."""
        self.point_at(-1)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move from bar to bar."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if step and self._bars:
            self.point_at(min(max(self._current + step, 0), len(self._bars) - 1))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The empty state and the focus ring; bars are the plot's own business."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._bars:
            painter.setFont(self._theme.font("body"))
            painter.setPen(self._theme.color("text_muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._empty_text())
        if self.hasFocus():
            draw_focus_ring(painter, QRectF(self.rect()), self._theme)

    @Slot()
    def _draw(self) -> None:
        self.update()
        if self._plot is None:
            return
        self._plot.setVisible(bool(self._bars))
        if not self._bars:
            return
        pg, theme, item = self._pg, self._theme, self._plot.getPlotItem()
        self._plot.setBackground(theme.color("surface"))
        item.clear()
        shifts = [bar.shift for bar in self._bars]
        low, high = min(*shifts, *self._reach), max(*shifts, *self._reach)
        reach = max(-low, high, 1e-3)
        low, high = min(low, -0.25 * reach), max(high, 0.25 * reach)
        # Room beyond the longest bars for their figures, which have a size in pixels and not in logits.
        names = self._names_width()
        figure = QFontMetricsF(theme.font("caption")).horizontalAdvance(signed(-88.88)) + 12
        room = (high - low) * figure / max(self.width() - names - 2 * figure - 2 * _MARGIN, figure)
        item.setXRange(low - room, high + room, padding=0)
        item.setYRange(-0.5, len(self._bars) - 0.5, padding=0)
        self._highlight = pg.BarGraphItem(x0=[low - room], x1=[high + room], y=[0], height=1.0, pen=None)
        self._highlight.setOpts(brush=theme.color("surface_raised"))
        self._highlight.setZValue(-10)
        self._highlight.setVisible(False)
        item.addItem(self._highlight)
        brushes = [theme.color("attacked" if shift > 0 else "clean") for shift in shifts]
        rows = list(range(len(self._bars)))
        item.addItem(pg.BarGraphItem(x0=0, y=rows, width=shifts, height=0.58, brushes=brushes, pen=None))
        item.addItem(pg.InfiniteLine(0, angle=90, pen=pg.mkPen(theme.color("control"), width=1)))
        self._write_figures(item)
        self._style_axes(item)

    def _write_figures(self, item: Any) -> None:
        font = self._theme.font("caption")
        for row, bar in enumerate(self._bars):
            strong = bar.wins_clean or bar.wins_attacked
            text = self._pg.TextItem(
                signed(bar.shift),
                color=self._theme.color("text" if strong else "text_muted"),
                anchor=(0 if bar.shift >= 0 else 1, 0.5),
            )
            text.setFont(font)
            text.setPos(bar.shift, row)
            item.addItem(text)

    def _style_axes(self, item: Any) -> None:
        theme = self._theme
        font = theme.font("body")
        metrics = QFontMetricsF(font)
        names = [self._marked(bar) for bar in self._bars]
        width = self._names_width()
        left, bottom = item.getAxis("left"), item.getAxis("bottom")
        left.setTicks([[(row, elided(metrics, name, width)) for row, name in enumerate(names)]])
        left.setStyle(tickFont=font, tickLength=0, tickTextOffset=8, autoExpandTextSpace=False)
        left.setWidth(width + 14)
        left.setPen(None)
        left.setTickPen(theme.color("surface"))
        left.setTextPen(theme.color("text"))
        bottom.setStyle(tickFont=theme.font("caption"), tickLength=0, tickTextOffset=6)
        bottom.setPen(theme.color("grid"))
        bottom.setTextPen(theme.color("text_muted"))
        bottom.setHeight(_AXIS)
        small = theme.font("caption").pixelSize()
        bottom.setLabel(
            self.tr("logit under attack − clean"),
            **{"color": theme.color("text_muted").name(), "font-size": f"{small}px"},
        )

    def _names_width(self) -> float:
        metrics = QFontMetricsF(self._theme.font("body"))
        return min(max(metrics.horizontalAdvance(self._marked(bar)) for bar in self._bars) + 4, 0.33 * self.width())

    def _marked(self, bar: ShiftBar) -> str:
        marks = ("● " if bar.wins_clean else "") + ("◆ " if bar.wins_attacked else "")
        return marks + bar.name

    def _row_at(self, spot: QPointF) -> int:
        if self._plot is None or not self._bars:
            return -1
        box = self._plot.getPlotItem().getViewBox()
        inside = self._plot.mapFrom(self, spot)
        value = box.mapSceneToView(self._plot.mapToScene(inside.toPoint()))
        row = round(value.y())
        return row if 0 <= row < len(self._bars) else -1

    def point_at(self, row: int) -> None:
        """Mark a row, -1 for none, and say so if it is another one."""
        if row == self._current:
            return
        self._current = row
        if self._highlight is not None:
            self._highlight.setVisible(row >= 0)
            if row >= 0:
                self._highlight.setOpts(y=[row])
        self.pointed_at.emit(row)

    def _empty_text(self) -> str:
        return self.tr("How far an attack moves each score appears here.")
