"""The Explore page: gallery, comparison, settings; it assembles them and passes the current picture around."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from capt_engine.records import AnalyzeResult
from capt_gui.pages.explore.centre import LEAST_RESULT, WIDTH, Centre
from capt_gui.pages.explore.gallery_column import GalleryColumn
from capt_gui.pages.explore.intake import Intake
from capt_gui.pages.explore.picture_actions import PictureActions
from capt_gui.pages.explore.picture_saving import PictureSaving
from capt_gui.pages.explore.run_export import RunExport
from capt_gui.pages.explore.settings_column import SettingsColumn
from capt_gui.panels.chart_saving import AllCharts
from capt_gui.panels.help.guided_tour import STOP
from capt_gui.panels.help.window_tour import ATTACK, CLASSES
from capt_gui.panels.page import Menus, Page
from capt_gui.settings import CARDS, FULL, SIMPLE, TABLE
from capt_gui.translate import counted, spoken
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.explore.forecast import LargeDrop, evenly
from capt_gui.view_models.explore.simple_look import SimpleLook
from capt_gui.view_models.explore.tour import Lesson
from capt_gui.view_models.formatting import time_taken
from capt_gui.widgets.actions import undo_actions
from capt_gui.widgets.columns import columns

if TYPE_CHECKING:
    from capt_gui.pages.explore.result_view import ResultView
    from capt_gui.pages.explore.simple_view import SimpleView

_COLUMNS = [250, 700, 330]
# of a table above the result, and of a result below one, in pixels
_LEAST_TABLE, _WHOLE_RESULT = 400, 600


class ExplorePage(Page):
    """Page with gallery, comparison and settings; before the first picture a welcome stands in place of gallery and comparison."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._current = ""
        # what the folder that is looked through has brought beside older pictures, chosen as it comes
        self._added: set[str] = set()
        self._offered = ""
        self._store_note = ""
        # the banner asks which of many pictures to analyse
        self._asks = False
        self.intake = Intake(self, desk.analysis, desk.tour, desk.settings)
        self.export = RunExport(self, desk)
        self.gallery = GalleryColumn(desk)
        self.picture_actions = PictureActions(self, desk, self.gallery.selected)
        self.all_charts = AllCharts(self, desk)
        self.saving = PictureSaving(self, desk, self.gallery.selected)
        self._centre = Centre(desk)
        self.welcome = self._centre.welcome
        self.settings_column = SettingsColumn(desk)
        self.look = SimpleLook(desk.choices, desk.gallery, desk.analysis, desk.tour, self)
        self._simple: SimpleView | None = None
        self._middle = QSplitter(Qt.Orientation.Vertical)
        self._middle.addWidget(self._centre)
        self._middle.setChildrenCollapsible(False)
        self._widths = desk.settings.columns if len(desk.settings.columns) == 3 else _COLUMNS
        self._columns = columns(
            (self.gallery, 0, 160), (self._middle, 1, WIDTH), (self.settings_column, 0, 256), sizes=self._widths
        )
        self._views = QStackedWidget()
        self._views.addWidget(self._columns)
        self.lay_out(self._views)
        self.actions_by_menu = self._make_actions()
        for widget, stop in (
            (self.settings_column.classes_card, CLASSES),
            (self.settings_column.attack, ATTACK),
        ):
            widget.setProperty(STOP, stop)
        self._connect()
        self._place_gallery()
        self.on_counts_changed()
        self.on_preference_changed("view")

    @property
    def simple(self) -> SimpleView:
        """Return the simple view of this page, made now if it was not."""
        if self._simple is None:
            from capt_gui.pages.explore.simple_view import SimpleView

            self._simple = simple = SimpleView(self.desk, self.look)
            self._views.addWidget(simple)
            simple.zone.paths_dropped.connect(self.intake.take_paths)
            simple.open.clicked.connect(self.intake.on_open_files)
            simple.full_clicked.connect(self.on_full_clicked)
        return self._simple

    @property
    def result(self) -> ResultView:
        """Return what shows the chosen picture before and after, with its verdicts; it is made now if it was not."""
        return self._centre.result

    def take(self, mime: QMimeData) -> bool:
        """Add the files or the picture in `mime`, which was dropped on the window, to the gallery; return False when it has neither."""
        return self.intake.take(mime)

    def open_paths(self, paths: list[str]) -> None:
        """Add the pictures at `paths`, files and folders of the command line, to the gallery."""
        self.intake.take_paths(paths)

    def view(self) -> dict[str, Any]:
        """Return the picture that is chosen, and the words of the filter."""
        return {"picture": self._current, "filter": self.gallery.search.text()}

    def show_view(self, view: dict[str, Any]) -> None:
        """Choose the picture that a session shows, else the first; write its words into the filter."""
        picture, words = view.get("picture"), view.get("filter")
        self.gallery.search.setText(words[:200] if isinstance(words, str) else "")
        self.result.show_summary(None)
        paths = self.desk.gallery.paths()
        if isinstance(picture, str) and self.desk.gallery.item(picture) is not None:
            self.gallery.view.select_path(picture)
        elif paths:
            self.gallery.view.select_path(paths[0])
        self._refresh()

    def preparations(self) -> Iterator[None]:
        """Make the view of the result and draw its charts once unseen, so that the first result need not wait for that."""
        yield from self._centre.preparations()
        yield from self.result.charts.preparations()

    def leave(self) -> None:
        """Store the sizes of the columns in the settings, and delete the temporary files of pasted pictures, as the window closes.

        The toy world, if it is on show, is not what the next start begins with.
        """
        if self.gallery.isVisible():
            self._keep_widths()
            self.desk.settings.columns = list(self._widths)
            self.desk.settings.rows = self.result.splitter.sizes()
        self.desk.tour.leave()
        self.intake.clean_up()

    def on_preference_changed(self, name: str) -> None:
        """Show the simple view or everything, as the setting `name` says if it is that; the same picture is looked at in both."""
        if name != "view":
            return
        is_simple = self.desk.settings.view == SIMPLE
        if is_simple:
            self.look.look_at(self._current)
        elif self.look.path:
            self.gallery.view.select_path(self.look.path)
        self._views.setCurrentWidget(self.simple if is_simple else self._columns)

    def on_full_clicked(self) -> None:
        """Show everything, and remember that."""
        self.desk.preferences.set("view", FULL)

    def on_counts_changed(self) -> None:
        """Show the welcome while the gallery is empty and nothing is analysed, else the result of the chosen picture.

        The gallery is shown, and Save and Clear are enabled, while it holds a picture.
        """
        empty = self.desk.gallery.rowCount() == 0
        self.gallery.setVisible(not empty)
        idle = empty and not self.desk.analysis.is_running
        self._centre.show_result(shown=not idle)
        self._fit()
        for action in self._needing_pictures:
            action.setEnabled(not empty)
        self.picture_actions.set_enabled(not empty)

    def on_pictures_found(self, paths: list[str]) -> None:
        """Choose what was just added to the gallery, the pictures at `paths`, and scroll there; of the first ones only the first."""
        is_first = len(paths) == self.desk.gallery.rowCount()
        self._added = set() if is_first else set(paths)
        self.gallery.select(paths[:1] if is_first else paths)

    def on_more_found(self, paths: list[str]) -> None:
        """Choose the pictures at `paths` too, which follow others of the same folder, unless something else was chosen meanwhile."""
        shown = {path for path in self._added if self.desk.rows.row_of(path) >= 0}
        if shown and set(self.gallery.selected()) == shown:
            self.gallery.select_too(paths)
            self._added.update(paths)

    def on_look_changed(self, look: str) -> None:
        """Put the gallery where there is room for it: cards beside the result, a table (`look`) above it."""
        if look == TABLE:
            self._keep_widths()
        self._place_gallery()

    def on_open_requested(self, path: str) -> None:
        """Let the pictures of the result for the picture at `path` fill the window; where they are not drawn, show what there is."""
        self.gallery.select([path])
        if self.desk.gallery.is_drawn(path):
            self.result.filler.toggle()
        elif self.gallery.look == TABLE and self._centre.isHidden():
            self.gallery.set_look(CARDS)
            self._place_gallery()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the result out below a table, where the new height has no room for both."""
        super().resizeEvent(event)
        self._fit()

    def on_current_changed(self, path: str) -> None:
        """Show the picture with the file path `path`, which was chosen in the gallery.

        Its large pictures are drawn again if they are no longer in memory.
        """
        self._current = path
        self._refresh()
        self.desk.analysis.redraw(path)

    def on_result_changed(self, path: str) -> None:
        """Show the new result of the picture with the file path `path`, "" for any picture, if that is the chosen one."""
        if not path or path == self._current:
            self._refresh()

    def on_engine_changed(self) -> None:
        """Show in the banner why the engine cannot start, if it cannot, and beside the result what is waited for."""
        if self.desk.engine.failure is not None:
            self.on_failed(self.desk.engine.failure)
        self._refresh()

    def on_running_changed(self, running: bool) -> None:
        """Enable Cancel while an analysis is `running`, else Run; clear the summary of the last one when one begins."""
        self.run_action.setEnabled(not running and self.desk.gallery.has_usable())
        self.cancel_action.setEnabled(running)
        if running:
            self.result.show_summary(None)
            if not self._offered and not self._asks:
                self.clear_banner()
        self.on_counts_changed()
        self._refresh()

    def on_checkpoint_found(self, path: str) -> None:
        """Offer in the banner to use the prompts in the checkpoint file `path` as variant B, which is compared with A."""
        message = self.tr("“{}” holds prompts, not a picture.").format(Path(path).name)
        hint = self.tr("They can be laid beside A on the same pictures.")
        self.offer("info", message, hint, (self.tr("Use as B"), self.on_use_offered))
        self._offered = path

    def on_use_offered(self) -> None:
        """Use the prompt checkpoint that the banner offers as variant B."""
        path = self._offered
        self._offered = ""
        self.clear_banner()
        self.desk.model.sides.open_file(path, "b")

    def on_large(self, drop: LargeDrop) -> None:
        """Ask which of many new pictures to analyse, as all would take more than a minute: all, 50 of them, or none."""
        took = time_taken(drop.seconds)
        message = self.tr("{:,} pictures would take about {}.").format(len(drop.paths), took)
        hint = self.tr("None is analysed until you choose. Run analyses all of the gallery at any time.")
        few = evenly(drop.paths)
        answers: list[tuple[str, Callable[[], object]]] = [
            (self.tr("All"), partial(self.on_chosen, drop.paths)),
            (self.tr("None"), partial(self.on_chosen, ())),
        ]
        if len(few) < len(drop.paths):
            words = self.tr("{} evenly chosen").format(len(few))
            answers.insert(1, (words, partial(self.on_chosen, few)))
        self.offer("warning", message, hint, *answers)
        self._asks = True

    def on_chosen(self, paths: tuple[str, ...]) -> None:
        """Analyse the pictures at `paths`, which were chosen of many new ones."""
        self._asks = False
        self.clear_banner()
        self.desk.analysis.run(paths)

    def on_removed(self, n: int) -> None:
        """Say in the banner that `n` pictures were taken off the gallery, with a button that brings them back."""
        message = counted(n, "1 picture was taken off the gallery.", "{} pictures were taken off the gallery.")
        hint = self.tr("The files on disk stay where they are.")
        self.offer("info", message, hint, (self.tr("Undo"), self.on_undo_removal))

    def on_undo_removal(self) -> None:
        """Bring back the pictures that were removed last, as the banner offers."""
        self.clear_banner()
        self.desk.changes.undo.undo()

    def on_undone(self) -> None:
        """Choose the first picture of the gallery where none is chosen, after a removal was undone."""
        paths = self.desk.gallery.paths()
        if paths and self.desk.gallery.item(self._current) is None:
            self.gallery.select(paths[:1])

    def on_saved(self, message: str, folder: str) -> None:
        """Show `message`, that the table of results is saved, in the banner, with its `folder` and a button that opens it."""
        self.offer("done", message, folder, (self.tr("Open folder"), self.export.show_folder))

    def on_saving_said(self, kind: str, message: str, hint: str, button: str) -> None:
        """Show in the banner how the saving of pictures goes, with its button where it has one."""
        self.offer(kind, message, hint, *([(button, self.saving.on_button)] if button else []))

    def on_dismissed(self) -> None:
        """Hide the room around the banner that the user dismissed, and forget the prompt checkpoint that it offered."""
        self._offered, self._asks = "", False
        super().on_dismissed()

    def on_learned(self, lesson: Lesson) -> None:
        """Show the picture of the toy world that tells most, and say in the banner what was seen in the run."""
        self.gallery.select([lesson.path])
        self.say("info", lesson.sentence, self.tr("Now drop a photograph of your own."))

    def on_toys_left(self, model: str) -> None:
        """Say in the banner that the user's own pictures are judged by `model` again, and not by the toy world's."""
        message = self.tr("Your pictures are judged by {}.").format(self.desk.model.label(model))
        self.say(
            "info", message, self.tr("The toy world's model knows rendered shapes only; its pictures were put away.")
        )

    def on_paste(self) -> None:
        """Add the files or the picture on the clipboard to the gallery, or say that there is none."""
        if not self.intake.take(QGuiApplication.clipboard().mimeData()):
            self.on_problem(
                self.tr("There is no picture on the clipboard."), self.tr("Copy a picture or a file first.")
            )

    def on_at_once_toggled(self, checked: bool) -> None:
        """Store in the settings that new pictures are analysed at once (`checked`), or only when the user presses Run."""
        self.desk.settings.auto_run = checked

    def on_save(self) -> None:
        """Ask for a file and write the adversarial picture of the chosen picture there as PNG; say so when there is none."""
        pictures, name = self.result.adversarial()
        if pictures is None:
            self.on_problem(
                self.tr("There is no adversarial picture to save."), self.tr("Choose a picture that was attacked.")
            )
            return
        self.intake.save_picture(pictures.adversarial, name)

    def on_clear(self) -> None:
        """Stop the analysis and remove all pictures from the gallery, which can be undone; the files on disk stay where they are."""
        self.desk.analysis.cancel()
        self.desk.changes.remove(self.desk.gallery.paths())
        self._current = ""
        self.result.show_summary(None)
        self._refresh()

    def say(self, kind: str, message: str, hint: str = "", action: str = "", second: str = "", third: str = "") -> None:
        """Show `message` with `hint` in the banner, and forget the prompt checkpoint that it offered before.

        kind: "info", "done", "warning" or "error". action, second, third: texts of the banner's buttons, "" for no button.
        """
        self._offered, self._asks = "", False
        super().say(kind, message, hint, action, second, third)

    def _warn_of_store(self, result: AnalyzeResult) -> None:
        if result.store_note and result.store_note != self._store_note:
            self.say("warning", spoken(result.store_note))
        self._store_note = result.store_note

    def _keep_widths(self) -> None:
        if self._columns.indexOf(self.gallery) >= 0 and self.gallery.isVisible():
            self._widths = self._columns.sizes()

    def _place_gallery(self) -> None:
        if self.gallery.look == TABLE:
            self._middle.insertWidget(0, self.gallery)
            self._middle.setStretchFactor(0, 1)
            self._middle.setStretchFactor(1, 1)
            self._share_height()
        else:
            self._columns.insertWidget(0, self.gallery)
            self._columns.setStretchFactor(0, 0)
            self._columns.setSizes(self._widths)
        self._fit()

    def _fit(self) -> None:
        """Below a table the result needs its own height; the welcome needs no table."""
        room = self.height() - _LEAST_TABLE >= max(self._centre.minimumSizeHint().height(), LEAST_RESULT)
        is_alone = self.gallery.look == CARDS or self.gallery.isHidden()
        # a window with a table can be made as low as the table
        self._centre.setMinimumHeight(0 if is_alone else 1)
        was_hidden = self._centre.isHidden()
        self._centre.setVisible(is_alone or room)
        if was_hidden and not is_alone and room:
            self._share_height()

    def _share_height(self) -> None:
        """Give the result below a table so much that its pictures are whole, and the table the rest."""
        below = min(max(self.height() - _LEAST_TABLE, 1), _WHOLE_RESULT)
        self._middle.setSizes([self.height() - below, below])

    def _refresh(self) -> None:
        if self._centre.has_result:
            self.result.show_item(self.desk.gallery.item(self._current))

    def _make_actions(self) -> Menus:
        open_files = self.add_action(self.tr("Open p&ictures…"), self.intake.on_open_files, "Ctrl+I")
        open_folder = self.add_action(self.tr("Open &folder…"), self.intake.on_open_folder, "Ctrl+Shift+I")
        samples = self.add_action(self.tr("&Try the toy world"), self.desk.tour.start)
        paste = self.add_action(self.tr("&Paste"), self.on_paste, "Ctrl+V")
        save = self.add_action(self.tr("Save adversarial picture as PN&G…"), self.on_save, "Ctrl+E")
        clear = self.add_action(self.tr("&Clear the gallery"), self.on_clear)
        self.run_action = self.add_action(self.tr("&Run"), self.desk.analysis.run_all, "F5", "Ctrl+R")
        self.cancel_action = self.add_action(self.tr("&Cancel"), self.desk.analysis.cancel, "Esc")
        self.cancel_action.setEnabled(False)
        self._needing_pictures = (save, self.saving.action, clear)
        at_once = self.add_action(
            self.tr("Analyse &new pictures at once"), self.on_at_once_toggled, checked=self.desk.settings.auto_run
        )
        look = self.add_action(self.tr("Pictures as a &table, or as cards"), self.gallery.toggle_look, "Ctrl+G")
        zoom: list[QAction | None] = [
            self.add_action(self.tr("&Zoom in"), lambda: self.result.triptych.zoom_in(), "Ctrl++", "Ctrl+="),
            self.add_action(self.tr("Zoom o&ut"), lambda: self.result.triptych.zoom_out(), "Ctrl+-"),
            self.add_action(self.tr("&Fit the pictures"), lambda: self.result.triptych.zoom_to_fit(), "Ctrl+0"),
            self.add_action(
                self.tr("&One picture pixel per screen pixel"), lambda: self.result.triptych.zoom_to_pixels(), "Ctrl+9"
            ),
            self.add_action(self.tr("Fill the &window with the picture"), lambda: self.result.filler.toggle(), "F11"),
        ]
        out: list[QAction | None] = [
            save,
            self.saving.action,
            self.all_charts.action,
            self.export.table,
            self.export.report,
        ]
        return {
            "&File": [open_files, open_folder, samples, paste, None, *out, None, clear],
            "&Edit": [*undo_actions(self, self.desk.changes.undo), None, *self.picture_actions.actions],
            "&View": [None, look, None, *zoom],
            "&Run": [self.run_action, self.picture_actions.attack, self.cancel_action, None, self.export.keep, at_once],
        }

    def _connect(self) -> None:
        zone, gallery, analysis = self.welcome.drop_zone, self.gallery, self.desk.analysis
        zone.paths_dropped.connect(self.intake.take_paths)
        zone.open_files_clicked.connect(self.intake.on_open_files)
        zone.open_folder_clicked.connect(self.intake.on_open_folder)
        zone.toys_clicked.connect(self.desk.tour.start)
        self.look.picture_wanted.connect(self.intake.on_open_files)
        self.desk.preferences.changed.connect(self.on_preference_changed)
        gallery.open_files_clicked.connect(self.intake.on_open_files)
        gallery.open_folder_clicked.connect(self.intake.on_open_folder)
        gallery.clear_clicked.connect(self.on_clear)
        gallery.current_changed.connect(self.on_current_changed)
        gallery.look_changed.connect(self.on_look_changed)
        gallery.open_requested.connect(self.on_open_requested)
        gallery.menu_requested.connect(self.picture_actions.open_menu)
        self.picture_actions.open_requested.connect(self.on_open_requested)
        self.picture_actions.save_requested.connect(self.saving.on_save)
        self.picture_actions.problem.connect(self.on_problem)
        self.saving.said.connect(self.on_saving_said)
        self.saving.failed.connect(self.on_failed)
        analysis.pictures_found.connect(self.on_pictures_found)
        analysis.more_found.connect(self.on_more_found)
        analysis.failed.connect(self.on_failed)
        self._centre.made.connect(self._refresh)
        analysis.finished.connect(self._warn_of_store)
        analysis.large.connect(self.on_large)
        analysis.show_wanted.connect(gallery.view.select_path)
        analysis.running_changed.connect(self.on_running_changed)
        self.intake.problem.connect(self.on_problem)
        self.intake.session_found.connect(self.desk.navigation.session_found)
        self.export.saved.connect(self.on_saved)
        self.desk.results_file.failed.connect(self.on_failed)
        self.intake.checkpoint_found.connect(self.on_checkpoint_found)
        self.desk.gallery.result_changed.connect(self.on_result_changed)
        self.desk.gallery.counts_changed.connect(self.on_counts_changed)
        self.desk.changes.removed.connect(self.on_removed)
        self.desk.changes.undo.indexChanged.connect(self.on_undone)
        self.desk.choices.changed.connect(self._refresh)
        self.desk.tour.learned.connect(self.on_learned)
        self.intake.toys_left.connect(self.on_toys_left)
        self.desk.engine.changed.connect(self.on_engine_changed)
