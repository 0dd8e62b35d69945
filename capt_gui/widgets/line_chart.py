"""Lines over steps or epochs, with bands and levels: what a run does while one looks on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.figures import percent, plain
from capt_gui.widgets.painting import draw_focus_ring, elided
from capt_gui.widgets.plot_scale import Scale, thinned

_PAD = 6
_SWATCH = 18
# a band is its line's colour, so faint that the line and the grid stay readable
_BAND = 0.18
# along the words of a level, to see which lines they would cover
_PROBES = 6


@dataclass(frozen=True)
class Line:
    """One line: `xs` ascending, `ys` beside them, perhaps a band from `lows` to `highs`; `marks` draws a dot at each value."""

    name: str
    role: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()
    style: Qt.PenStyle = Qt.PenStyle.SolidLine
    marks: bool = False


@dataclass(frozen=True)
class Level:
    """A dashed line across the chart, at one value."""

    name: str
    role: str
    value: float


class LineChart(QWidget):
    """A title, a legend that carries the latest values, and the lines; Left and Right read the values out one by one.

    share: values are fractions and the scale is 0 to 100 %; otherwise it starts at zero and holds what there is.
    """

    def __init__(self, theme: Theme, title: str, x_word: str, empty: str, *, share: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self._title, self._x_word, self._empty, self._share = title, x_word, empty, share
        self._lines: tuple[Line, ...] = ()
        self._levels: tuple[Level, ...] = ()
        self._end = 0.0
        self._labels: tuple[str, ...] = ()
        # the place that is read out; None reads the latest
        self._cursor: float | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title)
        self.setAccessibleDescription(empty)
        theme.changed.connect(self.update)

    def set_lines(
        self,
        lines: tuple[Line, ...],
        levels: tuple[Level, ...] = (),
        end: float = 0.0,
        labels: tuple[str, ...] = (),
    ) -> None:
        """Show these lines; `end` is where the x axis will end, 0 where nobody knows. labels: what stands at x = 0, 1, 2 …, where
        places are drawn at equal distances whatever they are called."""
        self._lines, self._levels, self._end, self._labels = lines, levels, end, labels
        if not any(line.xs for line in lines):
            self._cursor = None
        self.setAccessibleDescription(self.description())
        self.update()

    def description(self) -> str:
        """What is read out now, in words."""
        place = self._place()
        if place is None:
            return self._empty
        values = [f"{line.name} {self._value(line, place)}" for line in self._lines if line.xs]
        values += [f"{level.name} {self._written(level.value)}" for level in self._levels]
        return f"{self._x_word} {self._called(place)}: " + ", ".join(values)

    def sizeHint(self) -> QSize:
        """Wide rather than high."""
        return QSize(380, 156)

    def minimumSizeHint(self) -> QSize:
        """So small that the lines can still be told apart."""
        return QSize(220, 116)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read out the place under the mouse."""
        area, places = self._area(), self._places()
        if not places or not area.adjusted(-_PAD, -_PAD, _PAD, _PAD).contains(event.position()):
            self._read(None)
            return
        scale = self._x_scale(area)
        self._read(min(places, key=lambda x: abs(scale.at(x) - event.position().x())))

    def leaveEvent(self, _event: QEvent) -> None:
        """Read out the latest again."""
        self._read(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Read out the latest again."""
        super().focusOutEvent(event)
        self._read(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right, Home and End move through the values; Escape goes back to the latest."""
        places, key = self._places(), Qt.Key(event.key())
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if places and key in moves:
            here = places.index(self._cursor) if self._cursor in places else len(places) - 1
            self._read(places[min(max(here + moves[key], 0), len(places) - 1)])
        elif places and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._read(places[0 if key == Qt.Key.Key_Home else -1])
        elif key == Qt.Key.Key_Escape and self._cursor is not None:
            self._read(None)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Title, legend, axes, levels, bands, lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_words(painter)
        area = self._area()
        if self._place() is None:
            painter.setFont(self._theme.font("body"))
            painter.setPen(self._theme.color("text_muted"))
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(12, area.top(), self.width() - 24, area.height()), wrapped, self._empty)
        else:
            self._paint_plot(painter, area)
        if self.hasFocus():
            draw_focus_ring(painter, QRectF(self.rect()), self._theme)

    def _paint_words(self, painter: QPainter) -> None:
        theme = self._theme
        strong, small = QFontMetricsF(theme.font("strong")), QFontMetricsF(theme.font("caption"))
        place = self._place()
        where = "" if place is None else f"{self._x_word} {self._called(place)}"
        top = QRectF(_PAD, _PAD, self.width() - 2 * _PAD, strong.height())
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("text_muted"))
        painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, where)
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.color("text"))
        room = top.width() - small.horizontalAdvance(where) - 12
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter, elided(strong, self._title, room))
        if place is not None:
            self._paint_legend(painter, place, top.bottom() + 4)

    def _paint_legend(self, painter: QPainter, place: float, top: float) -> None:
        theme = self._theme
        metrics = QFontMetricsF(theme.font("caption"))
        painter.setFont(theme.font("caption"))
        left, middle = float(_PAD), top + metrics.height() / 2
        for line in (line for line in self._lines if line.xs):
            name, value = line.name, self._value(line, place)
            painter.setPen(QPen(theme.color(line.role), 2, line.style))
            painter.drawLine(QPointF(left, middle), QPointF(left + _SWATCH, middle))
            left += _SWATCH + 5
            painter.setPen(theme.color("text_muted"))
            painter.drawText(QPointF(left, top + metrics.ascent()), name)
            left += metrics.horizontalAdvance(name) + 4
            painter.setPen(theme.color("text"))
            painter.drawText(QPointF(left, top + metrics.ascent()), value)
            left += metrics.horizontalAdvance(value) + 14

    def _paint_plot(self, painter: QPainter, area: QRectF) -> None:
        theme, x_scale, y_scale = self._theme, self._x_scale(area), self._y_scale(area)
        small = QFontMetricsF(theme.font("caption"))
        painter.setFont(theme.font("caption"))
        for tick in y_scale.ticks(max(2, int(area.height() / 34))):
            y = y_scale.at(tick)
            painter.setPen(QPen(theme.color("grid"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.color("text_muted"))
            label = QRectF(0, y - small.height() / 2, area.left() - 6, small.height())
            painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._tick(tick))
        for tick in x_scale.ticks(max(2, int(area.width() / 60)), whole=True):
            words = self._called(tick)
            width = small.horizontalAdvance(words) + 4
            painter.setPen(theme.color("text_muted"))
            spot = QRectF(x_scale.at(tick) - width / 2, area.bottom() + 4, width, small.height())
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, words)
        painter.save()
        painter.setClipRect(area.adjusted(-5, -5, 5, 5))
        for line in self._lines:
            self._paint_line(painter, line, x_scale, y_scale)
        taken: list[QRectF] = []
        for level in self._levels:
            taken.append(self._paint_level(painter, level, area, (x_scale, y_scale), taken))
        if self._cursor is not None:
            painter.setPen(QPen(theme.color("control"), 1))
            x = x_scale.at(self._cursor)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.restore()

    def _paint_level(
        self, painter: QPainter, level: Level, area: QRectF, scales: tuple[Scale, Scale], taken: list[QRectF]
    ) -> QRectF:
        """The dashed line, its name and value at the right end, on the side that has room; gives back where they stand."""
        theme, y = self._theme, scales[1].at(level.value)
        painter.setPen(QPen(theme.color(level.role), 1.4, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        small = QFontMetricsF(theme.font("caption"))
        words = f"{level.name} {self._written(level.value)}"
        width = small.horizontalAdvance(words) + 6
        sides = [QRectF(area.right() - width, top, width, small.height()) for top in (y - small.height() - 2, y + 2)]
        free = [
            side
            for side in sides
            if side.top() >= area.top() - 2
            and side.bottom() <= area.bottom() + 2
            and not any(side.intersects(other) for other in taken)
        ]
        free.sort(key=lambda side: self._hidden_by(side, *scales))
        # two levels that are close: the second name stands below the first, and covers no line further left
        room = (
            free[0]
            if free
            else sides[1].translated(0, max((other.bottom() for other in taken), default=0) - sides[1].top())
        )
        ground = theme.color("surface")
        ground.setAlphaF(0.8)
        painter.fillRect(room, ground)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("text_muted"))
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)
        return room

    def _hidden_by(self, room: QRectF, x_scale: Scale, y_scale: Scale) -> int:
        """How much of the lines words in this place would cover: points out of some along their width."""
        spots = [room.left() + room.width() * part / _PROBES for part in range(_PROBES + 1)]
        covered = 0
        for line in self._lines:
            points = [(x_scale.at(x), y_scale.at(y)) for x, y in zip(line.xs, line.ys, strict=True)]
            for (left, start), (right, end) in pairwise(points):
                for spot in spots:
                    if left <= spot <= right and right > left:
                        at = start + (end - start) * (spot - left) / (right - left)
                        covered += room.top() - 2 <= at <= room.bottom() + 2
        return covered

    def _paint_line(self, painter: QPainter, line: Line, x_scale: Scale, y_scale: Scale) -> None:
        color = self._theme.color(line.role)
        columns = max(2, self.width())
        if line.lows and line.highs:
            top = [QPointF(x_scale.at(x), y_scale.at(y)) for x, y in thinned(line.xs, line.highs, columns)]
            bottom = [QPointF(x_scale.at(x), y_scale.at(y)) for x, y in thinned(line.xs, line.lows, columns)]
            tint = self._theme.color(line.role)
            tint.setAlphaF(_BAND)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint)
            painter.drawPolygon(QPolygonF(top + bottom[::-1]))
        points = [QPointF(x_scale.at(x), y_scale.at(y)) for x, y in thinned(line.xs, line.ys, columns)]
        path = QPainterPath(points[0]) if points else QPainterPath()
        for point in points[1:]:
            path.lineTo(point)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color, 2, line.style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(path)
        if line.marks or len(points) == 1:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            for point in points:
                painter.drawEllipse(point, 3, 3)

    def _area(self) -> QRectF:
        strong = QFontMetricsF(self._theme.font("strong")).height()
        small = QFontMetricsF(self._theme.font("caption"))
        left = small.horizontalAdvance("100 %" if self._share else "0.0000") + 8
        top = _PAD + strong + 4 + small.height() + 10
        return QRectF(left, top, self.width() - left - _PAD - 6, self.height() - top - small.height() - 10)

    def _called(self, place: float) -> str:
        """A place on the x axis in words."""
        return self._labels[int(place)] if self._labels else f"{place:g}"

    def _x_scale(self, area: QRectF) -> Scale:
        if self._labels:
            return Scale(0.0, max(len(self._labels) - 1.0, 1.0), area.left() + 8, area.right() - 8)
        places = self._places()
        first = min(places[0], 1.0) if places else 0.0
        return Scale(first, max(self._end, places[-1] if places else 1.0, first + 1), area.left(), area.right())

    def _y_scale(self, area: QRectF) -> Scale:
        if self._share:
            return Scale(0.0, 1.0, area.bottom(), area.top())
        values = [y for line in self._lines for y in (*line.ys, *line.highs, *line.lows)]
        values += [level.value for level in self._levels]
        high = max([*values, 0.0]) or 1.0
        return Scale(min([*values, 0.0]), high * 1.04, area.bottom(), area.top())

    def _places(self) -> list[float]:
        """Every x that has a value."""
        return sorted({x for line in self._lines for x in line.xs})

    def _place(self) -> float | None:
        """The x that is read out."""
        if self._cursor is not None:
            return self._cursor
        return max((line.xs[-1] for line in self._lines if line.xs), default=None)

    def _value(self, line: Line, place: float) -> str:
        """The line's value there, or the one before."""
        index = next((i for i in range(len(line.xs) - 1, -1, -1) if line.xs[i] <= place), 0)
        words = self._written(line.ys[index])
        if line.lows and line.highs:
            low = self._written(line.lows[index])
            if self._share:
                low = low.removesuffix("%").rstrip()
            words += f" ({low}–{self._written(line.highs[index])})"
        return words

    def _written(self, value: float) -> str:
        if self._share:
            return percent(value)
        return f"{value:.2g}" if 0 < abs(value) < 0.001 else plain(value)

    def _tick(self, value: float) -> str:
        return f"{100 * value:.0f} %" if self._share else f"{value:.4g}"

    def _read(self, place: float | None) -> None:
        if place != self._cursor:
            self._cursor = place
            self.setAccessibleDescription(self.description())
            self.update()
