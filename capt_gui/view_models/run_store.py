"""The folders that keep analyses for reports: a new one for each, and the oldest go."""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_engine.reading import json_if_sound
from capt_gui.settings import Settings

RUNS_KEPT = 50

_OURS = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_MANIFEST = "manifest.json"


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


def remove_old(folder: Path, kept: int = RUNS_KEPT) -> int:
    """Delete all run folders inside `folder` but the newest `kept`, and return how many went; 0 if it cannot be read.

    Only folders with a name that RunStore gave and with a run's manifest are deleted: a renamed run stays for ever.
    """
    try:
        runs = sorted((run for run in folder.iterdir() if _is_ours(run)), key=lambda run: run.name, reverse=True)
    except OSError:
        return 0
    gone = 0
    for run in runs[kept:]:
        shutil.rmtree(run, ignore_errors=True)
        gone += not run.exists()
    return gone


@dataclass(frozen=True)
class _Manifest:
    format: int
    request: dict[str, object]


def _is_ours(run: Path) -> bool:
    if not _OURS.fullmatch(run.name) or run.is_symlink() or not run.is_dir():
        return False
    return json_if_sound(run / _MANIFEST, _Manifest) is not None
