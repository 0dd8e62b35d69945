"""Four numbers side by side, each with its mark, its name and what it means on hover."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.painting import elided


class UseTotals(QWidget):
    """The totals of a split; `set_counts` in the order of the uses."""

    def __init__(self, theme: Theme, uses: Sequence[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        """uses: (name, tone, help) of each."""
        super().__init__(parent)
        self._tiles = [UseTile(theme, *use) for use in uses]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for tile in self._tiles:
            layout.addWidget(tile, 1)

    def set_counts(self, counts: Sequence[int] | None) -> None:
        """Show these numbers; None for not known yet."""
        for number, tile in enumerate(self._tiles):
            tile.set_count(None if counts is None else counts[number])
        self.setAccessibleName(", ".join(tile.accessibleName() for tile in self._tiles))

    def words(self) -> list[str]:
        """Return the words of the tiles."""
        return [tile.accessibleName() for tile in self._tiles]


class UseTile(QWidget):
    """A number over its name; the mark is a square of the colour that the bars have."""

    def __init__(self, theme: Theme, name: str, tone: str, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self._tone = tone
        self._count: int | None = None
        self.setToolTip(words)
        self.setAccessibleDescription(words)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.set_count(None)

    def set_count(self, count: int | None) -> None:
        """Show a number."""
        self._count = count
        self.setAccessibleName(f"{self._name}: {self._shown()}")
        self.update()

    def sizeHint(self) -> QSize:
        """Two lines."""
        title, small = (QFontMetricsF(self._theme.font(role)).height() for role in ("title", "caption"))
        return QSize(80, round(title + small) + 4)

    def minimumSizeHint(self) -> QSize:
        """Room for a number of four figures."""
        return QSize(60, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the tile."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, rect = self._theme, QRectF(self.rect())
        title, small = QFontMetricsF(theme.font("title")), QFontMetricsF(theme.font("caption"))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(self._tone))
        painter.drawRoundedRect(QRectF(rect.left(), rect.top() + 4, 4, rect.height() - 8), 2, 2)
        left = rect.left() + 12
        painter.setFont(theme.font("title"))
        painter.setPen(theme.color("text"))
        painter.drawText(QPointF(left, rect.top() + title.ascent()), elided(title, self._shown(), rect.right() - left))
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("text_muted"))
        baseline = rect.top() + title.height() + small.ascent()
        painter.drawText(QPointF(left, baseline), elided(small, self._name, rect.right() - left))

    def _shown(self) -> str:
        return "–" if self._count is None else f"{self._count:,}"
