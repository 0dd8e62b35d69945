"""Brings the saliency maps of the chosen picture from the view model to the pictures' view of them."""

from __future__ import annotations

from PySide6.QtCore import QObject

from capt_engine.records import SALIENCY_SCORES, AnalyzeRequest, PictureRow, PictureSet
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.saliency_model import Question, SaliencyModel
from capt_gui.widgets.image_tools import SALIENCY
from capt_gui.widgets.image_triptych import ImageTriptych


class SaliencyLink(QObject):
    """Asks while the saliency view is in front, for the picture that is shown; what is known is shown at once."""

    def __init__(self, triptych: ImageTriptych, model: SaliencyModel) -> None:
        super().__init__(triptych)
        self._triptych, self._view, self._model = triptych, triptych.saliency, model
        self._question: Question | None = None
        self._subject: tuple[str, str, AnalyzeRequest, PictureSet] | None = None
        self._side = "a"
        triptych.mode_changed.connect(self.on_mode_changed)
        self._view.asked.connect(self.refresh)
        self._view.cancel_clicked.connect(model.cancel)
        model.changed.connect(self.on_changed)

    def show(
        self,
        item: Item | None,
        row: PictureRow | None,
        run: AnalyzeRequest | None,
        side: str,
        pictures: PictureSet | None,
    ) -> None:
        """Take the picture that is shown now: the answers of `side` to it, the analysis that attacked it, its large pictures."""
        before = self._question
        self._subject, self._side = None, side
        if item is not None and row is not None and run is not None and pictures is not None:
            label = item.label if item.label in row.classes else row.label
            self._subject = (item.path, label, run, pictures)
        if self._ask_for() != before:
            self.refresh()

    def on_mode_changed(self, mode: str) -> None:
        """Ask when the saliency view comes to the front; work ends when another one does."""
        if mode == SALIENCY:
            self.refresh()
        else:
            self._model.leave()

    def refresh(self) -> None:
        """Ask for the maps of the picture that is shown, by the chosen method, if anybody looks at them."""
        if self._triptych.mode != SALIENCY:
            return
        question = self._ask_for()
        self._question = question
        if question is None or self._subject is None:
            self._model.leave()
            self._view.set_result(None, self._view.chosen()[0])
            self._view.show_state("")
            return
        self._model.ask(question, self._subject[-1])

    def on_changed(self) -> None:
        """Show the answer, how far the work is, or why there is none."""
        question = self._question
        if question is None or self._triptych.mode != SALIENCY:
            return
        self._view.set_result(self._model.answer(question), question.method)
        failure = self._model.failure(question)
        running = self._model.is_asking(question)
        words = self._model.progress.text or self.tr("Waiting for its turn") if running else ""
        if failure is not None and not running:
            words = f"{failure.message} {failure.hint}".strip()
        self._view.show_state(words, is_running=running, can_begin=self._model.can_be_asked(question))

    def _ask_for(self) -> Question | None:
        if self._subject is None:
            return None
        path, label, run, _ = self._subject
        method, score, patch = self._view.chosen()
        if method in ("rollout", "drift"):
            score = SALIENCY_SCORES[0]
        return Question(path, run, self._side, label, method, score, patch if method == "occlusion" else 0)
