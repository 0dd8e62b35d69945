"""The gallery as pictures of a session, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, field, fields, make_dataclass, replace
from typing import Any, NamedTuple, get_type_hints

from capt_engine.reading import fitted
from capt_engine.records import AnalyzeRequest, FailedPicture, PictureRow
from capt_engine.session.content import SessionPicture
from capt_gui.view_models.explore.gallery_model import GalleryModel, Item, KeptItem
from capt_gui.view_models.truth import WORST_FIRST

# a part of the session of its own, or of the moment only
_APART = {"path", "pending", "failure", "row", "other", "request"}
_HINTS = get_type_hints(Item)
_FACTS = tuple(one for one in fields(Item) if one.name not in _APART)
NAMES = tuple(one.name for one in _FACTS)
"""The fields of a gallery's item that a session keeps as they are."""
_ItemFacts: Any = make_dataclass(
    "_ItemFacts",
    [
        (
            one.name,
            _HINTS[one.name],
            field(default=one.default) if one.default is not MISSING else field(default_factory=one.default_factory),
        )
        for one in _FACTS
    ],
)


class Seen(NamedTuple):
    """The part of an item by which a change of it is told."""

    facts: dict[str, object]
    row: PictureRow | None
    other: PictureRow | None
    request: AnalyzeRequest | None
    failure: FailedPicture | None


def seen(item: Item) -> Seen:
    """Return what is known of an item now; later changes of the item do not touch it."""
    values = vars(item)
    return Seen({name: values[name] for name in NAMES}, item.row, item.other, item.request, item.failure)


def is_same(one: Seen, other: Seen) -> bool:
    """Return True if two views of an item say the same; a result that was computed again takes another time, and is the same."""
    if one is other:
        return True
    if (one.facts, one.failure) != (other.facts, other.failure):
        return False
    return _is_same_row(one.row, other.row) and _is_same_row(one.other, other.other)


def _is_same_row(one: PictureRow | None, other: PictureRow | None) -> bool:
    if one is other or one is None or other is None:
        return one is other
    return replace(one, time_s=0.0) == replace(other, time_s=0.0)


def picture(path: str, known: Seen, thumbnail: bytes = b"") -> SessionPicture:
    """Return the picture of a session that an item stands for."""
    rows = tuple(row for row in (known.row, known.other) if row is not None)
    return SessionPicture(
        path, facts=known.facts, failure=known.failure, rows=rows, request=known.request, thumbnail=thumbnail
    )


def whole(gallery: GalleryModel) -> tuple[SessionPicture, ...]:
    """Return all pictures of the gallery in order, with their thumbnails and the large pictures that are in memory."""
    sets = gallery.large_pictures()
    found = []
    for path in gallery.paths():
        item = gallery.item(path)
        assert item is not None
        one = picture(path, seen(item), gallery.packed(path))
        both = (sets.get((path, "a")), sets.get((path, "b")))
        found.append(
            replace(one, attacked=tuple(one for one in both if one is not None)) if both[0] is not None else one
        )
    return tuple(found)


def items(pictures: Sequence[SessionPicture], paths: Iterable[str]) -> list[KeptItem]:
    """Return the items that pictures of a session stand for, where they lie now.

    Raises BadRequest where one says something that no item can hold.
    """
    every = fitted([dict(one.facts) for one in pictures], list[_ItemFacts], called="The list of pictures")
    found = []
    for one, facts, path in zip(pictures, every, paths, strict=True):
        values = {name: getattr(facts, name) for name in NAMES}
        if values["outcome"] not in WORST_FIRST:
            values["outcome"] = ""
        sides = values["sides"]
        if len(sides) != 2 or any(outcome not in WORST_FIRST for outcome, _ in sides):
            values["sides"] = ()
        rows = [replace(row, path=path) for row in one.rows]
        item = Item(
            path,
            failure=None if one.failure is None else replace(one.failure, path=path),
            row=rows[0] if rows else None,
            other=rows[1] if len(rows) > 1 else None,
            request=one.request,
            **values,
        )
        found.append(KeptItem(item, one.thumbnail, one.attacked))
    return found
