"""The verdict's place for a picture that the model cannot know: that first, its answer smaller, and what helps."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from capt_engine.records import PictureRow
from capt_gui.theme import Theme
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.explore import unlike_training
from capt_gui.widgets.verdict_box import VerdictBox

_MOST_WAYS = 2


class UnlikeTrainingBox(VerdictBox):
    """Emits `model_picked(id)` for another model to ask, and `models_clicked` for the page where models are downloaded."""

    model_picked = Signal(str)
    models_clicked = Signal()

    def __init__(self, theme: Theme, engine: EngineState, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._engine = engine
        self._ways: tuple[unlike_training.Help, ...] = ()
        self.set_narrow()
        self.buttons = [self.add_button("", "", primary=not place, link=bool(place)) for place in range(_MOST_WAYS)]
        for place, button in enumerate(self.buttons):
            button.clicked.connect(partial(self.on_clicked, place))
        self.hide()

    def show_row(self, row: PictureRow, answer: str) -> None:
        """Show that the picture of `row` is out of distribution, with `answer`, the model's answer in a line, and what helps."""
        self.set_verdict(
            "unknown", unlike_training.headline(), unlike_training.answer(answer), unlike_training.evidence()
        )
        self._ways = unlike_training.helps(row, self._engine.catalogue)
        for button, way in zip(self.buttons, self._ways, strict=False):
            button.setText(way.text)
            button.setAccessibleName(way.text)
        self.show_buttons(*self.buttons[: len(self._ways)])

    def on_clicked(self, place: int) -> None:
        """Emit the way out of the button at `place`: another model, or the page of models."""
        way = self._ways[place]
        if way.model:
            self.model_picked.emit(way.model)
        else:
            self.models_clicked.emit()
