"""The models that are offered, how they stand, and the downloads under way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, Signal

from capt_engine.records import (
    CatalogueRequest,
    DownloadRequest,
    DownloadResult,
    Event,
    Failure,
    JobCancelled,
    JobContinued,
    JobFailed,
    JobFinished,
    JobId,
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
from capt_gui.bridge import Bridge

WAITING, RUNNING, PAUSED = "waiting", "running", "paused"


@dataclass(frozen=True)
class Underway:
    """One download: its job, how it stands, bytes so far and in all, and the engine's words about them."""

    job: JobId
    state: str = WAITING
    done: int = 0
    total: int = 0
    words: str = ""


class ModelsModel(QObject):
    """`changed`: the list, a state or a progress; `installed(DownloadResult)`, `failed(model id, Failure)`; `recorded`: the ledger came;
    `scored(model id, SanityScore)`: a fetched model was tried on a few pictures.
    """

    changed = Signal()
    installed = Signal(object)
    failed = Signal(str, object)
    recorded = Signal()
    scored = Signal(str, object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._jobs: dict[JobId, str] = {}
        self._scoring: dict[JobId, str] = {}
        self.listed: ModelsListed | None = None
        self.ledger: tuple[LedgerEntry, ...] = ()
        self.underway: dict[str, Underway] = {}
        bridge.event_arrived.connect(self.on_event)

    @property
    def offered(self) -> tuple[OfferedModel, ...]:
        """The curated models, in their order; empty until the first answer."""
        return self.listed.offered if self.listed else ()

    def offer(self, model: str) -> OfferedModel | None:
        """One of them by its id."""
        return next((one for one in self.offered if one.id == model), None)

    def refresh(self) -> None:
        """Look again at what is here; touches no network."""
        self._ask(ListModelsRequest())

    def read_ledger(self) -> None:
        """Ask for everything that was ever downloaded."""
        self._ask(LedgerRequest())

    def set_offline(self, locked: bool) -> None:
        """Lock the network away for good, or give it back."""
        self._ask(OfflineRequest(locked))

    def download(self, model: str) -> None:
        """Fetch a model: the user has seen what it is, and agreed."""
        if model not in self.underway:
            job = self._bridge.submit(DownloadRequest(model))
            self._jobs[job] = model
            self.underway[model] = Underway(job)
            self.changed.emit()

    def pause(self, model: str) -> None:
        """Let a download rest."""
        if model in self.underway:
            self._bridge.pause(self.underway[model].job)

    def resume(self, model: str) -> None:
        """Let it go on."""
        if model in self.underway:
            self._bridge.resume(self.underway[model].job)

    def cancel(self, model: str) -> None:
        """End a download; what came is kept for another time."""
        if model in self.underway:
            self._bridge.cancel(self.underway[model].job)

    def on_event(self, event: Event) -> None:
        """Take what concerns models."""
        job = getattr(event, "job", None)
        model = self._jobs.get(job) if job is not None else None
        if model is not None and model in self.underway:
            self._on_download(model, event)
        elif isinstance(event, JobFinished) and isinstance(event.result, ModelsListed):
            self.listed = event.result
            self.changed.emit()
        elif isinstance(event, JobFinished) and isinstance(event.result, Ledger):
            self.ledger = event.result.entries
            self.recorded.emit()
        elif isinstance(event, JobFinished | JobFailed | JobCancelled) and event.job in self._scoring:
            scored = self._scoring.pop(event.job)
            if isinstance(event, JobFinished) and isinstance(event.result, SanityScore):
                self.scored.emit(scored, event.result)
        elif isinstance(event, JobFinished | JobFailed | JobCancelled) and model == "":
            # an answer that changes how everything stands, such as the offline lock's
            del self._jobs[event.job]
            self.refresh()

    def _on_download(self, model: str, event: Event) -> None:
        now = self.underway[model]
        if isinstance(event, JobProgress):
            state = now.state if now.state == PAUSED else RUNNING
            self.underway[model] = replace(now, state=state, done=event.done, total=event.total, words=event.note)
        elif isinstance(event, JobPaused):
            self.underway[model] = replace(now, state=PAUSED)
        elif isinstance(event, JobContinued):
            self.underway[model] = replace(now, state=RUNNING)
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            del self.underway[model], self._jobs[event.job]
            self.refresh()
            if isinstance(event, JobFinished) and isinstance(event.result, DownloadResult):
                # what can be chosen has changed everywhere
                self._bridge.submit(CatalogueRequest())
                self._scoring[self._bridge.submit(SanityRequest(Path(event.result.folder).name))] = model
                self.installed.emit(event.result)
            elif isinstance(event, JobFailed):
                failure: Failure = event.failure
                self.failed.emit(model, failure)
        self.changed.emit()

    def _ask(self, request: ListModelsRequest | LedgerRequest | OfflineRequest) -> None:
        job = self._bridge.submit(request)
        if isinstance(request, OfflineRequest):
            self._jobs[job] = ""


def size(n_bytes: int | None, *, estimated: bool = False) -> str:
    """Bytes as people say them: "605 MB", "about 1.71 GB", "size not known"."""
    if not n_bytes:
        return _tr("size not known")
    words = f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
    return _tr("about {}").format(words) if estimated else words


def standing(model: OfferedModel, underway: Underway | None) -> str:
    """Where a model is, in two or three words."""
    if underway is not None:
        return {WAITING: _tr("Waiting"), RUNNING: _tr("Downloading"), PAUSED: _tr("Paused")}[underway.state]
    if model.state == "partial":
        return _tr("{} of it are here").format(size(model.have_bytes))
    return {"installed": _tr("Installed"), "bundled": _tr("Ships with the app")}.get(model.state, _tr("Not here"))


def comfort(model: OfferedModel) -> str:
    """What this machine makes of a model."""
    words = {
        "comfortable": _tr("Comfortable"),
        "slow": _tr("Slow without a GPU: an attack takes minutes a picture"),
        "too large": _tr("Too large"),
    }[model.comfort]
    return words + (_tr("; an attack needs {} of memory").format(size(model.needs_bytes)) if model.needs_bytes else "")


def _tr(words: str) -> str:
    return QCoreApplication.translate("models", words)
