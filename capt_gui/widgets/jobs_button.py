"""The button of the status bar that opens the list of jobs, and says how many there are."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme

_LOOKS = {
    "idle": ("jobs", "text_muted"),
    "running": ("state-running", "accent"),
    "failed": ("state-failed", "broken"),
}


class JobsButton(QToolButton):
    """A symbol and a few words; checked while the list is open."""

    def __init__(self, theme: Theme, keys: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._look, self._keys = theme, "idle", keys
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("jobsButton", True)
        theme.changed.connect(self._tint)
        self.set_state("idle", self.tr("Jobs"))

    def set_state(self, look: str, words: str) -> None:
        """Show `words` beside the symbol of `look`: "idle", "running" or "failed"; KeyError for any other."""
        self._look = look
        self.setText(words)
        set_tooltip(self, self.tr("What waits, runs and is done ({})").format(self._keys))
        self.setAccessibleName(self.tr("Jobs: {}").format(words))
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._theme.icon(*_LOOKS[self._look]))
