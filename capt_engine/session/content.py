"""The content of a session: its pictures with their results, and the state of the window around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capt_engine.records import AnalyzeRequest, FailedPicture, PictureRow, PictureSet


@dataclass(frozen=True)
class SessionPicture:
    """One picture of a session.

    path: of the original. sha256, n_bytes, modified_ns: of the original as it was, "" and 0 where nobody has looked. facts: what the
    window knows besides, plain JSON values by name. rows: the result of A, and of B where two were compared, without large pictures.
    request: what the rows were made with. thumbnail: a small JPEG, b"" for none. original: the file itself, of a picture that has no
    lasting file. attacked: the large pictures of A, and of B where they differ; empty where they are to be made again.
    """

    path: str
    sha256: str = ""
    n_bytes: int = 0
    modified_ns: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    failure: FailedPicture | None = None
    rows: tuple[PictureRow, ...] = ()
    request: AnalyzeRequest | None = None
    thumbnail: bytes = b""
    original: bytes = b""
    attacked: tuple[PictureSet, ...] = ()


@dataclass(frozen=True)
class Session:
    """All that a window holds. state: plain JSON values, which the window alone understands. file: where it was saved last, or ""."""

    state: Mapping[str, object]
    pictures: tuple[SessionPicture, ...] = ()
    file: str = ""
