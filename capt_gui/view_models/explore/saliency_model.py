"""Saliency maps of the chosen picture: computed when they are looked at, and kept."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from capt_engine.records import AnalyzeRequest, Failure, JobProgress, PictureSet, SaliencyRequest, SaliencyResult
from capt_gui.bridge import About, Bridge
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.view_models.one_job import OneJob

_KEPT = 48
_FINAL = "BadRequest"


class Question(NamedTuple):
    """All that decides a saliency map: the picture, the analysis that attacked it, the side that is asked, and how.

    label: the class whose margin is explained. method, score, patch: as a SaliencyRequest has them.
    """

    path: str
    run: AnalyzeRequest
    side: str
    label: str
    method: str
    score: str
    patch: int


class SaliencyModel(OneJob):
    """One question at a time; the last answers are kept. changed: an answer came, progress was made, or it failed."""

    changed = Signal()

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._answers: OrderedDict[Question, SaliencyResult | Failure] = OrderedDict()
        self._asked: Question | None = None

    def answer(self, question: Question) -> SaliencyResult | None:
        """Return the maps that answer a question, None while there are none."""
        found = self._answers.get(question)
        return found if isinstance(found, SaliencyResult) else None

    def failure(self, question: Question) -> Failure | None:
        """Return why there is no answer, as of a model without attention; None where it is not known that there is none."""
        found = self._answers.get(question)
        return found if isinstance(found, Failure) else None

    def can_be_asked(self, question: Question) -> bool:
        """Return True if nothing is known yet, or another try might succeed."""
        known = self._answers.get(question)
        return known is None or (isinstance(known, Failure) and known.kind != _FINAL)

    def is_asking(self, question: Question) -> bool:
        """Return True while this question is being worked on, or waits for its turn."""
        return self.is_running and self._asked == question

    def ask(self, question: Question, pictures: PictureSet) -> None:
        """Compute the answer unless it is known or asked for already; work on another question ends.

        That a model cannot be looked into is known from then on; any other failure is tried again.
        """
        if not self.can_be_asked(question):
            self._answers.move_to_end(question)
            self.leave()
        elif not self.is_asking(question):
            self._asked = question
            self._run(
                SaliencyRequest(
                    question.run,
                    question.side,
                    pictures,
                    question.label,
                    question.method,
                    question.score,
                    question.patch,
                ),
                About(EXPLORE, is_fleeting=True),
                progressed=self.on_progressed,
                finished=self.on_finished,
                failed=self.on_failed,
                cancelled=self.on_cancelled,
            )
        self.changed.emit()

    def leave(self) -> None:
        """End the work under way, as nobody looks at what it would give."""
        if self.is_running:
            self._abandon()

    def on_progressed(self, _event: JobProgress) -> None:
        """Emit `changed`: the line of progress has."""
        self.changed.emit()

    def on_finished(self, result: SaliencyResult) -> None:
        """Keep the answer, and emit `changed`."""
        self._keep(result)

    def on_failed(self, failure: Failure) -> None:
        """Keep why there is no answer, and emit `changed`."""
        self._keep(failure)

    def on_cancelled(self) -> None:
        """Emit `changed` when the user stopped the work."""
        self.changed.emit()

    def _keep(self, found: SaliencyResult | Failure) -> None:
        if self._asked is not None:
            self._answers[self._asked] = found
            while len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        self.changed.emit()
