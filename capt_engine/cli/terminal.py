"""The only door to the terminal: lines whose names cannot move the cursor, output that may fail, and progress."""

from __future__ import annotations

import codecs
import io
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from typing import TextIO

from capt_engine.errors import CannotWrite
from capt_engine.formatting import duration, whole_percent

_LINE_EVERY_S = 5.0
_WIDTH = 24
_CLEAR = "\r\x1b[2K"
_CLOSED: set[str] = set()
# Controls, line separators, halves of characters, and what turns the direction of writing: in a name they would move the cursor, colour
# the screen, begin a line of their own or show another name than the file's.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]")
_UNSAFE_IN_TEXT = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
# Our own signs in letters that every encoding has, for a file or a pipe in an old one.
_PLAIN = {
    "→": "->",
    "ε": "eps",
    "α": "alpha",
    "λ": "lambda",
    "Δ": "delta",
    "∞": "inf",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "×": "x",
    "±": "+-",
    "−": "-",
    "–": "-",
    "…": "...",
    "’": "'",
    "·": ".",
    "█": "#",
    "\u00a0": " ",
    "\u2009": " ",
    "\u202f": " ",
}


class JobEnded(Exception):
    """Raised when a job ended without a result and the user has read why. exit_code: the status that the command ends with."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def visible(text: str) -> str:
    r"""Return `text` with everything that is no character of a line written as an escape, such as \x1b or \n or \u202e.

    For one line: line breaks are escaped too.
    """
    return _UNSAFE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    letters = error.object[error.start : error.end]
    return "".join(_PLAIN.get(one) or one.encode("ascii", "backslashreplace").decode() for one in letters), error.end


class Output(io.TextIOWrapper):
    """A standard stream of this process: it lets no control character through but line feed and tab, and may fail in a sentence.

    is_needed: the stream carries results, so that a failure to write ends the command; otherwise it is dropped in silence.
    """

    def __init__(self, stream: io.TextIOWrapper, *, is_needed: bool) -> None:
        codecs.register_error("capt-plain", _in_plain_letters)
        encoding, is_line_buffered = stream.encoding, stream.line_buffering
        buffer = stream.detach()
        super().__init__(buffer, encoding=encoding, errors="capt-plain", line_buffering=is_line_buffered)
        self._is_needed = is_needed

    def write(self, text: str) -> int:
        """Write `text` without its control characters; returns its length. Raises CannotWrite, BrokenPipeError."""
        return self.write_raw(_UNSAFE_IN_TEXT.sub(_escaped, text))

    def write_raw(self, text: str) -> int:
        """Write `text` as it is, for what this program draws itself; returns its length. Raises as `write` does."""
        try:
            return super().write(text)
        except OSError as error:
            self._fail(error)
            return len(text)

    def flush(self) -> None:
        """Send on what was written. Raises CannotWrite, or BrokenPipeError where nobody reads any more."""
        try:
            super().flush()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        # What is still in the buffer must go somewhere when the process ends.
        silence(self.fileno())
        if not self._is_needed:
            return
        if isinstance(error, BrokenPipeError):
            raise error
        raise CannotWrite(
            f"The results cannot be printed: {error.strerror or error}.",
            "Make room, or send them elsewhere; what a run folder holds (--out) is kept.",
        ) from error


def silence(number: int) -> None:
    """Let the file with the descriptor `number` lead nowhere from here on: what is written into it is dropped."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


def take_streams() -> None:
    """Make the standard streams of this process safe: a closed one leads nowhere, the others are of class Output.

    A closed one is opened, as otherwise the next file that is opened would take its number, and what a library prints
    would be written into it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            silence(number)
            _CLOSED.add(name)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # until the end
        elif number:
            setattr(sys, name, Output(stream, is_needed=number == 1))


def is_closed(name: str) -> bool:
    """Return True where the standard stream called `name` ("stdout") was closed when this process began."""
    return name in _CLOSED


def sent(code: int) -> int:
    """Send on what was printed, and return the exit code `code`, or 5 where the results cannot be written, saying why."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return code
    except CannotWrite as error:
        tell(str(error))
        return code or error.exit_code
    return code


def put(*lines: str) -> None:
    """Print each of `lines`, results of a command, on standard output; line breaks inside are escaped.

    Raises CannotWrite where that is full, BrokenPipeError where nobody reads any more.
    """
    for line in lines:
        print(visible(line))


def tell(line: str, *, end: str = "\n") -> None:
    """Print `line`, a remark or the reason of a failure, on standard error at once; line breaks inside are escaped.

    end: what follows it.
    """
    print(visible(line), end=end, file=sys.stderr, flush=True)


class _Remarks(logging.Handler):
    """Prints what libraries log, a line each; is_verbose: with the traceback of what failed, which is reported elsewhere too."""

    def __init__(self, *, is_verbose: bool) -> None:
        super().__init__()
        self._is_verbose = is_verbose

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record on standard error."""
        if record.exc_info and not self._is_verbose:
            return
        for line in self.format(record).split("\n") if record.exc_info else [self.format(record)]:
            tell(line)


def print_logs(*, is_verbose: bool) -> None:
    """Let what is logged come through this door: warnings, and with `is_verbose` also remarks, and all that Pillow says.

    Pillow speaks of each broken picture, which the results say already. Where somebody has set up logging, nothing
    changes.
    """
    top = logging.getLogger()
    if top.handlers:
        return
    handler = _Remarks(is_verbose=is_verbose)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    top.addHandler(handler)
    top.setLevel(logging.INFO if is_verbose else logging.WARNING)
    pillow = logging.getLogger("PIL")
    pillow.propagate = is_verbose
    # With no handler at all on its way, a message would be printed by Python itself.
    pillow.addHandler(logging.NullHandler())


class ProgressLine:
    """Shows progress on standard error: a bar on a terminal, a line every five seconds elsewhere, nothing when quiet."""

    def __init__(self, *, quiet: bool, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._is_bar = self._stream.isatty()
        self._draw: Callable[[str], object] = getattr(self._stream, "write_raw", self._stream.write)
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
            bar = f"[{'█' * filled}{'·' * (_WIDTH - filled)}] {share} {visible(note)}{left}"
            self._draw(f"{_CLEAR}{bar[:155]}")
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
            print(visible(text), file=self._stream, flush=True)

    def clear(self) -> None:
        """Remove the progress bar from the terminal, to make room for other output; without a bar, do nothing."""
        if self._drawn:
            self._draw(_CLEAR)
            self._stream.flush()
            self._drawn = False
