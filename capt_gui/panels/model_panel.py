"""Which model is asked, and with which prompts: A, and perhaps B beside it."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from capt_engine.records import NO_PROMPTS
from capt_gui.theme import Theme
from capt_gui.translate import tr
from capt_gui.view_models.explore.sides import SUFFIX, CheckpointOption
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picker import CLOSED, HEADING, Entry, Picker
from capt_gui.widgets.side_badge import SIDES, SideBadge

_NOTHING = "\0nothing"
_OPEN = "\0open"


class ModelPanel(QWidget):
    """Three pickers with what there is to say about the choice; the last entry of either side opens a file with prompts."""

    def __init__(self, theme: Theme, choice: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._choice = choice
        # a test answers in the dialog's place
        self.ask = ask_for_checkpoint
        self._model = Picker(self.tr("Model"))
        self.picker_a = Picker(self.tr("Prompts A"))
        self.picker_b = Picker(self.tr("Prompts B"))
        swap = self.tr("Swap A and B")
        self.swap_button = IconButton(theme, "swap", self.tr("Let A and B change places"), "text_muted", swap)
        self._summary = text(role="caption")
        self._lay_out()
        self._model.picked.connect(choice.set_model)
        self.picker_a.picked.connect(self.on_a_picked)
        self.picker_b.picked.connect(self.on_b_picked)
        self.swap_button.clicked.connect(choice.sides.swap)
        choice.offered.connect(self.on_choice_changed)
        choice.changed.connect(self.on_choice_changed)
        self.on_choice_changed()

    def on_choice_changed(self) -> None:
        """Show the chosen model, its summary or warning, and the prompts of A and B in the pickers as they are now."""
        models, chosen = self._choice.catalogue.models, self._choice.settings
        self._model.set_entries(
            [(model.label, model.id, model.summary) for model in models] or [(chosen.model, chosen.model, "")],
            chosen.model,
        )
        self._model.setEnabled(bool(models))
        info = self._choice.info
        self._summary.setText((info.warning or info.summary) if info else self.tr("The list arrives with the engine."))
        sides = self._choice.sides
        nothing = (self.tr("No comparison"), _NOTHING, self.tr("Only the prompts of A are asked."))
        self.picker_a.set_entries(self._entries(), sides.a)
        self.picker_b.set_entries([nothing, *self._entries()], _NOTHING if sides.b is None else sides.b)
        for picker in (self.picker_a, self.picker_b):
            picker.setEnabled(self._choice.is_ready)
        self.swap_button.setEnabled(self._choice.is_ready and sides.b is not None)

    def on_a_picked(self, key: str) -> None:
        """Take the prompts with the id `key` as side A; the key of the entry "Open a checkpoint…" asks for a file."""
        if key == _OPEN:
            self._ask_for("a")
        else:
            self._choice.sides.set_a(key)

    def on_b_picked(self, key: str) -> None:
        """Take the prompts with the id `key` as side B; that of the entry "No comparison" leaves B empty.

        The key of the entry "Open a checkpoint…" asks for a file.
        """
        if key == _OPEN:
            self._ask_for("b")
        else:
            self._choice.sides.set_b(None if key == _NOTHING else key)

    def _ask_for(self, side: str) -> None:
        # the picker shows what is chosen, not the wish for something else
        self.on_choice_changed()
        if path := self.ask(self, self._choice.settings.last_folder):
            self._choice.sides.open_file(path, side)

    def _entries(self) -> list[Entry]:
        """Plain text, what ships, the user's own, what was made for another model, and a way to more."""
        entries: list[Entry] = [
            (self.tr("None: plain text prompts"), NO_PROMPTS, self.tr("The template below, and nothing learned."))
        ]
        checkpoints = self._choice.sides.checkpoints()
        fitting = [option for option in checkpoints if not option.made_for]
        another = (self.tr("Open a checkpoint…"), _OPEN, self.tr("Choose prompts that were saved to a file."))
        groups: tuple[tuple[str, list[Entry]], ...] = (
            (self.tr("With the program"), [self._entry(option) for option in fitting if option.info.bundled]),
            (self.tr("Your own"), [*(self._entry(option) for option in fitting if not option.info.bundled), another]),
            (self.tr("For another model"), [self._entry(option) for option in checkpoints if option.made_for]),
        )
        for title, group in groups:
            if group:
                entries += [(title, "", "", HEADING), *group]
        return entries

    def _entry(self, option: CheckpointOption) -> Entry:
        if option.made_for:
            return option.info.label, option.info.id, self.tr("Made for {}.").format(option.made_for), CLOSED
        return option.info.label, option.info.id, option.info.summary

    def _lay_out(self) -> None:
        prompts = ElidedLabel(self.tr("Prompts"), "muted")
        above = fill(QHBoxLayout(), (prompts, 1), self.swap_button)
        sides = QGridLayout()
        sides.setSpacing(8)
        for row, (side, picker) in enumerate(zip(SIDES, (self.picker_a, self.picker_b), strict=True)):
            sides.addWidget(SideBadge(self._theme, side, 20), row, 0)
            sides.addWidget(picker, row, 1)
        sides.setColumnStretch(1, 1)
        fill(QVBoxLayout(self), text(self.tr("Model"), "heading"), self._model, self._summary, above, sides)
        for before, after in (
            (self._model, self.swap_button),
            (self.swap_button, self.picker_a),
            (self.picker_a, self.picker_b),
        ):
            QWidget.setTabOrder(before, after)


def ask_for_checkpoint(window: QWidget, folder: str) -> str:
    """Open a file dialog that begins in `folder`, and return the path of the prompt checkpoint chosen, "" if cancelled.

    window: the widget that the dialog belongs to.
    """
    kind = tr("Prompt checkpoints (*{})").format(SUFFIX)
    path, _ = QFileDialog.getOpenFileName(window, tr("Open a prompt checkpoint"), folder, kind)
    return path
