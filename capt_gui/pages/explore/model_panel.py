"""Which model is asked, with which prompts, about which classes."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_engine.records import ClassesChecked
from capt_gui.pages.explore.labels import named, text
from capt_gui.pages.explore.picker import Picker
from capt_gui.theme import Theme
from capt_gui.view_models.choices import Choices
from capt_gui.view_models.token_check import TokenCheck
from capt_gui.widgets.class_editor import ClassEditor


class ModelPanel(QWidget):
    """Two pickers with what there is to say about the choice."""

    def __init__(self, choices: Choices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._model = Picker("Model")
        self._prompts = Picker("Prompts")
        self._summary = text(role="caption")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(text("Model", "heading"))
        layout.addWidget(self._model)
        layout.addWidget(self._summary)
        layout.addWidget(named("Prompts", self._prompts))
        self._model.picked.connect(choices.set_model)
        self._prompts.picked.connect(choices.set_prompts)
        choices.offered.connect(self.on_choices_changed)
        choices.changed.connect(self.on_choices_changed)
        self.on_choices_changed()

    def on_choices_changed(self) -> None:
        """Show the present choice."""
        catalogue, chosen = self._choices.catalogue, self._choices.settings
        models = catalogue.models if catalogue else ()
        self._model.set_entries(
            [(model.label, model.id, model.summary) for model in models] or [(chosen.model, chosen.model, "")],
            chosen.model,
        )
        prompts = catalogue.prompts if catalogue else ()
        entries = [("None: plain text prompts", "", "The template below, and nothing learned.")]
        self._prompts.set_entries(entries + [(p.label, p.id, p.summary) for p in prompts], chosen.prompts)
        self._prompts.setEnabled(bool(prompts))
        self._model.setEnabled(bool(models))
        info = self._choices.model
        self._summary.setText((info.warning or info.summary) if info else "The list arrives with the engine.")


class ClassesPanel(QWidget):
    """The class editor, kept in step with the chosen model."""

    def __init__(self, theme: Theme, choices: Choices, tokens: TokenCheck, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self._writing = False
        self.editor = ClassEditor(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.editor)
        self.editor.changed.connect(self.on_written)
        self.editor.restore_clicked.connect(choices.restore_classes)
        choices.changed.connect(self.on_choices_changed)
        tokens.checked.connect(self.on_checked)
        self.on_choices_changed()

    def on_written(self) -> None:
        """Take what the user wrote; the editor is left alone meanwhile, or the cursor would jump."""
        self._writing = True
        self._choices.set_classes(self.editor.classes(), self.editor.template())
        self._writing = False

    def on_choices_changed(self) -> None:
        """Show the classes of another model, or the restored ones."""
        wanted = (self._choices.classes, self._choices.template)
        if not self._writing and wanted != (self.editor.classes(), self.editor.template()):
            self.editor.set_classes(*wanted)

    def on_checked(self, answer: ClassesChecked) -> None:
        """Show the token counts."""
        self.editor.set_tokens(answer.tokens, answer.limit, answer.too_long, answer.repeated)
