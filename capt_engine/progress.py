"""The one hook of long work: each attack step and each batch calls it, and only there can the work be stopped."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A callback that long work calls at each step; it may report, wait, or raise Cancelled or Stopped."""

    def __call__(self, done: int = 0, total: int = 0, note: str = "", /) -> None:
        """`done` of `total` units of work; a total of 0 means that it is not known."""


def no_progress(done: int = 0, total: int = 0, note: str = "") -> None:
    """Do nothing: the progress callback of those who want no report; it never stops the work.

    done, total: units of work (total 0: not known). note: what is being done. All are ignored.
    """
