"""A field for the right answer to a picture, with the class names to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

_WIDTH = 150


class LabelField(QLineEdit):
    """`typed(name)` is emitted for a name of the list, spelled as there, and for "", which says that the answer is not known.

    refused(sentence): something else was typed; the label of before stays.
    """

    typed = Signal(str)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, placeholderText=self.tr("not known"), clearButtonEnabled=True)
        self.setAccessibleName(self.tr("Right answer"))
        self.setAccessibleDescription(self.tr("Colours and words follow it; empty: nobody knows"))
        self.setFixedWidth(_WIDTH)
        self._names: tuple[str, ...] = ()
        self._label = ""
        self.editingFinished.connect(self.on_edited)
        self.textChanged.connect(self.on_text_changed)

    def set_label(self, names: Sequence[str], label: str) -> None:
        """Offer `names`, and show `label`, the right answer that is known, "" for none."""
        if tuple(names) != self._names:
            self._names = tuple(names)
            completer = QCompleter(list(names), self)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            self.setCompleter(completer)
        self._label = label
        if self.text() != label:
            self.setText(label)

    def on_text_changed(self, text: str) -> None:
        """Take the label back as soon as the field is emptied."""
        if not text and self._label:
            self.on_edited()

    def on_edited(self) -> None:
        """Emit `typed` where a name of the list was typed, or nothing; else emit `refused`, and show the label of before."""
        text = self.text().strip()
        name = next((one for one in self._names if one.casefold() == text.casefold()), None)
        if text and name is None and text != self._label:
            self.setText(self._label)
            self.refused.emit(self.tr("“{}” is not among the names that were asked about.").format(text))
        elif (name or "") != self._label and (name or not text):
            self._label = name or ""
            self.typed.emit(self._label)
