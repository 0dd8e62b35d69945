"""Events of the engine, in the order they happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from capt_engine.records.analysis import PictureRow
from capt_engine.records.catalogue import Catalogue, DeviceInfo
from capt_engine.records.pictures import FailedPicture, Picture, Preview
from capt_engine.records.requests import Result
from capt_engine.records.tuning import TuneEpoch, TuneForecast, TuneStep, TuneStrip

__all__ = [
    "CatalogueChanged",
    "EngineFailed",
    "EngineNote",
    "EngineReady",
    "Event",
    "Failure",
    "JobCancelled",
    "JobContinued",
    "JobFailed",
    "JobFinished",
    "JobId",
    "JobPaused",
    "JobProgress",
    "JobStarted",
    "PagesReady",
    "PicturesFound",
    "PreviewsReady",
    "RowsReady",
    "TuneTold",
]

JobId = NewType("JobId", int)


@dataclass(frozen=True)
class Failure:
    """Why a job failed.

    kind: the error's class name. traceback: only of bugs. exit_code: the status that a command line ends with; 1 is a bug's.
    """

    kind: str
    message: str
    hint: str = ""
    traceback: str = ""
    exit_code: int = 1


@dataclass(frozen=True)
class EngineNote:
    """A note on the engine's work before it is ready, in words ("Loading torch")."""

    note: str


@dataclass(frozen=True)
class EngineReady:
    """The engine can take work that needs a model; carries all there is to choose from."""

    catalogue: Catalogue
    device: DeviceInfo


@dataclass(frozen=True)
class EngineFailed:
    """The engine could not start (a broken torch, say); no job that needs a model will succeed."""

    failure: Failure


@dataclass(frozen=True)
class JobStarted:
    """A job has left the queue."""

    job: JobId


@dataclass(frozen=True)
class JobProgress:
    """`done` of `total` units of work (total 0: unknown yet), a note in words, and the time that remains, if it can be told."""

    job: JobId
    done: int
    total: int
    note: str
    remaining_s: float | None


@dataclass(frozen=True)
class PicturesFound:
    """The files a preview will show, in order, before any of them is read; `skipped` could not even be looked at."""

    job: JobId
    paths: tuple[str, ...]
    skipped: tuple[FailedPicture, ...] = ()


@dataclass(frozen=True)
class PreviewsReady:
    """Some previews, as they become ready."""

    job: JobId
    previews: tuple[Preview | FailedPicture, ...]


@dataclass(frozen=True)
class RowsReady:
    """Some finished rows, as they become ready."""

    job: JobId
    rows: tuple[PictureRow | FailedPicture, ...]


@dataclass(frozen=True)
class TuneTold:
    """News of a tuning run, in order: the forecast, steps, epochs, strips of pictures, and sentences about what was noticed or changed."""

    job: JobId
    news: tuple[TuneForecast | TuneStep | TuneEpoch | TuneStrip | str, ...]


@dataclass(frozen=True)
class PagesReady:
    """Some pages of a report's preview, in order; `first` counts from 0, `total` is the number of pages in all."""

    job: JobId
    first: int
    total: int
    pages: tuple[Picture, ...]


@dataclass(frozen=True)
class CatalogueChanged:
    """There is more or less to choose from than before: a checkpoint was tuned, for one."""

    catalogue: Catalogue


@dataclass(frozen=True)
class JobPaused:
    """The job waits where it is; other jobs go on."""

    job: JobId


@dataclass(frozen=True)
class JobContinued:
    """The job goes on where it had paused."""

    job: JobId


@dataclass(frozen=True)
class JobFinished:
    """The job is done."""

    job: JobId
    result: Result


@dataclass(frozen=True)
class JobFailed:
    """The job could not be done; rows already sent stay valid."""

    job: JobId
    failure: Failure


@dataclass(frozen=True)
class JobCancelled:
    """The job was stopped by the user; rows already sent stay valid. reason: where a stop found nothing to keep, why; else empty."""

    job: JobId
    reason: str = ""


Event = (
    EngineNote
    | EngineReady
    | EngineFailed
    | JobStarted
    | JobProgress
    | PicturesFound
    | PreviewsReady
    | RowsReady
    | TuneTold
    | PagesReady
    | CatalogueChanged
    | JobPaused
    | JobContinued
    | JobFinished
    | JobFailed
    | JobCancelled
)
