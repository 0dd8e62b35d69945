"""The family of expected failures: each says what happened and what to do next, and has the exit code of the command line.

    CaptError              2
    ├─ BadImage            3    a picture that cannot be read, or that we refuse to read
    ├─ BadCheckpoint       4    weights or prompts that are missing, damaged or of another kind
    ├─ BadRequest          2    a request that makes no sense (no classes, a budget out of range)
    │  └─ UnknownName      2    a name no table holds; offers the nearest one
    ├─ BadPlugin           2    a plug-in of another package that fails while it runs
    ├─ DeviceProblem       5    no such device, or it ran out of memory
    ├─ CannotWrite         5    a file that the disk, or its rights, do not let us write
    └─ Cancelled         130    the user asked to stop
       └─ Stopped        130    the user asked to stop and keep the best so far

Anything else that is raised is a bug, is reported with its traceback, and ends the command with 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar

_NAMES_SHOWN = 20


class ExitCode(IntEnum):
    """The statuses that the command line ends with; the window ends with MACHINE where there is no screen."""

    DONE = 0
    BUG = 1
    REQUEST = 2
    NO_INPUT = 3
    CHECKPOINT = 4
    MACHINE = 5
    DIFFERENT = 6
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """The few words that `capt --help` says of the code."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.BUG: "unexpected failure",
    ExitCode.REQUEST: "wrong usage",
    ExitCode.NO_INPUT: "no usable input",
    ExitCode.CHECKPOINT: "model or checkpoint refused",
    ExitCode.MACHINE: "device, memory or disk",
    ExitCode.DIFFERENT: "some inputs failed and --strict was given, or a repeated run differs",
    ExitCode.INTERRUPTED: "cancelled (what was finished is kept)",
    ExitCode.TERMINATED: "terminated (what was finished is kept)",
}


class CaptError(Exception):
    """An expected failure: `message` says what happened, `hint` what to do next (may be empty).

    exit_code: the status that the command line ends with; a family that says nothing else is a wrong request.
    """

    exit_code: ClassVar[int] = ExitCode.REQUEST

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The sentence, followed by the hint where there is one."""
        return f"{self.message} {self.hint}".strip()


class BadImage(CaptError):
    """A picture that cannot be read, or that we refuse to read."""

    exit_code = ExitCode.NO_INPUT


class BadCheckpoint(CaptError):
    """Weights or prompts that are missing, damaged or of another kind."""

    exit_code = ExitCode.CHECKPOINT


class BadRequest(CaptError):
    """A request that makes no sense as it stands."""


class UnknownName(BadRequest):
    """A name that a table does not hold; the hint offers the nearest one that it does."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        known_names = ", ".join(names[:_NAMES_SHOWN]) + (
            f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        )
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {known_names or 'none'}."
        super().__init__(f"There is no {kind} called {name!r}.", hint)


class BadPlugin(CaptError):
    """A plug-in of another package that fails while it runs."""


class DeviceProblem(CaptError):
    """The chosen device is absent, unsuitable, or out of memory."""

    exit_code = ExitCode.MACHINE


class CannotWrite(CaptError):
    """A file that cannot be written: the disk is full, or its folder takes no files."""

    exit_code = ExitCode.MACHINE


class Cancelled(CaptError):
    """The user asked to stop; what was finished is kept."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self, message: str = "Cancelled.", hint: str = "What was finished is kept.") -> None:
        super().__init__(message, hint)


class Stopped(Cancelled):
    """The user asked to stop and keep the best so far; whoever has nothing to keep lets it pass as a cancel with a reason."""

    def __init__(self, message: str = "Stopped before there was anything to keep.", hint: str = "") -> None:
        super().__init__(message, hint)
