"""The base of every page: a banner over its content, its actions, and answers to what the window asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from capt_engine.records import Failure
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.actions import make_action
from capt_gui.widgets.banner import Banner, BannerRoom
from capt_gui.widgets.layout import fill

Menus: TypeAlias = dict[str, list[QAction | None]]


class Page(QWidget):
    """A page of the window; one that overrides nothing has no actions, takes nothing and remembers nothing."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.actions_by_menu: Menus = {}
        self.banner = Banner(desk.theme)
        self.banner_room = BannerRoom(self.banner, self)
        # what the banner's buttons do
        self._answers: tuple[Callable[[], object], ...] = ()
        self.banner.dismissed.connect(self.on_dismissed)
        self.banner.action_clicked.connect(self.on_first_clicked)
        self.banner.second_clicked.connect(self.on_second_clicked)
        self.banner.third_clicked.connect(self.on_third_clicked)

    def menus(self) -> Menus:
        """Return the actions that this page adds to the window's menus, by menu title; None stands for a separator."""
        return self.actions_by_menu

    def take(self, mime: QMimeData) -> bool:
        """Take what the user dropped on the window or pasted; return False when this page has no use for it.

        mime: the dropped or pasted data. A plain page takes nothing and returns False.
        """
        del mime
        return False

    def view(self) -> dict[str, Any]:
        """Return what of this page is in front, plain JSON values by name, for a session; a plain page has nothing to say."""
        return {}

    def show_view(self, view: dict[str, Any]) -> None:
        """Show what `view` once returned, as far as it is there; it may come from a file that anybody made."""

    def open_paths(self, paths: list[str]) -> None:
        """Open the files and folders named on the command line that started the window; a plain page does nothing."""

    def preparations(self) -> Iterator[None]:
        """Make the parts that are slow to make, a piece each time the next is asked for, once the window is on the screen.

        The window gets a turn in between. A plain page does nothing.
        """
        yield from ()

    def leave(self) -> None:
        """Store what should be remembered in the settings, and clean up, as the window closes.

        A plain page does nothing.
        """

    def say(self, kind: str, message: str, hint: str = "", action: str = "", second: str = "", third: str = "") -> None:
        """Show a message in the banner over the page.

        kind: "info", "done", "warning" or "error". hint: a second sentence on what helps. action, second, third:
        names of buttons to add; "" adds none.
        """
        self.banner.show_message(kind, message, hint, action, second, third)
        self.banner_room.show()
        self._answers = ()

    def offer(self, kind: str, message: str, hint: str, *answers: tuple[str, Callable[[], object]]) -> None:
        """Show a message in the banner as `say` does, with up to three buttons: the words on each, and what it does."""
        self.say(kind, message, hint, *(words for words, _ in answers))
        self._answers = tuple(answer for _, answer in answers)

    def on_first_clicked(self) -> None:
        """Do what the first button of the banner offers."""
        self._answer(0)

    def on_second_clicked(self) -> None:
        """Do what the second button of the banner offers."""
        self._answer(1)

    def on_third_clicked(self) -> None:
        """Do what the third button of the banner offers."""
        self._answer(2)

    def clear_banner(self) -> None:
        """Remove the message from the banner, and take its room off the page."""
        self.banner.clear()
        self.banner_room.hide()

    def on_failed(self, failure: Failure) -> None:
        """Show a failed job's message, and its hint on what helps, as an error in the banner."""
        self.say("error", failure.message, failure.hint)

    def on_problem(self, message: str, hint: str) -> None:
        """Show in the banner, as a warning, a message about what could not be done, and a hint on what helps."""
        self.say("warning", message, hint)

    def on_dismissed(self) -> None:
        """Take the room of the banner off the page, after the user has dismissed its message."""
        self.banner_room.hide()

    def _answer(self, number: int) -> None:
        if number < len(self._answers):
            self._answers[number]()

    def add_action(self, text: str, slot: object, *keys: str, checked: bool | None = None) -> QAction:
        """Make and return a menu action that belongs to this page and calls `slot` when it is chosen.

        text: its name in the menu. keys: its shortcuts, such as "Ctrl+S". checked: the first state of an action that is
        switched on and off, whose slot gets the new state; None for one that is not.
        """
        return make_action(self, text, slot, *keys, checked=checked)

    def lay_out(self, content: QWidget | QLayout, *below: QWidget | QLayout) -> None:
        """Arrange the page: `content` with all free height, then the parts of `below` in order; the banner lies over them."""
        fill(QVBoxLayout(self), (content, 1), *below, spacing=0)
