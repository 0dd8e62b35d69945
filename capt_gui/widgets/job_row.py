"""One job in the list: what it is, how far it is, and what can be done about it."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import selectable, text
from capt_gui.widgets.layout import fill

_STEPS = 1000
_SYMBOLS = {
    "waiting": ("state-waiting", "text_muted"),
    "running": ("state-running", "accent"),
    "paused": ("pause", "text_muted"),
    "finished": ("check", "ok"),
    "failed": ("state-failed", "broken"),
    "cancelled": ("close", "text_muted"),
}


class JobRowState(NamedTuple):
    """All that a row shows. state: "waiting", "running", "paused", "finished", "failed" or "cancelled".

    place: the page of the job; text: how far it is, or how it ended; share: done, None where not known. The others say which buttons
    there are.
    """

    title: str
    place: str
    state: str
    text: str
    share: float | None = None
    may_cancel: bool = False
    may_retry: bool = False
    may_open: bool = False


class JobRow(QFrame):
    """A symbol, the title, a bar while it runs, a line below, and the buttons that make sense now."""

    cancel_clicked = Signal()
    retry_clicked = Signal()
    open_clicked = Signal()
    copy_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("jobRow", True)
        self._symbol = Symbol(theme, 18)
        self._title = ElidedLabel(text_role="strong")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._line = ElidedLabel()
        self._reason = text(role="caption")
        selectable(self._reason)
        self.cancel = self._button(self.tr("Cancel"), self.cancel_clicked)
        self.retry = self._button(self.tr("Retry"), self.retry_clicked)
        self.open = self._button(self.tr("Open"), self.open_clicked)
        self.copy = self._button(self.tr("Copy the reason"), self.copy_clicked)
        below = fill(QHBoxLayout(), (self._line, 1), self.copy, self.cancel, self.retry, self.open, spacing=6)
        words = fill(QVBoxLayout(), self._title, self._bar, self._reason, below, spacing=5)
        fill(
            QHBoxLayout(self),
            (self._symbol, 0, Qt.AlignmentFlag.AlignTop),
            (words, 1),
            spacing=10,
            margins=(12, 10, 12, 10),
        )

    def show_state(self, state: JobRowState) -> None:
        """Show all of `state`; a button that had the keyboard and is gone hands it to the next one."""
        had_focus = any(one.hasFocus() for one in self._buttons())
        self._symbol.set_icon(*_SYMBOLS[state.state])
        self._title.set_text(state.title)
        is_under_way = state.state in ("running", "paused")
        self._bar.setVisible(is_under_way)
        self._bar.setRange(0, 0 if state.share is None else _STEPS)
        if state.share is not None:
            self._bar.setValue(round(state.share * _STEPS))
        self._bar.setAccessibleName(self.tr("Progress of “{}”").format(state.title))
        self._bar.setAccessibleDescription(state.text)
        is_failed = state.state == "failed"
        self._reason.setText(state.text if is_failed else "")
        self._reason.setVisible(is_failed)
        self._line.set_text(state.place if is_failed else " · ".join(filter(None, (state.place, state.text))))
        for button, is_there in zip(
            self._buttons(), (is_failed, state.may_cancel, state.may_retry, state.may_open), strict=True
        ):
            button.setVisible(is_there)
            # screen readers hear which job is meant
            button.setAccessibleName(f"{button.text()}: {state.title}")
        self.setAccessibleName(f"{state.title}. {state.text}")
        if had_focus and not any(one.hasFocus() for one in self._buttons()):
            self.first_button().setFocus()

    def first_button(self) -> QWidget:
        """Return the first of the buttons that there are now; the row itself where there is none."""
        return next((one for one in self._buttons() if not one.isHidden()), self)

    def _buttons(self) -> tuple[QPushButton, ...]:
        return self.copy, self.cancel, self.retry, self.open

    def _button(self, name: str, clicked: SignalInstance) -> QPushButton:
        button = QPushButton(name)
        button.setProperty("chip", True)
        button.clicked.connect(clicked)
        return button
