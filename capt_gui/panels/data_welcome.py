"""The welcome before there are labelled pictures: the ways in, and where pictures came from before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import LinkButton, Symbol, TextButton
from capt_gui.widgets.columns import centred
from capt_gui.widgets.drop_area import DropArea
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import clear, fill

_WIDTH = 720


@dataclass(frozen=True)
class Greeting:
    """The words of one page: its question, what it does, the drop area, and what is good to know."""

    title: str
    words: str
    line: str
    caption: str
    fact: str


class DataWelcome(QScrollArea):
    """`paths_chosen(paths)`: dropped, or one of the recent places; `folder_clicked` and `table_clicked`: a dialog is wanted.

    toys_clicked: the toy world's pictures are wanted, for a look.

    resume_clicked(key): one of the stopped runs is to go on.
    """

    paths_chosen = Signal(list)
    folder_clicked = Signal()
    table_clicked = Signal()
    toys_clicked = Signal()
    resume_clicked = Signal(str)

    def __init__(
        self, theme: Theme, greeting: Greeting, recent: Callable[[], Sequence[str]], parent: QWidget | None = None
    ) -> None:
        """recent: where pictures came from before, the latest first; several folders of one drop are joined by line breaks."""
        super().__init__(parent)
        self._theme = theme
        self._recent_places = recent
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area = DropArea(theme, "folder", self.tr("Drop your pictures"), greeting.line, greeting.caption)
        self.area.setMinimumHeight(250)
        tip = self.tr("Choose the folder that holds a folder for each class")
        self.folder = self.area.add_button("folder", self.tr("Choose a folder…"), tip, primary=True)
        tip = self.tr("A CSV with a column of paths and one of labels, or a split file as CoOp writes it")
        self._table = self.area.add_button("table", self.tr("Choose a CSV…"), tip)
        tip = self.tr(
            "Rendered shapes with their labels, and a small model that knows them: the whole page in a minute"
        )
        self.toys = self.area.add_button("samples", self.tr("Try the toy world"), tip)
        self._recent = QWidget()
        self._recent_lines = fill(QVBoxLayout(self._recent), spacing=0)
        self._stopped = QWidget()
        self._stopped_lines = fill(QVBoxLayout(self._stopped), spacing=0)
        self._stopped.hide()
        promise = self.tr("Your files are only read, never changed, and never leave this computer.")
        facts = (self._fact("check", "ok", promise), self._fact("info", "text_muted", greeting.fact))
        words = (text(greeting.title, "title"), text(greeting.words, "muted"))
        body = QWidget()
        parts = ((None, 1), *words, 6, (self.area, 3), self._stopped, self._recent, 4, *facts, (None, 1))
        fill(QVBoxLayout(body), *parts, spacing=12, margins=(24, 20, 24, 20))
        self.setWidget(centred(body, _WIDTH, 100))
        self.area.paths_dropped.connect(self.paths_chosen)
        self.folder.clicked.connect(self.folder_clicked)
        self._table.clicked.connect(self.table_clicked)
        self.toys.clicked.connect(self.toys_clicked)
        self.refresh()

    def refresh(self) -> None:
        """List anew, as buttons, the last three places (folders or tables) that pictures came from, if there are any."""
        clear(self._recent_lines)
        places = self._recent_places()[:3]
        self._recent.setVisible(bool(places))
        if places:
            self._recent_lines.addWidget(text(self.tr("Try photographs you have"), "muted", wrap=False))
        for place in places:
            self._recent_lines.addWidget(self._place(place))
        if places:
            other = TextButton(self._theme, self.tr("Another folder…"), "plus", look="link", icon_height=15)
            other.clicked.connect(self.folder_clicked)
            self._recent_lines.addWidget(other, 0, Qt.AlignmentFlag.AlignLeft)

    def show_stopped(self, runs: Sequence[tuple[str, str]]) -> None:
        """List runs that were stopped, as buttons that resume them: the key that `resume_clicked` emits, and the words, of each."""
        self._stopped.hide()
        clear(self._stopped_lines)
        if runs:
            self._stopped_lines.addWidget(text(self.tr("Stopped before the end"), "muted", wrap=False))
        for key, words in runs:
            label = self.tr("Resume {}").format(words)
            button = LinkButton(self._theme, label, "run")
            button.setProperty("key", key)
            button.clicked.connect(self.on_resume_clicked)
            self._stopped_lines.addWidget(button)
        self._stopped.setVisible(bool(runs))

    def on_resume_clicked(self) -> None:
        """Emit `resume_clicked` with the key of the stopped run whose button was clicked."""
        self.resume_clicked.emit(str(self.sender().property("key")))

    def on_place_clicked(self) -> None:
        """Emit `paths_chosen` with the paths of the recent place (a folder, a table, or several) that was clicked."""
        self.paths_chosen.emit(str(self.sender().property("place")).split("\n"))

    def _place(self, place: str) -> QPushButton:
        paths = [PurePath(path) for path in place.split("\n")]
        name = paths[0].name if len(paths) == 1 else self.tr("{} and {} more").format(paths[0].name, len(paths) - 1)
        button = LinkButton(self._theme, name, "folder", tip=place)
        button.setProperty("place", place)
        button.setAccessibleDescription(str(paths[0].parent))
        button.clicked.connect(self.on_place_clicked)
        return button

    def _fact(self, icon: str, role: str, sentence: str) -> QHBoxLayout:
        symbol = (Symbol(self._theme, 18, icon, role), 0, Qt.AlignmentFlag.AlignTop)
        return fill(QHBoxLayout(), symbol, (text(sentence, "muted"), 1), spacing=10)
