"""The attacker's powers: which attack, a few plain knobs, a goal, and an Expert fold drawn from the attack's own description."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_engine.records import AttackInfo, NormInfo, ParamInfo, ThreatModel
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.view_models.attack_choice import AttackChoice
from capt_gui.view_models.explore import comparison
from capt_gui.view_models.stops import effort_stops, strength_stops
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.knob_slider import KnobSlider
from capt_gui.widgets.labels import column, named, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.param_form import ParamForm
from capt_gui.widgets.picker import Entry, Picker
from capt_gui.widgets.segments import Segments

_ANY = "\0any"
# these stand in until the catalogue is there, so that the knobs do not start at the wrong end
_USUAL = NormInfo("linf", "L∞", "", ThreatModel().eps, 16 / 255)
_USUAL_STEPS = 20
_USUAL_ATTACK = AttackInfo("pgd", "PGD", "", (ParamInfo("steps", "Steps", "int", _USUAL_STEPS),))


class AttackChoicePanel(QWidget):
    """Shows an attack choice, and passes on what the user changes."""

    def __init__(
        self,
        theme: Theme,
        choice: AttackChoice,
        title: str,
        entries: Callable[[AttackChoice], list[Entry]],
        *,
        plain: Sequence[QWidget] = (),
        expert: Sequence[QWidget] = (),
        goal_is_plain: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Make the panel over the entries that can be picked.

        plain, expert: what the page adds below the knobs and inside the fold. goal_is_plain: goal and norm stand outside the fold.
        """
        super().__init__(parent)
        self._choice = choice
        self._entries = entries
        self._showing = False
        self.picker = Picker(title)
        self._about = text(role="caption")
        self.strength = KnobSlider(theme, self.tr("Strength"), self.tr("faint"), self.tr("strong"))
        self.effort = KnobSlider(theme, self.tr("Effort"), self.tr("quick"), self.tr("thorough"))
        self.aim = Segments(
            theme,
            self.tr("Attack aimed at"),
            [
                ("each", self.tr("Each its own"), comparison.aim_meaning("each")),
                ("a", "A", comparison.aim_meaning("a")),
                ("b", "B", comparison.aim_meaning("b")),
            ],
        )
        self.aim_text = text(role="caption")
        self.aim_box = column(named(self.tr("Aimed at"), self.aim), self.aim_text, spacing=6)
        self.target = Picker(self.tr("Target"))
        self._target_box = named(self.tr("Goal"), self.target)
        self.norm = Picker(self.tr("Norm"))
        self._norm_box = named(self.tr("Norm"), self.norm)
        self.form = ParamForm(theme)
        goal = (self._target_box, self._norm_box)
        inside = column(*(() if goal_is_plain else goal), *expert, self.form)
        self.expert = Fold(theme, self.tr("Expert"), inside, choice.settings.expert_open)
        above = (text(title, "heading"), self.picker, self._about, self.strength, self.effort, self.aim_box)
        rest = (*(goal if goal_is_plain else ()), *plain, self.expert)
        fill(QVBoxLayout(self), *above, *rest, spacing=10).setAlignment(Qt.AlignmentFlag.AlignTop)
        self._connect()
        self.on_changed()

    def on_changed(self) -> None:
        """Show the chosen attack, norm, budget, steps, goal and Expert settings in the panel's controls."""
        self._showing = True
        self._show_picker()
        self._show_knobs()
        self._show_goal()
        params = self._choice.expert_params()
        self.form.setVisible(bool(params))
        self.form.show_settings(params, self._choice.expert_values())
        self._showing = False

    def on_strength_changed(self, eps: object) -> None:
        """Take the budget `eps` from the Strength knob as the chosen one, unless the panel itself is moving the knob.

        eps: with pixels in [0, 1]; anything but a float is ignored.
        """
        if not self._showing and isinstance(eps, float):
            self._choice.set_eps(eps)

    def on_effort_changed(self, steps: object) -> None:
        """Take the number of `steps` from the Effort knob as the chosen one, unless the panel itself is moving the knob.

        steps: anything but an int is ignored.
        """
        if not self._showing and isinstance(steps, int):
            self._choice.set_steps(steps)

    def on_target_picked(self, key: str) -> None:
        """Take the class named `key` as the attack's target; the key of "Any wrong class" removes the target."""
        self._choice.set_target(None if key == _ANY else key)

    def on_form_changed(self) -> None:
        """Take all values of the Expert form into the attack choice, unless the panel itself is filling the form."""
        if not self._showing:
            self._choice.set_expert_values(self.form.values())

    def on_expert_toggled(self, expanded: bool) -> None:
        """Remember in the settings that the Expert fold is open (`expanded` True) or closed."""
        self._choice.settings.expert_open = expanded

    def _show_picker(self) -> None:
        choice = self._choice
        entries = self._entries(choice)
        if all(entry[1] != choice.name for entry in entries):
            # chosen last time, and called by its name until the catalogue says what it is
            entries = [*entries, (choice.name, choice.name, "")]
        self.picker.set_entries(entries, choice.name)
        self.picker.setVisible(len(entries) > 1)
        self._about.setText(choice.summary())
        self._about.setVisible(len(entries) > 1 and bool(self._about.text()))

    def _show_knobs(self) -> None:
        choice = self._choice
        self.strength.setVisible(choice.has_budget)
        self.strength.setEnabled(choice.norm is not None)
        if choice.norm is not None or choice.norm_name == _USUAL.name:
            self.strength.set_stops(strength_stops(choice.norm or _USUAL, choice.eps))
            self.strength.set_value(choice.eps)
        waits = choice.is_unknown and choice.has_attack
        attack = choice.attack or (_USUAL_ATTACK if waits else AttackInfo("", "", "", ()))
        steps = choice.steps or (_USUAL_STEPS if waits else 0)
        stops = effort_stops(attack, steps)
        self.effort.set_stops(stops)
        self.effort.set_value(steps)
        self.effort.setVisible(bool(stops))
        self.effort.setEnabled(not waits)
        sides = choice.model.sides
        self.aim.set_choice(sides.aim)
        self.aim_text.setText(comparison.aim_meaning(sides.aim))
        self.aim_box.setVisible(sides.b is not None and choice.has_attack)

    def _show_goal(self) -> None:
        choice = self._choice
        goals = [(self.tr("Any wrong class"), _ANY, self.tr("Whatever class is easiest to reach."))]
        goals += [(name, name, self.tr("The attack wants to see “{}”.").format(name)) for name in choice.targets]
        self.target.set_entries(goals, choice.target or _ANY)
        self.target.setEnabled(len(goals) > 1)
        self._target_box.setVisible(choice.can_target)
        norm = choice.norm or _USUAL
        norms = choice.norms or (norm,)
        self.norm.set_entries([(one.label, one.name, one.summary) for one in norms], norm.name)
        set_tooltip(self.norm, norm.summary)
        self.norm.setEnabled(len(norms) > 1)
        self._norm_box.setVisible(choice.has_budget)

    def _connect(self) -> None:
        choice = self._choice
        self.picker.picked.connect(choice.set_attack)
        self.norm.picked.connect(choice.set_norm)
        self.target.picked.connect(self.on_target_picked)
        self.strength.value_changed.connect(self.on_strength_changed)
        self.effort.value_changed.connect(self.on_effort_changed)
        self.aim.picked.connect(choice.model.sides.set_aim)
        self.form.changed.connect(self.on_form_changed)
        self.expert.toggled.connect(self.on_expert_toggled)
        choice.changed.connect(self.on_changed)


def attack_entries(choice: AttackChoice) -> list[Entry]:
    """Return a picker entry (label, name, summary) for every attack that the engine's catalogue offers."""
    return [(info.label, info.name, info.summary) for info in choice.model.attacks]
