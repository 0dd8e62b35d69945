"""The headline of a comparison: what became of A, and of B."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QWidget

from capt_gui.plain_text import plain_label, set_tooltip
from capt_gui.theme import Theme, repolish
from capt_gui.widgets.labels import selectable
from capt_gui.widgets.layout import fill
from capt_gui.widgets.side_badge import SIDES, SideBadge

_BADGE = 22
_BETWEEN = 28
# two verdicts such as “caterpillar 45.9 % → pyramid 64.1 %, fooled” in the font of a title
_ROOM_BESIDE = 880


class SideVerdicts(QWidget):
    """A short text for each side: beside each other in a wide place, else one above the other, and smaller before it is cut.

    The width alone decides, not the words, so that one picture's verdict takes the room of another's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._texts = ("", "")
        self._labels = (plain_label(), plain_label())
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for side, label in zip(SIDES, self._labels, strict=True):
            label.setProperty("textRole", "title")
            policy = label.sizePolicy()
            policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
            label.setSizePolicy(policy)
            badge = (SideBadge(theme, side, _BADGE), 0, Qt.AlignmentFlag.AlignVCenter)
            self._layout.addLayout(fill(QHBoxLayout(), badge, (label, 1), spacing=10), 1)
        selectable(*self._labels)

    def set_texts(self, a: str, b: str, spoken: str) -> None:
        """Show what became of each of two compared models, A and B.

        spoken: both as a sentence, for screen readers.
        """
        self._texts = (a, b)
        for label, shown in zip(self._labels, (a, b), strict=True):
            set_tooltip(label, shown)
        self.setAccessibleName(spoken)
        self._fit(self.width())

    @staticmethod
    def is_beside(width: int) -> bool:
        """Return True if both texts stand in one line at this width in pixels."""
        return width >= _ROOM_BESIDE

    def room(self, width: int) -> int:
        """Return the height in pixels that the texts take at a width, whatever they say."""
        # a label is a little higher than its line
        line = max(QFontMetrics(self._theme.font("title")).lineSpacing() + 2, _BADGE)
        return line if self.is_beside(width) else 2 * line + 2

    def text(self) -> str:
        """Return the sentence about both compared models that screen readers get."""
        return self.accessibleName()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put both texts side by side where the new width has room, else one above the other."""
        super().resizeEvent(event)
        self._fit(event.size().width())

    def _fit(self, width: int) -> None:
        widest = self._widest("title")
        beside = self.is_beside(width)
        room = ((width - _BETWEEN) // 2 if beside else width) - _BADGE - 10
        role = "title" if widest <= room else "heading"
        metrics = QFontMetrics(self._theme.font(role))
        for label, shown in zip(self._labels, self._texts, strict=True):
            if label.property("textRole") != role:
                label.setProperty("textRole", role)
                repolish(label)
            label.setText(metrics.elidedText(shown, Qt.TextElideMode.ElideRight, room))
        self._layout.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._layout.setSpacing(_BETWEEN if beside else 2)
        # one line or two: whoever lays us out has to know
        self.updateGeometry()

    def _widest(self, role: str) -> int:
        metrics = QFontMetrics(self._theme.font(role))
        return max(metrics.horizontalAdvance(shown) for shown in self._texts)
