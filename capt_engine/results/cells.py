"""The values that the result store holds of one picture, and their bytes: numbers and pixels, no name of anything. Needs no torch."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np

from capt_engine.records import Check, Picture, PictureSet, SignedPicture

_MOST_PIXELS = 100_000_000
# More gains a tenth of the size and takes five times as long.
_LEVEL = 1


@dataclass(frozen=True)
class PhotoFacts:
    """The facts of a picture file that decoding told: its size in pixels, and remarks about what was changed."""

    width: int
    height: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CleanAnswer:
    """A model's answer to a clean picture. logits: k floats of 32 bits; time_s: for this picture; ood_score: None where not known."""

    logits: bytes
    time_s: float
    ood_score: float | None = None


@dataclass(frozen=True)
class AttackedAnswer:
    """A model's answer to an attacked picture, and what was measured of it.

    label: the index of the class that counted as right. logits: k floats of 32 bits. success: None where there was no right answer to
    turn. metrics: (name, value) of every metric that applies. survives: after PNG, JPEG 95, JPEG 75 and resizing. time_s: of attack and
    measuring, for this picture.
    """

    label: int
    success: bool | None
    logits: bytes
    metrics: tuple[tuple[str, float], ...]
    survives: tuple[bool | None, bool | None, bool | None, bool | None]
    time_s: float


@dataclass(frozen=True)
class SmallestBudget:
    """The smallest budget found that breaks a picture; infinite where none did, None where it was not searched."""

    eps: float | None


@dataclass(frozen=True)
class Pixels:
    """The picture as the model sees it, 8-bit RGB, compressed without loss."""

    width: int
    height: int
    packed: bytes

    @classmethod
    def of(cls, picture: Picture) -> Pixels:
        """Pack `picture`."""
        return cls(picture.width, picture.height, _packed(picture.rgb))

    def picture(self) -> Picture:
        """Return the picture, the same bytes as before; raises ValueError where the packed bytes are damaged."""
        return Picture(self.width, self.height, _unpacked(self.packed, 3 * self.width * self.height))


@dataclass(frozen=True)
class AttackedPixels:
    """An attacked picture as the window and a run folder show it, compressed without loss.

    changed: its 8-bit values minus those of the clean picture, modulo 256; delta: the perturbation in units of scale / 127.
    """

    width: int
    height: int
    scale: float
    changed: bytes
    delta: bytes

    @classmethod
    def of(cls, pictures: PictureSet) -> AttackedPixels:
        """Pack the attacked picture of `pictures` and its perturbation; the clean picture is not among them."""
        seen, adversarial, signed = pictures.seen, pictures.adversarial, pictures.perturbation
        changed = bytes_minus(adversarial.rgb, seen.rgb)
        return cls(seen.width, seen.height, signed.scale, _packed(changed), _packed(signed.values))

    def beside(self, seen: Picture) -> PictureSet:
        """Return the set of pictures again, the same bytes as before.

        seen: the clean picture. Raises ValueError where the packed bytes are damaged or `seen` has another size.
        """
        if (seen.width, seen.height) != (self.width, self.height):
            raise ValueError("the clean picture has another size")
        n = 3 * self.width * self.height
        adversarial = bytes_plus(_unpacked(self.changed, n), seen.rgb)
        signed = SignedPicture(self.width, self.height, self.scale, _unpacked(self.delta, n))
        return PictureSet(seen, signed, Picture(self.width, self.height, adversarial))


@dataclass(frozen=True)
class ChecksMade:
    """The results of the checks that ask one model of a run again."""

    checks: tuple[Check, ...]


PHOTO, CLEAN, ATTACKED, SMALLEST, SEEN, PIXELS, CHECKS = (
    "photo",
    "clean",
    "attacked",
    "smallest",
    "seen",
    "pixels",
    "checks",
)
"""The kinds of questions, each answered by one kind of cell."""

Cell = PhotoFacts | CleanAnswer | AttackedAnswer | SmallestBudget | Pixels | AttackedPixels | ChecksMade
C = TypeVar("C", bound=Cell)


def encoded(cell: Cell) -> bytes:
    """Return `cell` as the bytes that the store holds: a checksum (CRC-32) and MessagePack."""
    data = msgspec.msgpack.encode(cell)
    return struct.pack("<I", zlib.crc32(data)) + data


def decoded(data: bytes, kind: type[C]) -> C | None:
    """Return the cell of type `kind` that `encoded` made of `data`; None where the bytes are damaged or are no such cell."""
    if len(data) < 4 or struct.unpack("<I", data[:4])[0] != zlib.crc32(data[4:]):
        return None
    try:
        return msgspec.msgpack.decode(data[4:], type=kind)
    except msgspec.MsgspecError:
        return None


def bytes_minus(one: bytes, other: bytes) -> bytes:
    """Return the bytes of `one` minus those of `other`, modulo 256; both have the same length."""
    return (np.frombuffer(one, np.uint8) - np.frombuffer(other, np.uint8)).tobytes()


def bytes_plus(one: bytes, other: bytes) -> bytes:
    """Return the sums of the bytes of `one` and `other`, modulo 256; both have the same length."""
    return (np.frombuffer(one, np.uint8) + np.frombuffer(other, np.uint8)).tobytes()


def _packed(data: bytes) -> bytes:
    return zlib.compress(data, _LEVEL)


def _unpacked(data: bytes, n: int) -> bytes:
    """The n bytes that were packed; raises ValueError where they are damaged or are not n."""
    if not 0 < n <= 3 * _MOST_PIXELS:
        raise ValueError("no picture has this size")
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, n)
    except zlib.error as error:
        raise ValueError("the packed bytes are damaged") from error
    if len(found) != n or not unpacker.eof:
        raise ValueError("the packed bytes are damaged")
    return found
