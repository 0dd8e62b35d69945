"""The big pictures of the latest results: so many and no more, whatever runs through the gallery."""

from __future__ import annotations

from collections import OrderedDict

from capt_engine.records import PictureSet

CAPACITY = 256


class PictureSets:
    """By path and side ("a" or "b"); the two sides of one picture count as two."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], PictureSet] = OrderedDict()

    def put(self, path: str, side: str, pictures: PictureSet) -> str | None:
        """Keep a result's three large pictures; return the path of the picture whose set was dropped, None if none.

        path: the picture's file. side: "a" or "b". At most 256 sets are kept; the one unused for longest goes.
        """
        self._kept[path, side] = pictures
        self._kept.move_to_end((path, side))
        if len(self._kept) <= CAPACITY:
            return None
        return self._kept.popitem(last=False)[0][0]

    def get(self, path: str, side: str) -> PictureSet | None:
        """Return the large pictures kept for the file at `path` and side "a" or "b"; None when none are (any more)."""
        kept = self._kept.get((path, side))
        if kept is not None:
            self._kept.move_to_end((path, side))
        return kept

    def every(self) -> dict[tuple[str, str], PictureSet]:
        """Return all sets that are kept, by path and side, the one used last first."""
        return dict(reversed(self._kept.items()))

    def drop(self, path: str) -> None:
        """Forget the large pictures of both sides for the file at `path`."""
        for side in ("a", "b"):
            self._kept.pop((path, side), None)

    def clear(self) -> None:
        """Forget the large pictures of all files."""
        self._kept.clear()
