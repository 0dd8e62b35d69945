"""PNG files of the pictures that fooled a model: of none, of at most 1,000 rows, or of all of a kept run."""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Iterable
from pathlib import Path

from capt_engine.records import Picture
from capt_engine.runs.kept_pictures import write_picture

MOST = 1_000
"""Files of a run that keeps some of its fooled pictures."""

_NAME = re.compile(r"\d{5,}_(?P<stem>[A-Za-z0-9_-]{0,80})\.png")
# In the name of a picture's file.
_STRANGE = re.compile("[^A-Za-z0-9_-]")


class FooledPictures:
    """The PNG files in one folder, of one run.

    Args:
        folder: where they lie; those of an interrupted run are counted.
        choice: one of PICTURES_KEPT. Of "some" those stay whose names come first in an order drawn by the seed: the same whatever the
            order of the rows, and all of one picture together.
        seed: the run's.
    """

    def __init__(self, folder: Path, choice: str, seed: int) -> None:
        self._folder, self._choice, self._seed = folder, choice, seed
        # The last in the drawn order comes first.
        self._kept: list[tuple[int, str]] = []
        if choice == "some":
            names = (one.name for one in folder.glob("*.png") if _NAME.fullmatch(one.name))
            self._kept = [(-drawn(name, seed), name) for name in names]
            heapq.heapify(self._kept)

    def offer(self, number: int, path: str, picture: Picture) -> None:
        """Write the attacked `picture` of a row, or not; raises CannotWrite.

        number: of the row, from 1. path: of the picture.
        """
        if self._choice == "none":
            return
        name = f"{number:05d}_{_STRANGE.sub('_', Path(path).stem)[:80]}.png"
        if self._choice == "some":
            entry = (-drawn(name, self._seed), name)
            if len(self._kept) >= MOST and entry < self._kept[0]:
                return
            heapq.heappush(self._kept, entry)
        write_picture(self._folder / name, picture)
        while len(self._kept) > MOST:
            (self._folder / heapq.heappop(self._kept)[1]).unlink(missing_ok=True)


def drawn(name: str, seed: int) -> int:
    """Return the place, as a large number, of a file's name in the order that `seed` draws; it depends on the picture's name alone."""
    found = _NAME.fullmatch(name)
    stem = name if found is None else found["stem"]
    return int(hashlib.sha256(f"{seed}:{stem}".encode("utf-8", "backslashreplace")).hexdigest()[:12], 16)


def chosen_of(files: Iterable[Path], choice: str, seed: int) -> set[Path]:
    """Return those of `files`, the fooled pictures of the parts of one run, that the whole run keeps."""
    if choice != "some":
        return set(files) if choice == "all" else set()
    return set(heapq.nsmallest(MOST, files, key=lambda one: (drawn(one.name, seed), one.name, str(one))))
