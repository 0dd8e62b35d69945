"""Four numbers side by side, each with its mark, its name and what it means on hover."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.layout import fill
from capt_gui.widgets.painting import PaintedWidget, draw_box, draw_text, line_height


class UseTotals(QWidget):
    """The totals of a split; `set_counts` in the order of the uses."""

    def __init__(self, theme: Theme, uses: Sequence[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        """uses: (name, tone, help) of each."""
        super().__init__(parent)
        self._tiles = [UseTile(theme, *use) for use in uses]
        fill(QHBoxLayout(self), *((tile, 1) for tile in self._tiles))

    def set_counts(self, counts: Sequence[int] | None) -> None:
        """Show the number of pictures of each use (such as train or test), in order; None shows dashes."""
        for number, tile in enumerate(self._tiles):
            tile.set_count(None if counts is None else counts[number])
        self.setAccessibleName(", ".join(tile.accessibleName() for tile in self._tiles))

    def texts(self) -> list[str]:
        """Return name and number of each use, such as "Train: 12"; a number not known is "–"."""
        return [tile.accessibleName() for tile in self._tiles]


class UseTile(PaintedWidget):
    """A number over its name; the mark is a bar of the colour that the class bars have."""

    def __init__(self, theme: Theme, name: str, tone: str, help_text: str) -> None:
        super().__init__(theme)
        self._name = name
        self._tone = tone
        self._count: int | None = None
        set_tooltip(self, help_text)
        self.setAccessibleDescription(help_text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_count(None)

    def set_count(self, count: int | None) -> None:
        """Show a number of pictures; None shows a dash, for not known yet."""
        self._count = count
        self.setAccessibleName(f"{self._name}: {self._shown()}")
        self.update()

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels, with room for two lines of text."""
        return QSize(80, round(line_height(self._theme, "title") + line_height(self._theme, "caption")) + 4)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels, with room for a number of four figures."""
        return QSize(60, self.sizeHint().height())

    def draw(self, painter: QPainter) -> None:
        """Paint a bar in the colour of the use, and beside it the number over the name."""
        theme, rect = self._theme, QRectF(self.rect())
        draw_box(painter, QRectF(rect.left(), rect.top() + 4, 4, rect.height() - 8), theme.color(self._tone), 2)
        line = QRectF(rect.left() + 12, rect.top(), rect.width() - 12, line_height(theme, "title"))
        draw_text(painter, line, self._shown(), theme, "title")
        below = QRectF(line.left(), line.bottom(), line.width(), line_height(theme, "caption"))
        draw_text(painter, below, self._name, theme, "caption", "text_muted")

    def _shown(self) -> str:
        return "–" if self._count is None else f"{self._count:,}"
