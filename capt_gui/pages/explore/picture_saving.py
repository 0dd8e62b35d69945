"""Save pictures…: those of the chosen results, or of all that are shown, into a folder of the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from capt_engine.records import Failure
from capt_gui.translate import counted
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.picture_export import ADVERSARIAL, AMPLIFIED, COLOURS, SEEN, VALUES, Saved, Wanted
from capt_gui.widgets.actions import make_action
from capt_gui.widgets.save_pictures_dialog import PicturesToSave, ask_which_pictures

_FOLDER = "pictures of results"


class PictureSaving(QObject):
    """Asks, and has the pictures written. `said(kind, message, hint, button)`: how it goes, for the banner; `on_button` is its button."""

    said = Signal(str, str, str, str)
    failed = Signal(object)

    def __init__(self, window: QWidget, desk: Desk, chosen: Callable[[], list[str]]) -> None:
        super().__init__(window)
        self._window = window
        self._desk = desk
        self._chosen = chosen
        self._folder = ""
        # a test answers in the dialog's place, or looks at what would be opened
        self.ask = ask_which_pictures
        self.open_url: Callable[[QUrl], object] = QDesktopServices.openUrl
        self.action = make_action(window, self.tr("Save pict&ures…"), self.on_save, "Ctrl+Shift+P")
        export = desk.picture_export
        export.progressed.connect(self.on_progressed)
        export.finished.connect(self.on_finished)
        export.failed.connect(self.on_failed)

    def on_save(self) -> None:
        """Ask which pictures of which results are to be saved, and have them written."""
        items = {False: self._with_results(self._chosen()), True: self._with_results()}
        if not items[True]:
            words = self.tr("There are no pictures of results to save.")
            self.said.emit("warning", words, self.tr("Run an analysis first."), "")
            return
        export = self._desk.picture_export

        def in_the_way(answer: PicturesToSave) -> tuple[int, int]:
            names = export.names(items[answer.all_shown], _wanted(answer))
            return len(names), sum((Path(answer.folder) / name).exists() for name in names)

        kinds = (
            (SEEN, self.tr("What the model sees"), True),
            (ADVERSARIAL, self.tr("The adversarial picture"), True),
            (COLOURS, self.tr("The perturbation, in the colours of the window"), False),
            (AMPLIFIED, self.tr("The perturbation, amplified around grey"), False),
            (VALUES, self.tr("The perturbation, as values (CSV)"), False),
        )
        start = Path(self._desk.settings.last_folder or Path.home()) / _FOLDER
        answer = self.ask(self._window, (len(items[False]), len(items[True])), kinds, str(start), in_the_way)
        if answer is not None:
            self._desk.settings.last_folder = str(Path(answer.folder).parent)
            export.start(items[answer.all_shown], _wanted(answer))

    def on_progressed(self, done: int, total: int) -> None:
        """Say how many of the results have their pictures on disk by now, with a button that stops."""
        if self._desk.picture_export.is_running:
            words = self.tr("Saving pictures: {:,} of {:,} results").format(done, total)
            self.said.emit("info", words, self.tr("Those that are not in memory are drawn again."), self.tr("Stop"))

    def on_finished(self, saved: Saved) -> None:
        """Say how many files were written, how many were there already, and what could not be drawn."""
        self._folder = str(saved.folder)
        words = counted(saved.written, "1 file was written.", "{:,} files were written.")
        parts = [self._folder]
        if saved.kept:
            parts.append(
                counted(
                    saved.kept, "1 was there already and is as it was.", "{:,} were there already and are as they were."
                )
            )
        if saved.failed:
            parts.append(counted(saved.failed, "1 result has no pictures yet.", "{:,} results have no pictures yet."))
        self.said.emit("warning" if saved.failed else "done", words, " · ".join(parts), self.tr("Open folder"))

    def on_failed(self, failure: Failure) -> None:
        """Emit `failed` with the reason why the pictures could not be written."""
        self.failed.emit(failure)

    def on_button(self) -> None:
        """Stop the saving while it goes on, or open the folder of what was saved."""
        if self._desk.picture_export.is_running:
            self._desk.picture_export.stop()
        else:
            self.open_url(QUrl.fromLocalFile(self._folder))

    def _with_results(self, paths: list[str] | None = None) -> list[Item]:
        """The pictures that have a result: of these paths, or of all that are shown."""
        gallery = self._desk.gallery
        items = self._desk.rows.items() if paths is None else [gallery.item(path) for path in paths]
        return [item for item in items if item is not None and item.request is not None and item.failure is None]


def _wanted(answer: PicturesToSave) -> Wanted:
    return Wanted(Path(answer.folder), answer.kinds, answer.factor, answer.replaces)
