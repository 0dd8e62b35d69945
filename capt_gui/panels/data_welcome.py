"""The welcome before there are labelled pictures: the ways in, and where pictures came from before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.drop_area import DropArea
from capt_gui.widgets.labels import text

_WIDTH = 720
_ICON = 18


@dataclass(frozen=True)
class Greeting:
    """The words of one page: its question, what it does, the drop area, and what is good to know."""

    title: str
    words: str
    line: str
    caption: str
    fact: str


class DataWelcome(QScrollArea):
    """`paths_chosen(paths)`: dropped, or one of the recent places; `folder_clicked` and `table_clicked`: a dialog is wanted."""

    paths_chosen = Signal(list)
    folder_clicked = Signal()
    table_clicked = Signal()

    def __init__(
        self, theme: Theme, greeting: Greeting, recent: Callable[[], Sequence[str]], parent: QWidget | None = None
    ) -> None:
        """recent: where pictures came from before, the latest first; several folders of one drop are joined by line breaks."""
        super().__init__(parent)
        self._theme = theme
        self._greeting = greeting
        self._recent_places = recent
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area = DropArea(
            theme,
            "folder",
            self.tr("Drop your pictures"),
            greeting.line,
            greeting.caption,
        )
        self.area.setMinimumHeight(250)
        tip = self.tr("Choose the folder that holds a folder for each class")
        self.folder = self.area.add_button("folder", self.tr("Choose a folder…"), tip, primary=True)
        tip = self.tr("A CSV with a column of paths and one of labels, or a split file as CoOp writes it")
        self._table = self.area.add_button("table", self.tr("Choose a CSV…"), tip)
        self._recent = QWidget()
        self._recent_lines = QVBoxLayout(self._recent)
        self._facts: list[tuple[QLabel, str, str]] = []
        self.setWidget(self._centred(self._body()))
        self.area.paths_dropped.connect(self.paths_chosen)
        self.folder.clicked.connect(self.folder_clicked)
        self._table.clicked.connect(self.table_clicked)
        theme.changed.connect(self.on_theme_changed)
        self.on_theme_changed()
        self.refresh()

    def refresh(self) -> None:
        """List where pictures came from before."""
        while (item := self._recent_lines.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        places = self._recent_places()[:3]
        self._recent.setVisible(bool(places))
        if places:
            self._recent_lines.addWidget(text(self.tr("Recently used"), "muted", wrap=False))
        for place in places:
            self._recent_lines.addWidget(self._place(place), 0, Qt.AlignmentFlag.AlignLeft)

    def on_place_clicked(self) -> None:
        """One of the recent places."""
        self.paths_chosen.emit(str(self.sender().property("place")).split("\n"))

    def on_theme_changed(self) -> None:
        """Tint the symbols."""
        for label, name, role in self._facts:
            label.setPixmap(self._theme.pixmap(name, _ICON, role, self.devicePixelRatioF()))
        for button in self._recent.findChildren(QPushButton):
            button.setIcon(self._theme.icon_beside_text("folder", "accent"))

    def _place(self, place: str) -> QPushButton:
        paths = [PurePath(path) for path in place.split("\n")]
        words = paths[0].name if len(paths) == 1 else self.tr("{} and {} more").format(paths[0].name, len(paths) - 1)
        button = QPushButton(words.replace("&", "&&"))
        button.setProperty("link", True)
        button.setProperty("place", place)
        button.setIcon(self._theme.icon_beside_text("folder", "accent"))
        button.setIconSize(QSize(20, 15))
        button.setToolTip(place)
        button.setAccessibleName(words)
        button.setAccessibleDescription(str(paths[0].parent))
        button.clicked.connect(self.on_place_clicked)
        return button

    def _body(self) -> QWidget:
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        layout.addStretch(1)
        layout.addWidget(text(self._greeting.title, "title"))
        layout.addWidget(text(self._greeting.words, "muted"))
        layout.addSpacing(6)
        layout.addWidget(self.area, 3)
        self._recent_lines.setContentsMargins(0, 0, 0, 0)
        self._recent_lines.setSpacing(0)
        layout.addWidget(self._recent)
        layout.addSpacing(4)
        self._fact(
            layout, "check", "ok", self.tr("Your files are only read, never changed, and never leave this computer.")
        )
        self._fact(layout, "info", "text_muted", self._greeting.fact)
        layout.addStretch(1)
        return body

    def _fact(self, layout: QVBoxLayout, icon: str, role: str, words: str) -> None:
        line = QHBoxLayout()
        line.setSpacing(10)
        symbol = QLabel()
        self._facts.append((symbol, icon, role))
        line.addWidget(symbol, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(text(words, "muted"), 1)
        layout.addLayout(line)

    def _centred(self, body: QWidget) -> QWidget:
        body.setMaximumWidth(_WIDTH)
        outer = QWidget()
        layout = QHBoxLayout(outer)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(1)
        layout.addWidget(body, 100)
        layout.addStretch(1)
        return outer
