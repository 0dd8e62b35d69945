"""Step 1: the pictures, as a scan in the background finds them, and what is left out of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    Event,
    FailedPicture,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    PreviewsReady,
    ScanRequest,
    ScanResult,
    SplitRequest,
    SplitResult,
)
from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.view_models import scan_file, sentences
from capt_gui.view_models.data_notices import Notice, Picked, notices
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader
from capt_gui.view_models.tune_project import TuneProject
from capt_gui.view_models.tune_state import DATA

RECENT = 6
STRIP = 4


class ScanModel(QObject):
    """What there is. `changed`: the result, or what is left out of it; `running_changed`; `progress_changed(done, total, words)`.

    `failed(Failure)`: the pictures could not be looked through.
    """

    changed = Signal()
    running_changed = Signal(bool)
    progress_changed = Signal(int, int, str)
    failed = Signal(object)

    def __init__(
        self,
        bridge: Bridge,
        settings: Settings,
        project: TuneProject,
        thumbnails: ThumbnailLoader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._settings = settings
        self._project = project
        self.thumbnails = thumbnails
        self._scan: JobId | None = None
        self._listing: JobId | None = None
        self._excluded: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._cached: tuple[Notice, ...] | None = None
        self._left_out: Counter[str] = Counter()
        self.result: ScanResult | None = None
        # usable pictures by class, in the order of the data set; empty until the inventory has been read
        self.pictures: dict[str, tuple[str, ...]] = {}
        self._class_of: dict[str, str] = {}
        bridge.event_arrived.connect(self.on_event)
        project.opened.connect(self.on_opened)
        project.changed.connect(self.on_project_changed)

    @property
    def is_running(self) -> bool:
        """Whether a scan is under way."""
        return self._scan is not None

    @property
    def is_known(self) -> bool:
        """Whether the pictures of each class are known by their paths."""
        return bool(self.pictures)

    def take(self, paths: Sequence[str]) -> None:
        """Look through other pictures: class folders, a CSV, a split file; or several folders, each of them one class."""
        if not paths or self._project.is_busy:
            return
        self.cancel()
        self._forget()
        self._project.take(tuple(paths))
        source = "\n".join(paths)
        self._settings.tune_recent = [source, *(old for old in self._settings.tune_recent if old != source)][:RECENT]
        self.scan()

    def scan(self) -> None:
        """Look through the project's pictures again; what is left out stays so."""
        state = self._project.state
        if not state.data or self._scan is not None:
            return
        folder = self._project.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            logging.getLogger(__name__).warning("The project has no folder: %s", problem)
        request = ScanRequest(
            state.data, model=state.model, template=state.template, keep=str(folder), thumbnails=STRIP, size=96
        )
        self._scan = self._bridge.submit(request)
        self.progress_changed.emit(0, 0, self.tr("Waiting for the engine…"))
        self.running_changed.emit(True)

    def cancel(self) -> None:
        """Stop looking."""
        if self._scan is not None:
            self._bridge.cancel(self._scan)

    def classes_in(self) -> tuple[str, ...]:
        """The classes that are not left out."""
        gone = set(self._project.state.excluded_classes)
        return tuple(own.name for own in self.result.classes if own.name not in gone) if self.result else ()

    def usable(self, name: str) -> int:
        """Pictures of a class that can be used: readable and not left out."""
        own = next((own for own in self.result.classes if own.name == name), None) if self.result else None
        return own.usable - self.left_out(name) if own is not None else 0

    def left_out(self, name: str) -> int:
        """How many single pictures of a class are left out."""
        return self._left_out[name]

    def class_of(self, path: str) -> str:
        """The class of a picture, empty while it is not known."""
        return self._class_of.get(path, "")

    def notices(self) -> tuple[Notice, ...]:
        """What there is to say about the pictures, blocks first."""
        if self._cached is None:
            self._cached = () if self.result is None else notices(self.result, self._project.state, self.usable)
        return self._cached

    def problem(self) -> str:
        """Why one cannot go on, in a sentence; empty when one can."""
        if self._scan is not None:
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
        self.cancel()
        self._forget()
        if not self._project.state.data:
            self.changed.emit()
            return
        self.result = scan_file.load(self._project.folder)
        self._count_left_out()
        if self.result is None:
            self.scan()
        else:
            self._list()
        self.changed.emit()

    def on_project_changed(self) -> None:
        """Something may have been left out, or taken back."""
        state = self._project.state
        if (state.excluded, state.excluded_classes) != self._excluded:
            self._count_left_out()
            self.changed.emit()

    def on_event(self, event: Event) -> None:
        """Take the events of this model's own jobs."""
        job = getattr(event, "job", None)
        if job is None or job not in (self._scan, self._listing):
            return
        if isinstance(event, PreviewsReady):
            self.thumbnails.put(event.previews)
        elif isinstance(event, JobProgress) and job == self._scan:
            note = event.note[:1].upper() + event.note[1:]
            self.progress_changed.emit(event.done, event.total, sentences.progress(note, event.remaining_s, 0))
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            if job == self._scan:
                self._on_scanned(event)
            else:
                self._on_listed(event)

    def _on_scanned(self, event: JobFinished | JobFailed | JobCancelled) -> None:
        self._scan = None
        if isinstance(event, JobFinished) and isinstance(event.result, ScanResult):
            self.result = event.result
            try:
                scan_file.save(event.result, self._project.folder)
            except OSError as problem:
                logging.getLogger(__name__).warning("The scan could not be kept: %s", problem)
            self._count_left_out()
            # data that brings a whole division of its own is divided that way, unless the user wants another one
            parts = {name for name, count in event.result.splits if count}
            if self._project.state.reached == DATA and parts >= {"train", "val", "test"}:
                self._project.change(own_parts=True)
            self._list()
        elif isinstance(event, JobFailed):
            self.failed.emit(event.failure)
        self.running_changed.emit(False)
        self.changed.emit()

    def _list(self) -> None:
        """Ask which pictures each class has: the inventory read as a split that uses all of them."""
        if self.result is not None and self.result.inventory:
            self._listing = self._bridge.submit(
                SplitRequest(self.result.inventory, shots=None, val_share=0.0, test_share=0.0)
            )

    def _on_listed(self, event: JobFinished | JobFailed | JobCancelled) -> None:
        self._listing = None
        if not isinstance(event, JobFinished) or not isinstance(event.result, SplitResult):
            return
        by_class: dict[str, list[str]] = {}
        for assigned in event.result.pictures:
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
        if self._listing is not None:
            self._bridge.cancel(self._listing)
        was_running = self._scan is not None
        self._scan = self._listing = None
        self.result = None
        self.pictures, self._class_of = {}, {}
        self._left_out, self._cached = Counter(), None
        self.thumbnails.forget()
        if was_running:
            self.running_changed.emit(False)


def unreadable_of(result: ScanResult, name: str) -> tuple[FailedPicture, ...]:
    """The pictures of a class that cannot be read, with the reason."""
    return tuple(failure for own, failure in result.unreadable if own == name)


def _with(old: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *more)))


def _without(old: tuple[str, ...], gone: Iterable[str]) -> tuple[str, ...]:
    away = set(gone)
    return tuple(item for item in old if item not in away)
