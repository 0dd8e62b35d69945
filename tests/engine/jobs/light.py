"""What tests of the runner share: a worker that loads nothing, one that hears all events, and work that never ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from capt_engine.errors import DeviceProblem
from capt_engine.records import EngineNote, EngineReady, JobCancelled, JobFailed, JobFinished, JobId

ENDINGS = (JobFinished, JobFailed, JobCancelled)
Work = Callable[[Callable[..., None]], Any]


def light_science(device: str, on_event: Callable[[Any], None]) -> Callable[..., Any]:
    """Stands in for what loads torch: a request is a function, and handling it is calling it with the tick."""
    if device == "broken":
        raise DeviceProblem("There is no device called 'broken'.", "Use cpu.")
    if device == "buggy":
        raise ImportError("libtorch.so: cannot open shared object file")
    on_event(EngineNote("Loading nothing"))
    on_event(EngineReady("catalogue", device))  # type: ignore[arg-type]
    return lambda _, request, __, progress: request(progress)


class Witness:
    """Hears every event, and remembers on which thread."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.threads: set[str] = set()
        self._heard = threading.Condition()
        # what a test does about an event while it arrives, on the worker's thread
        self.react: Callable[[Any], object] = lambda _: None

    def __call__(self, event: Any) -> None:
        """One event."""
        with self._heard:
            self.events.append(event)
            self.threads.add(threading.current_thread().name)
            self._heard.notify_all()
        self.react(event)

    def wait_for(self, *kinds: type, of: JobId | None = None, timeout_s: float = 10.0) -> Any:
        """The first event of one of the kinds (and of the job), heard already or soon."""

        def found() -> Any:
            return next((e for e in self.events if isinstance(e, kinds) and (of is None or e.job == of)), None)

        with self._heard:
            assert self._heard.wait_for(lambda: found() is not None, timeout_s), f"never heard {kinds} of {of}"
            return found()

    def of(self, job: JobId) -> list[str]:
        """The kinds of events heard of a job, in order."""
        return [type(event).__name__ for event in self.events if getattr(event, "job", None) == job]


def until_cancelled(progress: Callable[..., None]) -> None:
    """Work that never ends by itself."""
    while True:
        progress(1, 2, "turning")
        time.sleep(0.001)
