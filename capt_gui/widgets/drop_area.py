"""A dashed outline that takes files: what is dropped on it, or chosen by its buttons."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme


def local_paths(mime: QMimeData) -> list[str]:
    """The local files and folders a drop or paste carries, in order and once each; anything remote is left out."""
    return list(dict.fromkeys(url.toLocalFile() for url in mime.urls() if url.isLocalFile()))


class DropArea(QWidget):
    """A symbol, a title, a line, and the buttons that were added; `paths_dropped(paths)`."""

    paths_dropped = Signal(list)

    def __init__(
        self, theme: Theme, symbol: str, title: str, line: str, caption: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._symbol_name = symbol
        self._title_words = title
        self._hovered = False
        self._tinted: list[tuple[QPushButton, str, str]] = []
        self.setAcceptDrops(True)
        self.setAccessibleName(title)
        self._symbol = QLabel()
        self._symbol.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel(title)
        self._title.setProperty("textRole", "title")
        self._line = QLabel(line)
        self._line.setProperty("textRole", "muted")
        self._line.setWordWrap(True)
        for label in (self._title, self._line):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.addStretch()
        self._buttons.addStretch()
        self._caption = QLabel(caption)
        self._caption.setProperty("textRole", "caption")
        self._caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(40, 32, 40, 32)
        layout.addStretch()
        for item, space in ((self._symbol, 20), (self._title, 8), (self._line, 24)):
            layout.addWidget(item)
            layout.addSpacing(space)
        layout.addLayout(self._buttons)
        layout.addSpacing(20)
        layout.addWidget(self._caption)
        layout.addStretch()
        layout.setSpacing(0)
        theme.changed.connect(self._retint)
        self._retint()

    def add_button(self, icon: str, text: str, tip: str, *, primary: bool = False) -> QPushButton:
        """Add a button at the end of the row."""
        button = QPushButton(text)
        button.setIconSize(QSize(24, 18))
        button.setAccessibleName(text.rstrip("…"))
        button.setAccessibleDescription(tip)
        button.setToolTip(tip)
        button.setProperty("primary", primary)
        self._tinted.append((button, icon, "accent_text" if primary else "text"))
        self._buttons.insertWidget(self._buttons.count() - 1, button)
        self._retint()
        return button

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome local files and folders."""
        if local_paths(event.mimeData()):
            event.acceptProposedAction()
            self._set_hovered(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Calm down again."""
        self._set_hovered(False)
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Say which paths were dropped."""
        self._set_hovered(False)
        if paths := local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.paths_dropped.emit(paths)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A dashed, rounded outline; tinted while something hovers over it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        pen = QPen(self._theme.color("accent" if self._hovered else "control"), 2 if self._hovered else 1.5)
        pen.setDashPattern([5, 5])
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(self._theme.color("accent_soft" if self._hovered else "surface"))
        painter.drawRoundedRect(rect, 16, 16)

    @Slot()
    def _retint(self) -> None:
        role = "accent" if self._hovered else "text_muted"
        self._symbol.setPixmap(self._theme.pixmap(self._symbol_name, 72, role, self.devicePixelRatioF()))
        for button, icon, own in self._tinted:
            button.setIcon(self._theme.icon_beside_text(icon, own))
        self.update()

    def _set_hovered(self, hovered: bool) -> None:
        self._hovered = hovered
        self._title.setText(self.tr("Let go to open") if hovered else self._title_words)
        self._retint()
