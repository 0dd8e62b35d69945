"""Accuracy before and after, or of two sides, or of one alone, with the interval of each figure."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from capt_engine.formatting import percent, percent_number, unbroken
from capt_engine.records import Bar, BarChart
from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, elided

_BAR = 18
_BETWEEN = 6
_GROUP_GAP = 18
_PAD = 8
_WHISKER = 5


@dataclass(frozen=True)
class Measured:
    """A share with its interval, all in [0, 1]."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Pair:
    """One thing that was measured before and after; None where it was not. Where there is one name only, `after` is not shown."""

    title: str
    before: Measured | None
    after: Measured | None = None


class BeforeAfter(QWidget):
    """A group of two bars for each pair, on one scale from 0 to 100 %; whiskers are intervals."""

    def __init__(self, theme: Theme, name: str, before: str, after: str) -> None:
        super().__init__()
        self._theme = theme
        self._names: tuple[str, ...] = (before, after)
        self._pairs: tuple[Pair, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        theme.changed.connect(self.update)

    def set_names(self, *names: str) -> None:
        """Name the bars of a group: two names, or one."""
        self._names = names

    def set_pairs(self, pairs: tuple[Pair, ...]) -> None:
        """Show these pairs, the first on top."""
        self._pairs = pairs
        self.setAccessibleDescription(". ".join(self._spoken(pair) for pair in pairs))
        self.updateGeometry()
        self.update()

    def record(self) -> BarChart | None:
        """The chart as values, to be saved; None while it is empty."""
        bars = [
            Bar(
                pair.title,
                share.value,
                share.low if share.low < share.high else None,
                share.high if share.low < share.high else None,
                number,
            )
            for pair in self._pairs
            for number, share in enumerate((pair.before, pair.after)[: len(self._names)])
            if share is not None
        ]
        words = f"{self.accessibleName()}. {self.accessibleDescription()}."
        return BarChart(self.accessibleName(), tuple(bars), words, series=self._names) if bars else None

    def sizeHint(self) -> QSize:
        """As high as the pairs need."""
        head = QFontMetricsF(self._theme.font("strong")).height() + 4
        each = head + len(self._names) * (_BAR + _BETWEEN) - _BETWEEN
        n = len(self._pairs)
        return QSize(420, round(n * each + max(n - 1, 0) * _GROUP_GAP + 2 * _PAD))

    def minimumSizeHint(self) -> QSize:
        """Bars may be short."""
        return QSize(280, self.sizeHint().height())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The groups, one under the other."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = float(_PAD)
        for pair in self._pairs:
            strong = QFontMetricsF(theme.font("strong"))
            painter.setFont(theme.font("strong"))
            painter.setPen(theme.color("text"))
            painter.drawText(QPointF(_PAD, top + strong.ascent()), pair.title)
            top += strong.height() + 4
            for name, role, share in zip(self._names, ("side_a", "side_b"), (pair.before, pair.after), strict=False):
                self._paint_bar(painter, top, name, role, share)
                top += _BAR + _BETWEEN
            top += _GROUP_GAP - _BETWEEN
        if self.hasFocus():
            draw_focus_ring(painter, QRectF(self.rect()), theme)

    def _paint_bar(self, painter: QPainter, top: float, name: str, role: str, share: Measured | None) -> None:
        theme = self._theme
        metrics = QFontMetricsF(theme.font("body"))
        names = max(metrics.horizontalAdvance(words) for words in self._names) + 12
        names = min(names, self.width() * 0.35)
        figures = metrics.horizontalAdvance("100 % (88–100 %)") + 10
        line = QRectF(_PAD, top, names, _BAR)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("text_muted"))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | middle, elided(metrics, name, names - 6))
        track = QRectF(line.right(), top, max(self.width() - names - figures - 2 * _PAD, 40.0), _BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("grid"))
        painter.drawRoundedRect(track, 4, 4)
        words = QRectF(track.right() + 10, top, figures, _BAR)
        if share is None:
            painter.setPen(theme.color("text_muted"))
            painter.drawText(words, Qt.AlignmentFlag.AlignLeft | middle, self.tr("not measured"))
            return
        painter.setBrush(theme.color(role))
        if share.value > 0:
            painter.drawRoundedRect(QRectF(track.left(), top, max(track.width() * share.value, 3.0), _BAR), 4, 4)
        self._paint_whisker(painter, track, share)
        painter.setPen(theme.color("text"))
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | middle, written(share))

    def _paint_whisker(self, painter: QPainter, track: QRectF, share: Measured) -> None:
        """Drawn twice, with an outline of the ground, so that it is seen on the bar and beside it."""
        y = track.center().y()
        left, right = (track.left() + track.width() * place for place in (share.low, share.high))
        for role, width in (("surface", 4.0), ("text", 1.6)):
            painter.setPen(QPen(self._theme.color(role), width))
            painter.drawLine(QPointF(left, y), QPointF(right, y))
            for x in (left, right):
                painter.drawLine(QPointF(x, y - _WHISKER), QPointF(x, y + _WHISKER))

    def _spoken(self, pair: Pair) -> str:
        parts = (
            f"{name} {self.tr('not measured') if share is None else written(share)}"
            for name, share in zip(self._names, (pair.before, pair.after), strict=False)
        )
        return f"{pair.title}: {', '.join(parts)}"


def written(share: Measured) -> str:
    """Return "41.0 % (34.0–48.0 %)": the figure and its interval."""
    return unbroken(f"{percent(share.value)} ({percent_number(share.low)}–{percent(share.high)})")


def measured(value: float | None, interval: tuple[float, float] | None) -> Measured | None:
    """A share as a result tells it; None where it was not measured, and without whiskers where there is no interval."""
    if value is None:
        return None
    low, high = interval if interval is not None else (value, value)
    return Measured(value, low, high)
