"""Work under way: drops become previews, previews become analyses, and their events fill the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    Failure,
    JobEvent,
    JobProgress,
    KeptRun,
    PicturesFound,
    PreviewRequest,
    PreviewResult,
    PreviewsReady,
    RowsReady,
)
from capt_gui.bridge import About, Bridge, Job
from capt_gui.view_models import formatting
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.explore.forecast import (
    ASK_ABOVE_S,
    FEW,
    FirstLook,
    LargeDrop,
    Paces,
    first_look,
    kind_of,
)
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.view_models.run_store import RunStore


class PictureSearch(QObject):
    """Looks for dropped pictures, and shows them. `pictures_found(paths)`; `finished(PreviewResult, new paths)`.

    Of a large folder `more_found(paths)` follows, as it is looked through.
    """

    pictures_found = Signal(list)
    more_found = Signal(list)
    finished = Signal(object, list)
    redraws = False

    def __init__(self, job: Job, gallery: GalleryModel) -> None:
        super().__init__()
        self.job = job
        self._gallery = gallery
        self._new: dict[str, None] = {}
        self._has_told = False
        job.news.connect(self.on_news)
        job.finished.connect(self.on_finished)

    def on_news(self, event: PicturesFound | PreviewsReady) -> None:
        """Add the pictures that the engine has found to the gallery, and their thumbnails as they come.

        Pictures that are found are also announced by `pictures_found`, and by `more_found` where others were before.
        """
        if isinstance(event, PreviewsReady):
            self._gallery.put_previews(event.previews)
            return
        self._new |= dict.fromkeys(path for path in event.paths if self._gallery.item(path) is None)
        self._gallery.set_labels(dict(event.labels))
        self._gallery.add(event.paths, event.skipped)
        paths = [*event.paths, *(failure.path for failure in event.skipped)]
        if paths:
            (self.more_found if self._has_told else self.pictures_found).emit(paths)
            self._has_told = True

    def on_finished(self, result: PreviewResult) -> None:
        """Emit `finished` with the result and the paths of the pictures that are new in the gallery and can be read."""
        items = (self._gallery.item(path) for path in self._new)
        self.finished.emit(result, [item.path for item in items if item is not None and item.failure is None])


class Analysis(QObject):
    """Puts the rows of an analysis into the gallery, and marks the pictures still to come. `finished(AnalyzeResult, folder)`.

    redraws: it only draws old pictures again.
    """

    finished = Signal(object, str)
    # with the request
    paced = Signal(object, object)

    def __init__(self, job: Job, request: AnalyzeRequest, gallery: GalleryModel, *, redraws: bool) -> None:
        super().__init__()
        self.job = job
        self.redraws = redraws
        self.open_paths = dict.fromkeys(request.paths)
        self._request = request
        self._gallery = gallery
        self.n_done = 0
        self.is_kept = bool(request.options.keep)
        job.started.connect(self.on_started)
        job.news.connect(self.on_rows)
        job.finished.connect(self.on_finished)
        job.ended.connect(self.on_ended)

    def on_started(self) -> None:
        """Mark the first picture still to come as running in the gallery, unless old pictures are only redrawn."""
        first = next(iter(self.open_paths), None)
        if first is not None and not self.redraws:
            self._gallery.set_pending([first], "running")

    def on_rows(self, event: JobEvent) -> None:
        """Put the finished rows (answers for a picture) into the gallery, and mark the next picture as running."""
        if not isinstance(event, RowsReady):
            return
        options = replace(self._request.options, keep="", resume=False)
        self._gallery.put_rows(event.rows, replace(self._request, paths=(), options=options))
        for row in event.rows:
            self.open_paths.pop(row.path, None)
        self.n_done += len({row.path for row in event.rows})
        self.on_started()

    def on_finished(self, result: AnalyzeResult) -> None:
        """Emit `finished` with the result and the run folder that keeps it, "" if none does."""
        self.paced.emit(self._request, result)
        self.finished.emit(result, self._request.options.keep)

    def on_ended(self) -> None:
        """Remove the mark "waiting" or "running" from the pictures that the job has not reached."""
        if self.open_paths:
            self._gallery.set_pending(list(self.open_paths), "")


class AnalysisModel(QObject):
    """One job after the other, frozen when it is asked for; what a stopped or failed job has brought stays.

    large(LargeDrop): new pictures would take more than a minute, and wait until somebody says which of them to analyse.
    show_wanted(path): somebody wants to see the result of this picture.
    """

    running_changed = Signal(bool)
    progress_changed = Signal(int, int, str)
    failed = Signal(object)
    finished = Signal(object)
    pictures_found = Signal(list)
    more_found = Signal(list)
    large = Signal(object)
    show_wanted = Signal(str)

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
        self._work: list[PictureSearch | Analysis] = []
        self._held: dict[str, None] = {}
        self._paces = Paces()
        self._was_running = False
        choices.model.offered.connect(self.on_offered)
        bridge.engine_failed.connect(self.cancel)

    @property
    def is_running(self) -> bool:
        """True while a search for pictures or an analysis waits or is under way; redrawing old pictures does not count."""
        return bool(self._running() or self._held)

    @property
    def elapsed_s(self) -> float:
        """The seconds since the engine began to work on the analysis under way; 0 without one. Redrawing does not count."""
        return max((work.job.elapsed_s for work in self._running()), default=0.0)

    @property
    def n_done(self) -> int:
        """The pictures that the analyses under way have answered so far."""
        return sum(work.n_done for work in self._running() if isinstance(work, Analysis))

    @property
    def is_kept(self) -> bool:
        """True if every analysis under way is kept on disk, so that it can be resumed and reported."""
        return all(work.is_kept for work in self._running() if isinstance(work, Analysis))

    def drop(self, paths: Sequence[str], *, analyse: bool | None = None) -> PictureSearch | None:
        """Look for pictures in the files and folders at `paths`, and add them to the gallery; return the search, None for no paths.

        They are analysed at once with the present choices if `analyse` says so, None for what the settings say.
        """
        if not paths:
            return None
        about = About(EXPLORE, again=partial(self.drop, tuple(paths), analyse=analyse), is_fleeting=True)
        search = PictureSearch(self._bridge.run(PreviewRequest(tuple(paths)), about), self._gallery)
        search.pictures_found.connect(self.pictures_found)
        search.more_found.connect(self.more_found)
        search.finished.connect(self.on_searched)
        if self._choices.settings.auto_run if analyse is None else analyse:
            search.finished.connect(self.on_new)
        search.job.progressed.connect(self.on_progressed)
        self._add(search)
        return search

    def run_all(self) -> None:
        """Analyse every picture of the gallery that can be read, with the present choices."""
        self.run(self._gallery.usable_paths())

    def run(self, paths: Sequence[str]) -> None:
        """Analyse the pictures at `paths` with the present choices; nothing happens if these do not allow a run.

        Before the catalogue arrives they wait for it: with it come the model's own budget, the usual prompts and class names.
        """
        if not self._choices.model.is_ready:
            self._held |= dict.fromkeys(paths)
            self._gallery.set_pending(paths, "waiting")
            self._tell_running()
        elif paths and not self._choices.problem():
            self._gallery.set_pending(paths, "waiting")
            request = self._choices.request(tuple(paths), self._store.new_folder())
            self._analyse_all(request)

    def run_new(self, paths: Sequence[str]) -> None:
        """Analyse pictures that nobody has asked about yet, or emit `large` where all of them would take more than a minute.

        Where the pace is not known, three of them are analysed first.
        """
        if len(paths) <= FEW or not self._choices.model.is_ready or self._choices.problem():
            self.run(paths)
            return
        pace = self._paces.get(kind_of(self._choices.request(())))
        if pace is not None:
            self.on_pace_known(list(paths), pace.seconds(len(paths)) / len(paths))
            return
        self._gallery.set_pending(paths, "waiting")
        few = first_look(paths)
        title = self.tr("First look at {} of {} pictures").format(len(few), f"{len(paths):,}")
        about = About(EXPLORE, again=partial(self.run_new, tuple(paths)), title=title, is_fleeting=True)
        analysis = self._analyse(self._choices.request(few), about)
        analysis.job.progressed.connect(self.on_progressed)
        look = FirstLook(analysis.job, paths, self)
        look.known.connect(self.on_pace_known)
        look.stopped.connect(self.on_look_stopped)

    def on_pace_known(self, paths: list[str], pace_s: float) -> None:
        """Analyse the pictures at `paths`, or emit `large` where they would take too long at `pace_s` seconds each."""
        seconds = pace_s * len(paths)
        if seconds <= ASK_ABOVE_S:
            self.run(paths)
        else:
            self._gallery.set_pending(paths, "")
            self.large.emit(LargeDrop(tuple(paths), seconds))

    def on_look_stopped(self, paths: list[str]) -> None:
        """Remove the mark "waiting" from the pictures at `paths`, of which the first look was cancelled or failed."""
        self._gallery.set_pending(paths, "")

    def go_on(self, run: KeptRun) -> None:
        """Show the pictures of the stopped analysis `run` in the gallery, and analyse those it had not reached, as it was asked to.

        The rows go to the folder of the run. Nothing happens if it is no stopped analysis.
        """
        if not isinstance(run.request, AnalyzeRequest):
            return
        options = replace(run.request.options, keep=run.folder, resume=True)
        self.drop(run.request.paths, analyse=False)
        request = replace(run.request, options=options)
        analysis = self._analyse(request, About(EXPLORE, partial(self.go_on, run), partial(self._show, request)))
        analysis.job.progressed.connect(self.on_progressed)
        analysis.finished.connect(self.on_finished)

    def on_offered(self) -> None:
        """Analyse the pictures that waited for the catalogue."""
        held, self._held = list(self._held), {}
        self.run_new(held)
        self._tell_running()

    def redraw(self, path: str) -> None:
        """Compute a finished analysis's large pictures again, with its own settings, where they are no longer kept.

        path: the picture's file. Nothing happens if they are still kept, if there is no result, or while the picture
        waits or runs; a redrawing of another picture is cancelled.
        """
        item = self._gallery.item(path)
        if item is None or item.request is None or item.pending or self._gallery.is_drawn(path):
            return
        for work in self._work:
            if isinstance(work, Analysis) and work.redraws:
                if path in work.open_paths:
                    return
                work.job.cancel()
        self._analyse(replace(item.request, paths=(path,)), None, redraws=True)

    def cancel(self) -> None:
        """Stop all jobs that wait or are under way; results that have arrived stay in the gallery."""
        held, self._held = list(self._held), {}
        self._gallery.set_pending(held, "")
        for work in self._work:
            work.job.cancel()
        self._tell_running()

    def on_progressed(self, event: JobProgress) -> None:
        """Emit `progress_changed` with the job's numbers, and a line that also tells how many jobs wait behind it."""
        self.progress_changed.emit(event.done, event.total, formatting.job_progress(event, len(self._running()) - 1))

    def on_searched(self, result: PreviewResult, _paths: list[str]) -> None:
        """Emit `failed` if no picture was found."""
        if result.n == 0:
            words = self.tr("No pictures were found there."), self.tr("Drop pictures, or a folder that holds some.")
            self.failed.emit(Failure("BadRequest", *words))

    def on_new(self, _result: PreviewResult, paths: list[str]) -> None:
        """Analyse the new pictures at `paths`, or ask first where that takes long."""
        self.run_new(paths)

    def on_paced(self, request: AnalyzeRequest, result: AnalyzeResult) -> None:
        """Note how long a picture took in an analysis of `request` that has ended."""
        self._paces.note(request, result)

    def on_finished(self, result: AnalyzeResult, folder: str) -> None:
        """Remember the run folder of the finished analysis ("" if not kept) as the last one, and emit `finished`."""
        self._store.on_kept(folder)
        self.finished.emit(result)

    def on_ended(self) -> None:
        """Drop the jobs that are over, and emit `running_changed(False)` once none is left."""
        self._work = [work for work in self._work if work.job.is_running]
        self._tell_running()

    def _analyse_all(self, request: AnalyzeRequest) -> None:
        """Analyse all pictures of a request, and keep the run where it says."""
        self._gallery.set_pending(request.paths, "waiting")
        analysis = self._analyse(request, About(EXPLORE, partial(self._again, request), partial(self._show, request)))
        analysis.paced.connect(self.on_paced)
        analysis.job.progressed.connect(self.on_progressed)
        analysis.finished.connect(self.on_finished)

    def _again(self, request: AnalyzeRequest) -> None:
        """Ask the same once more; a new run folder keeps it."""
        self._analyse_all(replace(request, options=replace(request.options, keep=self._store.new_folder())))

    def _show(self, request: AnalyzeRequest) -> None:
        """Ask for the first picture of a request that is in the gallery to be shown."""
        path = next((path for path in request.paths if self._gallery.item(path) is not None), "")
        if path:
            self.show_wanted.emit(path)

    def _analyse(self, request: AnalyzeRequest, about: About | None, *, redraws: bool = False) -> Analysis:
        analysis = Analysis(self._bridge.run(request, about), request, self._gallery, redraws=redraws)
        self._add(analysis)
        return analysis

    def _add(self, work: PictureSearch | Analysis) -> None:
        work.job.failed.connect(self.failed)
        work.job.ended.connect(self.on_ended)
        self._work.append(work)
        self._tell_running()

    def _running(self) -> list[PictureSearch | Analysis]:
        return [work for work in self._work if work.job.is_running and not work.redraws]

    def _tell_running(self) -> None:
        if self.is_running != self._was_running:
            self._was_running = self.is_running
            self.progress_changed.emit(0, 0, self.tr("Waiting") if self._was_running else "")
            self.running_changed.emit(self._was_running)
