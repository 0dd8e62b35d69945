"""A section that opens and closes."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import GivingButton
from capt_gui.widgets.layout import fill


class _Header(GivingButton):
    """The title line; opens and closes with Space, Return and the arrow keys."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.toggle()
        elif key == Qt.Key.Key_Right:
            self.setChecked(True)
        elif key == Qt.Key.Key_Left:
            self.setChecked(False)
        else:
            super().keyPressEvent(event)


class Fold(QWidget):
    """A title with a chevron above content that can be hidden."""

    toggled = Signal(bool)

    def __init__(
        self, theme: Theme, title: str, content: QWidget, expanded: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._content = content
        self._header = _Header(title)
        self._header.setProperty("foldHeader", True)
        self._header.setText(title)
        self._header.setAccessibleName(title)
        self._header.setAccessibleDescription(self.tr("Opens and closes the section"))
        self._header.setCheckable(True)
        self._header.setChecked(expanded)
        self._header.setIconSize(QSize(19, 14))
        self._header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._header.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._header.toggled.connect(self._on_toggled)
        fill(QVBoxLayout(self), self._header, content)
        content.setVisible(expanded)
        theme.changed.connect(self._retint)
        self._retint()

    def is_expanded(self) -> bool:
        """Return True while the section is open, so that its content is shown."""
        return self._header.isChecked()

    def set_expanded(self, expanded: bool) -> None:
        """Open the section for True, close it for False; `toggled` is emitted if that is a change."""
        self._header.setChecked(expanded)

    def _on_toggled(self, expanded: bool) -> None:
        self._content.setVisible(expanded)
        self._retint()
        self.toggled.emit(expanded)

    def _retint(self) -> None:
        self._header.setIcon(
            self._theme.icon_beside_text("chevron-down" if self.is_expanded() else "chevron-right", "text_muted")
        )
