"""Step 1: the pictures, as a scan in the background finds them, and what is left out of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, Signal

from capt_engine.errors import CaptError
from capt_engine.records import FailedPicture, ScanResult, SplitResult
from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.view_models.data_warnings import Notice, Picked, notices
from capt_gui.view_models.scan_job import ScanJob
from capt_gui.view_models.tune import scan_file
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.state import DATA

RECENT = 6


class ScanModel(QObject):
    """The scan of the pictures. `changed`: the result, or what is left out; `running_changed`; `progress_changed(done, total, text)`.

    `failed(Failure)`: the pictures could not be looked through.
    """

    changed = Signal()
    running_changed = Signal(bool)
    progress_changed = Signal(int, int, str)
    failed = Signal(object)

    def __init__(self, bridge: Bridge, settings: Settings, project: TuneProject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._project = project
        self._job = ScanJob(bridge, self)
        self.thumbnails = self._job.thumbnails
        self._excluded: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._cached: tuple[Notice, ...] | None = None
        self._left_out: Counter[str] = Counter()
        self.result: ScanResult | None = None
        # usable pictures by class, in the order of the data set; empty until the inventory has been read
        self.pictures: dict[str, tuple[str, ...]] = {}
        self._class_of: dict[str, str] = {}
        self._job.running_changed.connect(self.running_changed)
        self._job.progress_changed.connect(self.progress_changed)
        self._job.done.connect(self.on_scanned)
        self._job.failed.connect(self.failed)
        self._job.ended.connect(self.changed)
        self._job.listed.connect(self.on_listed)
        project.opened.connect(self.on_opened)
        project.changed.connect(self.on_project_changed)

    @property
    def is_running(self) -> bool:
        """True if a scan is under way."""
        return self._job.is_running

    @property
    def is_known(self) -> bool:
        """True if the pictures of each class are known by their paths."""
        return bool(self.pictures)

    def take(self, paths: Sequence[str]) -> None:
        """Look through other pictures: class folders, a CSV, a split file; or several folders, each of them one class."""
        if not paths or self._project.is_busy:
            return
        self._forget()
        self._project.take(tuple(paths))
        source = "\n".join(paths)
        self._settings.tune_recent = [source, *(old for old in self._settings.tune_recent if old != source)][:RECENT]
        self.scan()

    def scan(self) -> None:
        """Look through the project's pictures again; what is left out stays so."""
        state = self._project.state
        if not state.data or self.is_running:
            return
        folder = self._project.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            logging.getLogger(__name__).warning("The project has no folder: %s", problem)
        self._job.start(state.data, str(folder), state.model, state.template)

    def cancel(self) -> None:
        """Stop looking."""
        self._job.cancel()

    def classes_in(self) -> tuple[str, ...]:
        """The classes that are not left out."""
        gone = set(self._project.state.excluded_classes)
        return tuple(own.name for own in self.result.classes if own.name not in gone) if self.result else ()

    def usable(self, name: str) -> int:
        """Pictures of a class that can be used: readable and not left out."""
        own = next((own for own in self.result.classes if own.name == name), None) if self.result else None
        return own.usable - self.left_out(name) if own is not None else 0

    def left_out(self, name: str) -> int:
        """Return the number of single pictures of a class that are left out."""
        return self._left_out[name]

    def class_of(self, path: str) -> str:
        """The class of a picture, empty while it is not known."""
        return self._class_of.get(path, "")

    def notices(self) -> tuple[Notice, ...]:
        """Notices about the pictures, blocks first."""
        if self._cached is None:
            self._cached = () if self.result is None else notices(self.result, self._project.state, self.usable)
        return self._cached

    def problem(self) -> str:
        """Why one cannot go on, in a sentence; empty when one can."""
        if self.is_running:
            return self.tr("The pictures are being looked through.")
        if self.result is None:
            return self.tr("Choose pictures of at least two classes.")
        return next((notice.message for notice in self.notices() if notice.kind == "block"), "")

    def exclude(self, picked: Picked) -> None:
        """Leave pictures and classes out; the files stay as they are."""
        state = self._project.state
        self._project.change(
            excluded=_with(state.excluded, picked.pictures),
            excluded_classes=_with(state.excluded_classes, picked.classes),
        )

    def include(self, picked: Picked) -> None:
        """Take pictures and classes back."""
        state = self._project.state
        self._project.change(
            excluded=_without(state.excluded, picked.pictures),
            excluded_classes=_without(state.excluded_classes, picked.classes),
        )

    def toggle_classes(self, names: Sequence[str]) -> None:
        """Leave these classes out; if all of them are already, take them back."""
        picked = Picked(classes=tuple(names))
        if set(names) <= set(self._project.state.excluded_classes):
            self.include(picked)
        else:
            self.exclude(picked)

    def toggle_pictures(self, paths: Sequence[str]) -> None:
        """Leave these pictures out; if all of them are already, take them back."""
        picked = Picked(pictures=tuple(paths))
        if set(paths) <= set(self._project.state.excluded):
            self.include(picked)
        else:
            self.exclude(picked)

    def on_opened(self) -> None:
        """Another project is in front: what its last scan found is on disk, or is looked for again."""
        self._forget()
        if not self._project.state.data:
            self.changed.emit()
            return
        self.result = scan_file.load(self._project.folder)
        self._count_left_out()
        if self.result is None:
            self.scan()
        else:
            self._job.list_pictures(self.result)
        self.changed.emit()

    def on_project_changed(self) -> None:
        """Something may have been left out, or taken back."""
        state = self._project.state
        if (state.excluded, state.excluded_classes) != self._excluded:
            self._count_left_out()
            self.changed.emit()

    def on_scanned(self, found: ScanResult) -> None:
        """The pictures have been looked through: keep what was found, and ask which pictures each class has."""
        self.result = found
        try:
            scan_file.save(found, self._project.folder)
        except CaptError as problem:
            logging.getLogger(__name__).warning("The scan could not be kept: %s", problem)
        self._count_left_out()
        # data that brings a whole division of its own is divided that way, unless the user wants another one
        parts = {name for name, count in found.splits if count}
        if self._project.state.reached == DATA and parts >= {"train", "val", "test"}:
            self._project.change(own_parts=True)
        self._job.list_pictures(found)

    def on_listed(self, listed: SplitResult) -> None:
        """The pictures of each class are known."""
        by_class: dict[str, list[str]] = {}
        for assigned in listed.pictures:
            by_class.setdefault(assigned.class_name, []).append(assigned.path)
            self._class_of[assigned.path] = assigned.class_name
        self.pictures = {name: tuple(paths) for name, paths in by_class.items()}
        self._count_left_out()
        self.changed.emit()

    def _count_left_out(self) -> None:
        state = self._project.state
        self._excluded = (state.excluded, state.excluded_classes)
        self._left_out = Counter(self._class_of[path] for path in set(state.excluded) if path in self._class_of)
        self._cached = None

    def _forget(self) -> None:
        self.result = None
        self.pictures, self._class_of = {}, {}
        self._left_out, self._cached = Counter(), None
        self._job.forget()


def unreadable_of(result: ScanResult, name: str) -> tuple[FailedPicture, ...]:
    """The pictures of a class that cannot be read, with the reason."""
    return tuple(failure for own, failure in result.unreadable if own == name)


def _with(old: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *more)))


def _without(old: tuple[str, ...], gone: Iterable[str]) -> tuple[str, ...]:
    away = set(gone)
    return tuple(item for item in old if item not in away)
