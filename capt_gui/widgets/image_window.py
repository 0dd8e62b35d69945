"""A widget that fills the window for a while, and goes back to its place."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from capt_gui.widgets.layout import fill


class WindowFiller(QWidget):
    """The place of a widget that can fill the window: `fill_window()` and `go_back()`, or Escape there.

    It is the same widget in both places, so whatever it shows, zoom and place, stays. filled(bool): it now fills the window, or no
    longer does. A page that is left takes the widget back.
    """

    filled = Signal(bool)

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self._cover: _Cover | None = None
        fill(QVBoxLayout(self), content)

    @property
    def is_filling(self) -> bool:
        """True while the content fills the window."""
        return self._cover is not None

    def toggle(self) -> None:
        """Let the content fill the window, or go back where it does."""
        if self.is_filling:
            self.go_back()
        else:
            self.fill_window()

    def fill_window(self) -> None:
        """Lay the content over the whole window that it is in; nothing happens where it does already."""
        if self._cover is not None:
            return
        focused = self._content.focusWidget()
        self._cover = _Cover(self.window())
        self._cover.left.connect(self.go_back)
        layout = self._cover.layout()
        assert layout is not None
        layout.addWidget(self._content)
        self._cover.show()
        self._cover.raise_()
        _focus(focused or self._content)
        self.filled.emit(True)

    def go_back(self) -> None:
        """Put the content back into its place; nothing happens where it is there."""
        if self._cover is None:
            return
        cover, self._cover = self._cover, None
        focused = self._content.focusWidget()
        layout = self.layout()
        assert layout is not None
        layout.addWidget(self._content)
        cover.hide()
        cover.deleteLater()
        _focus(focused or self._content)
        self.filled.emit(False)

    def event(self, event: QEvent) -> bool:
        """Take the content back when its place is hidden, as by another page."""
        if event.type() == QEvent.Type.Hide:
            self.go_back()
        return super().event(event)


class _Cover(QFrame):
    """A frame that lies over the window, as large as it is. left: Escape was pressed."""

    left = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("cover")
        self.setAutoFillBackground(True)
        fill(QVBoxLayout(self), margins=(16, 12, 16, 12))
        window.installEventFilter(self)
        self.setGeometry(window.rect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the window."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def event(self, event: QEvent) -> bool:
        """Claim Escape before the page's own Cancel, which it is a shortcut of."""
        is_claim = event.type() == QEvent.Type.ShortcutOverride
        if is_claim and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back with Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


def _focus(widget: QWidget) -> None:
    widget.setFocus(Qt.FocusReason.OtherFocusReason)
