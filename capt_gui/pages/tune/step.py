"""The interface of a step of the wizard."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from capt_gui.view_models.desk import Desk


class Step(QWidget):
    """Base of a wizard's step; its constructor takes the desk alone, and `desk.tuning` holds the wizard's view models.

    `changed`: `blocked_because` may answer differently now. `done`: what `prepare_next` began is finished, the next step may come.
    `held`: it could not be finished, and the step has said why. `advised`: its work is over, Next is what one will most likely want.
    """

    changed = Signal()
    done = Signal()
    held = Signal()
    advised = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk

    @property
    def blocked_because(self) -> str:
        """Return a sentence why the next step cannot be opened yet, or "" if it can, which the base class always says.

        Hidden steps are asked too, so this has to be quick.
        """
        return ""

    @property
    def may_continue(self) -> bool:
        """Return True if the next step of the wizard can be opened, because nothing blocks it."""
        return not self.blocked_because

    def enter(self) -> None:
        """Bring the step up to date and take the keyboard focus, as it comes to the front; the base class does nothing."""

    def leave(self) -> None:
        """Stop work that only a visible step needs, as the step or its page is hidden; the base class does nothing."""

    def prepare_next(self) -> None:
        """Begin to write what the next step needs to disk; emit `done` at its end, or `held` if it failed.

        The base class has nothing to write and emits `done` at once.
        """
        self.done.emit()

    def take(self, mime: QMimeData) -> bool:
        """Take what was dropped on the page, `mime`; return False when the step has no use for it, as in the base class."""
        del mime
        return False

    def file_actions(self) -> list[QAction]:
        """Return the step's actions for the File menu, shown while the Tune page is in front; the base class has none."""
        return []

    def run_actions(self) -> list[QAction]:
        """Return the step's actions for the Run menu, shown while the Tune page is in front; the base class has none."""
        return []
