"""Downloading a model: the process that fetches, what it tells, and the step that makes the model visible once it is verified."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from capt_engine.download import offline
from capt_engine.download.process import DISK, Order
from capt_engine.errors import BadRequest, Cancelled, CannotWrite
from capt_engine.formatting import duration, size
from capt_engine.progress import Progress
from capt_engine.records import LedgerEntry

# Over so many seconds the rate is averaged: less is nervous, more is late.
_RATE_S = 5.0


class Paused(Exception):
    """The user wants the download to rest; what came is kept."""


@dataclass
class Fetched:
    """The result of a download: file names with SHA-256, bytes over the network, bytes that were here already, the commit, remarks."""

    files: dict[str, str] = field(default_factory=dict)
    fresh: int = 0
    reused: int = 0
    commit: str = ""
    notes: list[str] = field(default_factory=list)


class Rate:
    """Bytes a second over the last seconds, and the time that is left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def saw(self, done: int) -> None:
        """So many bytes are here now."""
        now = self._clock()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _RATE_S and len(self._seen) > 2:
            self._seen.popleft()

    def per_s(self) -> float | None:
        """Bytes a second, None as long as nothing can be told."""
        if len(self._seen) < 2:
            return None
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else None

    def words(self, done: int, total: int) -> str:
        """Write the progress with speed and time left: "312 of 605 MB, 4.1 MB/s, 71 s left"."""
        text = f"{size(done)} of {size(total)}"
        rate = self.per_s()
        if rate:
            text += f", {size(rate)}/s, {duration((total - done) / rate)} left"
        return text


def fetch(
    model: str, orders: Sequence[Order], progress: Progress, is_resting: Callable[[], bool] = lambda: False
) -> Fetched:
    """Carry out the orders in a process of its own; what was fetched is written into the ledger.

    tick: called ten times a second with (bytes, bytes in all, words); may raise Cancelled, and the process is gone at once. is_resting:
    asked as often; where it says yes, Paused is raised and the process is gone. Raises BadRequest with what the process
    refused, CannotWrite where the disk did.
    """
    offline.require_network()
    told: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    process = subprocess.Popen(
        (sys.executable, "-m", "capt_engine.download.process"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    reader = threading.Thread(target=_read, args=(process, told), name="capt-fetching", daemon=True)
    reader.start()
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            json.dump([asdict(order) for order in orders], process.stdin)
        return _follow(model, process, told, progress, is_resting)
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stdout is not None:
            process.stdout.close()


def _read(process: subprocess.Popen[str], told: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        with contextlib.suppress(ValueError):
            told.put(json.loads(line))
    told.put(None)


def _follow(
    model: str,
    process: subprocess.Popen[str],
    told: queue.SimpleQueue[dict[str, Any] | None],
    progress: Progress,
    is_resting: Callable[[], bool],
) -> Fetched:
    result, rate = Fetched(), Rate()
    now: dict[str, Any] = {"name": "", "n_bytes": 0, "have": 0, "began": 0, "url": ""}
    words = "asking the server"
    try:
        while True:
            # Asked first: a paused tick waits, and nothing should be on the wire meanwhile.
            if is_resting():
                raise Paused
            progress(now["have"], now["n_bytes"], words)
            try:
                news = told.get(timeout=0.1)
            except queue.Empty:
                continue
            if news is None:
                raise BadRequest(
                    f"The process that downloads ended without a word (exit status {process.wait()}).",
                    "Start the download again; what came is kept.",
                )
            event = news.pop("event")
            if event == "file":
                now |= {"url": "", **news, "began": news["have"]}
                rate = Rate()
                rate.saw(now["have"])
            elif event == "moved":
                now["have"] = news["have"]
                rate.saw(now["have"])
            elif event == "note":
                result.notes.append(news["text"])
            elif event == "fetched":
                now["have"] = now["n_bytes"]
                result.files[news["name"]] = news["sha256"]
                result.fresh += news["fresh"]
                result.reused += now["n_bytes"] - news["fresh"]
                result.commit = news["commit"] or result.commit
                if news["url"]:
                    _note(model, news["url"], news["fresh"], news["sha256"], "complete")
                now["url"] = ""
            elif event == "refused":
                _note_partial(model, now, f"refused: {news['kind']}")
                kind = CannotWrite if news["kind"] == DISK else BadRequest
                raise kind(news["message"], news["hint"])
            elif event == "done":
                return result
            words = "verifying" if event == "verifying" else f"{now['name']}: {rate.words(now['have'], now['n_bytes'])}"
    except (Cancelled, Paused) as stop:
        _note_partial(model, now, "paused" if isinstance(stop, Paused) else "cancelled")
        raise


def _note_partial(model: str, now: dict[str, Any], ended: str) -> None:
    """A part that came over the network is in the ledger too."""
    if now["url"] and now["have"] > now["began"]:
        _note(model, now["url"], now["have"] - now["began"], "", ended)


def _note(model: str, url: str, n_bytes: int, sha256: str, ended: str) -> None:
    when = datetime.now(UTC).isoformat(timespec="seconds")
    offline.note(LedgerEntry(model, url, n_bytes, sha256, when, ended))


def parts_folder(model: str, root: Path) -> Path:
    """Return the hidden folder that holds the parts of a download until it is whole."""
    return root / f".{model}.download"
