"""One picture of the gallery: all that is known of it, and the plain record of it that can be kept and given back."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import PurePath

from capt_engine.records import AnalyzeRequest, FailedPicture, PictureRow
from capt_gui.view_models.explore.packed_row import PackedRow, pack


@dataclass(frozen=True)
class GalleryEntry:
    """All of one picture that outlives the window, in plain values; `GalleryModel.entries` gives it, `restore` takes it.

    path: the picture's file. size: as "640 × 480", "" while it is not known. label: the right answer that somebody gave,
    "" for none. tags: the user's own words, in the order they were given. failure: why it could not be used, None if it
    could. row, other: the answers of A and of B without their pictures; None where there are none or where they were
    too large to keep, while outcome, caption and sides (see `Item`) still tell of them. request: the settings that the
    answers were made with; many entries of one run share one object. thumbnail: a small JPEG, empty for none.
    """

    path: str
    size: str = ""
    label: str = ""
    tags: tuple[str, ...] = ()
    outcome: str = ""
    caption: str = ""
    sides: tuple[tuple[str, str], ...] = ()
    failure: FailedPicture | None = None
    row: PictureRow | None = None
    other: PictureRow | None = None
    request: AnalyzeRequest | None = None
    thumbnail: bytes = b""


@dataclass(slots=True, weakref_slot=True)
class Item:
    """One picture: what is known of it and what happens to it.

    pending: "", "waiting" or "running". outcome: "" or one of truth.WORST_FIRST. label: the right answer that somebody
    gave, "" for none. tags: the user's own words. a: the result, packed; None when there is none yet, or when it was too
    large to keep. request: what the result was made with. b: that of side B, where two were compared; `sides` then holds
    (outcome, caption) of A and of B, and `outcome` is the worse. searched: the text that a filter looks into, "" where it
    has to be put together anew.
    """

    path: str
    size: str = ""
    seen: bool = False
    pending: str = ""
    outcome: str = ""
    label: str = ""
    tags: tuple[str, ...] = ()
    caption: str = ""
    failure: FailedPicture | None = None
    a: PackedRow | None = None
    request: AnalyzeRequest | None = None
    b: PackedRow | None = None
    sides: tuple[tuple[str, str], ...] = ()
    searched: str = ""
    # the name of the file, without its folder
    name: str = field(init=False)

    def __post_init__(self) -> None:
        # not PurePath, which takes as long as all else here
        self.name = os.path.basename(self.path) or PurePath(self.path).name or self.path  # noqa: PTH119

    @property
    def row(self) -> PictureRow | None:
        """The result without its pictures; None when there is none yet, or when it was too large to keep."""
        return None if self.a is None else self.a.unpack()

    @property
    def other(self) -> PictureRow | None:
        """The row of side B, where two were compared; None where there is none."""
        return None if self.b is None else self.b.unpack()

    @property
    def folder(self) -> str:
        """The folder that the picture's file is in."""
        return str(PurePath(self.path).parent)

    @property
    def state(self) -> str:
        """The state of the card in one word: "waiting", "ready", "running", "failed", or an outcome."""
        if self.failure is not None:
            return "failed"
        return self.pending or self.outcome or ("ready" if self.seen else "waiting")

    def outcome_of(self, side: str) -> str:
        """Return the outcome of side "a" or "b", "" where there is none; a picture that was not compared has a side A only."""
        if self.failure is not None:
            return ""
        if self.sides:
            return self.sides["ab".index(side)][0]
        return self.outcome if side == "a" else ""

    def side(self, side: str) -> PackedRow | None:
        """Return the result of side "a" or "b"; None where there is none."""
        if self.failure is not None:
            return None
        return self.a if side == "a" else self.b

    def entry(self, thumbnail: bytes) -> GalleryEntry:
        """Return what is to be kept of this picture; thumbnail: a small JPEG, empty for none."""
        return GalleryEntry(
            self.path, self.size, self.label, self.tags, self.outcome, self.caption, self.sides, self.failure,
            self.row, self.other, self.request, thumbnail,
        )  # fmt: skip

    @classmethod
    def of(cls, entry: GalleryEntry) -> Item:
        """Return the picture that `entry` is the record of; nothing is under way with it."""
        return cls(
            path=entry.path,
            size=entry.size,
            seen=bool(entry.size) or entry.row is not None or bool(entry.outcome),
            outcome=entry.outcome,
            label=entry.label,
            tags=entry.tags,
            caption=entry.caption,
            failure=entry.failure,
            a=pack(entry.row),
            request=entry.request,
            b=pack(entry.other),
            sides=entry.sides,
        )
