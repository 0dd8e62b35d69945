"""Words of the classes or the template that the model was never trained on, each with known words to put in its place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_engine.records import UnknownWord, unknown_sentences
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.flow_layout import FlowLayout
from capt_gui.widgets.input import put_after
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import clear, fill

_SHOWN = 3


class UnknownWords(QWidget):
    """A sentence for each of the first words, and the nearest known ones, as buttons where they can be put in its place.

    It is hidden while all words are known. picked: the record of the word, and the words that shall take its place.
    """

    picked = Signal(object, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, can_replace: bool = True) -> None:
        super().__init__(parent)
        self._theme = theme
        self._can_replace = can_replace
        self._words: tuple[UnknownWord, ...] = ()
        self._buttons: list[QPushButton] = []
        self._lines = fill(QVBoxLayout(self), spacing=8)
        self.hide()

    def set_words(self, words: tuple[UnknownWord, ...]) -> None:
        """Show these unknown words; an empty tuple hides the widget."""
        if words == self._words:
            return
        self._words = words
        self._buttons = []
        clear(self._lines)
        said = [spoken(one) for one in unknown_sentences(words)]
        for one in words[:_SHOWN]:
            self._lines.addWidget(self._line(spoken(one.sentence), one))
        for rest in said[_SHOWN:]:
            self._lines.addWidget(self._line(rest))
        put_after(self, self._buttons)
        self.setVisible(bool(words))

    def said(self) -> str:
        """Return what is said of the words, one sentence a line; "" while all words are known."""
        return "\n".join(map(spoken, unknown_sentences(self._words)))

    def on_clicked(self) -> None:
        """Emit `picked` with the word and the known words of the button that was pressed."""
        self.picked.emit(*self.sender().property("place"))

    def _line(self, sentence: str, word: UnknownWord | None = None) -> QWidget:
        symbol = Symbol(self._theme, 16, "warning", "warning")
        parts: list[QWidget] = [text(sentence, "problem")]
        if word is not None and word.nearest:
            parts.append(self._choices(word) if self._can_replace else text(spoken(word.advice), "caption"))
        line = QWidget()
        fill(QHBoxLayout(line), (symbol, 0, Qt.AlignmentFlag.AlignTop), (column(*parts, spacing=2), 1))
        return line

    def _choices(self, word: UnknownWord) -> QWidget:
        flow = FlowLayout()
        for known in word.nearest:
            button = QPushButton(known)
            button.setProperty("chip", True)
            set_tooltip(button, self.tr("Write “{}” in place of “{}”").format(known, word.word))
            button.setAccessibleName(button.toolTip())
            button.setProperty("place", (word, known))
            button.clicked.connect(self.on_clicked)
            flow.addWidget(button)
            self._buttons.append(button)
        return column(text(self.tr("Nearest in spelling:"), "caption"), flow, spacing=4)
