"""Accuracy before and after, or of two sides, or of one alone, with the interval of each figure."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from capt_engine.formatting import percent, percent_number, unbroken
from capt_engine.records import Bar, BarChart
from capt_gui.theme import Theme
from capt_gui.widgets.painting import PaintedWidget, draw_box, draw_text, line_height, text_width

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


class BeforeAfter(PaintedWidget):
    """A group of two bars for each pair, on one scale from 0 to 100 %; whiskers are intervals."""

    def __init__(self, theme: Theme, name: str, before: str, after: str) -> None:
        super().__init__(theme)
        self._names: tuple[str, ...] = (before, after)
        self._pairs: tuple[Pair, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    def set_names(self, *names: str) -> None:
        """Set the names of the bars in each group: two names, or one to show only the first bar of each pair."""
        self._names = names

    def set_pairs(self, pairs: tuple[Pair, ...]) -> None:
        """Show a group of bars for each pair (a title, a share before and one after), the first on top."""
        self._pairs = pairs
        self.setAccessibleDescription(". ".join(self._spoken(pair) for pair in pairs))
        self.updateGeometry()
        self.update()

    def record(self) -> BarChart | None:
        """Return values, names and a description of the chart, for saving it to a file; None while it has no bars."""
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
        """Return the preferred size in pixels, as high as all groups of bars need."""
        head = line_height(self._theme, "strong") + 4
        each = head + len(self._names) * (_BAR + _BETWEEN) - _BETWEEN
        n = len(self._pairs)
        return QSize(420, round(n * each + max(n - 1, 0) * _GROUP_GAP + 2 * _PAD))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels: bars may become short, but the height stays."""
        return QSize(280, self.sizeHint().height())

    def draw(self, painter: QPainter) -> None:
        """Paint the groups of bars with titles, figures and whiskers, one group under the other."""
        top, head = float(_PAD), line_height(self._theme, "strong")
        for pair in self._pairs:
            draw_text(painter, QRectF(_PAD, top, self.width() - 2 * _PAD, head), pair.title, self._theme, "strong")
            top += head + 4
            for name, role, share in zip(self._names, ("side_a", "side_b"), (pair.before, pair.after), strict=False):
                self._draw_bar(painter, top, name, role, share)
                top += _BAR + _BETWEEN
            top += _GROUP_GAP - _BETWEEN

    def _draw_bar(self, painter: QPainter, top: float, name: str, role: str, share: Measured | None) -> None:
        theme = self._theme
        names = min(max(text_width(theme, "body", one) for one in self._names) + 12, self.width() * 0.35)
        shown = [self._share_text(one) for pair in self._pairs for one in (pair.before, pair.after)[: len(self._names)]]
        figures = max(text_width(theme, "body", one) for one in shown) + 10
        draw_text(painter, QRectF(_PAD, top, names - 6, _BAR), name, theme, role="text_muted")
        track = QRectF(_PAD + names, top, max(self.width() - names - figures - 2 * _PAD, 40.0), _BAR)
        draw_box(painter, track, theme.color("grid"), 4)
        place = QRectF(track.right() + 10, top, figures, _BAR)
        draw_text(painter, place, self._share_text(share), theme, role="text" if share else "text_muted")
        if share is None:
            return
        if share.value > 0:
            draw_box(
                painter, QRectF(track.left(), top, max(track.width() * share.value, 3.0), _BAR), theme.color(role), 4
            )
        self._draw_whisker(painter, track, share)

    def _draw_whisker(self, painter: QPainter, track: QRectF, share: Measured) -> None:
        """Drawn twice, with an outline of the ground, so that it is seen on the bar and beside it."""
        y = track.center().y()
        left, right = (track.left() + track.width() * place for place in (share.low, share.high))
        for role, width in (("surface", 4.0), ("text", 1.6)):
            painter.setPen(QPen(self._theme.color(role), width))
            painter.drawLine(QPointF(left, y), QPointF(right, y))
            for x in (left, right):
                painter.drawLine(QPointF(x, y - _WHISKER), QPointF(x, y + _WHISKER))

    def _share_text(self, share: Measured | None) -> str:
        return self.tr("not measured") if share is None else written(share)

    def _spoken(self, pair: Pair) -> str:
        parts = (
            f"{name} {self._share_text(share)}"
            for name, share in zip(self._names, (pair.before, pair.after), strict=False)
        )
        return f"{pair.title}: {', '.join(parts)}"


def written(share: Measured) -> str:
    """Return a share and its interval as text, such as "41.0 % (34.0–48.0 %)"."""
    return unbroken(f"{percent(share.value)} ({percent_number(share.low)}–{percent(share.high)})")


def measured(value: float | None, interval: tuple[float, float] | None) -> Measured | None:
    """Return a share `value` in [0, 1] with its interval (low, high); None if `value` is None (not measured).

    Without an interval both ends are the value itself, so that no whiskers are drawn.
    """
    if value is None:
        return None
    low, high = interval if interval is not None else (value, value)
    return Measured(value, low, high)
