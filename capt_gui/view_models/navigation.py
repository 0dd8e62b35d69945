"""Which page is in front: pages ask here for another one, without knowing it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

EXPLORE, EVALUATE, TUNE, REPORT, MODELS = "explore", "evaluate", "tune", "report", "models"


class Navigation(QObject):
    """`requested(key)`: a page should come to the front; `session_found(path)`: a session was dropped. The frame answers."""

    requested = Signal(str)
    session_found = Signal(str)

    def go(self, key: str) -> None:
        """Ask the window to bring a page to the front; `key` is one of the names above."""
        self.requested.emit(key)
