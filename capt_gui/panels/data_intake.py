"""The dialogs that ask for labelled pictures, and the actions that open them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from capt_gui.settings import Settings
from capt_gui.widgets.actions import make_action


class DataIntake(QObject):
    """Asks for a folder of classes or a table, and emits `chosen(paths)`; its `actions`, for the File menu, open the dialogs."""

    chosen = Signal(list)

    def __init__(self, window: QWidget, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        # a test answers in the dialogs' place
        self.ask_folder = self._ask_folder
        self.ask_table = self._ask_table
        self.actions = [
            make_action(window, self.tr("Choose a &folder of classes…"), self.on_choose_folder, "Ctrl+I"),
            make_action(window, self.tr("Choose a &table or split file…"), self.on_choose_table, "Ctrl+Shift+I"),
        ]

    def on_choose_folder(self) -> None:
        """Let the user choose a folder of classes, remember its path, and emit `chosen` with the path in a list.

        Nothing happens when the user cancels the dialog.
        """
        if path := self.ask_folder():
            self._settings.last_folder = path
            self.chosen.emit([path])

    def on_choose_table(self) -> None:
        """Let the user choose a CSV or split file, remember its folder, and emit `chosen` with the file's path in a list.

        Nothing happens when the user cancels the dialog.
        """
        if path := self.ask_table():
            self._settings.last_folder = str(Path(path).parent)
            self.chosen.emit([path])

    def _ask_folder(self) -> str:
        title = self.tr("A folder with a folder for each class")
        return QFileDialog.getExistingDirectory(self._window, title, self._settings.last_folder)

    def _ask_table(self) -> str:
        title, kinds = (
            self.tr("A table of pictures"),
            self.tr("Tables and split files (*.csv *.tsv *.json);;All files (*)"),
        )
        return QFileDialog.getOpenFileName(self._window, title, self._settings.last_folder, kinds)[0]
