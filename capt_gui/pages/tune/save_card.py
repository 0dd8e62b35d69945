"""Name, notes and licence of the tuned prompts; where they go from here; and the command that makes them again."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.result import TuneResultModel
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.save_dialog import ask_for_new_folder


class SaveCard(QWidget):
    """`use_clicked`, `report_clicked`: on to another page. Saving itself is the model's."""

    use_clicked = Signal()
    report_clicked = Signal()

    def __init__(
        self, theme: Theme, result: TuneResultModel, project: TuneProject, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._result, self._project = theme, result, project
        # a test answers in the dialog's place
        self.ask = ask_for_new_folder
        self.name, self.licence = QLineEdit(), QLineEdit()
        self.notes = QPlainTextEdit()
        self.notes.setTabChangesFocus(True)
        self.notes.setMaximumHeight(84)
        self.licence.setPlaceholderText(self.tr("for example CC-BY-4.0"))
        for field, words in (
            (self.name, self.tr("Name of the prompts")),
            (self.notes, self.tr("Notes")),
            (self.licence, self.tr("Licence")),
        ):
            field.setAccessibleName(words)
        self.save = self._button(self.tr("Save"), self.on_save)
        self.save.setProperty("primary", True)
        self.folder = self._button(self.tr("Save as a folder…"), self.on_save_folder)
        self.folder.setToolTip(self.tr("Prompts, model card and manifest, in the layout of Hugging Face"))
        self.use = self._button(self.tr("Use in the explorer"), self.use_clicked.emit)
        self.report = self._button(self.tr("Report"), self.report_clicked.emit)
        self._where = text(role="caption")
        self.command = QPlainTextEdit()
        self.command.setReadOnly(True)
        self.command.setProperty("command", True)
        self.command.setTabChangesFocus(True)
        self.command.setMaximumHeight(118)
        self.command.setAccessibleName(self.tr("The command that does the same"))
        self.copy = self._button(self.tr("Copy"), self.on_copy)
        self.copy.setAccessibleName(self.tr("Copy the command"))
        self._command_box = QWidget()
        self._lay_out()
        self.name.textEdited.connect(self.on_edited)
        self.licence.textEdited.connect(self.on_edited)
        self.notes.textChanged.connect(self.on_edited)
        for source in (result, project):
            source.changed.connect(self.on_changed)
        theme.changed.connect(self.on_theme_changed)
        self.on_theme_changed()
        self.on_changed()

    def on_changed(self) -> None:
        """Show what the project says, and allow what can be done."""
        state = self._project.state
        self.name.setPlaceholderText(self._project.title or self.tr("Tuned prompts"))
        for field, words in ((self.name, state.name), (self.licence, state.licence)):
            if field.text() != words:
                field.setText(words)
        if self.notes.toPlainText() != state.notes:
            self.notes.blockSignals(True)
            self.notes.setPlainText(state.notes)
            self.notes.blockSignals(False)
        there = self._result.prompts_file.exists()
        for button in (self.save, self.folder):
            button.setEnabled(there and not self._result.is_saving)
        self.use.setEnabled(there)
        self.report.setEnabled(self._result.can_report)
        self.report.setToolTip("" if self._result.can_report else self._result.report_problem())
        self._where.setText(self._where_words())
        command = self._result.command
        self._command_box.setVisible(bool(command))
        if self.command.toPlainText() != command:
            self.command.setPlainText(command)

    def on_edited(self) -> None:
        """Keep what was written."""
        self._result.set_texts(self.name.text(), self.notes.toPlainText(), self.licence.text())

    def on_save(self) -> None:
        """Install the prompts."""
        self._result.save()

    def on_save_folder(self) -> None:
        """Ask for a new folder, and have prompts, card and manifest put there."""
        start = Path.home() / (self.name.text() or self.name.placeholderText())
        folder = self.ask(self, self.tr("Save as a new folder"), start)
        if folder:
            self._result.save(folder)

    def on_copy(self) -> None:
        """Put the command on the clipboard."""
        QGuiApplication.clipboard().setText(self._result.command)
        self.copy.setText(self.tr("Copied"))

    def on_theme_changed(self) -> None:
        """Tint the buttons."""
        self.save.setIcon(self._theme.icon_beside_text("check", "accent_text"))
        for button, name in (
            (self.folder, "folder"),
            (self.use, "explore"),
            (self.report, "report"),
            (self.copy, "copy"),
        ):
            button.setIcon(self._theme.icon_beside_text(name))

    def _where_words(self) -> str:
        if self._result.is_saving:
            return self.tr("Saving…")
        if self._project.state.saved:
            return self.tr("Saved: every list of prompts offers them now.")
        return self.tr("Save installs them, so that the explorer and the command line find them.")

    def _button(self, words: str, slot: object) -> QPushButton:
        button = QPushButton(words)
        button.setAccessibleName(words)
        button.setIconSize(QSize(21, 16))
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(text(self.tr("Keep these prompts"), "heading"))
        layout.addWidget(named(self.tr("Name"), self.name))
        layout.addWidget(named(self.tr("Notes"), self.notes))
        layout.addWidget(named(self.tr("Licence"), self.licence))
        buttons = QGridLayout()
        buttons.setSpacing(8)
        for number, button in enumerate((self.save, self.folder, self.use, self.report)):
            buttons.addWidget(button, number // 2, number % 2)
        layout.addLayout(buttons)
        layout.addWidget(self._where)
        column = QVBoxLayout(self._command_box)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(6)
        head = QHBoxLayout()
        head.addWidget(text(self.tr("The command that does the same"), "heading"), 1)
        head.addWidget(self.copy)
        column.addLayout(head)
        column.addWidget(self.command)
        layout.addWidget(self._command_box)
