"""The one hook of long work: each attack step and each batch calls it, and only there can the work be stopped."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A callback that long work calls at each step; it may report, wait, or raise Cancelled or Stopped."""

    def __call__(self, done: int = 0, total: int = 0, note: str = "", /) -> None:
        """`done` of `total` units of work; a total of 0 means that it is not known."""


def no_progress(done: int = 0, total: int = 0, note: str = "") -> None:
    """The default for notebooks and tests: reports nothing and never stops."""
