"""The options of an evaluation beside its attack: a curve, the checks, the template, and the tests that can be picked."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QLineEdit, QVBoxLayout, QWidget

from capt_engine.records import SUITES
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import spoken, tr
from capt_gui.view_models.attack_choice import CLEAN_ONLY, AttackChoice
from capt_gui.view_models.evaluate.choices import EvaluateChoices
from capt_gui.widgets.labels import column, named, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picker import HEADING, Entry
from capt_gui.widgets.segments import Segments


class EvaluateOptions(QWidget):
    """Switch for the curve and level of the checks; `template` is the field for the template, which the page places elsewhere."""

    def __init__(self, theme: Theme, choices: EvaluateChoices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._showing = False
        self.curve = QCheckBox(self.tr("Curve over ε, until chance"))
        set_tooltip(self.curve, self.tr("Curve: accuracy against ε, until chance"))
        self._curve_text = text(role="caption")
        self._curve_box = column(self.curve, self._curve_text, spacing=2)
        self.checks = Segments(theme, self.tr("Checks"), [(key, *level) for key, level in self._levels().items()])
        self._checks_text = text(role="caption")
        self.template_edit = QLineEdit()
        self.template_edit.setAccessibleName(self.tr("Template"))
        set_tooltip(
            self.template_edit, self.tr("What plain text asks: the name of each class stands in the place of {}")
        )
        self.template_edit.setPlaceholderText(self.tr("of the data, as in “a photo of a {}.”"))
        self.template = named(self.tr("Template"), self.template_edit)
        checks = column(named(self.tr("Checks"), self.checks), self._checks_text, spacing=6)
        fill(QVBoxLayout(self), self._curve_box, checks, spacing=10)
        self.curve.toggled.connect(self.on_curve_toggled)
        self.checks.picked.connect(choices.set_checks)
        self.template_edit.editingFinished.connect(self.on_template_edited)
        choices.changed.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the present choices of curve, checks and template."""
        choices = self._choices
        self._showing = True
        self.curve.setChecked(choices.curve)
        self._showing = False
        self._curve_box.setVisible(choices.attack.has_budget)
        self.curve.setEnabled(choices.can_curve)
        note = self.tr(
            "From 0 over ε on to one half, where any picture can be turned grey. Takes several times as long."
        )
        if choices.attack.norm_name != "linf":
            note = self.tr("From 0 over ε on to the largest budget there is. Takes several times as long.")
        self._curve_text.setText(note)
        self._curve_text.setVisible(choices.curve)
        self.checks.set_choice(choices.checks)
        self._checks_text.setText(self._levels()[choices.checks][1])
        if not self.template_edit.hasFocus() or choices.data.result is None:
            self.template_edit.setText(choices.template)

    def on_curve_toggled(self, checked: bool) -> None:
        """Store that a curve of accuracy against ε is to be measured (`checked`), or that none is."""
        if not self._showing:
            self._choices.set_curve(checked)

    def on_template_edited(self) -> None:
        """Store the template (the sentence around a class name) that the user wrote; an empty one means that of the data set."""
        self._choices.set_template(self.template_edit.text().strip())

    def _levels(self) -> dict[str, tuple[str, str]]:
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


def run_entries(choice: AttackChoice) -> list[Entry]:
    """List the tests that can be picked with `choice`: suites of attacks, tests without an attacker, and single attacks.

    Each entry is (label, name, explanation), a heading (text, "", "", HEADING).
    """
    entries: list[Entry] = [(tr("Suites of attacks"), "", "", HEADING)]
    entries += [(spoken(one.label), one.name, spoken(one.summary)) for one in SUITES if one.adversarial]
    entries.append((tr("Without an attacker"), "", "", HEADING))
    entries += [(spoken(one.label), one.name, spoken(one.summary)) for one in SUITES if not one.adversarial]
    entries.append((tr("Clean only"), CLEAN_ONLY, tr("Nobody attacks.")))
    if choice.model.attacks:
        entries.append((tr("One attack"), "", "", HEADING))
        entries += [(one.label, one.name, one.summary) for one in choice.model.attacks]
    return entries
