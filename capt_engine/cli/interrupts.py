"""Signals that ask the program to end: the first one ends it in order, the second one at once."""

from __future__ import annotations

import os
import signal
from types import FrameType

_MOMENT = b"Cancelled.\n"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """Raised in the main thread by SIGTERM, as KeyboardInterrupt is by SIGINT (Ctrl-C)."""


class _State:
    """The course of this process: what came, whether something may be lost by ending at once, and its exit code if it is over."""

    came = 0
    is_working = False
    over: int | None = None


def install() -> None:
    """Let SIGINT and SIGTERM end this process: at once until `work_begins`, then by raising in the main thread.

    The second signal ends it at once in any case. A signal that the parent ignores, as a shell does for a process in
    the background, stays ignored; child processes have the system's own handling.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_as_usual)


def work_begins() -> None:
    """Note that from here on files may be half written, so that a first signal ends the command in order."""
    _State.is_working = True


def over(code: int) -> bool:
    """Note that the command has ended with the exit code `code`, which a signal does not change any more.

    Returns True where a signal had come: threads may still be busy then, and are not to be waited for.
    """
    _State.over = code
    return bool(_State.came)


def has_come() -> bool:
    """Return True once a signal has asked the command to end."""
    return bool(_State.came)


def exit_code() -> int:
    """Return the exit code of a command that a signal ended: 143 after SIGTERM, else 130."""
    return 128 + (_State.came or signal.SIGINT)


def _on_signal(number: int, _: FrameType | None) -> None:
    if _State.over is not None:
        os._exit(_State.over)
    if _State.came or not _State.is_working:
        if not _State.came:
            _write(_MOMENT)
        os._exit(128 + (_State.came or number))
    _State.came = number
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _as_usual() -> None:
    if signal.getsignal(signal.SIGINT) is _on_signal:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) is _on_signal:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _write(sentence: bytes) -> None:
    try:
        os.write(2, sentence)
    except OSError:
        return
