"""A column that scrolls where the window is low, and is no wider than it reads well."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


def scrolled(content: QWidget) -> QScrollArea:
    """Return `content` in a frameless area that scrolls up and down; Tab does not stop at the area itself."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


class LeastHeight(QScrollArea):
    """Gives its content all the room there is, and scrolls up and down only where that is less than the content's least height.

    Qt's own area would give words that wrap, and all beside them, the height that they prefer.
    """

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)
        content.installEventFilter(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the content to the new room."""
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit the content where its words ask for another height; Qt handles `event` of `watched` too."""
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        room, layout = self.maximumViewportSize(), self._content.layout()
        bar = self.verticalScrollBar().sizeHint().width()
        for width in (room.width(), room.width() - bar):
            least = self._content.minimumSizeHint().height()
            if layout is not None and layout.hasHeightForWidth():
                least = layout.totalMinimumHeightForWidth(width)
            if least <= room.height() or width < room.width():
                self._content.resize(width, max(room.height(), least))
                return
