"""A box with a result: a symbol, a sentence, the figures it rests on, and buttons below; while it is awaited, a bar."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme, repolish
from capt_gui.widgets.buttons import Symbol, TextButton
from capt_gui.widgets.labels import selectable, text
from capt_gui.widgets.layout import fill

_LOOKS = {
    "better": ("check", "ok"),
    "worse": ("close", "broken"),
    "unclear": ("minus", "text_muted"),
    "failed": ("warning", "warning"),
    "stopped": ("pause", "text_muted"),
    "unknown": ("help", "warning"),
    "": ("evaluate", "accent"),
}
_COLOURED = ("better", "worse", "unknown")


class VerdictBox(QFrame):
    """`set_verdict` fills it; a kind is "better", "worse", "unclear", "failed", "stopped", "unknown", or "" where nothing is compared."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._made: list[QPushButton] = []
        self._symbol = Symbol(theme, 28)
        self.headline = text(role="title")
        self.figures = text()
        self.caption = text(role="caption")
        self._progress = text(role="muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._waiting, self._row = QWidget(), QWidget()
        selectable(self.headline, self.figures, self.caption)
        fill(QVBoxLayout(self._waiting), self._bar, self._progress, spacing=6, margins=(0, 4, 0, 0))
        self._buttons = fill(QHBoxLayout(self._row), (None, 1), margins=(0, 6, 0, 0))
        self._row.hide()
        lines = (self.headline, self.figures, self.caption, self._waiting, self._row)
        self._lines = fill(QVBoxLayout(), *lines, spacing=7)
        row = ((self._symbol, 0, Qt.AlignmentFlag.AlignTop), (self._lines, 1))
        self._beside = fill(QHBoxLayout(self), *row, spacing=14, margins=(18, 16, 18, 16))
        self.set_verdict("", "", "")
        self.set_progress(None)

    def set_verdict(self, kind: str, headline: str, figures: str, caption: str = "") -> None:
        """Show a result: a headline, the figures it rests on, and a caption in small type; "" hides a line.

        kind: "better", "worse", "unclear", "failed", "stopped", "unknown", or "" where nothing is compared, which
        chooses symbol and colour; KeyError for any other.
        """
        for label, shown in ((self.headline, headline), (self.figures, figures), (self.caption, caption)):
            label.setText(shown)
            label.setVisible(bool(shown))
        self.setAccessibleName(headline)
        self.setAccessibleDescription(f"{figures} {caption}".strip())
        self.setProperty("verdict", kind if kind in _COLOURED else "unclear")
        repolish(self)
        self._symbol.set_icon(*_LOOKS[kind])

    def set_narrow(self) -> None:
        """Leave the symbol out and less room around the lines, for a box above something else that needs the room."""
        self._symbol.hide()
        self._lines.setSpacing(2)
        self._buttons.setContentsMargins(0, 3, 0, 0)
        self._beside.setContentsMargins(12, 8, 12, 8)

    def set_progress(self, progress: tuple[int, int, str] | None) -> None:
        """Show the progress of the work that is awaited as (done, total, text), a total of 0 for an unknown end.

        None hides the bar.
        """
        self._waiting.setVisible(progress is not None)
        if progress is not None:
            done, total, shown = progress
            self._bar.setRange(0, total)
            self._bar.setValue(done)
            self._progress.setText(shown)
            self._bar.setAccessibleDescription(shown)

    def add_line(self, widget: QWidget) -> None:
        """Add any widget as a line between the progress bar and the row of buttons."""
        self._lines.insertWidget(self._lines.count() - 1, widget)

    def add_button(self, icon: str, name: str, *, primary: bool = False, link: bool = False) -> QPushButton:
        """Add a button at the end of the row below the text, and return it; the row stays hidden until `show_buttons`.

        icon: the name of an icon of the theme, "" for none. name: its text. primary: paint it as the main choice; link: as a link.
        """
        button = TextButton(self._theme, name, icon, look="primary" if primary else "link" if link else "")
        self._made.append(button)
        self._buttons.insertWidget(self._buttons.count() - 1, button)
        return button

    def show_buttons(self, *buttons: QPushButton) -> None:
        """Show these of the buttons that `add_button` made and hide the others; without any the whole row is hidden."""
        for button in self._made:
            button.setVisible(button in buttons)
        self._row.setVisible(bool(buttons))
