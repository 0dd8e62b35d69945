"""The classes the model is asked about: whose they are, and the editor."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from capt_engine.records import ClassesChecked, WordsChecked
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.view_models.explore.changes import ExploreChanges
from capt_gui.view_models.explore.choices import OWN, SUGGESTED, Choices
from capt_gui.view_models.explore.class_check import TokenCheck, WordCheck
from capt_gui.widgets.class_editor import ClassEditor
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picker import Entry, Picker


class ClassesPanel(QWidget):
    """The lists of class names that ship, and the class editor, kept in step with the chosen model and prompts."""

    def __init__(
        self,
        theme: Theme,
        choices: Choices,
        changes: ExploreChanges,
        tokens: TokenCheck,
        words: WordCheck,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._choices = choices
        self._changes = changes
        self._writing = False
        self._words_of = ""
        self.picker = Picker(self.tr("List of classes"))
        self.about = text(role="caption")
        self.source = text(role="caption")
        self.use_model = QPushButton(self.tr("Use the model's own classes"))
        self.use_model.setProperty("link", True)
        set_tooltip(
            self.use_model, self.tr("Ask about the classes that the model suggests, instead of those of the prompts")
        )
        self.editor = ClassEditor(theme)
        self._list_key = ""
        # the names are there to be written over; a list that ships is chosen by its name alone
        self.fold = Fold(theme, self.tr("Names and template"), self.editor)
        use_model = (self.use_model, 0, Qt.AlignmentFlag.AlignRight)
        heading = text(self.tr("Classes"), "heading")
        fill(QVBoxLayout(self), heading, self.picker, self.about, self.source, use_model, self.fold, spacing=4)
        self.picker.picked.connect(self.on_list_picked)
        self.use_model.clicked.connect(changes.use_model_classes)
        self.editor.changed.connect(self.on_written)
        self.editor.restore_clicked.connect(changes.restore_classes)
        choices.changed.connect(self.on_choices_changed)
        tokens.checked.connect(self.on_checked)
        words.checked.connect(self.on_words_checked)
        self.on_choices_changed()

    def on_written(self) -> None:
        """Store the class names and the template that the user wrote, without touching the editor, or its cursor would jump."""
        self._writing = True
        self._changes.write_classes(self.editor.classes(), self.editor.template())
        self._writing = False

    def on_list_picked(self, key: str) -> None:
        """Ask about the class names of the list with this key; for the user's own list the cursor goes into the editor."""
        self._changes.set_class_list(key)
        # the picker names what is asked about, also where nothing has changed yet
        self._show_list()
        if key == OWN:
            self.fold.set_expanded(True)
            self.editor.edit()

    def on_choices_changed(self) -> None:
        """Show the chosen class names and template in the editor, and say which prompts they come from, if any."""
        wanted = (self._choices.classes, self._choices.template)
        if self._words_of != self._choices.settings.model:
            self.editor.set_unknown_words(())
        if not self._writing and wanted != (self.editor.classes(), self.editor.template()):
            self.editor.set_classes(*wanted)
        self._show_list()
        prompts = self._choices.model.sides.suggesting
        own = self._choices.has_own_classes
        source = ""
        if prompts is not None:
            chosen = self.tr("Your choice. The prompts “{}” were tuned on other classes; restore brings those back.")
            suggested = self.tr("Suggested by the prompts “{}”: what they were tuned on.")
            source = (chosen if own else suggested).format(prompts.label)
        self.source.setText(source)
        self.source.setVisible(bool(source))
        model = self._choices.model.info
        other = model is not None and (model.classes, model.template) != wanted
        self.use_model.setVisible(prompts is not None and other)

    def on_checked(self, answer: ClassesChecked) -> None:
        """Show the tokens that the prompt of each class takes, and which are too long or stand twice, as `answer` says."""
        self.editor.set_tokens(answer.tokens, answer.limit, answer.too_long, answer.repeated, answer.alike)

    def on_words_checked(self, answer: WordsChecked) -> None:
        """Show the words that the model was never trained on, as `answer` says, with known ones to put in their place."""
        self._words_of = self._choices.settings.model
        self.editor.set_unknown_words(answer.unknown)

    def _show_list(self) -> None:
        lists, key = self._choices.model.class_lists, self._choices.class_list
        if key == OWN != self._list_key:
            # what is said of names that somebody wrote stands beside them
            self.fold.set_expanded(True)
        self._list_key = key
        suggested = self._choices.suggestion[0]
        entries: list[Entry] = [(f"{one.label} ({len(one.classes):,})", one.id, one.summary) for one in lists]
        if self._choices.model.listing(suggested) is None:
            label = self.tr("Suggested ({:,})").format(len(suggested))
            entries.insert(0, (label, SUGGESTED, self.tr("The classes that the model or its prompts were made for.")))
        entries.append((self.tr("Your own list"), OWN, self.tr("The names that stand below; write over them.")))
        self.picker.set_entries(entries, key)
        self.picker.setEnabled(bool(lists))
        self.about.setText(self.picker.toolTip())
