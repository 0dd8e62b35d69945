"""The bases of all that passes the door; each module beside this one declares its own."""

from __future__ import annotations

from capt_engine.frozen import dataclass


@dataclass(frozen=True)
class Request:
    """A request to the engine, which answers it with events and one Result."""


@dataclass(frozen=True)
class Result:
    """The outcome of a Request."""
