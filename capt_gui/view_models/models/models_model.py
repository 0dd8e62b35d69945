"""The models that are offered, how they stand, and the downloads under way."""

from __future__ import annotations

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
from capt_gui.bridge import Bridge, Job
from capt_gui.translate import tr

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
        """Take the score of the fetched model from a job."""
        job.finished.connect(self.on_scored)
        job.ended.connect(self.deleteLater)

    def on_progressed(self, event: JobProgress) -> None:
        """Take how far it is, which a download says once more while it pauses."""
        if self.state != PAUSED:
            self.state = RUNNING
        self.done, self.total, self.progress_text = event.done, event.total, event.note
        self.changed.emit()

    def on_news(self, event: JobPaused | JobContinued) -> None:
        """Take that it pauses, or goes on."""
        self.state = PAUSED if isinstance(event, JobPaused) else RUNNING
        self.changed.emit()

    def on_finished(self, result: DownloadResult) -> None:
        """The model is here."""
        self.ended.emit(self._model)
        self.installed.emit(self, result)

    def on_failed(self, failure: Failure) -> None:
        """The model could not be fetched."""
        self.ended.emit(self._model)
        self.failed.emit(self._model, failure)
        self.deleteLater()

    def on_cancelled(self) -> None:
        """The user wants no more of it."""
        self.ended.emit(self._model)
        self.deleteLater()

    def on_scored(self, score: SanityScore) -> None:
        """The fetched model was tried."""
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
        """The curated models, in their order; empty until the first answer."""
        return self.listed.offered if self.listed else ()

    def offer(self, model: str) -> OfferedModel | None:
        """One of them by its id."""
        return next((one for one in self.offered if one.id == model), None)

    def refresh(self) -> None:
        """Look again at what is here; touches no network."""
        self._bridge.run(ListModelsRequest()).finished.connect(self.on_listed)

    def read_ledger(self) -> None:
        """Ask for everything that was ever downloaded."""
        self._bridge.run(LedgerRequest()).finished.connect(self.on_ledger)

    def set_offline(self, locked: bool) -> None:
        """Lock the network away for good, or give it back."""
        self._bridge.run(OfflineRequest(locked)).ended.connect(self.refresh)

    def download(self, model: str) -> None:
        """Fetch a model: the user has seen what it is, and agreed."""
        if model not in self.underway:
            download = Download(model, self._bridge.run(DownloadRequest(model)), self)
            download.changed.connect(self.changed)
            download.ended.connect(self.on_ended)
            download.installed.connect(self.on_installed)
            download.failed.connect(self.failed)
            download.scored.connect(self.scored)
            self.underway[model] = download
            self.changed.emit()

    def on_listed(self, result: ModelsListed) -> None:
        """Take how the models stand."""
        self.listed = result
        self.changed.emit()

    def on_ledger(self, result: Ledger) -> None:
        """Take what was ever downloaded."""
        self.ledger = result.entries
        self.recorded.emit()

    def on_ended(self, model: str) -> None:
        """A download is over, however it ended."""
        del self.underway[model]
        self.refresh()

    def on_installed(self, download: Download, result: DownloadResult) -> None:
        """Ask for the catalogue again, and try the model on a few pictures."""
        self._bridge.run(CatalogueRequest())
        download.score(self._bridge.run(SanityRequest(Path(result.folder).name)))
        self.installed.emit(result)


def size(n_bytes: int | None, *, estimated: bool = False) -> str:
    """Bytes as people say them: "605 MB", "about 1.71 GB", "size not known"."""
    if not n_bytes:
        return tr("size not known")
    text = formatting.size(n_bytes)
    return tr("about {}").format(text) if estimated else text


def standing(model: OfferedModel, underway: Download | None) -> str:
    """The state of a model in two or three words."""
    if underway is not None:
        return {WAITING: tr("Waiting"), RUNNING: tr("Downloading"), PAUSED: tr("Paused")}[underway.state]
    if model.state == "partial":
        return tr("{} of it are here").format(size(model.have_bytes))
    return {"installed": tr("Installed"), "bundled": tr("Ships with the app")}.get(model.state, tr("Not downloaded"))


def comfort(model: OfferedModel) -> str:
    """The comfort of a model on this machine, in words."""
    text = {
        "comfortable": tr("Comfortable"),
        "slow": tr("Slow without a GPU: an attack takes minutes a picture"),
        "too large": tr("Too large"),
    }[model.comfort]
    return text + (tr("; an attack needs {} of memory").format(size(model.needs_bytes)) if model.needs_bytes else "")
