"""The models that are offered, how they stand, and the downloads under way."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_engine import formatting
from capt_engine.records import (
    CatalogueRequest,
    DownloadRequest,
    DownloadResult,
    Failure,
    JobContinued,
    JobPaused,
    JobProgress,
    Ledger,
    LedgerEntry,
    LedgerRequest,
    ListModelsRequest,
    ModelsListed,
    OfferedModel,
    OfflineRequest,
    SanityRequest,
    SanityScore,
)
from capt_gui.bridge import About, Bridge, Job
from capt_gui.translate import tr
from capt_gui.view_models.navigation import MODELS

WAITING, RUNNING, PAUSED = "waiting", "running", "paused"


class Download(QObject):
    """A model under way: how it stands, bytes so far and in all, and the engine's words about them. It goes once nothing more is to come.

    `changed`; `ended(model)`, after which `failed(model, Failure)` or `installed(Download, DownloadResult)` may follow; `scored(model,
    SanityScore)` after `score`.
    """

    changed = Signal()
    ended = Signal(str)
    failed = Signal(str, object)
    installed = Signal(object, object)
    scored = Signal(str, object)

    def __init__(self, model: str, job: Job, parent: QObject) -> None:
        super().__init__(parent)
        self.job = job
        self.state = WAITING
        self.done = self.total = 0
        self.progress_text = ""
        self._model = model
        job.progressed.connect(self.on_progressed)
        job.news.connect(self.on_news)
        job.finished.connect(self.on_finished)
        job.failed.connect(self.on_failed)
        job.cancelled.connect(self.on_cancelled)
        job.ended.connect(self.changed)

    def score(self, job: Job) -> None:
        """Listen to `job`, which tries the fetched model on a few labelled pictures, and pass its score on by `scored`.

        This object is discarded once that job has ended.
        """
        job.finished.connect(self.on_scored)
        job.ended.connect(self.deleteLater)

    def on_progressed(self, event: JobProgress) -> None:
        """Take bytes done, bytes in all and the text of a progress event, and show the download as running.

        A paused download stays paused: it tells its progress once more after it has paused.
        """
        if self.state != PAUSED:
            self.state = RUNNING
        self.done, self.total, self.progress_text = event.done, event.total, event.note
        self.changed.emit()

    def on_news(self, event: JobPaused | JobContinued) -> None:
        """Set the state to paused for JobPaused and to running for JobContinued."""
        self.state = PAUSED if isinstance(event, JobPaused) else RUNNING
        self.changed.emit()

    def on_finished(self, result: DownloadResult) -> None:
        """Announce by `ended` and `installed` that the model is verified and installed, as `result` describes it."""
        self.ended.emit(self._model)
        self.installed.emit(self, result)

    def on_failed(self, failure: Failure) -> None:
        """Announce by `ended` and `failed` why the model could not be fetched, and discard this object."""
        self.ended.emit(self._model)
        self.failed.emit(self._model, failure)
        self.deleteLater()

    def on_cancelled(self) -> None:
        """Announce by `ended` that the download was cancelled, and discard this object."""
        self.ended.emit(self._model)
        self.deleteLater()

    def on_scored(self, score: SanityScore) -> None:
        """Pass on by `scored` how many of a few labelled pictures the fetched model got right."""
        self.scored.emit(self._model, score)


class ModelsModel(QObject):
    """The models that are offered or installed, and their downloads.

    Signals: `changed`: the list, a state or a progress; `installed(DownloadResult)`, `failed(model id, Failure)`; `recorded`: the
    ledger came; `scored(model id, SanityScore)`: a fetched model was tried on a few pictures.
    """

    changed = Signal()
    installed = Signal(object)
    failed = Signal(str, object)
    recorded = Signal()
    scored = Signal(str, object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.listed: ModelsListed | None = None
        self.ledger: tuple[LedgerEntry, ...] = ()
        self.underway: dict[str, Download] = {}

    @property
    def offered(self) -> tuple[OfferedModel, ...]:
        """The models of the curated list, in its order; empty until `refresh` has been answered."""
        return self.listed.offered if self.listed else ()

    def offer(self, model: str) -> OfferedModel | None:
        """Return the model of the curated list whose id is `model`; None if the list has none."""
        return next((one for one in self.offered if one.id == model), None)

    def refresh(self) -> None:
        """Ask the engine which models are offered and installed; `changed` follows. The network is not used."""
        self._bridge.run(ListModelsRequest()).finished.connect(self.on_listed)

    def read_ledger(self) -> None:
        """Ask the engine for the list of everything that was ever downloaded; `recorded` follows."""
        self._bridge.run(LedgerRequest()).finished.connect(self.on_ledger)

    def set_offline(self, locked: bool) -> None:
        """Forbid every use of the network from now on if `locked`, else allow it again; then refresh the list."""
        self._bridge.run(OfflineRequest(locked)).ended.connect(self.refresh)

    def download(self, model: str) -> None:
        """Begin to download a model by its id, or by `hf-hub:owner/name`; do nothing while it is being downloaded.

        Nothing is asked here: the user must have agreed before.
        """
        if model not in self.underway:
            about = About(MODELS, again=partial(self.download, model))
            download = Download(model, self._bridge.run(DownloadRequest(model), about), self)
            download.changed.connect(self.changed)
            download.ended.connect(self.on_ended)
            download.installed.connect(self.on_installed)
            download.failed.connect(self.failed)
            download.scored.connect(self.scored)
            self.underway[model] = download
            self.changed.emit()

    def on_listed(self, result: ModelsListed) -> None:
        """Keep the list of offered and installed models with their states, and announce it by `changed`."""
        self.listed = result
        self.changed.emit()

    def on_ledger(self, result: Ledger) -> None:
        """Keep the list of all downloads ever made, newest first, and announce it by `recorded`."""
        self.ledger = result.entries
        self.recorded.emit()

    def on_ended(self, model: str) -> None:
        """Forget the download of the model with this id, however it ended, and refresh the list of models."""
        del self.underway[model]
        self.refresh()

    def on_installed(self, download: Download, result: DownloadResult) -> None:
        """Renew the catalogue, try the fetched model on a few labelled pictures, and announce it by `installed`."""
        self._bridge.run(CatalogueRequest())
        download.score(self._bridge.run(SanityRequest(Path(result.folder).name), About(MODELS, is_fleeting=True)))
        self.installed.emit(result)


def size(n_bytes: int | None, *, estimated: bool = False) -> str:
    """Return a size in words: "605 MB", "about 1.71 GB" if `estimated`, "size not known" for None or 0 bytes."""
    if not n_bytes:
        return tr("size not known")
    text = formatting.size(n_bytes)
    return tr("about {}").format(text) if estimated else text


def standing(model: OfferedModel, underway: Download | None) -> str:
    """Return the state of a model in a few words, such as "Installed", "Downloading" or "605 MB of it are here".

    underway: its download, which comes before the state on disk; None if there is none.
    """
    if underway is not None:
        return {WAITING: tr("Waiting"), RUNNING: tr("Downloading"), PAUSED: tr("Paused")}[underway.state]
    if model.state == "partial":
        return tr("{} of it are here").format(size(model.have_bytes))
    return {"installed": tr("Installed"), "bundled": tr("Ships with the app")}.get(model.state, tr("Not downloaded"))


def comfort(model: OfferedModel) -> str:
    """Say in words how well this machine can run a model: comfortable, slow without a GPU, or too large.

    The memory that an attack needs is added where it is known.
    """
    text = {
        "comfortable": tr("Comfortable"),
        "slow": tr("Slow without a GPU: an attack takes minutes a picture"),
        "too large": tr("Too large"),
    }[model.comfort]
    return text + (tr("; an attack needs {} of memory").format(size(model.needs_bytes)) if model.needs_bytes else "")
