"""The folders that keep analyses for reports: a new one for each. None is ever deleted unasked."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_gui.settings import Settings


class RunStore(QObject):
    """Names the folder of the next run and remembers the last one. Without a folder nothing is kept (safe mode, tests)."""

    last_changed = Signal()

    def __init__(self, settings: Settings, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.folder = folder
        self.last = ""

    def new_folder(self) -> str:
        """Return the path of a new run folder, named by date and time, which the engine will make.

        "" when runs are not kept.
        """
        if self.folder is None or not self._settings.keep_runs:
            return ""
        # local time, because people read it; two runs of one second are told apart by the end of the name
        stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
        return str(self.folder / f"{stamp}-{secrets.token_hex(2)}")

    def on_kept(self, folder: str) -> None:
        """Remember the folder of the run that has just ended as the last one; "" (not kept) means no last run.

        Emits `last_changed` if that is another folder than before.
        """
        if folder != self.last:
            self.last = folder
            self.last_changed.emit()
