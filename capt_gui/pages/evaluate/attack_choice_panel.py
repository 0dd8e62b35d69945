"""How hard the model is tested: a suite or one attack, how far it may go, and how much the evaluation doubts itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit, QVBoxLayout, QWidget

from capt_engine.records import SUITES, AttackInfo, NormInfo, ThreatModel
from capt_gui.theme import Theme
from capt_gui.view_models.evaluate.choices import CLEAN_ONLY, EvaluateChoices
from capt_gui.view_models.explore import comparison
from capt_gui.view_models.stops import effort_stops, strength_stops
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.knob_slider import KnobSlider
from capt_gui.widgets.labels import column, named, text
from capt_gui.widgets.param_form import ParamForm
from capt_gui.widgets.picker import HEADING, Entry, Picker
from capt_gui.widgets.segments import Segments

_ANY = "\0any"
# it stands in until the catalogue is there
_USUAL = NormInfo("linf", "L∞", "", ThreatModel().eps, 16 / 255)


class TestPanel(QWidget):
    """Shows the choices, and passes on what the user changes; the plain knobs first."""

    # a name that begins with Test is no test
    __test__ = False

    def __init__(self, theme: Theme, choices: EvaluateChoices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._showing = False
        self.test = Picker(self.tr("Test"))
        self._about = text(role="caption")
        self.strength = KnobSlider(theme, self.tr("Strength"), self.tr("faint"), self.tr("strong"))
        self._effort = KnobSlider(theme, self.tr("Effort"), self.tr("quick"), self.tr("thorough"))
        self._norm = Picker(self.tr("Norm"))
        self._norm_box = named(self.tr("Norm"), self._norm)
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
        self._aim_box = column(named(self.tr("Aimed at"), self._aim), self._aim_words, spacing=6)
        self.curve = QCheckBox(self.tr("Curve: accuracy against ε, until chance"))
        self._curve_words = text(role="caption")
        self._curve_box = column(self.curve, self._curve_words, spacing=2)
        self.checks = Segments(theme, self.tr("Checks"), [(key, *words) for key, words in self._check_words().items()])
        self._checks_words = text(role="caption")
        self._target = Picker(self.tr("Target"))
        self._target_box = named(self.tr("Goal"), self._target)
        self._template = QLineEdit()
        self._template.setAccessibleName(self.tr("Sentence"))
        self._template.setToolTip(self.tr("What plain text asks: the name of each class stands in the place of {}"))
        self._form = ParamForm(theme)
        expert = column(self._target_box, self._norm_box, named(self.tr("Sentence"), self._template), self._form)
        self.expert = Fold(theme, self.tr("Expert"), expert, choices.settings.expert_open)
        self._lay_out()
        self._connect()
        self.on_changed()

    def on_changed(self) -> None:
        """Show the present choices."""
        self._showing = True
        self._show_test()
        self._show_knobs()
        self._show_doubts()
        self._show_expert()
        self._showing = False

    def on_strength_changed(self, eps: object) -> None:
        """The user turned Strength."""
        if not self._showing and isinstance(eps, float):
            self._choices.set_eps(eps)

    def on_effort_changed(self, steps: object) -> None:
        """The user turned Effort."""
        if not self._showing and isinstance(steps, int):
            self._choices.set_steps(steps)

    def on_curve_toggled(self, checked: bool) -> None:
        """The user wants a curve, or none."""
        if not self._showing:
            self._choices.set_curve(checked)

    def on_target_picked(self, key: str) -> None:
        """The user chose a goal."""
        self._choices.set_target(None if key == _ANY else key)

    def on_template_edited(self) -> None:
        """The user wrote another sentence."""
        self._choices.set_template(self._template.text().strip())

    def on_form_changed(self) -> None:
        """The user changed an Expert setting."""
        if not self._showing:
            self._choices.set_expert_values(self._form.values())

    def on_expert_toggled(self, expanded: bool) -> None:
        """Remember whether the fold is open."""
        self._choices.settings.expert_open = expanded

    def _show_test(self) -> None:
        choices = self._choices
        entries: list[Entry] = [(self.tr("Suites of attacks"), "", "", HEADING)]
        entries += [(one.label, one.name, one.summary) for one in SUITES if one.adversarial]
        entries.append((self.tr("Without an attacker"), "", "", HEADING))
        entries += [(one.label, one.name, one.summary) for one in SUITES if not one.adversarial]
        entries.append((self.tr("Clean only"), CLEAN_ONLY, self.tr("Nobody attacks.")))
        if choices.attacks:
            entries.append((self.tr("One attack"), "", "", HEADING))
            entries += [(one.label, one.name, one.summary) for one in choices.attacks]
        chosen = choices.settings.evaluate_test
        if all(entry[1] != chosen for entry in entries):
            # chosen last time, and called by its name until the catalogue says what it is
            entries.append((chosen, chosen, ""))
        self.test.set_entries(entries, chosen)
        self._about.setText(choices.test_words())
        self._about.setVisible(bool(self._about.text()))

    def _show_knobs(self) -> None:
        choices = self._choices
        norm = choices.norm or _USUAL
        self.strength.setVisible(choices.has_budget or choices.shared.catalogue is None)
        self.strength.setEnabled(choices.norm is not None)
        self.strength.set_stops(strength_stops(norm, choices.eps))
        self.strength.set_value(choices.eps)
        self._norm_box.setVisible(choices.has_budget)
        self._norm.setEnabled(len(choices.norms) > 1)
        self._norm.set_entries(
            [(one.label, one.name, one.summary) for one in choices.norms] or [(norm.label, norm.name, "")], norm.name
        )
        stops = effort_stops(choices.attack or AttackInfo("", "", "", ()), choices.steps)
        self._effort.set_stops(stops)
        self._effort.set_value(choices.steps)
        self._effort.setVisible(bool(stops))
        self._aim.set_choice(choices.aim)
        self._aim_words.setText(comparison.aim_meaning(choices.aim))
        self._aim_box.setVisible(choices.shared.sides.b is not None and choices.has_attack)

    def _show_doubts(self) -> None:
        choices = self._choices
        self.curve.setChecked(choices.curve)
        self._curve_box.setVisible(choices.has_budget)
        self.curve.setEnabled(choices.can_curve)
        words = self.tr(
            "From 0 over ε on to one half, where any picture can be turned grey. Takes several times as long."
        )
        if choices.norm is not None and choices.norm.name != "linf":
            words = self.tr("From 0 over ε on to the largest budget there is. Takes several times as long.")
        self._curve_words.setText(words)
        self._curve_words.setVisible(choices.curve)
        self.checks.set_choice(choices.checks)
        self._checks_words.setText(self._check_words()[choices.checks][1])

    def _show_expert(self) -> None:
        choices = self._choices
        goals = [(self.tr("Any wrong class"), _ANY, self.tr("Whatever class is easiest to reach."))]
        goals += [(name, name, self.tr("The attack wants to see “{}”.").format(name)) for name in choices.data.names]
        self._target.set_entries(goals, choices.target or _ANY)
        can = choices.has_budget and (choices.attack is None or choices.attack.can_target)
        self._target_box.setVisible(can)
        self._target.setEnabled(len(goals) > 1)
        if not self._template.hasFocus() or choices.data.result is None:
            self._template.setText(choices.template)
        self._template.setPlaceholderText(self.tr("of the data, as in “a photo of a {}.”"))
        params = choices.expert_params()
        self._form.setVisible(bool(params))
        self._form.show_settings(params, choices.expert_values())

    def _check_words(self) -> dict[str, tuple[str, str]]:
        return {
            "off": (self.tr("Off"), self.tr("Only what the rows themselves can answer; the model is not asked again.")),
            "cheap": (
                self.tr("Cheap"),
                self.tr(
                    "The model is asked again on 8 pictures: would noise do the same? Is there a gradient to follow?"
                ),
            ),
            "full": (
                self.tr("Full"),
                self.tr("Several more attacks on up to 100 pictures, as for a figure that is published: much longer."),
            ),
        }

    def _connect(self) -> None:
        choices = self._choices
        self.test.picked.connect(choices.set_test)
        self._norm.picked.connect(choices.set_norm)
        self.strength.value_changed.connect(self.on_strength_changed)
        self._effort.value_changed.connect(self.on_effort_changed)
        self._aim.picked.connect(choices.shared.sides.set_aim)
        self.curve.toggled.connect(self.on_curve_toggled)
        self.checks.picked.connect(choices.set_checks)
        self._target.picked.connect(self.on_target_picked)
        self._template.editingFinished.connect(self.on_template_edited)
        self._form.changed.connect(self.on_form_changed)
        self.expert.toggled.connect(self.on_expert_toggled)
        choices.changed.connect(self.on_changed)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        checks = column(named(self.tr("Checks"), self.checks), self._checks_words, spacing=6)
        for widget in (
            text(self.tr("Test"), "heading"),
            self.test,
            self._about,
            self.strength,
            self._effort,
            self._aim_box,
            self._curve_box,
            checks,
            self.expert,
        ):
            layout.addWidget(widget)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
