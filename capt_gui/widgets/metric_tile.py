"""One measurement in the consistency panel, of one side or of two."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy

from capt_engine.formatting import MINUS, number, over_255, percent, unbroken
from capt_engine.records import MetricInfo
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.input import arrow_step
from capt_gui.widgets.painting import LEFT, RIGHT, PaintedWidget, draw_box, draw_text, line_height, text_width
from capt_gui.widgets.side_badge import SIDES

_MARK = 16
# a value in its unit is so many times the value that is stored
_TIMES = {"/255": 255.0, "%": 100.0}


class MetricTile(PaintedWidget):
    """One metric: label left, a value for each side right, a thin meter below where the scale is closed."""

    pointed_at = Signal(str)
    moved = Signal(int)

    def __init__(self, theme: Theme, info: MetricInfo, values: tuple[float, ...]) -> None:
        """values: of the only side, or of A and of B; NaN where one of them has none."""
        super().__init__(theme)
        self.info = info
        self.values = tuple(_TIMES.get(info.unit, 1.0) * value for value in values)
        self.texts = tuple(_with_unit(value, info.unit) for value in values)
        self.better = better_side(info, values)
        self._shares = tuple(_share(info, value) for value in values)
        # A meter fills from zero, which on a scale from −1 to 1 is its middle.
        self._zero = _share(info, 0.0) or 0.0
        self._hovered = False
        self._stacked = False
        set_tooltip(self, info.help)
        self.setAccessibleName(f"{info.label}: {self._spoken()}")
        self.setAccessibleDescription(info.help)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_stacked(self, stacked: bool) -> None:
        """Put the label above the value for True, beside it for False."""
        if stacked != self._stacked:
            self._stacked = stacked
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels, as high as label, values and meters need."""
        label = line_height(self._theme, "caption") if self._stacked else 0.0
        meters = 8 if len(self.texts) > 1 else 4
        return QSize(180, round(label + line_height(self._theme, "strong")) + 16 + meters)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels, at which the label may be cut."""
        return QSize(120, self.sizeHint().height())

    def enterEvent(self, event: QEnterEvent) -> None:
        """Highlight this tile, and emit `pointed_at` with the sentence that explains its metric."""
        super().enterEvent(event)
        self._point(True)

    def leaveEvent(self, event: QEvent) -> None:
        """Take the highlight away when the mouse leaves."""
        super().leaveEvent(event)
        self._hovered = False
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Emit `pointed_at` with the sentence that explains this tile's metric."""
        super().focusInEvent(event)
        self._point(self._hovered)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the keyboard focus when the tile is clicked."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emit `moved` with 1 on Down and −1 on Up, to ask for the focus to go to the neighbouring tile."""
        if step := arrow_step(event):
            self.moved.emit(step)
        else:
            super().keyPressEvent(event)

    def draw(self, painter: QPainter) -> None:
        """Paint the metric's label, its values and, on a closed scale, a meter for each."""
        if self._hovered:
            draw_box(painter, QRectF(self.rect()), self._theme.color("surface_raised"), 7)
        inner = QRectF(self.rect()).adjusted(8, 6, -8, -8)
        self._draw_texts(painter, inner)
        self._draw_meters(painter, inner)

    def _draw_meters(self, painter: QPainter, inner: QRectF) -> None:
        theme = self._theme
        if not is_closed(self.info):
            draw_box(painter, QRectF(inner.left(), inner.bottom(), inner.width(), 1), theme.color("grid"))
            return
        pair = len(self._shares) > 1
        height = 3 if pair else 4
        track = QRectF(inner.left(), inner.bottom() + 1 - (2 * height + 2 if pair else height), inner.width(), height)
        for side, share in zip(SIDES, self._shares, strict=False):
            draw_box(painter, track, theme.color("grid"), height / 2)
            start, end = (track.left() + track.width() * place for place in sorted((self._zero, share or self._zero)))
            if end > start:
                bar = QRectF(start, track.top(), max(end - start, 3), height)
                draw_box(painter, bar, theme.color(f"side_{side}" if pair else "accent"), height / 2)
            track.translate(0, height + 2)

    def _draw_texts(self, painter: QPainter, inner: QRectF) -> None:
        theme, font, pair = self._theme, "caption" if self._stacked else "body", len(self.texts) > 1
        label = QRectF(inner.left(), inner.top(), inner.width(), line_height(theme, font))
        line = QRectF(inner.left(), inner.top(), inner.width(), line_height(theme, "strong"))
        if self._stacked:
            line.moveTop(label.bottom())
        else:
            label.setHeight(line.height())
            taken = 2 * value_column(theme) if pair else text_width(theme, "strong", self.texts[0])
            label.setWidth(inner.width() - taken - 12)
        draw_text(painter, label, self.info.label, theme, font, "text_muted")
        if pair:
            for number in range(2):
                self._draw_side(painter, line, number)
        else:
            draw_text(painter, line, self.texts[0], theme, "strong", align=LEFT if self._stacked else RIGHT)

    def _draw_side(self, painter: QPainter, line: QRectF, number: int) -> None:
        """Paint one of two values in its column; the better one is strong and has a check mark."""
        theme, wins = self._theme, self.better == number
        column = value_column(theme)
        right = line.right() - (1 - number) * column - _MARK
        place = QRectF(right - column, line.top(), column, line.height())
        stands_out = wins or self.better is None
        font, role = ("strong", "text") if stands_out else ("body", "text_muted")
        draw_text(painter, place, self.texts[number], theme, font, role, RIGHT)
        if wins:
            mark = theme.pixmap("check", _MARK - 4, "ok", painter.device().devicePixelRatioF())
            painter.drawPixmap(QPointF(right + 3, line.center().y() - (_MARK - 4) / 2), mark)

    def _spoken(self) -> str:
        if len(self.texts) == 1:
            return self.texts[0]
        words = [f"{side.upper()} {text}" for side, text in zip(SIDES, self.texts, strict=True)]
        if self.better is not None:
            words[self.better] += self.tr(" (better)")
        return ", ".join(words)

    def _point(self, hovered: bool) -> None:
        self._hovered = hovered
        self.pointed_at.emit(self.info.help)
        self.update()


