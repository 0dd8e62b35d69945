"""Counts tokens while the user writes class names: a moment after the last key, and only the latest list."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.records import CheckClassesRequest
from capt_gui.bridge import Bridge
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.one_job import OneJob

DELAY_MS = 400


class TokenCheck(OneJob):
    """Asks the engine whenever model, classes or template differ from what was asked; `checked` brings the answer."""

    checked = Signal(object)

    def __init__(self, bridge: Bridge, choices: Choices, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._choices = choices
        self._requested: CheckClassesRequest | None = None
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.on_timeout)
        choices.changed.connect(self.on_choices_changed)
        bridge.closing.connect(self._timer.stop)

    def on_choices_changed(self) -> None:
        """Start the wait of 400 milliseconds anew if model, classes or template differ from those last counted."""
        if self._wanted() != self._requested:
            self._timer.start()

    def on_timeout(self) -> None:
        """Ask the engine to count the tokens of the present class names; a count still under way is dropped.

        Nothing happens if the same was asked before, or while the choices are incomplete.
        """
        wanted = self._wanted()
        if wanted is None or wanted == self._requested:
            return
        self._requested = wanted
        # a question that failed is simply left open
        self._run(wanted, finished=self.checked)

    def _wanted(self) -> CheckClassesRequest | None:
        choices = self._choices
        if choices.model.info is None or not choices.classes or "{}" not in choices.template:
            return None
        return CheckClassesRequest(choices.settings.model, choices.classes, choices.template)
