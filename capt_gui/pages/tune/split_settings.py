"""The left column of step 2: how many training pictures, and what is kept for validation and for the test."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_engine.formatting import exact_percent
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.split_model import SHOTS, SplitModel
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.knob_slider import KnobSlider
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.param_editors import WholeNumberBox
from capt_gui.widgets.segments import Segments

_ALL, _DRAWN, _OWN = "all", "drawn", "own"
_VALIDATION = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
_TESTED = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_LARGEST_SEED = 2**31 - 1


class SplitSettings(QFrame):
    """Settings of the split; every change goes into the project at once, and the split follows a moment later."""

    def __init__(self, theme: Theme, project: TuneProject, split: SplitModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._split = split
        self.setProperty("card", True)
        tip = self.tr("{} training pictures of each class")
        shots = [(_key(number), str(number), tip.format(number)) for number in SHOTS if number is not None]
        shots.append((_ALL, self.tr("All"), self.tr("All pictures but those kept for watching and the test")))
        self.shots = Segments(theme, self.tr("Training pictures of each class"), shots)
        self.parts = Segments(
            theme,
            self.tr("Division"),
            [
                (_DRAWN, self.tr("Drawn here"), self.tr("The pictures are divided by chance, class by class")),
                (_OWN, self.tr("Its own parts"), self.tr("The data's own train, val and test are kept")),
            ],
        )
        self._parts_room = QWidget()
        self._own_note = text(self.tr("What the data calls test stays the test."), "caption")
        self.validation = KnobSlider(theme, self.tr("Validation"), self.tr("none"), self.tr("much"))
        self.validation.set_help(self.tr("Measured after every epoch, to see when it stops getting better"))
        self.tested = KnobSlider(theme, self.tr("Kept for the test"), self.tr("little"), self.tr("much"))
        self.tested.set_help(self.tr("More test pictures make the final figures surer"))
        self.seed = WholeNumberBox()
        self.seed.setRange(0, _LARGEST_SEED)
        self.seed.setAccessibleName(self.tr("Seed"))
        set_tooltip(self.seed, self.tr("The same seed divides the same pictures the same way"))
        self._again = QPushButton(self.tr("Draw again"))
        set_tooltip(self._again, self.tr("Take the next seed"))
        self._lay_out(Symbol(theme, 18, "state-held", "ok"))
        self.shots.picked.connect(self.on_shots_picked)
        self.parts.picked.connect(self.on_parts_picked)
        self.validation.value_changed.connect(self.on_shares_changed)
        self.tested.value_changed.connect(self.on_shares_changed)
        self.seed.valueChanged.connect(self.on_seed_changed)
        self._again.clicked.connect(self.on_again)
        self.refresh()

    def refresh(self) -> None:
        """Show the split settings of the project, and disable them while tuning runs."""
        state, busy = self._project.state, self._project.is_busy
        self.shots.set_choice(_key(state.shots))
        self.parts.set_choice(_OWN if state.own_parts else _DRAWN)
        self._parts_room.setVisible(self._split.has_parts)
        own = state.own_parts and self._split.has_parts
        self._own_note.setVisible(own)
        for knob, stops, value in (
            (self.validation, _VALIDATION, state.val_share),
            (self.tested, _TESTED, state.test_share),
        ):
            values = sorted({*stops, value})
            knob.set_stops([(exact_percent(share), share) for share in values])
            knob.set_value(value)
            knob.setVisible(not own)
        self.seed.blockSignals(True)
        self.seed.setValue(state.seed)
        self.seed.blockSignals(False)
        self.setEnabled(not busy)

    def on_shots_picked(self, key: str) -> None:
        """Take `key`, a whole number as text or "all", as the number of training pictures of each class."""
        self._project.change(shots=None if key == _ALL else int(key))

    def on_parts_picked(self, key: str) -> None:
        """Take `key` as the way to split: "drawn" divides the pictures by chance, "own" keeps the data's own train, val and test."""
        self._project.change(own_parts=key == _OWN)

    def on_shares_changed(self) -> None:
        """Take the shares of pictures that are kept for validation and for the test from the two sliders."""
        validation, tested = self.validation.value(), self.tested.value()
        if isinstance(validation, float) and isinstance(tested, float):
            self._project.change(val_share=validation, test_share=tested)

    def on_seed_changed(self, seed: int) -> None:
        """Take `seed` as the number that decides how the pictures are divided by chance."""
        self._project.change(seed=seed)

    def on_again(self) -> None:
        """Take the next seed, one larger, which divides the pictures in another way."""
        self.seed.setValue((self.seed.value() + 1) % _LARGEST_SEED)

    def _lay_out(self, held: Symbol) -> None:
        division = (text(self.tr("Division"), "heading"), self.parts, self._own_note)
        fill(QVBoxLayout(self._parts_room), *division, margins=(0, 0, 0, 6))
        promise = text(self.tr("Test pictures are never used for tuning."), "strong")
        fill(
            QVBoxLayout(self),
            text(self.tr("Training pictures"), "heading"),
            self.shots,
            text(self.tr("Of each class. More teach more, and take longer."), "caption"),
            10,
            self._parts_room,
            self.validation,
            6,
            self.tested,
            10,
            text(self.tr("Seed"), "strong"),
            fill(QHBoxLayout(), (self.seed, 1), self._again),
            (None, 1),
            fill(QHBoxLayout(), held, (promise, 1), spacing=10),
            text(self.tr("Copies of a picture always stay in one part."), "caption"),
            margins=(16, 14, 16, 14),
        )


def _key(shots: int | None) -> str:
    return _ALL if shots is None else str(shots)
