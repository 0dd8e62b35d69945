"""The thread that reads and writes sessions: it waits for no engine, and the window waits for it at the end only."""

from __future__ import annotations

import logging
import queue
import threading
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Signal

from capt_engine import files
from capt_engine.errors import CaptError
from capt_engine.records import Failure
from capt_gui.translate import spoken, tr

_log = logging.getLogger(__name__)


class Ended(NamedTuple):
    """The end of one work: its number, what it gave, or why it failed."""

    number: int
    result: Any
    failure: Failure | None


class Disk(QObject):
    """Does one work after the other on a thread of its own; what should follow is called on the window's thread.

    failed(Failure): a work failed that nobody had an answer for. idle: nothing waits any more.
    """

    failed = Signal(object)
    idle = Signal()
    _ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work: queue.SimpleQueue[tuple[int, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._then: dict[int, tuple[Callable[[Any], object], Callable[[Failure], object]]] = {}
        self._thread: threading.Thread | None = None
        self._count = 0
        self._is_closed = False
        self._ended.connect(self.on_ended)

    @property
    def is_busy(self) -> bool:
        """True while a work waits or is done."""
        return bool(self._then)

    def run(
        self,
        work: Callable[[], Any],
        then: Callable[[Any], object] = lambda _: None,
        failed: Callable[[Failure], object] | None = None,
    ) -> None:
        """Have `work` done on the thread; `then` is called with what it gives, `failed` with the reason where it fails.

        After `close` nothing is done.
        """
        if self._is_closed:
            return
        self._count += 1
        self._then[self._count] = (then, failed or self.failed.emit)
        self._work.put((self._count, work))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="capt-session", daemon=True)
            self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Wait for what was asked for, at most `timeout_s` seconds, and end the thread."""
        self._is_closed = True
        if self._thread is not None:
            self._work.put(None)
            self._thread.join(timeout_s)
            self._thread = None

    def on_ended(self, ended: Ended) -> None:
        """Call what should follow a work; called on the window's thread."""
        then, failed = self._then.pop(ended.number)
        if ended.failure is not None:
            failed(ended.failure)
        else:
            then(ended.result)
        if not self._then:
            self.idle.emit()

    def _run(self) -> None:
        while (one := self._work.get()) is not None:
            number, work = one
            try:
                ended = Ended(number, work(), None)
            except Exception as error:
                ended = Ended(number, None, _failure(error))
            self._ended.emit(ended)


def _failure(error: Exception) -> Failure:
    error = files.disk_problem(error) or error
    if isinstance(error, CaptError):
        return Failure(type(error).__name__, spoken(error.message), spoken(error.hint))
    _log.exception("a session could not be read or written", exc_info=error)
    return Failure(
        type(error).__name__,
        tr("Something went wrong that should not have: {}").format(error),
        tr("This is a bug in CAPT Explorer; the log holds the details."),
        "".join(traceback.format_exception(error)),
    )
