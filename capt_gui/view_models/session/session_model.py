"""The session in the window: new, opened, saved; its name, and whether it differs from its file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QDir, QObject, QTemporaryDir, Signal

from capt_engine.records import Failure
from capt_engine.session import journal, originals
from capt_engine.session.journal import KeptJournal
from capt_gui.translate import counted
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.session import loading, pictures, window_state
from capt_gui.view_models.session.autosave import Autosave
from capt_gui.view_models.session.disk import Disk
from capt_gui.view_models.session.loading import Loaded
from capt_gui.view_models.session.restoring import Restoring
from capt_gui.view_models.session.window_state import Shown, WindowState

SUFFIX = ".capt"
MOST_RECENT = 10
_LONGEST_WAIT_S = 60.0

Views = Callable[[], tuple[str, dict[str, dict[str, Any]]]]


class SessionModel(QObject):
    """One session at a time. Reading and writing are done beside the window, which stays usable.

    changed: name, `is_changed` or `is_busy`. said(kind, message, hint): for the banner. failed(Failure). incomplete(Loaded): pictures are
    not found; `look_in` or `put` answers. shown(page, views): the session is in place, and this was in front. saved: its file is written.
    """

    changed = Signal()
    said = Signal(str, str, str)
    failed = Signal(object)
    incomplete = Signal(object)
    shown = Signal(str, dict)
    saved = Signal()

    def __init__(self, desk: Desk, folder: Path | None, views: Views, parent: QObject | None = None) -> None:
        """folder: of the journals, None for no autosave. views: gives the page in front, and by page what it shows."""
        super().__init__(parent)
        self._desk = desk
        self._folder = folder
        self._views = views
        self._disk = Disk(self)
        self.autosave = Autosave(desk.gallery, self._disk, self._state_now, folder, self)
        self._restoring = Restoring(desk, self)
        # where it is saved, "" where nobody has saved it
        self.path = ""
        self.is_changed = False
        self.is_busy = self.is_saving = False
        self._choices = self._compared()
        # so often was it changed: a save that takes a second must not hide what was changed meanwhile
        self._edits = 0
        self._hashes: dict[str, tuple[int, int, str]] = {}
        self._scratch: list[QTemporaryDir] = []
        self.autosave.touched.connect(self.on_touched)
        self.autosave.failed.connect(self.on_autosave_refused)
        self._disk.failed.connect(self.on_failed)
        self._restoring.said.connect(self.said)
        for signal in (
            desk.choices.changed,
            desk.evaluation.choices.changed,
            desk.evaluation.run.changed,
            desk.reports.selected,
            desk.store.last_changed,
        ):
            signal.connect(self.on_choices_changed)

    @property
    def name(self) -> str:
        """The name of the session's file without its ending, "" where nobody has saved it."""
        return Path(self.path).stem if self.path else ""

    @property
    def is_empty(self) -> bool:
        """True where a window holds nothing that a session would keep."""
        return not self._desk.gallery.rowCount() and window_state.shown(self._desk) is None

    @property
    def is_at_work(self) -> bool:
        """True while anything is read or written, or waits for it."""
        return self._disk.is_busy or self.autosave.is_behind

    @property
    def recent(self) -> tuple[str, ...]:
        """The files of the sessions that were saved or opened last, the latest first."""
        return tuple(self._desk.settings.recent_sessions)

    @property
    def kept(self) -> tuple[KeptJournal, ...]:
        """The sessions of windows that are gone, which nobody has saved, the newest first."""
        return self.autosave.kept

    def start(self) -> None:
        """Look up the sessions that windows before this one left; `autosave.listed` tells."""
        self.autosave.list_kept()

    def touch(self) -> None:
        """Note that another page or picture came to the front, which no question is asked about."""
        self.autosave.touch()

    def new(self) -> None:
        """Begin an empty session; the one of before stays as it was saved, or among those that were not."""
        self._empty()
        self._set_file("")
        self._settle(())

    def open(self, path: str) -> None:
        """Read the session in the file `path`, and put it into the window in place of the present one."""
        place = Path(path).absolute()
        if not self.is_busy:
            self._begin()
            scratch = self._new_scratch()
            self._disk.run(lambda: loading.load_file(place, scratch), self.on_loaded, self.on_failed)

    def reopen(self, kept: KeptJournal) -> None:
        """Put the session of a window that is gone into this one."""
        if not self.is_busy:
            self._begin()
            scratch = self._new_scratch()
            self._disk.run(lambda: loading.load_journal(kept.path, scratch), self.on_loaded, self.on_failed)

    def dismiss(self, kept: KeptJournal) -> None:
        """Offer this session no more at the start; it stays in the menu until others take its place."""
        self._disk.run(lambda: journal.mark_ended(kept.path), lambda _: self.autosave.list_kept())

    def look_in(self, loaded: Loaded, folder: str) -> None:
        """Look in a folder for the pictures of a session that were not found, and go on with it."""
        self._begin()
        self._disk.run(lambda: loading.look_in(loaded, Path(folder)), self.on_loaded, self.on_failed)

    def save(self, path: str = "") -> None:
        """Write the session to the file `path`, "" for the one it was saved to last; `saved` or `failed` tells how it ended."""
        target = Path(path or self.path).absolute()
        if self.is_busy or not (path or self.path):
            return
        self.autosave.look_now()
        state, shown = self._whole_state()
        every = pictures.whole(self._desk.gallery)
        self.is_saving = True
        self._begin()
        self._disk.run(
            lambda: loading.save(target, state, shown, every, self._hashes),
            partial(self.on_saved, str(target), self._edits),
            self.on_failed,
        )

    def forget_recent(self, path: str = "") -> None:
        """Take the file `path` off the list of recent sessions, or for "" all of them; the files stay."""
        left = [one for one in self._desk.settings.recent_sessions if path and one != path]
        self._desk.settings.recent_sessions = left

    def look_now(self) -> None:
        """Make `is_changed` true to the moment."""
        self.autosave.look_now()
        self.on_choices_changed()

    def close(self, *, asked: bool = True) -> None:
        """Write what is left into the journal, and end the thread, as the window closes.

        asked: the user closed the window; else, where something is not saved, the next start offers the session.
        """
        self.look_now()
        is_saved = bool(self.path) and not self.is_changed
        self.autosave.close(keep=not is_saved, asked=asked)
        self._disk.close(_LONGEST_WAIT_S)
        for folder in self._scratch:
            folder.remove()

    def on_touched(self) -> None:
        """Note that a picture or a result is not as it was saved."""
        self._edits += 1
        self._set_changed(True)

    def on_choices_changed(self) -> None:
        """Note where a choice is not as it was saved."""
        self.autosave.touch()
        now = self._compared()
        if now != self._choices:
            self._choices = now
            self.on_touched()

    def on_loaded(self, loaded: Loaded) -> None:
        """Put a session that was read into the window, or ask for the pictures that are not found."""
        self.is_busy = False
        if loaded.missing:
            self.incomplete.emit(loaded)
            self.changed.emit()
        else:
            self.put(loaded)

    def put(self, loaded: Loaded) -> None:
        """Put a session into the window; pictures that are not found keep their results, and the place where they were."""
        self._begin()
        make = partial(pictures.items, loaded.session.pictures, loaded.places())
        self._disk.run(make, partial(self.on_made, loaded), self.on_failed)

    def on_made(self, loaded: Loaded, kept: list[tuple[Item, bytes]]) -> None:
        """Put a session into the window, whose items for the gallery are made."""
        self.is_busy = False
        places = loaded.places()
        state = window_state.read(loaded.session.state)
        self._empty()
        file = loaded.session.file
        self._set_file(file if file.endswith(SUFFIX) else "")
        self._restoring.choose(state, loaded.session.state, Path(file).parent if loaded.journal is None else None)
        # of those that are not found this is all that is known
        for path, one in zip(places, loaded.session.pictures, strict=True):
            if one.sha256:
                self._hashes[path] = (one.modified_ns, one.n_bytes, one.sha256)
        self._desk.gallery.restore_items(kept)
        for path, one in zip(places, loaded.session.pictures, strict=True):
            self._desk.gallery.put_pictures(path, one.attacked)
        self._settle(places)
        if loaded.journal is None:
            self._note_recent(file)
        else:
            # it is this window's now, and in this window's journal in a moment
            self._set_changed(True)
            self._edits += 1
            self.autosave.take_over(loaded.journal)
        self.shown.emit(state.page, state.views)
        self._tell_missing(loaded)
        present = [
            replace(one, path=path) for one, path in zip(loaded.session.pictures, loaded.paths, strict=True) if path
        ]
        self._disk.run(partial(originals.changed, present), self.on_compared)
        if fresh := [one.path for one, thumbnail in kept if not thumbnail and one.failure is None]:
            self._desk.analysis.drop(fresh, analyse=False)

    def on_compared(self, paths: tuple[str, ...]) -> None:
        """Forget the results of the pictures at `paths`, which are other pictures now."""
        if paths:
            self._desk.gallery.forget_results(paths)
            self._desk.analysis.drop(paths, analyse=False)
            message = counted(
                len(paths),
                "1 picture has changed since the session was saved.",
                "{} pictures have changed since the session was saved.",
            )
            self.said.emit("warning", message, self.tr("Their results were of the old pictures; run them again."))

    def on_saved(self, path: str, edits: int, _: object) -> None:
        """Take the file that was written for the session's own; what was changed meanwhile is still to be saved."""
        self.is_busy = self.is_saving = False
        self._set_file(path)
        self._note_recent(path)
        self._set_changed(edits != self._edits)
        self.changed.emit()
        self.saved.emit()

    def on_failed(self, failure: Failure) -> None:
        """Say why a session could not be read or written; the present one stays as it is."""
        self.is_busy = self.is_saving = False
        self.changed.emit()
        self.failed.emit(failure)

    def on_autosave_refused(self, failure: Failure) -> None:
        """Say that what is done now would not survive a crash."""
        message = self.tr("What you do now cannot be kept for after a crash. {}").format(failure.message)
        self.said.emit(
            "warning", message, self.tr("Save the session on another disk, or make room; then it goes on by itself.")
        )

    def _begin(self) -> None:
        self.is_busy = True
        self.changed.emit()

    def _empty(self) -> None:
        desk = self._desk
        desk.analysis.cancel()
        desk.tour.leave()
        self.autosave.look_now()
        self.autosave.begin_anew()
        desk.gallery.clear()
        desk.changes.undo.clear()
        self._restoring.clear()

    def _settle(self, paths: Sequence[str]) -> None:
        self.autosave.settle(paths)
        self._choices = self._compared()
        self._set_changed(False)
        self.changed.emit()

    def _set_file(self, path: str) -> None:
        self.path = self.autosave.file = path

    def _set_changed(self, changed: bool) -> None:
        if changed != self.is_changed:
            self.is_changed = changed
            self.changed.emit()

    def _note_recent(self, path: str) -> None:
        before = [one for one in self._desk.settings.recent_sessions if one != path]
        self._desk.settings.recent_sessions = [path, *before][:MOST_RECENT]

    def _tell_missing(self, loaded: Loaded) -> None:
        n = len(loaded.missing)
        if n:
            message = counted(n, "1 picture is not where it was.", "{} pictures are not where they were.")
            hint = self.tr(
                "Their results are kept; to run them again, open the session once more and name their folder."
            )
            self.said.emit("warning", message, hint)

    def _new_scratch(self) -> Path:
        """A folder for pictures that have no file of their own; it goes with the window."""
        self._scratch.append(QTemporaryDir(f"{QDir.tempPath()}/{originals.PASTED}XXXXXX"))
        return Path(self._scratch[-1].path())

    def _compared(self) -> tuple[WindowState, Shown | None]:
        """The choices that make a session differ from its file: not the page in front, nor what the window chooses by itself."""
        state = window_state.of(self._desk)
        evaluated = replace(state.evaluated, split="") if self._desk.evaluation.data.is_running else state.evaluated
        return replace(state, evaluated=evaluated, reports=(), last_run=""), window_state.shown(self._desk)

    def _whole_state(self) -> tuple[WindowState, Shown | None]:
        page, views = self._views()
        state = replace(window_state.of(self._desk), page=page, views=views)
        return self._restoring.with_pending(state), window_state.shown(self._desk)

    def _state_now(self) -> tuple[dict[str, Any], Shown | None]:
        state, shown = self._whole_state()
        return window_state.plain(state), shown
