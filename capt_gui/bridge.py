"""The one QObject between the two worlds: it holds the engine, and gives each request a job whose signals are the engine's events."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal, SignalInstance

from capt_engine.api import Engine
from capt_engine.records import (
    Catalogue,
    CatalogueChanged,
    EngineFailed,
    EngineNote,
    EngineReady,
    Event,
    Failure,
    JobCancelled,
    JobEvent,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    JobStarted,
    Request,
)
from capt_gui.translate import spoken

Slot = Callable[..., object] | SignalInstance


class Door(Protocol):
    """Protocol of the engine's methods that the window uses; the real engine and the fake one of the tests have them."""

    def submit(self, request: Request) -> JobId:
        """Queue `request`, a record of the work that is wanted, and return the id of the job that does it."""

    def cancel(self, job: JobId) -> None:
        """Ask the job with the id `job` to stop, running or still queued; unknown and ended jobs are ignored."""

    def stop(self, job: JobId) -> None:
        """Ask the tuning job with the id `job` to finish early with its best epoch.

        One that has no whole epoch yet, or a job of another kind, is cancelled.
        """

    def pause(self, job: JobId) -> None:
        """Ask the tuning job or download with the id `job` to wait until `resume`; a job of another kind goes on."""

    def resume(self, job: JobId) -> None:
        """Ask the paused job with the id `job` to go on."""

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel every job and wait at most `timeout_s` seconds for the engine's workers; return False if one was still busy then."""


EngineFactory = Callable[[Callable[[Event], None]], Door]


def real_engine(device: str) -> EngineFactory:
    """Return a function that takes a listener, to be called with each event, and makes the real engine on `device`.

    The device is a name that `device_name` takes, such as "auto".
    """

    def make(on_event: Callable[[Event], None]) -> Door:
        return Engine(on_event, device=device)

    return make


@dataclass(frozen=True)
class About:
    """The place of a job in the window, which makes it one of those that the list of jobs shows.

    page: the key of the page that it belongs to. again: asks for the same once more, None where nobody can. show: shows its result on
    the page, once that is in front. title: what it is, "" for what its request says. is_fleeting: once it is done, nobody needs it in
    the list.
    """

    page: str
    again: Callable[[], object] | None = None
    show: Callable[[], object] | None = None
    title: str = ""
    is_fleeting: bool = False


class Job(QObject):
    """One submitted request: its signals carry the engine's events about it, in order and on the window's thread.

    Exactly one of `finished`, `failed` and `cancelled` comes, and then `ended`; by then `is_running` is False. Nobody needs to hold a
    job: the bridge does until it ends. Connect bound methods of QObjects, and do so before going back to the event loop.
    """

    started = Signal()
    # JobProgress
    progressed = Signal(object)
    # every other event: pictures found, rows, pages, paused …
    news = Signal(object)
    # the result that belongs to the request
    finished = Signal(object)
    # Failure
    failed = Signal(object)
    # why a stop found nothing to keep; else empty
    cancelled = Signal(str)
    ended = Signal()

    def __init__(self, door: Door, request: Request, about: About | None = None) -> None:
        """Submit the request. about: its place in the window, None for a job that nobody would miss."""
        super().__init__()
        self._door = door
        self.request = request
        self.about = about
        # the seconds from its beginning to its end; 0 before that
        self.worked_s = 0.0
        self.is_running = True
        # in the queue of the engine, behind other work
        self.is_waiting = True
        self._is_ignored = False
        self._began_s: float | None = None
        self.id = door.submit(request)

    @property
    def elapsed_s(self) -> float:
        """The seconds since the engine began to work on this job; 0 while it waits and once it has ended."""
        return time.monotonic() - self._began_s if self.is_running and self._began_s is not None else 0.0

    def connect_slots(self, **slots: Slot) -> None:
        """Connect each of `slots`, functions or signals, to the signal of this job that it is named after.

        For example, `connect_slots(finished=self.on_finished)`.
        """
        for signal, slot in slots.items():
            getattr(self, signal).connect(slot)

    def cancel(self) -> None:
        """Ask the engine to stop this job; do nothing if the job has ended."""
        if self.is_running:
            self._door.cancel(self.id)

    def stop(self) -> None:
        """Ask a tuning job to finish early with its best epoch so far.

        One that has no whole epoch yet, or a job of another kind, is cancelled; one that has ended is left alone.
        """
        if self.is_running:
            self._door.stop(self.id)

    def pause(self) -> None:
        """Ask a tuning job or a download to wait until `resume`; a job of another kind goes on.

        The signal `news` carries a JobPaused once the job waits.
        """
        if self.is_running:
            self._door.pause(self.id)

    def resume(self) -> None:
        """Ask this job to go on after a pause; the signal `news` carries a JobContinued once it does."""
        if self.is_running:
            self._door.resume(self.id)

    def ignore(self) -> None:
        """Emit no signal of this job any more, while the engine goes on with its work; `is_running` is False from now on."""
        self.is_running, self._is_ignored = False, True

    def abandon(self) -> None:
        """Ask the engine to stop this job, and emit no signal of it any more, not even `cancelled`."""
        self.cancel()
        self.ignore()

    def take(self, event: JobEvent) -> None:
        """Emit the signal that belongs to `event`, which the engine sent about this job; only the bridge calls this.

        A job that is ignored emits nothing.
        """
        if isinstance(event, JobStarted):
            self.is_waiting = False
            self._began_s = time.monotonic()
        elif isinstance(event, JobFinished | JobFailed | JobCancelled) and self._began_s is not None:
            self.worked_s = time.monotonic() - self._began_s
        if self._is_ignored:
            return
        if isinstance(event, JobStarted):
            self.started.emit()
        elif isinstance(event, JobProgress):
            self.progressed.emit(event)
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            self._end(event)
        else:
            self.news.emit(event)

    def _end(self, event: JobFinished | JobFailed | JobCancelled) -> None:
        self.is_running = False
        if isinstance(event, JobFinished):
            self.finished.emit(event.result)
        elif isinstance(event, JobFailed):
            self.failed.emit(event.failure)
        else:
            self.cancelled.emit(event.reason)
        self.ended.emit()


