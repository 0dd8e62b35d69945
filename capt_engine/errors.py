"""The family of expected failures: each says what happened and what to do next.

    CaptError
    ├─ BadImage         a picture that cannot be read, or that we refuse to read
    ├─ BadCheckpoint    weights or prompts that are missing, damaged or of another kind
    ├─ BadRequest       a request that makes no sense (no classes, a budget out of range)
    │  └─ UnknownName   a name no table holds; offers the nearest one
    ├─ DeviceProblem    no such device, or it ran out of memory
    └─ Cancelled        the user asked to stop
       └─ Stopped       the user asked to stop and keep the best so far

Anything else that is raised is a bug, and is reported with its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NAMES_SHOWN = 20


class CaptError(Exception):
    """An expected failure: `message` says what happened, `hint` what to do next (may be empty)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The sentence, followed by the hint where there is one."""
        return f"{self.message} {self.hint}".strip()


class BadImage(CaptError):
    """A picture that cannot be read, or that we refuse to read."""


class BadCheckpoint(CaptError):
    """Weights or prompts that are missing, damaged or of another kind."""


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


class DeviceProblem(CaptError):
    """The chosen device is absent, unsuitable, or out of memory."""


class Cancelled(CaptError):
    """The user asked to stop; what was finished is kept."""

    def __init__(self, message: str = "Cancelled.", hint: str = "What was finished is kept.") -> None:
        super().__init__(message, hint)


class Stopped(Cancelled):
    """The user asked to stop and keep the best so far; whoever has nothing to keep lets it pass as a cancel with a reason."""

    def __init__(self, message: str = "Stopped before there was anything to keep.", hint: str = "") -> None:
        super().__init__(message, hint)
