"""Autosave: what has changed in the window reaches the journal a moment later, in steps that nobody feels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QTimer, Signal

from capt_engine.records import Failure
from capt_engine.session import journal, originals
from capt_engine.session.journal import Changes, Journal, KeptJournal
from capt_gui.roles import GalleryRole
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.session.disk import Disk
from capt_gui.view_models.session.pictures import Known, is_same, known, picture
from capt_gui.view_models.session.window_state import Shown

DELAY_MS = 300
_STEP_S, _NEXT_MS, _RETRY_MS = 0.006, 20, 30_000
# a change of so many rows at once is looked at path by path later
_FEW = 50

State = tuple[dict[str, Any], Shown | None]


class Autosave(QObject):
    """Watches the gallery, and writes it with the window's choices into a journal of this window.

    touched: something changed that a session would miss. listed: `kept` was looked up. failed(Failure): the disk refused, told once.
    """

    touched = Signal()
    listed = Signal()
    failed = Signal(object)

    def __init__(
        self,
        gallery: GalleryModel,
        disk: Disk,
        state: Callable[[], State],
        folder: Path | None,
        parent: QObject | None = None,
    ) -> None:
        """state: gives the choices of the window, and the evaluation that is shown. folder: of the journals; None for no autosave."""
        super().__init__(parent)
        self._gallery = gallery
        self._disk = disk
        self._state = state
        self._folder = folder
        self._journal: Journal | None = None
        # where this window's session was saved
        self.file = ""
        # journals of windows that are gone, the newest first
        self.kept: tuple[KeptJournal, ...] = ()
        self._seen: dict[str, Known] = {}
        self._dirty: dict[str, None] = {}
        self._unwritten: dict[str, None] = {}
        self._with_thumbnail: set[str] = set()
        self._is_reordered = False
        self._written_state: State | None = None
        self._is_writing = False
        self._is_refused = False
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.on_timeout)
        gallery.dataChanged.connect(self.on_data_changed)
        gallery.rowsInserted.connect(self.on_rows_inserted)
        gallery.rowsRemoved.connect(self.on_rows_removed)
        gallery.modelReset.connect(self.on_reset)
        self._replaced: Path | None = None
        # the longest that the window was held, for the benchmark: seconds that passed, and seconds of its thread
        self.longest_step_s = self.longest_work_s = 0.0

    @property
    def is_behind(self) -> bool:
        """True while a change is not in the journal."""
        return self._timer.isActive() or bool(self._dirty or self._unwritten)

    def touch(self) -> None:
        """Look at the choices of the window soon: one of them may have changed."""
        if not self._timer.isActive():
            self._timer.start(DELAY_MS)

    def list_kept(self) -> None:
        """Look up which journals of windows that are gone there are, drop the oldest of them, and emit `listed`."""
        if self._folder is not None:
            folder = self._folder
            self._disk.run(lambda: journal.prune(folder), self.on_listed)

    def on_listed(self, kept: tuple[KeptJournal, ...]) -> None:
        """Take the journals that were found."""
        self.kept = kept
        self.listed.emit()

    def on_data_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        """Note that the pictures in the rows from `first` to `last` may have changed."""
        self._note(first.row(), last.row())

    def on_rows_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        """Note that pictures came into the rows from `first` to `last`."""
        self._is_reordered = True
        self._note(first, last)

    def on_rows_removed(self, _parent: QModelIndex, _first: int, _last: int) -> None:
        """Note that pictures went."""
        self._is_reordered = True
        self.touch()

    def on_reset(self) -> None:
        """Note that all pictures are others."""
        self._is_reordered = True
        self._note(0, self._gallery.rowCount() - 1)

    def on_timeout(self) -> None:
        """Look at some of what has changed, for a few milliseconds, and hand it to the disk's thread; the rest comes soon."""
        began_s, began_work_s = time.perf_counter(), time.thread_time()
        self._look(began_s + _STEP_S)
        if not self._is_writing:
            self._write(began_s + _STEP_S)
        if self._dirty or (self._unwritten and not self._is_writing and not self._is_refused):
            self._timer.start(_NEXT_MS)
        self.longest_step_s = max(self.longest_step_s, time.perf_counter() - began_s)
        self.longest_work_s = max(self.longest_work_s, time.thread_time() - began_work_s)

    def settle(self, pictures: Iterable[str]) -> None:
        """Take the gallery as it is, with its `pictures`, for what is saved already; it is written into the journal all the same."""
        self._dirty.clear()
        for path in pictures:
            if (now := known(self._gallery, path)) is not None:
                self._seen[path] = now
                self._unwritten[path] = None
        self.touch()

    def look_now(self) -> None:
        """Look at everything that has changed at once, so that `touched` is told before anybody asks."""
        self._look(float("inf"))

    def begin_anew(self) -> None:
        """Close this window's journal, which is kept as a session that was not saved, and begin another with the next change."""
        if self._journal is not None:
            self._end("emptied")
        self._seen.clear()
        self._unwritten.clear()
        self._with_thumbnail.clear()
        self._written_state = None

    def take_over(self, old: Path) -> None:
        """Delete the journal `old`, whose session is in this window now, once this window's own has all of it."""
        self._replaced = old
        self.touch()

    def drop(self) -> None:
        """Delete this window's journal: what is in it is saved, or nothing."""
        self._end("", forget=True)

    def close(self, *, keep: bool, asked: bool = True) -> None:
        """Write what is left, and close the journal. keep: it is kept for the next start; else what it holds was saved.

        asked: the user closed the window; else the next start offers the session, as after a crash.
        """
        self._timer.stop()
        self._look(float("inf"))
        if self._journal is not None and not keep:
            self.drop()
            return
        self._write(float("inf"))
        self._end("closed" if asked else "")
        self._forget_replaced()

    def _note(self, first: int, last: int) -> None:
        if last - first < _FEW:
            paths = (str(self._gallery.index(row).data(GalleryRole.PATH)) for row in range(first, last + 1))
            self._dirty.update(dict.fromkeys(paths))
        else:
            self._dirty.update(dict.fromkeys(self._gallery.paths()[first : last + 1]))
        self.touch()

    def _look(self, until_s: float) -> None:
        is_touched = False
        if self._is_reordered:
            there = set(self._gallery.paths())
            gone = [path for path in self._seen if path not in there]
            is_touched = bool(gone)
            for path in gone:
                del self._seen[path]
                self._with_thumbnail.discard(path)
                self._unwritten.pop(path, None)
        while self._dirty and time.perf_counter() < until_s:
            path = next(iter(self._dirty))
            del self._dirty[path]
            if (now := known(self._gallery, path)) is None:
                continue
            before = self._seen.get(path)
            if before is None or not is_same(now, before):
                self._seen[path] = now
                self._unwritten[path] = None
                is_touched = True
        if is_touched:
            self.touched.emit()

    def _write(self, until_s: float) -> None:
        """Hand to the thread what is not in the journal yet: some pictures, the order, the choices."""
        if self._folder is None:
            self._unwritten.clear()
            self._is_reordered = False
            return
        state = self._state()
        if not self._gallery.rowCount() and state[1] is None:
            self._is_reordered = False
            if self._journal is not None and not self._dirty:
                self.begin_anew()
            return
        some: dict[str, None] = {}
        taken = []
        while self._unwritten and (not some or time.perf_counter() < until_s):
            path = next(iter(self._unwritten))
            del self._unwritten[path]
            if (one := self._seen.get(path)) is None:
                continue
            thumbnail = b"" if path in self._with_thumbnail else self._gallery.packed(path)
            if thumbnail:
                self._with_thumbnail.add(path)
            some[path] = None
            taken.append((one, thumbnail))
        order = self._gallery.paths() if self._is_reordered else None
        choices = state if state != self._written_state else None
        if not taken and order is None and choices is None:
            return
        self._is_reordered, self._written_state = False, state
        if self._journal is None:
            self._journal = Journal(journal.new_path(self._folder))
        written, file = self._journal, self.file

        def write() -> None:
            plain = None
            if choices is not None:
                plain = {**choices[0], "run": choices[1].plain() if choices[1] is not None else {}}
            made = (picture(*one) for one in taken)
            kept = tuple(originals.with_original(one) if one.thumbnail else one for one in made)
            written.write(Changes(kept, order, plain, file))

        self._is_writing = True
        self._disk.run(write, self.on_written, lambda failure: self.on_refused(tuple(some), failure))

    def on_written(self, _: object) -> None:
        """Go on with what is left."""
        self._is_writing, self._is_refused = False, False
        if self._unwritten or self._is_reordered:
            self._timer.start(_NEXT_MS)
        else:
            self._forget_replaced()

    def on_refused(self, paths: tuple[str, ...], failure: Failure) -> None:
        """Say once that the disk refused the journal, and try again later with all that is not in it."""
        self._is_writing = False
        self._unwritten.update(dict.fromkeys(paths))
        self._with_thumbnail.difference_update(paths)
        self._written_state, self._is_reordered = None, True
        if not self._is_refused:
            self._is_refused = True
            self.failed.emit(failure)
        self._timer.start(_RETRY_MS)

    def _forget_replaced(self) -> None:
        if (old := self._replaced) is not None:
            self._replaced = None
            self._disk.run(lambda: journal.forget(old), lambda _: self.list_kept())

    def _end(self, how: str, *, forget: bool = False) -> None:
        if self._journal is None:
            return
        ended, self._journal = self._journal, None

        def end() -> None:
            ended.end(how)
            if forget:
                journal.forget(ended.path)

        self._disk.run(end)
