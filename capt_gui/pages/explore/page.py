"""The Explore page: gallery, comparison, settings; it assembles them and passes the current picture around."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from capt_engine.records import AnalyzeResult, Failure
from capt_gui.pages.explore.gallery_column import GalleryColumn
from capt_gui.pages.explore.intake import Intake
from capt_gui.pages.explore.result_view import ResultView
from capt_gui.pages.explore.run_export import RunExport
from capt_gui.pages.explore.settings_column import SettingsColumn
from capt_gui.pages.explore.welcome import Welcome
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.banner import Banner

_COLUMNS = [250, 700, 330]
_ROWS = [350, 310]


class ExplorePage(QWidget):
    """Three columns; before the first picture the left one is away and the centre welcomes."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._current = ""
        self._offered = ""
        self.intake = Intake(self, desk.analysis, desk.settings)
        self.export = RunExport(self, desk)
        self.banner = Banner(desk.theme)
        self.banner_room = QWidget()
        self.gallery = GalleryColumn(desk.theme, desk.gallery)
        self.welcome = Welcome(desk.theme, desk.engine)
        self.result = ResultView(desk)
        self.settings_column = SettingsColumn(desk)
        self._centre = QStackedWidget()
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._actions = self._make_actions()
        self._lay_out()
        self._connect()
        self.on_counts_changed()

    def menus(self) -> dict[str, list[QAction | None]]:
        """The page's actions for the menu bar."""
        return self._actions

    def take(self, mime: QMimeData) -> bool:
        """Take what was dropped on the window."""
        return self.intake.take(mime)

    def open_paths(self, paths: list[str]) -> None:
        """Take the paths of the command line."""
        self.intake.take_paths(paths)

    def tell(self, message: str) -> None:
        """Show a sentence that belongs to no control."""
        self._say("info", message, "")

    def prepare(self) -> None:
        """Make the charts, so that the first result need not wait for them."""
        self.result.charts.prepare()

    def leave(self) -> None:
        """Remember the sizes of the columns, and remove what was pasted."""
        if self.gallery.isVisible():
            self.desk.settings.columns = self._columns.sizes()
            self.desk.settings.rows = self.result.splitter.sizes()
        self.intake.clean_up()

    def on_counts_changed(self) -> None:
        """Welcome, or show the gallery."""
        empty = self.desk.gallery.rowCount() == 0
        self.gallery.setVisible(not empty)
        idle = empty and not self.desk.analysis.is_running
        self._centre.setCurrentWidget(self.welcome if idle else self.result)
        for action in self._needing_pictures:
            action.setEnabled(not empty)

    def on_pictures_found(self, paths: list[str]) -> None:
        """Show the first new picture when none is chosen."""
        if paths and self.desk.gallery.item(self._current) is None:
            self.gallery.view.select_path(paths[0])

    def on_current_changed(self, path: str) -> None:
        """Show another picture; ask for its big pictures again if they are no longer kept."""
        self._current = path
        self._refresh()
        self.desk.analysis.redraw(path)

    def on_result_changed(self, path: str) -> None:
        """Show what is new about the current picture."""
        if not path or path == self._current:
            self._refresh()

    def on_failed(self, failure: Failure) -> None:
        """Say what went wrong, beside the settings that caused it."""
        self._say("error", failure.message, failure.hint)

    def on_engine_changed(self) -> None:
        """An engine that cannot start is said once; a start that goes on changes what we wait for."""
        if self.desk.engine.failure is not None:
            self.on_failed(self.desk.engine.failure)
        self._refresh()

    def on_problem(self, message: str, hint: str) -> None:
        """Say what could not be taken or saved."""
        self._say("warning", message, hint)

    def on_running_changed(self, running: bool) -> None:
        """Run and Cancel exclude each other."""
        self.run_action.setEnabled(not running and self.desk.gallery.has_usable())
        self.cancel_action.setEnabled(running)
        if running:
            self.result.show_summary(None)
            if not self._offered:
                self.banner.clear()
                self.banner_room.hide()
        self.on_counts_changed()
        self._refresh()

    def on_finished(self, result: AnalyzeResult) -> None:
        """Say how both sides fared."""
        self.result.show_summary(result)

    def on_checkpoint_found(self, path: str) -> None:
        """Offer to compare with dropped prompts; the offer outlives the start of work on what was dropped with them."""
        message = self.tr("“{}” holds prompts, not a picture.").format(Path(path).name)
        hint = self.tr("They can be laid beside A on the same pictures.")
        self._say("info", message, hint, self.tr("Use as B"))
        self._offered = path

    def on_action_clicked(self) -> None:
        """Take the offered prompts as B, or show the folder that the banner speaks of."""
        self.banner.clear()
        self.banner_room.hide()
        if not self._offered:
            self.export.show_folder()
            return
        self.desk.model.sides.open_file(self._offered, "b")
        self._offered = ""

    def on_saved(self, message: str, folder: str) -> None:
        """Say where the table of results is."""
        self._say("done", message, folder, self.tr("Open folder"))

    def on_dismissed(self) -> None:
        """The banner has gone, and with it whatever it offered."""
        self._offered = ""
        self.banner_room.hide()

    def on_open_clicked(self, side: str) -> None:
        """Ask for a file with prompts, and put it on that side."""
        path = self.intake.ask_checkpoint()
        if path:
            self.desk.model.sides.open_file(path, side)

    def on_paste(self) -> None:
        """Take the clipboard."""
        if not self.intake.take(QGuiApplication.clipboard().mimeData()):
            self.on_problem("There is no picture on the clipboard.", "Copy a picture or a file first.")

    def on_at_once_toggled(self, checked: bool) -> None:
        """Remember whether new pictures wait for Run."""
        self.desk.settings.auto_run = checked

    def on_save(self) -> None:
        """Save the adversarial picture of the current one."""
        pictures, name = self.result.adversarial()
        if pictures is None:
            self.on_problem("There is no adversarial picture to save.", "Choose a picture that was attacked.")
            return
        self.intake.save_picture(pictures.adversarial, name)

    def on_clear(self) -> None:
        """Stop, and empty the gallery; the files stay where they are."""
        self.desk.analysis.cancel()
        self.desk.gallery.clear()
        self._current = ""
        self.result.show_summary(None)
        self._refresh()

    def _say(self, kind: str, message: str, hint: str, action: str = "") -> None:
        self._offered = ""
        self.banner.show_message(kind, message, hint, action)
        self.banner_room.show()

    def _refresh(self) -> None:
        self.result.show_item(self.desk.gallery.item(self._current))

    def _make_actions(self) -> dict[str, list[QAction | None]]:
        open_files = self._action("&Open pictures…", self.intake.on_open_files, "Ctrl+O")
        open_folder = self._action("Open &folder…", self.intake.on_open_folder, "Ctrl+Shift+O")
        samples = self._action("&Try the samples", self.intake.on_samples)
        paste = self._action("&Paste", self.on_paste, "Ctrl+V")
        save = self._action("&Save adversarial picture as PNG…", self.on_save, "Ctrl+S")
        clear = self._action("&Clear the gallery", self.on_clear)
        self.run_action = self._action("&Run", self.desk.analysis.run_all, "F5", "Ctrl+R")
        self.cancel_action = self._action("&Cancel", self.desk.analysis.cancel, "Esc")
        self.cancel_action.setEnabled(False)
        self._needing_pictures = (save, clear)
        at_once = QAction("Analyse new pictures &at once", self, checkable=True)
        at_once.setChecked(self.desk.settings.auto_run)
        at_once.toggled.connect(self.on_at_once_toggled)
        triptych = self.result.triptych
        zoom: list[QAction | None] = [
            self._action("Zoom &in", triptych.zoom_in, "Ctrl++", "Ctrl+="),
            self._action("Zoom &out", triptych.zoom_out, "Ctrl+-"),
            self._action("&Fit the pictures", triptych.zoom_to_fit, "Ctrl+0"),
            self._action("&One picture pixel per screen pixel", triptych.zoom_to_pixels, "Ctrl+9"),
        ]
        out: list[QAction | None] = [save, self.export.table, self.export.report]
        return {
            "&File": [open_files, open_folder, samples, paste, None, *out, None, clear],
            "&View": [None, *zoom],
            "&Run": [self.run_action, self.cancel_action, None, self.export.keep, at_once],
        }

    def _action(self, words: str, slot: Callable[[], None], *keys: str) -> QAction:
        action = QAction(words, self)
        action.triggered.connect(slot)
        action.setShortcuts([QKeySequence(key) for key in keys])
        return action

    def _lay_out(self) -> None:
        self._centre.addWidget(self.welcome)
        self._centre.addWidget(self.result)
        for widget, stretch in ((self.gallery, 0), (self._centre, 1), (self.settings_column, 0)):
            self._columns.addWidget(widget)
            self._columns.setStretchFactor(self._columns.indexOf(widget), stretch)
        self._columns.setChildrenCollapsible(False)
        self.gallery.setMinimumWidth(170)
        self._centre.setMinimumWidth(460)
        self.settings_column.setMinimumWidth(290)
        settings = self.desk.settings
        self._columns.setSizes(settings.columns if len(settings.columns) == 3 else _COLUMNS)
        self.result.splitter.setSizes(settings.rows if len(settings.rows) == 2 else _ROWS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        # room around the banner that goes when it goes
        room = QVBoxLayout(self.banner_room)
        room.setContentsMargins(12, 8, 12, 0)
        room.addWidget(self.banner)
        self.banner_room.hide()
        layout.addWidget(self.banner_room)
        layout.addWidget(self._columns, 1)

    def _connect(self) -> None:
        zone, gallery, analysis = self.welcome.drop_zone, self.gallery, self.desk.analysis
        zone.paths_dropped.connect(self.intake.take_paths)
        zone.open_files_clicked.connect(self.intake.on_open_files)
        zone.open_folder_clicked.connect(self.intake.on_open_folder)
        zone.samples_clicked.connect(self.intake.on_samples)
        gallery.open_files_clicked.connect(self.intake.on_open_files)
        gallery.open_folder_clicked.connect(self.intake.on_open_folder)
        gallery.clear_clicked.connect(self.on_clear)
        gallery.current_changed.connect(self.on_current_changed)
        analysis.pictures_found.connect(self.on_pictures_found)
        analysis.failed.connect(self.on_failed)
        analysis.finished.connect(self.on_finished)
        analysis.running_changed.connect(self.on_running_changed)
        self.banner.dismissed.connect(self.on_dismissed)
        self.banner.action_clicked.connect(self.on_action_clicked)
        self.intake.problem.connect(self.on_problem)
        self.export.saved.connect(self.on_saved)
        self.desk.results_file.failed.connect(self.on_failed)
        self.intake.checkpoint_found.connect(self.on_checkpoint_found)
        self.settings_column.model.open_clicked.connect(self.on_open_clicked)
        self.desk.gallery.result_changed.connect(self.on_result_changed)
        self.desk.gallery.counts_changed.connect(self.on_counts_changed)
        self.desk.choices.changed.connect(self._refresh)
        self.desk.engine.changed.connect(self.on_engine_changed)
