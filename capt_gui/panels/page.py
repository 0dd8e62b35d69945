"""The base of every page: a banner above its content, its actions, and answers to what the window asks of it."""

from __future__ import annotations

from typing import TypeAlias

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from capt_engine.records import Failure
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.actions import make_action
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.layout import fill

Menus: TypeAlias = dict[str, list[QAction | None]]


class Page(QWidget):
    """A page of the window; one that overrides nothing has no actions, takes nothing and remembers nothing."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.actions_by_menu: Menus = {}
        self.banner = Banner(desk.theme)
        # room around the banner that goes when it goes
        self.banner_room = QWidget()
        self.banner.dismissed.connect(self.on_dismissed)

    def menus(self) -> Menus:
        """Return the page's own actions by menu title; None stands for a separator."""
        return self.actions_by_menu

    def take(self, mime: QMimeData) -> bool:
        """Take what was dropped on the window or pasted; return False when the page has no use for it."""
        del mime
        return False

    def open_paths(self, paths: list[str]) -> None:
        """Take the paths of the command line."""

    def prepare(self) -> None:
        """Make what is slow to make: the window is on the screen and nothing else runs yet."""

    def leave(self) -> None:
        """Put what should be remembered into the settings, and clean up, as the window closes."""

    def say(self, kind: str, message: str, hint: str = "", action: str = "", second: str = "") -> None:
        """Show a message in the banner, of the kinds and with the buttons of `Banner.show_message`."""
        self.banner.show_message(kind, message, hint, action, second)
        self.banner_room.show()

    def clear_banner(self) -> None:
        """Take the message back."""
        self.banner.clear()
        self.banner_room.hide()

    def on_failed(self, failure: Failure) -> None:
        """Show what went wrong, and what helps."""
        self.say("error", failure.message, failure.hint)

    def on_problem(self, message: str, hint: str) -> None:
        """Show what could not be done, and what helps."""
        self.say("warning", message, hint)

    def on_dismissed(self) -> None:
        """Close the room of the banner that the user dismissed."""
        self.banner_room.hide()

    def add_action(self, text: str, slot: object, *keys: str, checked: bool | None = None) -> QAction:
        """Make an action of this page, as `make_action` does."""
        return make_action(self, text, slot, *keys, checked=checked)

    def lay_out(self, content: QWidget | QLayout, *below: QWidget | QLayout) -> None:
        """Put the banner above the content, which takes the room there is, and the rest below."""
        fill(QVBoxLayout(self.banner_room), self.banner, margins=(12, 8, 12, 0))
        self.banner_room.hide()
        fill(QVBoxLayout(self), self.banner_room, (content, 1), *below, spacing=0)
