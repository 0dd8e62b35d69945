"""Has class names looked at while the user writes them: a moment after the last key, and only the latest list."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.records import CheckClassesRequest, CheckWordsRequest
from capt_gui.bridge import Bridge
from capt_gui.view_models.evaluate.choices import EvaluateChoices
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.one_job import OneJob

DELAY_MS = 400
Question = CheckClassesRequest | CheckWordsRequest


class ClassCheck(OneJob):
    """Asks the engine whenever model, classes or template differ from what was asked; `checked` brings the answer."""

    checked = Signal(object)
    question: ClassVar[type[Question]]

    def __init__(self, bridge: Bridge, choices: Choices | EvaluateChoices, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._choices = choices
        self._requested: Question | None = None
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.on_timeout)
        choices.changed.connect(self.on_choices_changed)
        bridge.closing.connect(self._timer.stop)

    def on_choices_changed(self) -> None:
        """Start the wait of 400 milliseconds anew if model, classes or template differ from those last asked about."""
        if self._wanted() != self._requested:
            self._timer.start()

    def on_timeout(self) -> None:
        """Ask the engine about the present class names; a question still under way is dropped.

        Nothing happens if the same was asked before, or while the choices are incomplete.
        """
        wanted = self._wanted()
        if wanted is None or wanted == self._requested:
            return
        self._requested = wanted
        # a question that failed is simply left open
        self._run(wanted, finished=self.checked)

    def _wanted(self) -> Question | None:
        choices = self._choices
        if choices.model.info is None or not choices.classes or "{}" not in choices.template:
            return None
        return self.question(choices.model.settings.model, choices.classes, choices.template)


class TokenCheck(ClassCheck):
    """Counts the tokens of class names as the model does, which has to be loaded for that."""

    question = CheckClassesRequest


class WordCheck(ClassCheck):
    """Finds words that the model was never trained on; it is answered while the model loads or computes."""

    question = CheckWordsRequest
