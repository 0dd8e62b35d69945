"""Events of the engine, in the order they happen."""

from __future__ import annotations

from typing import NewType

from capt_engine.errors import ExitCode
from capt_engine.frozen import dataclass
from capt_engine.records.analysis import PictureRow
from capt_engine.records.catalogue import Catalogue, DeviceInfo
from capt_engine.records.pictures import FailedPicture, Picture, Preview
from capt_engine.records.requests import Result
from capt_engine.records.tuning import TuneEpoch, TuneForecast, TuneStep, TuneStrip

JobId = NewType("JobId", int)


@dataclass(frozen=True)
class Event:
    """News of the engine."""


@dataclass(frozen=True)
class JobEvent(Event):
    """News of one job."""

    job: JobId


@dataclass(frozen=True)
class Failure:
    """Why a job failed.

    kind: the error's class name. traceback: only of bugs. exit_code: the status that a command line ends with; 1 is a bug's.
    """

    kind: str
    message: str
    hint: str = ""
    traceback: str = ""
    exit_code: int = ExitCode.BUG


@dataclass(frozen=True)
class EngineNote(Event):
    """A note on the engine's work before it is ready, in words ("Loading torch")."""

    note: str


@dataclass(frozen=True)
class EngineReady(Event):
    """The engine can take work that needs a model; carries all there is to choose from."""

    catalogue: Catalogue
    device: DeviceInfo


@dataclass(frozen=True)
class EngineFailed(Event):
    """The engine could not start (a broken torch, say); no job that needs a model will succeed."""

    failure: Failure


@dataclass(frozen=True)
class JobStarted(JobEvent):
    """A job has left the queue."""


@dataclass(frozen=True)
class JobProgress(JobEvent):
    """`done` of `total` units of work (total 0: unknown yet), a note in words, and the time that remains, if it can be told."""

    done: int
    total: int
    note: str
    remaining_s: float | None


@dataclass(frozen=True)
class PicturesFound(JobEvent):
    """The files that a preview will show, in order; of a large folder some at a time, as it is looked through.

    skipped: what could not even be looked at. labels: (path, label) of those whose class folder or list says what they show. Both come
    with the last files.
    """

    paths: tuple[str, ...]
    skipped: tuple[FailedPicture, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PreviewsReady(JobEvent):
    """Some previews, as they become ready."""

    previews: tuple[Preview | FailedPicture, ...]


@dataclass(frozen=True)
class RowsReady(JobEvent):
    """Some finished rows, as they become ready."""

    rows: tuple[PictureRow | FailedPicture, ...]


@dataclass(frozen=True)
class TuneNewsReady(JobEvent):
    """News of a tuning run, in order: the forecast, steps, epochs, strips of pictures, and sentences about what was noticed or changed."""

    news: tuple[TuneForecast | TuneStep | TuneEpoch | TuneStrip | str, ...]


@dataclass(frozen=True)
class PagesReady(JobEvent):
    """Some pages of a report's preview, in order; `first` counts from 0, `total` is the number of pages in all."""

    first: int
    total: int
    pages: tuple[Picture, ...]


@dataclass(frozen=True)
class CatalogueChanged(Event):
    """There is more or less to choose from than before: a checkpoint was tuned, for one."""

    catalogue: Catalogue


@dataclass(frozen=True)
class JobPaused(JobEvent):
    """The job waits where it is; other jobs go on."""


@dataclass(frozen=True)
class JobContinued(JobEvent):
    """The job goes on where it had paused."""


@dataclass(frozen=True)
class JobFinished(JobEvent):
    """The job is done."""

    result: Result


@dataclass(frozen=True)
class JobFailed(JobEvent):
    """The job could not be done; rows already sent stay valid."""

    failure: Failure


@dataclass(frozen=True)
class JobCancelled(JobEvent):
    """The job was stopped by the user; rows already sent stay valid. reason: where a stop found nothing to keep, why; else empty."""

    reason: str = ""
