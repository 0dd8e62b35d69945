"""Lengths of jobs, as far as a request tells them: a shorter one goes before a longer one, waiting or running."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import PurePath

from capt_engine import records
from capt_engine.data.folders import PICTURE_SUFFIXES

FEW_PICTURES = 8
"""So many unlabelled pictures at the most are a short analysis."""

FEW_LABELLED = 50
"""So many labelled pictures at the most are an evaluation that may step in front of a tuning run."""

FEW_VIEWS = 64
"""So many pictures at the most are shown at once."""


class Length(IntEnum):
    """Classes of jobs by the time that they take, the shortest first.

    MOMENT: a list, a note, a check of names. SHORT: a few pictures. LONG: a folder of pictures, a report. HOURS: what may last a
    night, and can be paused.
    """

    MOMENT = 0
    SHORT = 1
    LONG = 2
    HOURS = 3


def length_of(request: object) -> Length:
    """Return the length of the job that `request` asks for, judged without looking at the disk.

    A request of a kind that is not listed here is done in a moment.
    """
    match request:
        case records.TuneRequest() | records.CompareRequest() | records.DownloadRequest():
            return Length.HOURS
        case records.EvaluateRequest(limit=limit):
            return Length.LONG if 0 < limit <= FEW_LABELLED else Length.HOURS
        case records.AnalyzeRequest(paths=paths):
            return Length.SHORT if _are_few(paths, FEW_PICTURES) else Length.LONG
        case records.PreviewRequest(paths=paths):
            return Length.SHORT if _are_few(paths, FEW_VIEWS) else Length.LONG
        case records.ScanRequest() | records.ReportRequest() | records.ToyWorldRequest():
            return Length.LONG
        case (
            records.ForecastRequest()
            | records.SaliencyRequest()
            | records.ReplayRequest()
            | records.SanityRequest()
            | records.ImportModelRequest()
            | records.ImportPromptsRequest()
            | records.ImportLpipsRequest()
            | records.VerifyRequest()
        ):
            return Length.SHORT
    return Length.MOMENT


def _are_few(paths: Sequence[str], most: int) -> bool:
    """True for at most so many paths that are named like picture files; a folder may hold any number."""
    return len(paths) <= most and all(PurePath(path).suffix.lower() in PICTURE_SUFFIXES for path in paths)
