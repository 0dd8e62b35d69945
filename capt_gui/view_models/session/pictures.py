"""The gallery as pictures of a session, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields, make_dataclass, replace
from typing import Any, get_type_hints

from capt_engine.reading import fitted
from capt_engine.records import PictureRow
from capt_engine.session.content import SessionPicture
from capt_gui.view_models.explore.gallery_item import GalleryEntry
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.truth import WORST_FIRST

# a part of the session of its own
_APART = {"path", "failure", "row", "other", "request", "thumbnail"}
_HINTS = get_type_hints(GalleryEntry)
_FACTS = tuple(one for one in fields(GalleryEntry) if one.name not in _APART and one.default is not MISSING)
# what an entry gains is kept from then on
_Facts: Any = make_dataclass("_Facts", [(one.name, _HINTS[one.name], one.default) for one in _FACTS])


def seen(gallery: GalleryModel, path: str) -> GalleryEntry | None:
    """Return what is known of a picture now, without its thumbnail; None where it is not in the gallery."""
    item = gallery.item(path)
    return None if item is None else item.entry(b"")


def is_same(one: GalleryEntry, other: GalleryEntry) -> bool:
    """Return True if two records of a picture say the same; a result that was computed again took another time, and is the same."""
    row, second = _timeless(one.row, other.row), _timeless(one.other, other.other)
    return replace(one, row=row, other=second, request=None) == replace(other, request=None)


def _timeless(one: PictureRow | None, other: PictureRow | None) -> PictureRow | None:
    return one if one is None or other is None or one is other else replace(one, time_s=other.time_s)


def picture(known: GalleryEntry, thumbnail: bytes = b"") -> SessionPicture:
    """Return the picture of a session that an entry of the gallery stands for."""
    rows = tuple(row for row in (known.row, known.other) if row is not None)
    facts = {one.name: getattr(known, one.name) for one in _FACTS}
    return SessionPicture(
        known.path, facts=facts, failure=known.failure, rows=rows, request=known.request, thumbnail=thumbnail
    )


def whole(gallery: GalleryModel) -> tuple[SessionPicture, ...]:
    """Return all pictures of the gallery in order, with their thumbnails and the large pictures that are in memory."""
    sets = gallery.large_pictures()
    found = []
    for entry in gallery.entries():
        one, a, b = picture(entry, entry.thumbnail), sets.get((entry.path, "a")), sets.get((entry.path, "b"))
        found.append(one if a is None else replace(one, attacked=(a,) if b is None else (a, b)))
    return tuple(found)


def entries(pictures: Sequence[SessionPicture], paths: Iterable[str]) -> list[GalleryEntry]:
    """Return the entries of the gallery that pictures of a session stand for, where they lie now.

    Raises BadRequest where one says something that no entry can hold.
    """
    every = fitted([dict(one.facts) for one in pictures], list[_Facts], called="The list of pictures")
    found = []
    for one, facts, path in zip(pictures, every, paths, strict=True):
        values = vars(facts)
        outcome = values["outcome"] if values["outcome"] in WORST_FIRST else ""
        sides = values["sides"]
        is_told = len(sides) == 2 and all(name in WORST_FIRST for name, _ in sides)
        rows: list[PictureRow | None] = [replace(row, path=path) for row in one.rows]
        row, other = (*rows, None, None)[:2]
        values |= {"outcome": outcome, "sides": sides if is_told else ()}
        failure = None if one.failure is None else replace(one.failure, path=path)
        found.append(GalleryEntry(path, failure=failure, row=row, other=other, request=one.request, **values))
    return [replace(entry, thumbnail=one.thumbnail) for entry, one in zip(found, pictures, strict=True)]
