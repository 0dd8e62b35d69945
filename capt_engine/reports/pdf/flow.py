"""Pieces of a fixed height put one below the other on pages, so that what belongs together stays together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from capt_engine.reports.pdf.theme import BOTTOM, TOP


@dataclass(frozen=True)
class Piece:
    """A piece of a page: the least that is never split.

    draw: given its top; gap: white above it, except at the top of a page; keep: stays on one page with the next piece; again: what
    is drawn above it when it begins a page, such as a table's header; is_first: it begins a page.
    """

    height: float
    draw: Callable[[float], None]
    gap: float = 0.0
    keep: bool = False
    again: Piece | None = None
    is_first: bool = False


def chained(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Yield `pieces` (parts of a page that are never split) in groups, each of which is to stay on one page.

    A group ends with a piece that does not ask to be kept with the next.
    """
    group: list[Piece] = []
    for piece in pieces:
        group.append(piece)
        if not piece.keep:
            yield group
            group = []
    if group:
        yield group


def flow(pieces: Iterable[Piece], new_page: Callable[[], None]) -> None:
    """Draw all `pieces` (parts of a page that are never split) below one another, on as many pages as they take.

    new_page: begins a page, the first too. A group that is to stay together goes to a new page where it does not fit on
    this one; a group longer than a page is split after all.
    """
    new_page()
    top = TOP
    for group in chained(pieces):
        needed = sum(piece.gap + piece.height for piece in group)
        whole = needed <= BOTTOM - TOP
        for place, piece in enumerate(group):
            room = needed if whole and place == 0 else piece.gap + piece.height
            if top > TOP and (piece.is_first or top + room > BOTTOM):
                new_page()
                top = TOP
                if piece.again is not None:
                    piece.again.draw(top)
                    top += piece.again.height
            elif top > TOP:
                top += piece.gap
            piece.draw(top)
            top += piece.height
