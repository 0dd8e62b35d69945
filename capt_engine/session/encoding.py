"""One picture of a session as plain JSON, without what lies in tables and heaps of bytes beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from capt_engine.records import FailedPicture, Picture, PictureSet, SignedPicture
from capt_engine.session.content import SessionPicture
from capt_engine.session.rows import Shared, Unsound

MOST_PICTURES = 100_000
_MOST_SIDE = 4096


@dataclass(frozen=True)
class Described:
    """A picture as JSON. near: the path from the session's own folder, "" where there is none. thumbnail, original: bytes of each.

    attacked: width, height and scale of each set of large pictures. request: its number among the shared values, -1 for none.
    """

    path: str
    near: str = ""
    sha256: str = ""
    n_bytes: int = 0
    modified_ns: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    failure: FailedPicture | None = None
    request: int = -1
    thumbnail: int = 0
    original: int = 0
    attacked: tuple[tuple[int, int, float], ...] = ()


def described(picture: SessionPicture, shared: Shared, near: str = "") -> Described:
    """Return what JSON says of a picture; its request goes to `shared`. near: its path from the session's folder."""
    return Described(
        picture.path,
        near,
        picture.sha256,
        picture.n_bytes,
        picture.modified_ns,
        dict(picture.facts),
        picture.failure,
        -1 if picture.request is None else shared.number("requests", picture.request),
        len(picture.thumbnail),
        len(picture.original),
        tuple((one.seen.width, one.seen.height, one.perturbation.scale) for one in picture.attacked),
    )


def plain(one: Described) -> dict[str, object]:
    """Return a description as plain JSON values."""
    return vars(one) | {"failure": None if one.failure is None else vars(one.failure)}


def require_sound(one: Described, shared: Shared) -> None:
    """Raise Unsound where a picture's description says something that cannot be."""
    sizes = (one.thumbnail, one.original, one.n_bytes, one.modified_ns)
    if not one.path or "\0" in one.path or "\0" in one.near or min(sizes) < 0:
        raise Unsound("a picture has no path or size")
    if not -1 <= one.request < len(shared.requests):
        raise Unsound("a picture was made with settings that are missing")
    for width, height, scale in one.attacked:
        if not (0 < width <= _MOST_SIDE and 0 < height <= _MOST_SIDE and 0 <= scale <= 1):
            raise Unsound("an attacked picture has no size")
    if len(one.attacked) > 2:
        raise Unsound("a picture has more than two sides")


def set_bytes(pictures: PictureSet) -> bytes:
    """Return the pixels of a set of large pictures, one after the other."""
    return pictures.seen.rgb + pictures.perturbation.values + pictures.adversarial.rgb


def set_of(data: bytes, width: int, height: int, scale: float) -> PictureSet:
    """Return the set of large pictures that `set_bytes` gave as `data`, each of `width` × `height` pixels."""
    n = 3 * width * height
    return PictureSet(
        Picture(width, height, data[:n]),
        SignedPicture(width, height, scale, data[n : 2 * n]),
        Picture(width, height, data[2 * n : 3 * n]),
    )