class Bridge(QObject):
    """Carries requests to the engine, hands each event to its job, and has a signal for each event that is about the engine itself.

    The engine emits on threads of its own. One queued signal brings its events to the thread of this object, in order.
    """

    # the engine's own events, as records: EngineNote, EngineReady, EngineFailed, CatalogueChanged
    engine_noted = Signal(object)
    engine_ready = Signal(object)
    engine_failed = Signal(object)
    catalogue_changed = Signal(object)
    # a Job was asked for, and whatever is heard of one, even if it is ignored: the Job and the JobEvent
    submitted = Signal(object)
    heard = Signal(object, object)
    closing = Signal()
    # emitted on the engine's thread
    _arrived = Signal(object)

    def __init__(self, make_engine: EngineFactory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_engine = make_engine
        self._engine: Door | None = None
        self._closed = False
        self._jobs: dict[JobId, Job] = {}
        self._arrived.connect(self._on_arrived)

    @property
    def is_closed(self) -> bool:
        """Return True once `close` has been called, after which no request is accepted."""
        return self._closed

    def open(self) -> None:
        """Start the engine unless it runs already, as the first `run` would; raise RuntimeError after `close`."""
        self._door()

    def run(self, request: Request, about: About | None = None, **slots: Slot) -> Job:
        """Hand `request` to the engine and return its job at once; raise RuntimeError after `close`.

        about: the job's place in the window, None to leave it out of the list of jobs. slots: functions or signals to
        connect to the job's signals of these names, as in `finished=self.on_finished`.
        """
        job = Job(self._door(), request, about)
        self._jobs[job.id] = job
        job.connect_slots(**slots)
        self.submitted.emit(job)
        return job

    def close(self, timeout_s: float = 10.0) -> bool:
        """Stop every job, wait at most `timeout_s` seconds for the engine, and return False if it was still busy then.

        No event of the engine is passed on from now on.
        """
        if not self._closed:
            self._closed = True
            self.closing.emit()
        return self._engine is None or self._engine.close(timeout_s)

    def _door(self) -> Door:
        if self._closed:
            raise RuntimeError("The bridge is closed.")
        if self._engine is None:
            self._engine = self._make_engine(self._on_event)
        return self._engine

    def _on_event(self, event: Event) -> None:
        """Called on the engine's thread."""
        if not self._closed:
            self._arrived.emit(event)

    def _on_arrived(self, event: Event) -> None:
        """Called on the window's thread."""
        if self._closed:
            return
        event = told(event)
        if isinstance(event, EngineNote):
            self.engine_noted.emit(event)
        elif isinstance(event, EngineReady):
            self.engine_ready.emit(event)
        elif isinstance(event, EngineFailed):
            self.engine_failed.emit(event)
        elif isinstance(event, CatalogueChanged):
            self.catalogue_changed.emit(event)
        elif isinstance(event, JobEvent):
            is_end = isinstance(event, JobFinished | JobFailed | JobCancelled)
            job = self._jobs.pop(event.job, None) if is_end else self._jobs.get(event.job)
            if job is not None:
                job.take(event)
                self.heard.emit(job, event)


E = TypeVar("E", bound=Event)

# of what can be chosen: the fields that people read
_READ = ("label", "summary", "help", "warning", "among")


def told(event: E) -> E:
    """Return `event` with what it says (a note, a failure, all that can be chosen) in the language of the window.

    Results come as they are: what shows one of their texts asks `spoken` for it.
    """
    said: dict[str, Any] = {}
    if isinstance(event, EngineNote | JobProgress):
        said["note"] = spoken(event.note)
    elif isinstance(event, EngineFailed | JobFailed):
        said["failure"] = _failure(event.failure)
    elif isinstance(event, JobCancelled):
        said["reason"] = spoken(event.reason)
    elif isinstance(event, EngineReady | CatalogueChanged):
        said["catalogue"] = _catalogue(event.catalogue)
        if isinstance(event, EngineReady):
            said["device"] = replace(event.device, label=spoken(event.device.label), note=spoken(event.device.note))
    return replace(event, **said) if said else event


def _failure(failure: Failure) -> Failure:
    return replace(failure, message=spoken(failure.message), hint=spoken(failure.hint))


def _catalogue(catalogue: Catalogue) -> Catalogue:
    """The name of somebody's prompts is theirs, and stays."""
    tables = {
        name: tuple(_info(one) for one in getattr(catalogue, name))
        for name in ("attacks", "norms", "metrics", "models", "methods", "presets", "tuning", "class_lists")
    }
    prompts = tuple(replace(one, summary=spoken(one.summary)) for one in catalogue.prompts)
    return replace(catalogue, prompts=prompts, **tables)


def _info(info: Any) -> Any:
    said: dict[str, Any] = {name: spoken(getattr(info, name)) for name in _READ if getattr(info, name, "")}
    if getattr(info, "params", ()):
        said["params"] = tuple(map(_info, info.params))
    return replace(info, **said)
