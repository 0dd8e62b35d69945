"""Name, notes and licence of the tuned prompts; where they go from here; and the command that makes them again."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.result import TuneResultModel
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.save_dialog import ask_for_new_folder


class SaveCard(QWidget):
    """Card that names and saves the tuned prompts; emits `use_clicked` and `report_clicked` for other pages."""

    use_clicked = Signal()
    report_clicked = Signal()

    def __init__(
        self, theme: Theme, result: TuneResultModel, project: TuneProject, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._result, self._project = result, project
        # a test answers in the dialog's place
        self.ask = ask_for_new_folder
        self.name, self.licence = QLineEdit(), QLineEdit()
        self.notes = QPlainTextEdit()
        self.notes.setTabChangesFocus(True)
        self.notes.setMaximumHeight(84)
        self.licence.setPlaceholderText(self.tr("for example CC-BY-4.0"))
        for field, label in (
            (self.name, self.tr("Name of the prompts")),
            (self.notes, self.tr("Notes")),
            (self.licence, self.tr("Licence")),
        ):
            field.setAccessibleName(label)
        self.save = TextButton(theme, self.tr("Save"), "check", look="primary")
        tip = self.tr("Prompts, model card and manifest, in the layout of Hugging Face")
        self.folder = TextButton(theme, self.tr("Save as a folder…"), "folder", tip=tip)
        self.use = TextButton(theme, self.tr("Use in the explorer"), "explore")
        self.report = TextButton(theme, self.tr("Report"), "report")
        self._where = text(role="caption")
        self.command = QPlainTextEdit()
        self.command.setReadOnly(True)
        self.command.setProperty("command", True)
        self.command.setTabChangesFocus(True)
        self.command.setMaximumHeight(118)
        self.command.setAccessibleName(self.tr("The command that does the same"))
        self.copy = TextButton(theme, self.tr("Copy"), "copy")
        self.copy.setAccessibleName(self.tr("Copy the command"))
        self._command_box = QWidget()
        self._lay_out()
        self.save.clicked.connect(self.on_save)
        self.folder.clicked.connect(self.on_save_folder)
        self.use.clicked.connect(self.use_clicked)
        self.report.clicked.connect(self.report_clicked)
        self.copy.clicked.connect(self.on_copy)
        self.name.textEdited.connect(self.on_edited)
        self.licence.textEdited.connect(self.on_edited)
        self.notes.textChanged.connect(self.on_edited)
        for source in (result, project):
            source.changed.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the name, notes and licence that the project has for its prompts, and enable the buttons that are possible."""
        state = self._project.state
        self.name.setPlaceholderText(self._project.state.title or self.tr("Tuned prompts"))
        for field, value in ((self.name, state.name), (self.licence, state.licence)):
            if field.text() != value:
                field.setText(value)
        if self.notes.toPlainText() != state.notes:
            self.notes.blockSignals(True)
            self.notes.setPlainText(state.notes)
            self.notes.blockSignals(False)
        there = self._result.prompts_file.exists()
        for button in (self.save, self.folder):
            button.setEnabled(there and not self._result.is_saving)
        self.use.setEnabled(there)
        problem = self._result.report_problem()
        self.report.setEnabled(not problem)
        set_tooltip(self.report, problem)
        self._where.setText(self._where_text())
        command = self._result.command
        self._command_box.setVisible(bool(command))
        if self.command.toPlainText() != command:
            self.command.setPlainText(command)

    def on_edited(self) -> None:
        """Store the name, the notes and the licence that the user wrote in the project."""
        self._project.change(name=self.name.text(), notes=self.notes.toPlainText(), licence=self.licence.text())

    def on_save(self) -> None:
        """Install the tuned prompts under the name of the project, so that every list of prompts offers them."""
        self._result.save()

    def on_save_folder(self) -> None:
        """Ask for a new folder and have prompts, model card and manifest written there; do nothing when that is cancelled."""
        start = Path.home() / (self.name.text() or self.name.placeholderText())
        folder = self.ask(self, self.tr("Save as a new folder"), start)
        if folder:
            self._result.save(folder)

    def on_copy(self) -> None:
        """Put the command line that makes the same prompts again on the clipboard."""
        QGuiApplication.clipboard().setText(self._result.command)
        self.copy.setText(self.tr("Copied"))

    def _where_text(self) -> str:
        if self._result.is_saving:
            return self.tr("Saving…")
        if self._project.state.saved:
            return self.tr("Saved: every list of prompts offers them now.")
        return self.tr("Save installs them, so that the explorer and the command line find them.")

    def _lay_out(self) -> None:
        buttons = QGridLayout()
        buttons.setSpacing(8)
        for number, button in enumerate((self.save, self.folder, self.use, self.report)):
            buttons.addWidget(button, number // 2, number % 2)
        head = fill(
            QHBoxLayout(), (text(self.tr("The command that does the same"), "heading"), 1), self.copy, spacing=6
        )
        fill(QVBoxLayout(self._command_box), head, self.command, spacing=6, margins=(0, 6, 0, 0))
        fill(
            QVBoxLayout(self),
            text(self.tr("Keep these prompts"), "heading"),
            named(self.tr("Name"), self.name),
            named(self.tr("Notes"), self.notes),
            named(self.tr("Licence"), self.licence),
            buttons,
            self._where,
            self._command_box,
            spacing=10,
        )