def value_column(theme: Theme) -> float:
    """Return the width in pixels of a column of values in this theme, with room for a mark of the better one."""
    return text_width(theme, "strong", f"{MINUS}88.88/255") + _MARK + 6


def better_side(info: MetricInfo, values: tuple[float, ...]) -> int | None:
    """Return the index of the better of two values of the metric `info`, 0 or 1.

    None where there is only one value, one is NaN, neither direction is better, or both read the same.
    """
    if len(values) < 2 or info.higher_is_better is None or any(math.isnan(value) for value in values):
        return None
    if _with_unit(values[0], info.unit) == _with_unit(values[1], info.unit):
        return None
    return int((values[1] > values[0]) == info.higher_is_better)


def is_closed(info: MetricInfo) -> bool:
    """Return True if the metric's scale has two finite ends, so that a meter can be drawn."""
    return (
        info.low is not None and info.high is not None and math.isfinite(info.low) and math.isfinite(info.high)
    ) and info.high > info.low


def _share(info: MetricInfo, value: float) -> float | None:
    """Return the place of the value between low and high, from 0 to 1; None on an open scale."""
    if not is_closed(info) or info.low is None or info.high is None or math.isnan(value):
        return None
    return min(max((value - info.low) / (info.high - info.low), 0.0), 1.0)


def _with_unit(value: float, unit: str) -> str:
    if unit == "%":
        return unbroken(percent(value))
    if unit == "/255":
        return over_255(value)
    return unbroken(f"{number(value)} {unit}") if unit else number(value)
