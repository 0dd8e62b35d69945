"""Progress on standard error: a bar where somebody is watching, plain lines where not."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from capt_engine.formatting import duration, whole_percent

_LINE_EVERY_S = 5.0
_WIDTH = 24


class ProgressLine:
    """Shows progress on standard error: a bar on a terminal, a line every five seconds elsewhere, nothing when quiet."""

    def __init__(self, *, quiet: bool, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._is_bar = self._stream.isatty()
        self._last_s = time.monotonic() if not self._is_bar else 0.0
        self._drawn = False

    def show(self, done: int, total: int, note: str, remaining_s: float | None) -> None:
        """Show on standard error that `done` of `total` units of work are done, with `note` and the time that is left.

        total: 0 where it is not known. note: what is being done. remaining_s: seconds, None where not known. A terminal
        shows a bar, anything else a line every few seconds; nothing is shown when quiet.
        """
        if self._quiet:
            return
        left = f", {duration(remaining_s)} left" if remaining_s is not None else ""
        if self._is_bar:
            filled = _WIDTH * done // total if total else 0
            share = f"{whole_percent(done / total):>5}" if total else "     "
            self._stream.write(f"\r\x1b[2K[{'█' * filled}{'·' * (_WIDTH - filled)}] {share} {note}{left}"[:160])
            self._stream.flush()
            self._drawn = True
        elif time.monotonic() - self._last_s >= _LINE_EVERY_S:
            self._last_s = time.monotonic()
            share = f"{whole_percent(done / total)}, " if total else ""
            self.say(f"{share}{note}{left}")

    def say(self, text: str) -> None:
        """Clear the progress bar and print the line `text` on standard error; nothing is printed when quiet."""
        self.clear()
        if not self._quiet:
            print(text, file=self._stream, flush=True)

    def clear(self) -> None:
        """Remove the progress bar from the terminal, to make room for other output; without a bar, do nothing."""
        if self._drawn:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._drawn = False
