"""The Evaluate page: labelled pictures on the left, how they are tested on the right, and what came out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from capt_engine.records import EvaluateRequest, Failure
from capt_gui.pages.evaluate.pictures_view import PicturesView
from capt_gui.pages.evaluate.ranking_view import RankingView
from capt_gui.pages.evaluate.results_view import ResultsView
from capt_gui.pages.evaluate.settings_column import SettingsColumn
from capt_gui.pages.evaluate.variants_dialog import ask_for_variants
from capt_gui.panels.chart_saving import AllCharts
from capt_gui.panels.data_intake import DataIntake
from capt_gui.panels.data_welcome import DataWelcome, Greeting
from capt_gui.panels.page import Menus, Page
from capt_gui.panels.scan_progress import ScanProgress
from capt_gui.panels.session_menu import is_session
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.formatting import time_taken
from capt_gui.view_models.navigation import EXPLORE, REPORT
from capt_gui.view_models.runs_model import caption, title
from capt_gui.view_models.work_under_way import WORTH_ASKING_S, ranking_fate
from capt_gui.widgets.confirmation import confirm
from capt_gui.widgets.drop_area import local_paths
from capt_gui.widgets.layout import fill
from capt_gui.widgets.segments import Segments

_PICTURES, _RESULTS, _RANKING = "pictures", "results", "ranking"
_SETTINGS_WIDTH = 344


class EvaluatePage(Page):
    """Page with four views in the middle: the welcome, the scan under way, the pictures, the results."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._data, self._run = desk.evaluation.data, desk.evaluation.run
        self._ranking = desk.evaluation.ranking
        # a test answers in the dialog's place
        self.ask: Callable[[QWidget, str, str, str, str], bool] = confirm
        self.intake = DataIntake(self, desk.settings)
        self.welcome = DataWelcome(desk.theme, self._greeting(), self._recent)
        self.progress = ScanProgress(desk.theme, self._data.thumbnails)
        self.pictures = PicturesView(desk.theme, self._data)
        self.results = ResultsView(desk)
        self.ranking = RankingView(desk.theme, desk.evaluation.ranking, self._data.thumbnails)
        # a test answers in the dialog's place
        self.ask_variants = ask_for_variants
        self.settings_column = SettingsColumn(desk)
        self.faces = Segments(
            desk.theme,
            self.tr("Show"),
            [
                (_PICTURES, self.tr("Pictures"), self.tr("What is evaluated")),
                (_RESULTS, self.tr("Results"), self.tr("What came out")),
                (_RANKING, self.tr("Ranking"), self.tr("Several variants in one table")),
            ],
        )
        self._top = QWidget()
        self._stack = QStackedWidget()
        # a run may have begun elsewhere before the page was made
        self._face = _PICTURES if self._run.request is None else _RESULTS
        # the model that was chosen before the toy world
        self._before_toys = ""
        self.charts = AllCharts(self, desk)
        self.actions_by_menu = self._make_actions()
        self._lay_out()
        self._connect()
        self.on_engine_changed()

    def take(self, mime: QMimeData) -> bool:
        """Scan what was dropped, `mime`, if it is only folders, tables and split files; else do nothing and return False."""
        paths = local_paths(mime)
        if not paths or not all(self._data.could_be_data(path) for path in paths):
            return False
        self.on_paths(paths)
        return True

    def view(self) -> dict[str, Any]:
        """Return which of pictures and results is in front."""
        return {"face": self._face}

    def show_view(self, view: dict[str, Any]) -> None:
        """Bring the pictures or the results to the front, as a session shows them."""
        self._face = _RESULTS if view.get("face") == _RESULTS else _PICTURES
        self.on_changed()

    def on_paths(self, paths: list[str]) -> None:
        """Scan the pictures of `paths`, one folder, table or split file; while an evaluation runs, only show that it goes on.

        A session among them is opened instead.
        """
        if session := next(filter(is_session, paths), ""):
            self.desk.navigation.session_found.emit(session)
            return
        if self._run.is_running or self._ranking.is_running:
            self.say("info", self.tr("An evaluation goes on."), self.tr("Cancel it first, or wait for its end."))
            return
        self.clear_banner()
        self._face = _PICTURES
        self._data.take(paths)

    def on_toys(self) -> None:
        """Have the toy world's pictures drawn, for a look at the page, and choose the model that knows them."""
        self._before_toys = self.desk.evaluation.toys.start() or self._before_toys
        self.on_toys_progressed("")

    def on_toys_progressed(self, text: str) -> None:
        """Say in the banner that the toy world is being drawn, and how far that is, `text`."""
        self.say("info", self.tr("Drawing the toy world…"), text)

    def on_toys_drawn(self, folder: str) -> None:
        """Scan the toy world's pictures in `folder`, and offer the way back to the model of before."""
        self.on_paths([folder])
        before, self._before_toys = self._before_toys, ""
        if before and not self._run.is_running:
            message = self.tr("The toy world is judged by its own small model.")
            label = self.desk.model.label(before)
            hint = self.tr("For pictures of your own, go back to {}.").format(label)
            self.offer("info", message, hint, (self.tr("Go back"), partial(self.on_back_from_toys, before)))

    def on_back_from_toys(self, model: str) -> None:
        """Choose the model with the id `model` again, as before the look at the toy world."""
        self.clear_banner()
        self.desk.model.set_model(model)

    def on_runs_changed(self) -> None:
        """List on the welcome the last three evaluations that were stopped and can go on."""
        stopped = [run for run in self.desk.reports.runs.stopped if isinstance(run.request, EvaluateRequest)]
        self.welcome.show_stopped([(run.folder, f"{title(run)} · {caption(run)}") for run in stopped[:3]])

    def on_resume(self, folder: str) -> None:
        """Go on with the stopped run that is kept in `folder`; do nothing if it is gone."""
        run = self.desk.reports.runs.run(folder)
        if run is not None:
            self._run.go_on(run)

    def on_report(self) -> None:
        """Show the Report page with the present run chosen; do nothing while there is no report of it."""
        if self._run.request is not None and not self._run.report_problem():
            self.desk.reports.show_run(self._run.request.options.keep)
            self.desk.navigation.go(REPORT)

    def on_show_wanted(self, folder: str) -> None:
        """Show the results of the run kept in `folder`, here if it is the present one, else on the Report page."""
        if self._run.request is None or self._run.request.options.keep == folder:
            self.on_face_picked(_RESULTS)
        elif folder:
            self.desk.reports.show_run(folder)
            self.desk.navigation.go(REPORT)

    def on_rank(self) -> None:
        """Ask which variants to rank, and begin; do nothing while an evaluation goes on or none is possible."""
        if self._run.is_running or self._ranking.is_running or self.settings_column.reason():
            return
        self._ranking.start(self.ask_variants(self.window(), self._ranking.offered(), self._ranking.usual()))

    def on_ranking_report(self) -> None:
        """Show the Report page with the runs of the ranked variants chosen, the best first."""
        if folders := self._ranking.folders():
            self.desk.reports.show_runs(folders)
            self.desk.navigation.go(REPORT)

    def on_ranking_explore(self, paths: list[str]) -> None:
        """Add the pictures with the file paths `paths` to the gallery of the Explore page with their labels, and show that page."""
        self.desk.gallery.set_labels(self._ranking.labels(tuple(paths)))
        self.desk.analysis.drop(paths)
        self.desk.navigation.go(EXPLORE)

    def on_ranking_changed(self, running: bool) -> None:
        """Bring the ranking to the front when it begins (`running`); enable the actions that are possible then, or after its end."""
        if running:
            self.clear_banner()
            self._face = _RANKING
        self.on_changed()

    def on_explore(self, paths: list[str]) -> None:
        """Add the pictures with the file paths `paths` to the gallery of the Explore page, and show that page."""
        self.desk.gallery.set_labels(self._run.tally.labels(paths))
        self.desk.analysis.drop(paths)
        self.desk.navigation.go(EXPLORE)

    def on_face_picked(self, face: str) -> None:
        """Show in the middle of the page what `face` says: "pictures", "results" or "ranking"."""
        self._face = face
        self.on_changed()

    def on_changed(self) -> None:
        """Show the welcome, the scan, the pictures or the results, as fits the present state, and enable the possible actions."""
        has_run, has_ranking = self._run.request is not None, self._ranking.request is not None
        face: QWidget = self.pictures
        if self._data.is_running:
            face = self.progress
        elif has_ranking and self._face == _RANKING:
            face = self.ranking
        elif has_run and (self._face == _RESULTS or self._data.result is None):
            face = self.results
        elif self._data.result is None:
            face = self.welcome
        # the window's own focus: the user may be in another program while the scan ends
        had_focus = self._stack.isAncestorOf(self.window().focusWidget() or self.window())
        moves = face is not self._stack.currentWidget()
        self._stack.setCurrentWidget(face)
        self._top.setVisible((has_run or has_ranking) and self._data.result is not None and face is not self.progress)
        for key, there in ((_RESULTS, has_run), (_RANKING, has_ranking)):
            self.faces.buttons[key].setVisible(there)
        self.faces.set_choice({self.results: _RESULTS, self.ranking: _RANKING}.get(face, _PICTURES))
        if moves and had_focus:
            self._focus(face)
        may = not self.settings_column.reason()
        busy = self._run.is_running or self._ranking.is_running
        self.start_action.setEnabled(may and not busy)
        self.rank_action.setEnabled(may and not busy)
        self.cancel_action.setEnabled(busy or self._data.is_running)
        self.report_action.setEnabled(has_run and not self._run.report_problem())

    def on_scanning_changed(self, running: bool) -> None:
        """Forget the last run and show the progress when a scan begins (`running`), or what it found once it has ended."""
        if running:
            self._run.forget()
            self._ranking.forget()
            self.progress.begin()
        else:
            self.welcome.refresh()
        self.on_changed()

    def on_run_changed(self, running: bool) -> None:
        """Bring the results to the front when a run begins (`running`); enable the actions that are possible then, or after its end."""
        if running:
            self.clear_banner()
            self._face = _RESULTS
        self.on_changed()

    def on_failed(self, failure: Failure) -> None:
        """Show the message and the hint of `failure` in the banner, and enable the actions that are possible now."""
        super().on_failed(failure)
        self.on_changed()

    def on_engine_changed(self) -> None:
        """Show in the banner why the engine cannot start, if it cannot, and enable the actions that are possible now."""
        if self.desk.engine.failure is not None:
            self.on_failed(self.desk.engine.failure)
        self.on_changed()

    def on_cancel(self) -> None:
        """Ask the engine to stop the evaluation or the scan that is under way; first the user, where time would be lost by it."""
        if self._run.elapsed_s >= WORTH_ASKING_S and not self._run.is_kept:
            question = self.tr("Break off {} of work?").format(time_taken(self._run.elapsed_s))
            hint = self.tr("This run is not kept, so it cannot be resumed.")
            if not self.ask(self.window(), self.tr("Cancel the evaluation"), question, self.tr("Break off"), hint):
                return
        if self._ranking.elapsed_s >= WORTH_ASKING_S:
            question = self.tr("Break off {} of work?").format(time_taken(self._ranking.elapsed_s))
            title, hint = self.tr("Cancel the ranking"), ranking_fate(self._ranking)
            if not self.ask(self.window(), title, question, self.tr("Break off"), hint):
                return
        self._run.cancel()
        self._ranking.cancel()
        self._data.cancel()

    def _focus(self, face: QWidget) -> None:
        if face in (self.results, self.ranking):
            self.faces.focus_taken()
        elif face is self.progress:
            self.progress.cancel.setFocus()
        else:
            (self.welcome.folder if face is self.welcome else self.pictures.table).setFocus()

    def _recent(self) -> list[str]:
        settings = self.desk.settings
        others = [place for place in settings.tune_recent if "\n" not in place]
        return self.desk.evaluation.toys.without(settings.evaluate.recent, others)

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

    def _make_actions(self) -> Menus:
        self.report_action = self.add_action(self.tr("R&eport of this run…"), self.on_report, "Ctrl+Shift+E")
        self.start_action = self.add_action(self.tr("&Run"), self._run.start, "F5", "Ctrl+R")
        self.rank_action = self.add_action(self.tr("Ran&k several variants…"), self.on_rank)
        self.cancel_action = self.add_action(self.tr("&Cancel"), self.on_cancel, "Esc")
        return {
            "&File": [*self.intake.actions, None, self.report_action, self.charts.action],
            "&Run": [self.start_action, self.rank_action, self.cancel_action],
        }

    def _lay_out(self) -> None:
        for face in (self.welcome, self.progress, self.pictures, self.results, self.ranking):
            self._stack.addWidget(face)
        self.faces.setMaximumWidth(360)
        fill(QHBoxLayout(self._top), self.faces, (None, 1), margins=(16, 10, 12, 0))
        self.settings_column.setFixedWidth(_SETTINGS_WIDTH)
        middle = fill(QVBoxLayout(), self._top, (self._stack, 1), spacing=0)
        self.lay_out(fill(QHBoxLayout(), (middle, 1), self.settings_column, spacing=0))

    def _connect(self) -> None:
        data, run = self._data, self._run
        self.welcome.paths_chosen.connect(self.on_paths)
        self.welcome.folder_clicked.connect(self.intake.on_choose_folder)
        self.welcome.table_clicked.connect(self.intake.on_choose_table)
        self.welcome.toys_clicked.connect(self.on_toys)
        toys = self.desk.evaluation.toys
        toys.progressed.connect(self.on_toys_progressed)
        toys.drawn.connect(self.on_toys_drawn)
        toys.failed.connect(self.on_failed)
        self.welcome.resume_clicked.connect(self.on_resume)
        self.desk.reports.runs.changed.connect(self.on_runs_changed)
        self.intake.chosen.connect(self.on_paths)
        self.progress.cancel_clicked.connect(data.cancel)
        self.settings_column.job_bar.cancel_clicked.connect(self.on_cancel)
        self.settings_column.data.folder_clicked.connect(self.intake.on_choose_folder)
        self.faces.picked.connect(self.on_face_picked)
        self.results.report_clicked.connect(self.on_report)
        self.results.explore_clicked.connect(self.on_explore)
        self.settings_column.several.clicked.connect(self.on_rank)
        self.ranking.report_clicked.connect(self.on_ranking_report)
        self.ranking.explore_clicked.connect(self.on_ranking_explore)
        self._ranking.running_changed.connect(self.on_ranking_changed)
        self._ranking.changed.connect(self.on_changed)
        data.running_changed.connect(self.on_scanning_changed)
        data.progress_changed.connect(self.progress.set_progress)
        data.failed.connect(self.on_failed)
        run.running_changed.connect(self.on_run_changed)
        run.changed.connect(self.on_changed)
        run.show_wanted.connect(self.on_show_wanted)
        self.desk.evaluation.choices.changed.connect(self.on_changed)
        self.desk.engine.changed.connect(self.on_engine_changed)
