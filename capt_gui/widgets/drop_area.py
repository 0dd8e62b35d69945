"""A dashed outline that takes files: what is dropped on it, or chosen by its buttons."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.translate import tr
from capt_gui.widgets.buttons import Symbol, TextButton
from capt_gui.widgets.flow_layout import FlowLayout
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


def local_paths(mime: QMimeData) -> list[str]:
    """Return the paths of the local files and folders that a drop or paste carries, in order and without repeats.

    Addresses that are not on this computer are left out.
    """
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
        self._title_text = title
        self._hovered = False
        self.setAcceptDrops(True)
        self.setAccessibleName(title)
        self._symbol = Symbol(theme, 72, symbol)
        self._title = text(title, "title")
        labels = (self._symbol, self._title, text(line, "muted"), text(caption, "caption"))
        for label in labels:
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = FlowLayout(8, centred=True)
        parts = ((None, 1), labels[0], 20, labels[1], 8, labels[2], 24, self._buttons, 20, labels[3], (None, 1))
        fill(QVBoxLayout(self), *parts, spacing=0, margins=(16, 32, 16, 32))
        theme.changed.connect(self.update)

    def add_button(self, icon: str, name: str, tip: str, *, primary: bool = False) -> QPushButton:
        """Add a button at the end of the row of buttons, and return it.

        icon: the name of an icon of the theme. name: its text. tip: its tooltip. primary: paint it as the main
        choice.
        """
        button = TextButton(self._theme, name, icon, look="primary" if primary else "", tip=tip, icon_height=18)
        self._buttons.addWidget(button)
        return button

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept a drag that carries local files or folders and tint the area; do nothing for any other drag."""
        if local_paths(event.mimeData()):
            event.acceptProposedAction()
            self._set_hovered(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Take the tint of the area away when a drag leaves it."""
        self._set_hovered(False)
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the tint away, and emit `paths_dropped` with the paths of local files and folders, if there are any."""
        self._set_hovered(False)
        if paths := local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.paths_dropped.emit(paths)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint a dashed, rounded outline, tinted while a drag hovers over the area."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        pen = QPen(self._theme.color("accent" if self._hovered else "control"), 2 if self._hovered else 1.5)
        pen.setDashPattern([5, 5])
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(self._theme.color("accent_soft" if self._hovered else "surface"))
        painter.drawRoundedRect(rect, 16, 16)

    def _set_hovered(self, hovered: bool) -> None:
        self._hovered = hovered
        self._title.setText(self.tr("Let go to open") if hovered else self._title_text)
        self._symbol.set_icon(self._symbol_name, "accent" if hovered else "text_muted")
        self.update()


class DropZone(DropArea):
    """The empty state of Explore: drop pictures here, or choose some."""

    open_files_clicked = Signal()
    open_folder_clicked = Signal()
    toys_clicked = Signal()

    def __init__(self, theme: Theme) -> None:
        title = tr("Drop pictures or a folder")
        line = tr("See what the model answers before and after an attack. Pictures never leave this computer.")
        super().__init__(theme, "pictures", title, line, "JPEG · PNG · WebP · AVIF · BMP · GIF · TIFF")
        self.setMinimumSize(420, 300)
        tip = self.tr("Choose picture files from a dialog")
        files = self.add_button("picture", self.tr("Open pictures…"), tip, primary=True)
        tip = self.tr("Choose a folder; the folders in it count too")
        folder = self.add_button("folder", self.tr("Open folder…"), tip)
        tip = self.tr(
            "Rendered shapes, a model that knows them and prompts tuned to resist: the whole program in seconds"
        )
        toys = self.add_button("samples", self.tr("Try the toy world"), tip)
        files.clicked.connect(self.open_files_clicked)
        folder.clicked.connect(self.open_folder_clicked)
        toys.clicked.connect(self.toys_clicked)
