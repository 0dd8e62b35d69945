"""Writes the settings a moment after the last change, and when the window closes."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from capt_engine.errors import CaptError
from capt_gui import settings as settings_file
from capt_gui.settings import Settings

DELAY_MS = 1500


class SettingsKeeper(QObject):
    """Knows where the settings live; a disk that refuses them is logged, never in the way."""

    def __init__(self, settings: Settings, path: Path | None, parent: QObject | None = None) -> None:
        """Without a path nothing is kept (safe mode, tests)."""
        super().__init__(parent)
        self._settings = settings
        self._path = path
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.save_now)

    def touch(self) -> None:
        """Have the settings saved 1.5 seconds after the last call of this method, because one of them has changed."""
        self._timer.start()

    def save_now(self) -> None:
        """Write the settings to their file at once; without a file nothing is written, and an error is only logged."""
        self._timer.stop()
        if self._path is None:
            return
        try:
            settings_file.save(self._settings, self._path)
        except CaptError as problem:
            logging.getLogger(__name__).warning("The settings could not be saved: %s", problem)
