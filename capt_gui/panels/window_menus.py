"""The menus of the window: the entries of the frame and of every page, of which those of the page in front are shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from capt_gui.panels.page import Menus
from capt_gui.translate import tr

EVERYWHERE = ""
"""The scope of entries that belong to no page."""


class WindowMenus:
    """Fills the menu bar. An entry of a page that is not in front is hidden, and its shortcut does nothing then."""

    def __init__(self, window: QMainWindow, titles: Sequence[str]) -> None:
        """titles: of the menus, in order; others that pages bring come behind them."""
        self._window = window
        self._menus: dict[str, QMenu] = {}
        self._of: list[tuple[str, str, QAction]] = []
        # the first of the frame's last entries of a menu: what pages add stands before it
        self._tails: dict[str, QAction] = {}
        for title in titles:
            self._menu(title)

    def add(self, menus: Menus, scope: str = EVERYWHERE) -> None:
        """Add entries to the menus that they name, None for a separator; before those of `add_last`. scope: the key of their page."""
        for title, actions in menus.items():
            menu, tail = self._menu(title), self._tails.get(title)
            for action in actions:
                entry = QAction(menu) if action is None else action
                entry.setSeparator(action is None)
                if tail is None:
                    menu.addAction(entry)
                else:
                    menu.insertAction(tail, entry)
                if action is not None:
                    self._of.append((scope, title, action))

    def add_last(self, menus: Menus) -> None:
        """Add entries of the frame at the end of the menus that they name; what is added later stands before them."""
        ends = {title: self._menu(title).actions() for title in menus}
        self.add(menus)
        for title, before in ends.items():
            if (first := self._menu(title).actions()[len(before) :]) and title not in self._tails:
                self._tails[title] = first[0]

    def show_for(self, page: str) -> None:
        """Show the entries of the page of this key and those of the frame, and hide the others and the menus that are empty then."""
        for scope, _, action in self._of:
            if scope != EVERYWHERE:
                action.setVisible(scope == page)
        for menu in self._menus.values():
            entries = [action for action in menu.actions() if not action.isSeparator()]
            menu.menuAction().setVisible(any(action.isVisible() for action in entries))

    def actions(self) -> tuple[tuple[str, str, QAction], ...]:
        """Return (scope, menu title, action) of every entry, in order."""
        return tuple(self._of)

    def _menu(self, title: str) -> QMenu:
        if title not in self._menus:
            self._menus[title] = self._window.menuBar().addMenu(tr(title))
        return self._menus[title]
