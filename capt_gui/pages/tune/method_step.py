"""Step 3: which model, which method, how much effort; both attacks, what it will take, and the rest under Expert."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_gui.pages.tune.attack_boxes import AttackBoxes
from capt_gui.pages.tune.forecast_card import ForecastCard
from capt_gui.pages.tune.step import Step
from capt_gui.translate import first_sentence
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.card import Card
from capt_gui.widgets.choice_cards import Choice, ChoiceCards
from capt_gui.widgets.columns import centred
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.labels import column, named, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.param_form import ParamForm
from capt_gui.widgets.picker import Picker
from capt_gui.widgets.scrolled import scrolled

_WIDTH = 1240


class MethodStep(Step):
    """Step 3 of the wizard: shows model, method and effort, and takes what the user changes."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._method = desk.tuning.method
        self._showing = False
        self.model = Picker(self.tr("Model"))
        self._summary = text(role="caption")
        # what there is to say about the chosen preset beyond its first sentence
        self._rest = text(role="caption")
        self.methods = ChoiceCards(desk.theme, self.tr("Method"), stacked=True)
        self.relatives = ChoiceCards(desk.theme, self.tr("Method"), stacked=True)
        self.presets = ChoiceCards(desk.theme, self.tr("Effort"))
        self.attacks = AttackBoxes(desk.theme, self._method)
        self.forecast = ForecastCard(desk.theme, self._method)
        self.form = ParamForm(desk.theme, sentences=True)
        self.others = Fold(desk.theme, self.tr("Other methods (Expert)"), self.relatives)
        self._unsaid = text(
            self.tr(
                "What could be found of the paper on CAPT does not say how α is computed, nor λ, the attack inside training, the learning "
                "rate or the number of epochs. Those values are taken from the methods it builds on, or are ours; each can be changed."
            ),
            "caption",
        )
        self.expert = Fold(desk.theme, self.tr("Settings (Expert)"), column(self._unsaid, self.form))
        self._lay_out()
        self.model.picked.connect(self._method.set_model)
        for cards in (self.methods, self.relatives):
            cards.picked.connect(self._method.set_method)
        self.presets.picked.connect(self._method.set_preset)
        self.form.changed.connect(self.on_form_changed)
        self._method.changed.connect(self.on_changed)
        self.on_changed()

    @property
    def blocked_because(self) -> str:
        """Return a sentence why tuning cannot start with the present choices, or "" if it can."""
        return self._method.problem()

    def enter(self) -> None:
        """Begin to measure the time and memory that the present choices take, and again after each change of them."""
        self._method.set_watched(True)
        self.methods.focus_taken()

    def leave(self) -> None:
        """Stop measuring the time and memory that the choices take, as another step or page comes to the front."""
        self._method.set_watched(False)

    def on_changed(self) -> None:
        """Show the model, the method, the preset (amount of effort) and the Expert settings that are chosen now."""
        self._showing = True
        method, state = self._method, self._method.project.state
        self.model.set_entries(
            [(model.label, model.id, model.summary) for model in method.models] or [(state.model, state.model, "")],
            state.model,
        )
        self.model.setEnabled(bool(method.models))
        info = method.model
        self._summary.setText((info.warning or info.summary) if info else self.tr("The list arrives with the engine."))
        for cards, infos in ((self.methods, method.methods), (self.relatives, method.relatives)):
            cards.set_choices([Choice(one.name, one.label, one.summary) for one in infos], state.method)
        self.others.setVisible(bool(method.relatives))
        self.presets.set_choices(
            [
                Choice(one.name, one.label, first_sentence(one.summary)[0], method.cost_of(one), one.summary)
                for one in method.presets
            ],
            state.preset,
        )
        rest = first_sentence(method.preset.summary)[1] if method.preset else ""
        self._rest.setText(rest)
        self._rest.setVisible(bool(rest))
        self.form.show_settings(method.params(), method.values())
        self._showing = False
        self.changed.emit()

    def on_form_changed(self) -> None:
        """Store the values that the user changed in the form of Expert settings in the project."""
        if not self._showing:
            self._method.project.change(settings=tuple(self.form.values()))

    def _lay_out(self) -> None:
        left = (
            Card(column(named(self.tr("Model"), self.model), self._summary)),
            Card(column(text(self.tr("Method"), "heading"), self.methods, self.others)),
            Card(self.forecast),
        )
        right = (
            Card(column(text(self.tr("Effort"), "heading"), self.presets, self._rest)),
            self.attacks,
            Card(self.expert),
        )
        sides = [fill(QVBoxLayout(), *cards, (None, 1), spacing=12) for cards in (left, right)]
        panels = QWidget()
        fill(QHBoxLayout(panels), (sides[0], 2), (sides[1], 3), spacing=14, margins=(20, 16, 20, 16))
        fill(QVBoxLayout(self), scrolled(centred(panels, _WIDTH)))
