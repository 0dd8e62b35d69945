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


class SideVerdicts(QWidget):
    """A short text for each side: beside each other where there is room, else one above the other, and smaller before it is cut."""

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

    def text(self) -> str:
        """Return the sentence about both compared models that screen readers get."""
        return self.accessibleName()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put both texts side by side where the new width has room, else one above the other."""
        super().resizeEvent(event)
        self._fit(event.size().width())

    def _fit(self, width: int) -> None:
        widest = self._widest("title")
        beside = 2 * (widest + _BADGE + 10) + _BETWEEN <= width
        room = width - _BADGE - 10
        role = "title" if beside or widest <= room else "heading"
        metrics = QFontMetrics(self._theme.font(role))
        for label, shown in zip(self._labels, self._texts, strict=True):
            if label.property("textRole") != role:
                label.setProperty("textRole", role)
                repolish(label)
            label.setText(shown if beside else metrics.elidedText(shown, Qt.TextElideMode.ElideRight, room))
        self._layout.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._layout.setSpacing(_BETWEEN if beside else 2)
        # one line or two: whoever lays us out has to know
        self.updateGeometry()

    def _widest(self, role: str) -> int:
        metrics = QFontMetrics(self._theme.font(role))
        return max(metrics.horizontalAdvance(shown) for shown in self._texts)
