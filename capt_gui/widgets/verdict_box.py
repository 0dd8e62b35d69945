"""A box with a result: a symbol, a sentence, the figures it rests on, and buttons below; while it is awaited, a bar."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme, repolish
from capt_gui.widgets.labels import text

_ICON = 28
_LOOKS = {
    "better": ("check", "ok"),
    "worse": ("close", "broken"),
    "unclear": ("minus", "text_muted"),
    "failed": ("warning", "warning"),
    "stopped": ("pause", "text_muted"),
    "": ("evaluate", "accent"),
}
_COLOURED = ("better", "worse")


class VerdictBox(QFrame):
    """`set_verdict` fills it; a kind is "better", "worse", "unclear", "failed", "stopped", or "" where nothing is compared."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind = ""
        self._icons: list[tuple[QPushButton, str, str]] = []
        self._symbol = QLabel()
        self.headline = text(role="title")
        self.figures = text()
        self.caption = text(role="caption")
        self._words = text(role="muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._waiting = QWidget()
        self._buttons = QHBoxLayout()
        self._lines, self._beside = QVBoxLayout(), QHBoxLayout(self)
        self._row = QWidget()
        for label in (self.headline, self.figures, self.caption):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._lay_out()
        theme.changed.connect(self._retint)
        self.set_verdict("", "", "")
        self.set_progress(None)

    def set_verdict(self, kind: str, headline: str, figures: str, caption: str = "") -> None:
        """Say what came out."""
        self._kind = kind
        for label, words in ((self.headline, headline), (self.figures, figures), (self.caption, caption)):
            label.setText(words)
            label.setVisible(bool(words))
        self.setAccessibleName(headline)
        self.setAccessibleDescription(f"{figures} {caption}".strip())
        self.setProperty("verdict", kind if kind in _COLOURED else "unclear")
        repolish(self)
        self._retint()

    def set_progress(self, progress: tuple[int, int, str] | None) -> None:
        """Show how far it is (done, total, words), a total of 0 meaning unknown; None shows no bar."""
        self._waiting.setVisible(progress is not None)
        if progress is not None:
            done, total, words = progress
            self._bar.setRange(0, total)
            self._bar.setValue(done)
            self._words.setText(words)
            self._bar.setAccessibleDescription(words)

    def add_line(self, widget: QWidget) -> None:
        """Add a part of one's own below the bar."""
        self._lines.insertWidget(self._lines.count() - 1, widget)

    def add_beside(self, button: QPushButton) -> None:
        """Add a button at the right end, beside the headline."""
        self._beside.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)

    def add_button(self, icon: str, words: str, *, primary: bool = False) -> QPushButton:
        """Add a button at the end of the row below the words."""
        button = QPushButton(words)
        button.setIconSize(QSize(21, 16))
        button.setAccessibleName(words.rstrip("…"))
        button.setProperty("primary", primary)
        self._icons.append((button, icon, "accent_text" if primary else "text"))
        self._buttons.insertWidget(self._buttons.count() - 1, button)
        self._retint()
        return button

    def show_buttons(self, *buttons: QPushButton) -> None:
        """Show these of the buttons, and no others."""
        for button, _, _ in self._icons:
            button.setVisible(button in buttons)
        self._row.setVisible(bool(buttons))

    def _lay_out(self) -> None:
        waiting = QVBoxLayout(self._waiting)
        waiting.setContentsMargins(0, 4, 0, 0)
        waiting.setSpacing(6)
        waiting.addWidget(self._bar)
        waiting.addWidget(self._words)
        self._buttons.setContentsMargins(0, 6, 0, 0)
        self._buttons.setSpacing(8)
        self._buttons.addStretch(1)
        self._row.setLayout(self._buttons)
        self._row.hide()
        self._lines.setSpacing(7)
        for widget in (self.headline, self.figures, self.caption, self._waiting, self._row):
            self._lines.addWidget(widget)
        self._beside.setContentsMargins(18, 16, 18, 16)
        self._beside.setSpacing(14)
        self._beside.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        self._beside.addLayout(self._lines, 1)

    @Slot()
    def _retint(self) -> None:
        name, role = _LOOKS[self._kind]
        self._symbol.setPixmap(self._theme.pixmap(name, _ICON, role, self.devicePixelRatioF()))
        for button, icon, own in self._icons:
            button.setIcon(self._theme.icon_beside_text(icon, own))
