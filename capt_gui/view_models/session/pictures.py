"""The gallery as pictures of a session, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields, make_dataclass, replace
from typing import Any, NamedTuple, get_type_hints

from capt_engine.reading import fitted
from capt_engine.records import AnalyzeRequest, FailedPicture, PictureRow, PictureSet
from capt_engine.session.content import SessionPicture
from capt_gui.view_models.explore.gallery_item import GalleryEntry, Item
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.explore.packed_row import PackedRow
from capt_gui.view_models.truth import WORST_FIRST

# a part of the session of its own
_APART = {"path", "failure", "row", "other", "request", "thumbnail"}
_HINTS = get_type_hints(GalleryEntry)
_FACTS = tuple(one for one in fields(GalleryEntry) if one.name not in _APART and one.default is not MISSING)
# what an entry gains is kept from then on
_Facts: Any = make_dataclass("_Facts", [(one.name, _HINTS[one.name], one.default) for one in _FACTS])


class Known(NamedTuple):
    """All that is known of a picture of the gallery at one moment, its results packed; later changes of its item do not touch it."""

    path: str
    facts: dict[str, object]
    failure: FailedPicture | None
    request: AnalyzeRequest | None
    a: PackedRow | None
    b: PackedRow | None


def known(gallery: GalleryModel, path: str) -> Known | None:
    """Return what is known of a picture now; None where it is not in the gallery."""
    item = gallery.item(path)
    if item is None:
        return None
    facts = {one.name: getattr(item, one.name) for one in _FACTS}
    return Known(path, facts, item.failure, item.request, item.a, item.b)


def is_same(one: Known, other: Known) -> bool:
    """Return True if two say the same; a result that was computed again takes another time, and is the same."""
    if (one.facts, one.failure) != (other.facts, other.failure):
        return False
    return _is_same_row(one.a, other.a) and _is_same_row(one.b, other.b)


def _is_same_row(one: PackedRow | None, other: PackedRow | None) -> bool:
    if one is None or other is None or one is other:
        return one is other
    return replace(one.unpack(), time_s=0.0) == replace(other.unpack(), time_s=0.0)


def picture(one: Known, thumbnail: bytes = b"", attacked: tuple[PictureSet, ...] = ()) -> SessionPicture:
    """Return the picture of a session that is known so."""
    rows = tuple(row.unpack() for row in (one.a, one.b) if row is not None)
    return SessionPicture(
        one.path,
        facts=one.facts,
        failure=one.failure,
        rows=rows,
        request=one.request,
        thumbnail=thumbnail,
        attacked=attacked,
    )


class Whole(NamedTuple):
    """The gallery at one moment: what is known of each picture, its thumbnail, and its large pictures where they are in memory."""

    pictures: tuple[tuple[Known, bytes, tuple[PictureSet, ...]], ...]

    def unpacked(self) -> Iterator[SessionPicture]:
        """Give the pictures of a session one after the other, so that their results are never all unpacked at once."""
        return (picture(*one) for one in self.pictures)


def whole(gallery: GalleryModel) -> Whole:
    """Return the gallery as it is now."""
    sets = gallery.large_pictures()
    found = []
    for path in gallery.paths():
        if (one := known(gallery, path)) is not None:
            a, b = sets.get((path, "a")), sets.get((path, "b"))
            attacked = () if a is None else (a,) if b is None else (a, b)
            found.append((one, gallery.packed(path), attacked))
    return Whole(tuple(found))


def items(pictures: Sequence[SessionPicture], paths: Iterable[str]) -> list[tuple[Item, bytes]]:
    """Return the items of the gallery that pictures of a session stand for, where they lie now, with their thumbnails.

    Raises BadRequest where one says something that no item can hold.
    """
    every = fitted([dict(one.facts) for one in pictures], list[_Facts], called="The list of pictures")
    found = []
    for one, facts, path in zip(pictures, every, paths, strict=True):
        values: dict[str, Any] = {fact.name: getattr(facts, fact.name) for fact in _FACTS}
        outcome = values["outcome"] if values["outcome"] in WORST_FIRST else ""
        sides = values["sides"]
        is_told = len(sides) == 2 and all(name in WORST_FIRST for name, _ in sides)
        rows: list[PictureRow | None] = [replace(row, path=path) for row in one.rows]
        row, other = (*rows, None, None)[:2]
        values |= {"outcome": outcome, "sides": sides if is_told else ()}
        failure = None if one.failure is None else replace(one.failure, path=path)
        entry = GalleryEntry(path, failure=failure, row=row, other=other, request=one.request, **values)
        found.append((Item.of(entry), one.thumbnail))
    return found
