"""Step 1: the pictures, as a scan in the background finds them, and what is left out of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoCommand, QUndoStack

from capt_engine.errors import CaptError
from capt_engine.records import FailedPicture, ScanResult
from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.view_models.data_warnings import Picked, notices
from capt_gui.view_models.navigation import TUNE
from capt_gui.view_models.scan_job import ScanJob
from capt_gui.view_models.tune import scan_file
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.state import DATA

RECENT = 6

Excluded: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Paths of single pictures and names of classes that are left out."""


class ScanModel(ScanJob):
    """The scan of the pictures. `changed`: the result, or what is left out."""

    page = TUNE

    def __init__(self, bridge: Bridge, settings: Settings, project: TuneProject, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._settings = settings
        self._project = project
        self._excluded: Excluded = ((), ())
        # what was left out and taken back, the latest on top
        self.undo = QUndoStack(self)
        self._left_out: Counter[str] = Counter()
        project.opened.connect(self.on_opened)
        project.changed.connect(self.on_project_changed)

    def take(self, paths: Sequence[str]) -> None:
        """Begin with other pictures and scan them; do nothing without paths or while tuning is under way.

        paths: class folders, a CSV or a split file; or several folders, each of them one class.
        """
        if not paths or self._project.is_busy:
            return
        self.forget()
        self.undo.clear()
        self._project.take(tuple(paths))
        source = "\n".join(paths)
        self._settings.tune_recent = [source, *(old for old in self._settings.tune_recent if old != source)][:RECENT]
        self.scan()

    def scan(self) -> None:
        """Scan the project's pictures again, unless a scan is under way; pictures that were left out stay left out."""
        state = self._project.state
        if not state.data or self.is_running:
            return
        folder = self._project.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            logging.getLogger(__name__).warning("The project has no folder: %s", problem)
        self.start(state.data, str(folder), state.model, state.template)

    def classes_in(self) -> tuple[str, ...]:
        """Return the names of the classes that are not left out; empty without a scan."""
        gone = set(self._project.state.excluded_classes)
        return tuple(own.name for own in self.result.classes if own.name not in gone) if self.result else ()

    def left_out(self, name: str) -> int:
        """Return how many single pictures of the class called `name` the user left out."""
        return self._left_out[name]

    def problem(self) -> str:
        """Return a sentence that says why step 2 cannot follow yet; empty if it can."""
        if self.is_running:
            return self.tr("The pictures are being looked through.")
        if self.result is None:
            return self.tr("Choose pictures of at least two classes.")
        return self._block()

    def exclude(self, picked: Picked) -> None:
        """Leave the pictures and classes in `picked` out of the project; their files stay as they are."""
        state = self._project.state
        self._leave_out(
            _with(state.excluded, picked.pictures), _with(state.excluded_classes, picked.classes), self.tr("leave out")
        )

    def include(self, picked: Picked) -> None:
        """Take the pictures and classes in `picked` back into the project."""
        state = self._project.state
        self._leave_out(
            _without(state.excluded, picked.pictures),
            _without(state.excluded_classes, picked.classes),
            self.tr("take back"),
        )

    def toggle(self, picked: Picked) -> None:
        """Leave the pictures and classes in `picked` out; if all of them already are, take them back."""
        state = self._project.state
        are_out = set(picked.pictures) <= set(state.excluded) and set(picked.classes) <= set(state.excluded_classes)
        (self.include if are_out else self.exclude)(picked)

    def on_opened(self) -> None:
        """Load the last scan of the opened project from its folder; if there is none, scan its pictures again."""
        self.forget()
        self.undo.clear()
        if not self._project.state.data:
            self.changed.emit()
            return
        self.result = scan_file.load(self._project.folder)
        self._count()
        if self.result is None:
            self.scan()
        else:
            self.list_pictures()
        self.changed.emit()

    def on_project_changed(self) -> None:
        """Count again if pictures or classes were left out or taken back, and emit `changed`; ignore other changes."""
        if self._project.is_busy:
            # what is tuned on does not change under way
            self.undo.clear()
        if self._excluded_now() != self._excluded:
            self._count()
            self.changed.emit()

    def on_scanned(self, found: ScanResult) -> None:
        """Keep the result of the scan, in the project's folder too, and ask which pictures each class has.

        In a new project, a train, val and test division that the data brings is chosen.
        """
        super().on_scanned(found)
        try:
            scan_file.save(found, self._project.folder)
        except CaptError as problem:
            logging.getLogger(__name__).warning("The scan could not be kept: %s", problem)
        self._count()
        # data that brings a whole division of its own is divided that way, unless the user wants another one
        parts = {name for name, count in found.splits if count}
        if self._project.state.reached == DATA and parts >= {"train", "val", "test"}:
            self._project.change(own_parts=True)
        self.list_pictures()

    def _leave_out(self, pictures: tuple[str, ...], classes: tuple[str, ...], words: str) -> None:
        before, after = self._excluded_now(), (pictures, classes)
        if before != after:
            self.undo.push(_LeftOut(self._project, before, after, words))

    def _excluded_now(self) -> Excluded:
        return self._project.state.excluded, self._project.state.excluded_classes

    def _count(self) -> None:
        state = self._project.state
        self._excluded = (state.excluded, state.excluded_classes)
        self._left_out = Counter(self._class_of[path] for path in set(state.excluded) if path in self._class_of)
        classes = self.result.classes if self.result is not None else ()
        self._usable = {own.name: own.usable - self._left_out[own.name] for own in classes}
        self._notices = () if self.result is None else notices(self.result, state, self.usable)


class _LeftOut(QUndoCommand):
    """Pictures and classes that were left out of the project, or taken back."""

    def __init__(self, project: TuneProject, before: Excluded, after: Excluded, words: str) -> None:
        super().__init__(words)
        self._project, self._before, self._after = project, before, after

    def redo(self) -> None:
        self._put(self._after)

    def undo(self) -> None:
        self._put(self._before)

    def _put(self, excluded: Excluded) -> None:
        pictures, classes = excluded
        self._project.change(excluded=pictures, excluded_classes=classes)


def unreadable_of(result: ScanResult, name: str) -> tuple[FailedPicture, ...]:
    """Return the pictures of the class called `name` that cannot be read, each with the reason."""
    return tuple(failure for own, failure in result.unreadable if own == name)


def _with(old: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *more)))


def _without(old: tuple[str, ...], gone: tuple[str, ...]) -> tuple[str, ...]:
    away = set(gone)
    return tuple(item for item in old if item not in away)
