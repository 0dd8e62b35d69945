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
        """Return why the next step is closed, in a sentence; empty when it is open. Asked of hidden steps too: keep it quick."""
        return ""

    @property
    def may_continue(self) -> bool:
        """Return True if the next step is open."""
        return not self.blocked_because

    def enter(self) -> None:
        """Bring up to date what depends on earlier steps and take the focus, as the step comes to the front."""

    def leave(self) -> None:
        """Stop what only a visible step needs; the whole state is in `desk.tuning.project` already."""

    def prepare_next(self) -> None:
        """Finish what has to be on disk before the next step, and emit `done` then, or `held` when that failed."""
        self.done.emit()

    def take(self, mime: QMimeData) -> bool:
        """Take what was dropped on the page; return False when the step has no use for it."""
        del mime
        return False

    def file_actions(self) -> list[QAction]:
        """Return the actions that the File menu shows while the Tune page is in front."""
        return []

    def run_actions(self) -> list[QAction]:
        """Return the actions that the Run menu shows while the Tune page is in front."""
        return []
