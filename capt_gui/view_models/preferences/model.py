"""The settings as the Preferences dialog changes them: at once where that can be, else from the next start on."""

from __future__ import annotations

import os

from PySide6.QtCore import QObject, Signal

from capt_engine import folders
from capt_gui.settings import Settings
from capt_gui.view_models.preferences.table import Preference, preferences

_NETWORK = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


class Preferences(QObject):
    """Reads and writes the settings by name. changed(name): the setting of that name has another value."""

    changed = Signal(str)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.table = preferences(
            {
                "models_folder": str(folders.data_dir() / "models"),
                "runs_folder": str(folders.data_dir() / "runs"),
                "data_folder": str(folders.data_dir() / "tuning"),
            }
        )
        self._at_start = {one.name: getattr(settings, one.name) for one in self.table}

    def value(self, name: str) -> object:
        """Return the present value of the setting `name`."""
        return getattr(self.settings, name)

    def set(self, name: str, value: object) -> None:
        """Store `value` as the setting `name`, and emit `changed` if it is another one than before."""
        if value == getattr(self.settings, name):
            return
        setattr(self.settings, name, value)
        if name == "offline":
            _set_offline(bool(value))
        self.changed.emit(name)

    def waits(self, one: Preference) -> bool:
        """Return True if the setting was changed and the change holds from the next start on only."""
        return one.at_start and self._at_start[one.name] != self.value(one.name)

    def is_default(self, one: Preference) -> bool:
        """Return True if the setting has the value of a first start."""
        return self.value(one.name) == one.default

    def sections(self) -> tuple[str, ...]:
        """Return the titles of the sections, in order."""
        return tuple(dict.fromkeys(one.section for one in self.table))


def _set_offline(offline: bool) -> None:
    """The engine looks at these before each download, and the process that fetches inherits them."""
    for name in _NETWORK:
        if offline:
            os.environ[name] = "1"
        else:
            os.environ.pop(name, None)
