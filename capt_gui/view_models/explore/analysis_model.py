"""Work under way: drops become previews, previews become analyses, and their events fill the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    Event,
    Failure,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    JobStarted,
    PicturesFound,
    PreviewRequest,
    PreviewResult,
    PreviewsReady,
    Request,
    RowsReady,
)
from capt_gui.bridge import Bridge
from capt_gui.view_models import formatting
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.run_store import RunStore


@dataclass
class Job:
    """A job this model asked for, the pictures still to come, and whether it only draws old pictures again."""

    request: AnalyzeRequest | PreviewRequest
    open_paths: dict[str, None] = field(default_factory=dict)
    redraws: bool = False


class AnalysisModel(QObject):
    """One job after the other, frozen when it is asked for; what a stopped or failed job has brought stays."""

    running_changed = Signal(bool)
    progress_changed = Signal(int, int, str)
    failed = Signal(object)
    finished = Signal(object)
    pictures_found = Signal(list)

    def __init__(
        self,
        bridge: Bridge,
        gallery: GalleryModel,
        choices: Choices,
        store: RunStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._store = store
        self._gallery = gallery
        self._choices = choices
        self._jobs: dict[JobId, Job] = {}
        self._told = False

    @property
    def is_running(self) -> bool:
        """Whether there is work that Cancel would stop."""
        return any(not job.redraws for job in self._jobs.values())

    def drop(self, paths: Sequence[str]) -> None:
        """Look for pictures in files and folders; they are analysed at once where the settings say so."""
        if paths:
            self._submit(Job(PreviewRequest(tuple(paths))))

    def run_all(self) -> None:
        """Analyse every picture of the gallery with the present choices."""
        self.run(self._gallery.usable_paths())

    def run(self, paths: Sequence[str]) -> None:
        """Analyse some pictures with the present choices."""
        if paths and not self._choices.problem():
            self._gallery.set_pending(paths, "waiting")
            request = self._choices.request(tuple(paths), self._store.new_folder())
            self._submit(Job(request, dict.fromkeys(paths)))

    def redraw(self, path: str) -> None:
        """Ask again for the big pictures of a result that no longer has them, with the settings it was made with."""
        item = self._gallery.item(path)
        if item is None or item.request is None or item.pending or self._gallery.is_drawn(path):
            return
        for number, job in list(self._jobs.items()):
            if job.redraws:
                if path in job.open_paths:
                    return
                self._bridge.cancel(number)
        self._submit(Job(replace(item.request, paths=(path,)), {path: None}, redraws=True))

    def cancel(self) -> None:
        """Stop all that is under way or waiting; results that are there stay."""
        for number in list(self._jobs):
            self._bridge.cancel(number)

    def on_event(self, event: Event) -> None:
        """Take the events of this model's own jobs."""
        number = getattr(event, "job", None)
        job = self._jobs.get(number) if number is not None else None
        if job is None or number is None:
            return
        if isinstance(event, JobStarted):
            self._mark_next(job)
        elif isinstance(event, JobProgress):
            self._on_progress(job, event)
        elif isinstance(event, PicturesFound):
            job.open_paths |= dict.fromkeys(path for path in event.paths if self._gallery.item(path) is None)
            self._gallery.add(event.paths, event.skipped)
            self.pictures_found.emit([*event.paths, *(failure.path for failure in event.skipped)])
        elif isinstance(event, PreviewsReady):
            self._gallery.put_previews(event.previews)
        elif isinstance(event, RowsReady) and isinstance(job.request, AnalyzeRequest):
            self._on_rows(job, job.request, event)
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            self._on_end(number, job, event)

    def _submit(self, job: Job) -> None:
        request: Request = job.request
        self._jobs[self._bridge.submit(request)] = job
        self._tell_running()

    def _tell_running(self) -> None:
        if self.is_running != self._told:
            self._told = self.is_running
            self.progress_changed.emit(0, 0, "Waiting" if self._told else "")
            self.running_changed.emit(self._told)

    def _on_progress(self, job: Job, event: JobProgress) -> None:
        if not job.redraws:
            waiting = sum(not other.redraws for other in self._jobs.values()) - 1
            words = formatting.progress(event.note, event.remaining_s, waiting)
            self.progress_changed.emit(event.done, event.total, words)

    def _on_rows(self, job: Job, request: AnalyzeRequest, event: RowsReady) -> None:
        self._gallery.put_rows(event.rows, replace(request, paths=(), options=replace(request.options, keep="")))
        for row in event.rows:
            job.open_paths.pop(row.path, None)
        self._mark_next(job)

    def _mark_next(self, job: Job) -> None:
        """Show which picture is being worked on: the engine takes them in order."""
        first = next(iter(job.open_paths), None)
        if first is not None and not job.redraws and isinstance(job.request, AnalyzeRequest):
            self._gallery.set_pending([first], "running")

    def _on_end(self, number: JobId, job: Job, event: JobFinished | JobFailed | JobCancelled) -> None:
        del self._jobs[number]
        if isinstance(job.request, AnalyzeRequest) and job.open_paths:
            self._gallery.set_pending(list(job.open_paths), "")
        if isinstance(event, JobFailed):
            self.failed.emit(event.failure)
        elif isinstance(event, JobFinished):
            self._on_finished(job, event)
        self._tell_running()

    def _on_finished(self, job: Job, event: JobFinished) -> None:
        if isinstance(event.result, AnalyzeResult) and not job.redraws:
            if isinstance(job.request, AnalyzeRequest):
                self._store.on_kept(job.request.options.keep)
            self.finished.emit(event.result)
        elif isinstance(job.request, PreviewRequest):
            if isinstance(event.result, PreviewResult) and event.result.n == 0:
                self.failed.emit(
                    Failure(
                        "BadRequest", "No pictures were found there.", "Drop pictures, or a folder that holds some."
                    )
                )
            if self._choices.settings.auto_run:
                items = (self._gallery.item(path) for path in job.open_paths)
                self.run([item.path for item in items if item is not None and item.failure is None])
