"""The keys of every menu action: the usual ones, those that the user chose instead, and which of them are in each other's way."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

from capt_gui.settings import Settings
from capt_gui.translate import source

EVERYWHERE = ""
"""The page of an action that works on all pages."""

_BRACKETS = re.compile(r" ?\(&\w\)")


@dataclass(frozen=True)
class Command:
    """A menu action. id: its name in the settings. page: the key of the page it belongs to, EVERYWHERE for all."""

    id: str
    page: str
    menu: str
    action: QAction
    usual: tuple[str, ...]

    @property
    def title(self) -> str:
        """The words of the action without mnemonic and ellipsis."""
        return bare(self.action.text())

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it answers to now, as the system writes them."""
        return tuple(one.toString(QKeySequence.SequenceFormat.NativeText) for one in self.action.shortcuts())


class Shortcuts(QObject):
    """Gives the actions the keys that the user chose. changed: some action has other keys."""

    changed = Signal()

    def __init__(
        self, settings: Settings, parent: QObject | None = None, complete: Callable[[], object] | None = None
    ) -> None:
        """complete: has the actions that are made late handed to `take`; called whenever all of them are needed."""
        super().__init__(parent)
        self._settings = settings
        self._complete = complete
        self._taken: dict[QAction, Command] = {}

    @property
    def commands(self) -> tuple[Command, ...]:
        """Return all commands, those of pages that nobody has opened among them."""
        if self._complete is not None:
            self._complete()
        return tuple(self._taken.values())

    def take(self, actions: Sequence[tuple[str, str, QAction]]) -> None:
        """Take the (page, menu title, action) of each action, note its usual keys, and give it those of the settings.

        Actions that were taken before are left alone.
        """
        for page, menu, action in actions:
            if action in self._taken:
                continue
            usual = tuple(one.toString() for one in action.shortcuts())
            one = Command(_id(page, usual, action), page, bare(menu), action, usual)
            self._taken[action] = one
            if one.id in self._settings.shortcuts:
                _give(one, (self._settings.shortcuts[one.id],))

    def conflict(self, command: Command, keys: str) -> Command | None:
        """Return another command that answers to `keys` where `command` does too; None where they are free.

        keys: as QKeySequence.toString writes them.
        """
        wanted = QKeySequence(keys)
        if wanted.isEmpty():
            return None
        for other in self.commands:
            meets = EVERYWHERE in (other.page, command.page) or other.page == command.page
            if other is not command and meets and wanted in other.action.shortcuts():
                return other
        return None

    def set_keys(self, command: Command, keys: str) -> None:
        """Have `command` answer to `keys` only, "" for none; whoever had them where it works loses them."""
        while (other := self.conflict(command, keys)) is not None:
            left = [one for one in other.action.shortcuts() if one != QKeySequence(keys)]
            self._store(other, left[0].toString() if left else "")
        self._store(command, keys)
        self.changed.emit()

    def restore(self, command: Command) -> None:
        """Give `command` its usual keys; whoever has them now where it works loses them."""
        for keys in command.usual:
            if (other := self.conflict(command, keys)) is not None:
                self._store(other, "")
        self._settings.shortcuts.pop(command.id, None)
        _give(command, command.usual)
        self.changed.emit()

    def restore_all(self) -> None:
        """Give every command its usual keys."""
        self._settings.shortcuts.clear()
        for one in self.commands:
            _give(one, one.usual)
        self.changed.emit()

    def is_usual(self, command: Command) -> bool:
        """Return True if `command` has its usual keys."""
        return command.id not in self._settings.shortcuts

    def _store(self, command: Command, keys: str) -> None:
        if (keys,) == command.usual or (not keys and not command.usual):
            self._settings.shortcuts.pop(command.id, None)
        else:
            self._settings.shortcuts[command.id] = keys
        _give(command, (keys,) if keys else ())


def bare(text: str) -> str:
    """Return the words of a menu entry without the mark of its mnemonic, "&", and without "…" at the end.

    Chinese writes the letter in brackets behind the words, "文件(&F)"; they go with it.
    """
    return _BRACKETS.sub("", text).replace("&&", "\0").replace("&", "").replace("\0", "&").rstrip("…")


def _give(command: Command, keys: Sequence[str]) -> None:
    command.action.setShortcuts([QKeySequence(one) for one in keys if one])


def _id(page: str, usual: tuple[str, ...], action: QAction) -> str:
    """Usual keys name an action in every language; one without is named by its English words."""
    return f"{page or 'window'}: {usual[0] if usual else bare(source(action.text()))}"
