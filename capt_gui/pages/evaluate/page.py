"""The Evaluate page: labelled pictures on the left, how they are tested on the right, and what came out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from capt_engine.records import Failure
from capt_gui.pages.evaluate.pictures_view import PicturesView
from capt_gui.pages.evaluate.results_view import ResultsView
from capt_gui.pages.evaluate.settings_column import SettingsColumn
from capt_gui.panels.data_welcome import DataWelcome, Greeting
from capt_gui.panels.model_panel import ask_for_checkpoint
from capt_gui.panels.scan_progress import ScanProgress
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EXPLORE, REPORT
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.drop_area import local_paths
from capt_gui.widgets.segments import Segments

_PICTURES, _RESULTS = "pictures", "results"
_SETTINGS_WIDTH = 344


class EvaluatePage(QWidget):
    """Four faces in the middle: the ways in, the scan under way, the pictures, the results."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._data, self._run = desk.evaluation.data, desk.evaluation.run
        # a test answers in the dialogs' place
        self.ask_folder = self._ask_folder
        self.ask_table = self._ask_table
        self.ask_checkpoint = ask_for_checkpoint
        self.banner = Banner(desk.theme)
        self._banner_room = QWidget()
        self.welcome = DataWelcome(desk.theme, self._greeting(), self._recent)
        self.progress = ScanProgress(desk.theme, self._data.thumbnails)
        self.pictures = PicturesView(desk.theme, self._data)
        self.results = ResultsView(desk)
        self.settings_column = SettingsColumn(desk)
        self.faces = Segments(
            desk.theme,
            self.tr("Show"),
            [
                (_PICTURES, self.tr("Pictures"), self.tr("What is evaluated")),
                (_RESULTS, self.tr("Results"), self.tr("What came out")),
            ],
        )
        self._top = QWidget()
        self._stack = QStackedWidget()
        self._face = _PICTURES
        self._actions = self._make_actions()
        self._lay_out()
        self._connect()
        self.on_changed()

    def menus(self) -> dict[str, list[QAction | None]]:
        """The page's actions for the menu bar."""
        return self._actions

    def take(self, mime: QMimeData) -> bool:
        """Take a folder, a table or a split file; single pictures are for another page."""
        paths = local_paths(mime)
        if not paths or not all(self._data.could_be_data(path) for path in paths):
            return False
        self.on_paths(paths)
        return True

    def open_paths(self, _paths: list[str]) -> None:
        """Paths of the command line are not for this page."""

    def tell(self, message: str) -> None:
        """Show a sentence that belongs to no control."""
        self._say("info", message, "")

    def prepare(self) -> None:
        """Nothing here is slow to make."""

    def leave(self) -> None:
        """Nothing here is to be remembered but the choices, which are settings."""

    def on_paths(self, paths: list[str]) -> None:
        """Look through these."""
        if self._run.is_running:
            self._say("info", self.tr("An evaluation goes on."), self.tr("Cancel it first, or wait for its end."))
            return
        self._clear_banner()
        self._face = _PICTURES
        self._data.take(paths)

    def on_choose_folder(self) -> None:
        """Ask for a folder."""
        if path := self.ask_folder():
            self.desk.settings.last_folder = path
            self.on_paths([path])

    def on_choose_table(self) -> None:
        """Ask for a CSV or a split file."""
        if path := self.ask_table():
            self.desk.settings.last_folder = str(Path(path).parent)
            self.on_paths([path])

    def on_open_clicked(self, side: str) -> None:
        """Ask for a file with prompts, and put it on that side."""
        if path := self.ask_checkpoint(self, self.desk.settings.last_folder):
            self.desk.model.sides.open_file(path, side)

    def on_report(self) -> None:
        """The report of the run in front."""
        if self._run.request is not None and not self._run.report_problem():
            self.desk.reports.show_run(self._run.request.options.keep)
            self.desk.navigation.go(REPORT)

    def on_explore(self, paths: list[str]) -> None:
        """Look at some pictures one by one: they join the gallery of the Explore page."""
        self.desk.analysis.drop(paths)
        self.desk.navigation.go(EXPLORE)

    def on_face_picked(self, face: str) -> None:
        """The user wants to see the pictures, or the results."""
        self._face = face
        self.on_changed()

    def on_changed(self) -> None:
        """Show the face that fits, and allow what can be done now."""
        has_run = self._run.request is not None
        face: QWidget = self.pictures
        if self._data.is_running:
            face = self.progress
        elif has_run and (self._face == _RESULTS or self._data.result is None):
            face = self.results
        elif self._data.result is None:
            face = self.welcome
        # the window's own focus: the user may be in another program while the scan ends
        had_focus = self._stack.isAncestorOf(self.window().focusWidget() or self.window())
        moves = face is not self._stack.currentWidget()
        self._stack.setCurrentWidget(face)
        self._top.setVisible(has_run and self._data.result is not None and face is not self.progress)
        self.faces.set_choice(_RESULTS if face is self.results else _PICTURES)
        if moves and had_focus:
            self._focus(face)
        may = not self.settings_column.reason()
        self.start_action.setEnabled(may and not self._run.is_running)
        self.cancel_action.setEnabled(self._run.is_running or self._data.is_running)
        self.report_action.setEnabled(has_run and not self._run.report_problem())

    def on_scanning_changed(self, running: bool) -> None:
        """A scan has begun or ended."""
        if running:
            self._run.forget()
            self.progress.begin()
        else:
            self.welcome.refresh()
        self.on_changed()

    def on_run_changed(self, running: bool) -> None:
        """A run has begun or ended: its results come to the front."""
        if running:
            self._clear_banner()
            self._face = _RESULTS
        self.on_changed()

    def on_failed(self, failure: Failure) -> None:
        """Say what went wrong, above what caused it."""
        self._say("error", failure.message, failure.hint)
        self.on_changed()

    def on_engine_changed(self) -> None:
        """An engine that cannot start is said once."""
        if self.desk.engine.failure is not None:
            self.on_failed(self.desk.engine.failure)
        self.on_changed()

    def on_cancel(self) -> None:
        """Stop the run, or the scan."""
        self._run.cancel()
        self._data.cancel()

    def on_dismissed(self) -> None:
        """The banner has gone."""
        self._banner_room.hide()

    def _say(self, kind: str, message: str, hint: str) -> None:
        self.banner.show_message(kind, message, hint)
        self._banner_room.show()

    def _clear_banner(self) -> None:
        self.banner.clear()
        self._banner_room.hide()

    def _focus(self, face: QWidget) -> None:
        if face is self.results:
            self.faces.focus_taken()
        elif face is self.progress:
            self.progress.cancel.setFocus()
        else:
            (self.welcome.folder if face is self.welcome else self.pictures.table).setFocus()

    def _recent(self) -> list[str]:
        return self.desk.settings.evaluate.recent

    def _greeting(self) -> Greeting:
        return Greeting(
            self.tr("Can this model be trusted with your pictures?"),
            self.tr(
                "Drop pictures that carry labels. The model answers each of them, clean and under a suite of attacks, and "
                "every figure comes with how many pictures it rests on, its interval, and what speaks against it."
            ),
            self.tr("A folder that holds one folder for each class, named as you would say it: “cat”, “coffee mug”."),
            self.tr("Also a CSV with path,label · a few-shot split file (JSON)"),
            self.tr(
                "A hundred pictures or more are worth a figure: with 100 an interval reaches 10 points to each side."
            ),
        )

    def _ask_folder(self) -> str:
        return QFileDialog.getExistingDirectory(
            self, self.tr("A folder with a folder for each class"), self.desk.settings.last_folder
        )

    def _ask_table(self) -> str:
        words = self.tr("Tables and split files (*.csv *.tsv *.json);;All files (*)")
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("A table of pictures"), self.desk.settings.last_folder, words
        )
        return path

    def _make_actions(self) -> dict[str, list[QAction | None]]:
        folder = self._action(self.tr("Choose a &folder of classes…"), self.on_choose_folder, "Ctrl+O")
        table = self._action(self.tr("Choose a &table or split file…"), self.on_choose_table, "Ctrl+Shift+O")
        self.report_action = self._action(self.tr("&Report of this run…"), self.on_report, "Ctrl+Shift+E")
        self.start_action = self._action(self.tr("&Run"), self._run.start, "F5", "Ctrl+R")
        self.cancel_action = self._action(self.tr("&Cancel"), self.on_cancel, "Esc")
        return {"&File": [folder, table, None, self.report_action], "&Run": [self.start_action, self.cancel_action]}

    def _action(self, words: str, slot: Callable[[], None], *keys: str) -> QAction:
        action = QAction(words, self)
        action.triggered.connect(slot)
        action.setShortcuts([QKeySequence(key) for key in keys])
        return action

    def _lay_out(self) -> None:
        for face in (self.welcome, self.progress, self.pictures, self.results):
            self._stack.addWidget(face)
        self.faces.setMaximumWidth(260)
        top = QHBoxLayout(self._top)
        top.setContentsMargins(16, 10, 12, 0)
        top.addWidget(self.faces)
        top.addStretch(1)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self._top)
        middle.addWidget(self._stack, 1)
        self.settings_column.setFixedWidth(_SETTINGS_WIDTH)
        columns = QHBoxLayout()
        columns.setSpacing(0)
        columns.addLayout(middle, 1)
        columns.addWidget(self.settings_column)
        room = QVBoxLayout(self._banner_room)
        room.setContentsMargins(12, 8, 12, 0)
        room.addWidget(self.banner)
        self._banner_room.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._banner_room)
        layout.addLayout(columns, 1)

    def _connect(self) -> None:
        data, run = self._data, self._run
        self.welcome.paths_chosen.connect(self.on_paths)
        self.welcome.folder_clicked.connect(self.on_choose_folder)
        self.welcome.table_clicked.connect(self.on_choose_table)
        self.progress.cancel_clicked.connect(data.cancel)
        self.settings_column.data.folder_clicked.connect(self.on_choose_folder)
        self.settings_column.model.open_clicked.connect(self.on_open_clicked)
        self.faces.picked.connect(self.on_face_picked)
        self.results.report_clicked.connect(self.on_report)
        self.results.explore_clicked.connect(self.on_explore)
        self.banner.dismissed.connect(self.on_dismissed)
        data.running_changed.connect(self.on_scanning_changed)
        data.progress_changed.connect(self.progress.set_progress)
        data.failed.connect(self.on_failed)
        run.running_changed.connect(self.on_run_changed)
        run.changed.connect(self.on_changed)
        self.desk.evaluation.choices.changed.connect(self.on_changed)
        self.desk.engine.changed.connect(self.on_engine_changed)
