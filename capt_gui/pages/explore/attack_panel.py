"""What the attacker may do: two plain knobs, a goal, and an Expert fold drawn from the attack's own description."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_engine.records import AttackInfo, NormInfo, ParamInfo, ThreatModel
from capt_gui.theme import Theme
from capt_gui.view_models.explore import comparison
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.stops import effort_stops, strength_stops
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.knob_slider import KnobSlider
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.param_form import ParamForm
from capt_gui.widgets.picker import Picker
from capt_gui.widgets.segments import Segments

_ANY = "\0any"
# these stand in until the catalogue is there, so that the knobs do not start at the wrong end
_USUAL = NormInfo("linf", "L∞", "", ThreatModel().eps, 16 / 255)
_USUAL_STEPS = 20
_USUAL_ATTACK = AttackInfo("pgd", "PGD", "", (ParamInfo("steps", "Steps", "int", _USUAL_STEPS),))


class AttackPanel(QWidget):
    """Shows the choices, and passes on what the user changes."""

    def __init__(self, theme: Theme, choices: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._showing = False
        self._attack = Picker("Attack")
        self._attack_box = named("Attack", self._attack)
        self._about = text(role="caption")
        self._norm = Picker("Norm")
        self._norm_box = named("Norm", self._norm)
        self._target = Picker("Target")
        self._strength = KnobSlider(theme, "Strength", "faint", "strong")
        self._effort = KnobSlider(theme, "Effort", "quick", "thorough")
        self._aim = Segments(
            theme,
            self.tr("Attack aimed at"),
            [
                ("each", self.tr("Each its own"), comparison.aim_meaning("each")),
                ("a", "A", comparison.aim_meaning("a")),
                ("b", "B", comparison.aim_meaning("b")),
            ],
        )
        self._aim_words = text(role="caption")
        self._aim_box = QWidget()
        self._form = ParamForm(theme)
        self._expert = Fold(theme, "Expert", self._form, choices.settings.expert_open)
        self._lay_out()
        self._attack.picked.connect(choices.set_attack)
        self._norm.picked.connect(choices.set_norm)
        self._target.picked.connect(self.on_target_picked)
        self._strength.value_changed.connect(self.on_strength_changed)
        self._effort.value_changed.connect(self.on_effort_changed)
        self._aim.picked.connect(choices.sides.set_aim)
        self._form.changed.connect(self.on_form_changed)
        self._expert.toggled.connect(self.on_expert_toggled)
        choices.changed.connect(self.on_choices_changed)
        self.on_choices_changed()

    def on_choices_changed(self) -> None:
        """Show the present choices."""
        self._showing = True
        self._show_pickers()
        self._show_aim()
        self._show_knobs()
        self._show_form()
        self._showing = False

    def on_strength_changed(self, eps: object) -> None:
        """The user turned Strength."""
        if not self._showing and isinstance(eps, float):
            self._choices.set_eps(eps)

    def on_effort_changed(self, steps: object) -> None:
        """The user turned Effort."""
        if not self._showing and isinstance(steps, int):
            self._choices.set_steps(steps)

    def on_target_picked(self, key: str) -> None:
        """The user chose a goal."""
        self._choices.set_target(None if key == _ANY else key)

    def on_form_changed(self) -> None:
        """The user changed an Expert setting."""
        if not self._showing:
            self._choices.set_expert_values(self._form.values())

    def on_expert_toggled(self, expanded: bool) -> None:
        """Remember whether the fold is open."""
        self._choices.settings.expert_open = expanded

    def _show_pickers(self) -> None:
        catalogue, chosen = self._choices.catalogue, self._choices.settings
        attacks = catalogue.attacks if catalogue else ()
        self._attack.set_entries([(info.label, info.name, info.summary) for info in attacks], chosen.attack)
        self._attack_box.setVisible(len(attacks) > 1)
        attack = self._choices.attack
        self._about.setText(attack.summary if attack is not None else "")
        self._about.setVisible(len(attacks) > 1 and bool(self._about.text()))
        norms = self._choices.norms
        entries = [(info.label, info.name, info.summary) for info in norms]
        self._norm.set_entries(entries or [(_USUAL.label, _USUAL.name, "")], chosen.norm)
        self._norm.setEnabled(bool(norms))
        self._norm_box.setVisible(not self._choices.has_own_budget)
        self._target.setEnabled(bool(self._choices.classes) and (attack is None or attack.can_target))
        self._norm.setToolTip(self._choices.norm.summary if self._choices.norm else "")
        goals = [("Any wrong class", _ANY, "The attack looks for whatever class is easiest to reach.")]
        goals += [(name, name, f"The attack wants to see “{name}”.") for name in self._choices.classes]
        self._target.set_entries(goals, self._choices.target or _ANY)

    def _show_aim(self) -> None:
        sides = self._choices.sides
        self._aim.set_choice(sides.aim)
        self._aim_words.setText(comparison.aim_meaning(sides.aim))
        self._aim_box.setVisible(sides.b is not None)

    def _show_knobs(self) -> None:
        norm, attack = self._choices.norm, self._choices.attack
        self._strength.setVisible(not self._choices.has_own_budget)
        self._strength.setEnabled(norm is not None)
        self._effort.setEnabled(attack is not None)
        if norm is not None or self._choices.settings.norm == _USUAL.name:
            self._strength.set_stops(strength_stops(norm or _USUAL, self._choices.eps))
            self._strength.set_value(self._choices.eps)
        steps = self._choices.steps or (_USUAL_STEPS if attack is None else 0)
        stops = effort_stops(attack or _USUAL_ATTACK, steps)
        self._effort.set_stops(stops)
        self._effort.set_value(steps)
        self._effort.setVisible(bool(stops))

    def _show_form(self) -> None:
        params = self._choices.expert_params()
        self._expert.setEnabled(bool(params))
        self._form.show_settings(params, self._choices.expert_values())

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(text("Attack", "heading"))
        layout.addWidget(self._attack_box)
        layout.addWidget(self._about)
        aim = QVBoxLayout(self._aim_box)
        aim.setContentsMargins(0, 0, 0, 0)
        aim.setSpacing(6)
        aim.addWidget(named(self.tr("Aimed at"), self._aim))
        aim.addWidget(self._aim_words)
        layout.addWidget(self._aim_box)
        layout.addWidget(self._strength)
        layout.addWidget(self._effort)
        layout.addWidget(named("Goal", self._target))
        layout.addWidget(self._norm_box)
        layout.addWidget(self._expert)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
