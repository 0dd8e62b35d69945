"""Pictures as plain bytes, and the small views of them."""

from __future__ import annotations

from capt_engine.frozen import dataclass
from capt_engine.records.requests import Request, Result


@dataclass(frozen=True)
class Picture:
    """An 8-bit RGB picture: `rgb` holds height × width × 3 bytes, rows from the top."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True)
class SignedPicture:
    """A perturbation: `values` holds height × width × 3 signed bytes v, each standing for v / 127 × `scale` in pixel units [0, 1]."""

    width: int
    height: int
    scale: float
    values: bytes


@dataclass(frozen=True)
class PictureSet:
    """The three pictures of one analysis, all at the model's own input size."""

    seen: Picture
    perturbation: SignedPicture
    adversarial: Picture


@dataclass(frozen=True)
class PreviewRequest(Request):
    """Find the pictures in files and folders, and draw a small view of each; needs no model."""

    paths: tuple[str, ...]
    size: int = 160


@dataclass(frozen=True)
class FailedPicture:
    """A picture that could not be used: what happened and what to do."""

    path: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Preview:
    """A small view of one picture, with its true size and what the decoder remarked; a scan also says which class it is labelled as."""

    path: str
    width: int
    height: int
    thumbnail: Picture
    notes: tuple[str, ...] = ()
    class_name: str = ""


@dataclass(frozen=True)
class PreviewResult(Result):
    """The number of pictures found, and of those that could not be read."""

    n: int
    n_failed: int
