"""The empty state: drop pictures here, or choose some."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme


def local_paths(mime: QMimeData) -> list[str]:
    """The local files and folders a drop or paste carries, in order and once each; anything remote is left out."""
    return list(dict.fromkeys(url.toLocalFile() for url in mime.urls() if url.isLocalFile()))


class DropZone(QWidget):
    """A friendly empty state with the ways in."""

    paths_dropped = Signal(list)
    open_files_clicked = Signal()
    open_folder_clicked = Signal()
    samples_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._hovered = False
        self.setAcceptDrops(True)
        self.setMinimumSize(420, 300)
        self.setAccessibleName(self.tr("Drop pictures or a folder"))
        self._symbol = QLabel()
        self._symbol.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel(self.tr("Drop pictures or a folder"))
        self._title.setProperty("textRole", "title")
        self._line = QLabel(
            self.tr("See what the model answers before and after an attack. Pictures never leave this computer.")
        )
        self._line.setProperty("textRole", "muted")
        self._line.setWordWrap(True)
        for label in (self._title, self._line):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._files = self._button(self.tr("Open pictures…"), self.tr("Choose picture files from a dialog"))
        self._files.setProperty("primary", True)
        self._folder = self._button(self.tr("Open folder…"), self.tr("Choose a folder; the folders in it count too"))
        self._samples = self._button(
            self.tr("Try the samples"), self.tr("Eight pictures that come with the application")
        )
        self._files.clicked.connect(self.open_files_clicked)
        self._folder.clicked.connect(self.open_folder_clicked)
        self._samples.clicked.connect(self.samples_clicked)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch()
        for button in (self._files, self._folder, self._samples):
            buttons.addWidget(button)
        buttons.addStretch()
        self._kinds = QLabel(self.tr("JPEG · PNG · WebP · BMP · GIF · TIFF"))
        self._kinds.setProperty("textRole", "caption")
        self._kinds.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(40, 32, 40, 32)
        layout.addStretch()
        for item, space in ((self._symbol, 20), (self._title, 8), (self._line, 24)):
            layout.addWidget(item)
            layout.addSpacing(space)
        layout.addLayout(buttons)
        layout.addSpacing(20)
        layout.addWidget(self._kinds)
        layout.addStretch()
        layout.setSpacing(0)
        theme.changed.connect(self._retint)
        self._retint()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setIconSize(QSize(24, 18))
        button.setAccessibleName(text.rstrip("…"))
        button.setAccessibleDescription(tip)
        button.setToolTip(tip)
        return button

    @Slot()
    def _retint(self) -> None:
        role = "accent" if self._hovered else "text_muted"
        self._symbol.setPixmap(self._theme.pixmap("pictures", 72, role, self.devicePixelRatioF()))
        self._files.setIcon(self._theme.icon_beside_text("picture", "accent_text"))
        self._folder.setIcon(self._theme.icon_beside_text("folder"))
        self._samples.setIcon(self._theme.icon_beside_text("samples"))
        self.update()

    def _set_hovered(self, hovered: bool) -> None:
        self._hovered = hovered
        self._title.setText(self.tr("Let go to open") if hovered else self.tr("Drop pictures or a folder"))
        self._retint()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept what holds at least one local file."""
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
