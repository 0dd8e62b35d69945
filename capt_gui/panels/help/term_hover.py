"""The sentence of the glossary for a term that the mouse rests on, anywhere in the window."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QTextLayout, QTextOption
from PySide6.QtWidgets import QAbstractButton, QHeaderView, QLabel, QToolTip, QWidget

from capt_gui.plain_text import show_tooltip
from capt_gui.translate import source
from capt_gui.view_models.help.glossary import Glossary, Term

_SHORT = 48


class TermHover:
    """Knows the term whose sentence is shown now, so that F1 leads to it."""

    def __init__(self, glossary: Glossary) -> None:
        self._glossary = glossary
        self._shown: Term | None = None

    @property
    def shown(self) -> Term | None:
        """The term whose sentence stands beside the mouse; None while none does."""
        return self._shown if QToolTip.isVisible() else None

    def show_at(self, window: QWidget, place: QPoint) -> bool:
        """Show the sentence of the term at `place` in `window`; return False where there is none, and show nothing.

        What has a tooltip of its own shows that and does not come here.
        """
        widget = window.childAt(place)
        self._shown = self.term_of(widget, widget.mapFrom(window, place)) if widget is not None else None
        if widget is None or self._shown is None:
            return False
        show_tooltip(window.mapToGlobal(place), self._shown.sentence, widget)
        return True

    def term_of(self, widget: QWidget, place: QPoint | None = None) -> Term | None:
        """Return the term that `widget` shows at `place`; with None, or where it shows a few words only, the longest in it."""
        header = widget.parent()
        if isinstance(header, QHeaderView) and place is not None:
            section = header.logicalIndexAt(place)
            words = header.model().headerData(section, header.orientation(), Qt.ItemDataRole.DisplayRole)
            return self._term_in(str(words or ""))
        if isinstance(widget, QLabel):
            words = widget.text()
            if place is None or len(words) <= _SHORT:
                return self._term_in(words)
            return self._glossary.term_in(words, _letter_at(widget, place))
        words = widget.text() if isinstance(widget, QAbstractButton) else ""
        return self._term_in((words or widget.accessibleName())[:_SHORT])

    def _term_in(self, words: str) -> Term | None:
        """The longest term in `words`; what is translated is looked up by its English words, which the glossary has."""
        return self._glossary.term_in(source(words).replace("&", ""))


def _letter_at(label: QLabel, place: QPoint) -> int:
    """The number of the letter under a place, by laying the text out as the label does; -1 beside the text."""
    rect, words = label.contentsRect(), label.text()
    option = QTextOption(label.alignment())
    option.setWrapMode(QTextOption.WrapMode.WordWrap if label.wordWrap() else QTextOption.WrapMode.NoWrap)
    layout = QTextLayout(words.replace("\n", "\u2028"), label.font(), label)
    layout.setTextOption(option)
    layout.beginLayout()
    height = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(rect.width())
        line.setPosition(QPointF(0, height))
        height += line.height()
    layout.endLayout()
    top: float = rect.top()
    if label.alignment() & Qt.AlignmentFlag.AlignVCenter:
        top += max(rect.height() - height, 0) / 2
    spot = QPointF(place) - QPointF(rect.left(), top)
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        if line.y() <= spot.y() < line.y() + line.height() and line.naturalTextRect().contains(spot):
            return line.xToCursor(spot.x(), line.CursorPosition.CursorOnCharacter)
    return -1
