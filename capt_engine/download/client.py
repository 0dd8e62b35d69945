"""Downloading a model: the process that fetches, what it says, and the step that makes the model visible once it is verified."""

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
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from capt_engine.download import offline
from capt_engine.download.process import DISK, News, Order
from capt_engine.errors import BadRequest, Cancelled, CannotWrite, CaptError
from capt_engine.formatting import duration, size
from capt_engine.progress import Progress
from capt_engine.reading import decode
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

    def add(self, done: int) -> None:
        """Record that `done` bytes in all are here now, for the rate over the last seconds."""
        now = self._clock()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _RATE_S and len(self._seen) > 2:
            self._seen.popleft()

    def per_s(self) -> float | None:
        """Return the bytes a second over the last five seconds or so; None before two different times were recorded."""
        if len(self._seen) < 2:
            return None
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else None

    def text(self, done: int, total: int) -> str:
        """Describe `done` of `total` bytes with speed and time left: "312 of 605 MB, 4.1 MB/s, 71 s left".

        Without a rate, or at a rate of 0, only "312 of 605 MB".
        """
        rate = self.per_s()
        ahead = f", {size(rate)}/s, {duration((total - done) / rate)} left" if rate else ""
        return f"{size(done)} of {size(total)}{ahead}"


def fetch(
    model: str, orders: Sequence[Order], progress: Progress, is_resting: Callable[[], bool] = lambda: False
) -> Fetched:
    """Download the ordered files of a model in a process of its own; return hashes and sizes, and fill the ledger.

    model: the name for the ledger. orders: one for each file. progress: called about ten times a second with (bytes
    here, bytes in all, text); may raise Cancelled. is_resting: asked as often; once it returns True, Paused is raised.
    Either way the process is killed at once, and what came is kept for the next call. Raises BadRequest where the
    network is locked or the process refuses, CannotWrite where the disk does.
    """
    offline.require_network()
    lines: queue.SimpleQueue[News | None] = queue.SimpleQueue()
    process = subprocess.Popen(
        # -P: a file of the folder that we stand in is never taken for a module.
        (sys.executable, "-P", "-m", "capt_engine.download.process"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    reader = threading.Thread(target=_read, args=(process, lines), name="capt-fetching", daemon=True)
    reader.start()
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError), process.stdin:
            json.dump([asdict(order) for order in orders], process.stdin)
        return _follow(model, process, lines, progress, is_resting)
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stdout is not None:
            process.stdout.close()


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[News | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        with contextlib.suppress(CaptError):
            lines.put(decode(line, News, called="a line of the process"))
    lines.put(None)


def _follow(
    model: str,
    process: subprocess.Popen[str],
    lines: queue.SimpleQueue[News | None],
    progress: Progress,
    is_resting: Callable[[], bool],
) -> Fetched:
    result, rate = Fetched(), Rate()
    file, have, text = News("file"), 0, "asking the server"
    try:
        while True:
            # Asked first: a paused job waits, and nothing should be on the wire meanwhile.
            if is_resting():
                raise Paused
            progress(have, file.n_bytes, text)
            try:
                news = lines.get(timeout=0.1)
            except queue.Empty:
                continue
            if news is None:
                raise BadRequest(
                    f"The process that downloads ended without a word (exit status {process.wait()}).",
                    "Start the download again; what came is kept.",
                )
            if news.event == "file":
                file, have, rate = news, news.have, Rate()
                rate.add(have)
            elif news.event == "moved":
                have = news.have
                rate.add(have)
            elif news.event == "note":
                result.notes.append(news.message)
            elif news.event == "fetched":
                result.files[news.name] = news.sha256
                result.fresh += news.fresh
                result.reused += file.n_bytes - news.fresh
                result.commit = news.commit or result.commit
                if news.url:
                    _note(model, news.url, news.fresh, "complete", news.sha256)
                # Whatever ends the download now, this file is in the ledger.
                file, have = replace(file, url=""), file.n_bytes
            elif news.event == "refused":
                _note_partial(model, file, have, f"refused: {news.kind}")
                raise (CannotWrite if news.kind == DISK else BadRequest)(news.message, news.hint)
            elif news.event == "done":
                return result
            text = "verifying" if news.event == "verifying" else f"{file.name}: {rate.text(have, file.n_bytes)}"
    except (Cancelled, Paused) as stop:
        _note_partial(model, file, have, "paused" if isinstance(stop, Paused) else "cancelled")
        raise


def _note_partial(model: str, file: News, have: int, ended: str) -> None:
    """A part that came over the network is in the ledger too."""
    if file.url and have > file.have:
        _note(model, file.url, have - file.have, ended)


def _note(model: str, url: str, n_bytes: int, ended: str, sha256: str = "") -> None:
    when = datetime.now(UTC).isoformat(timespec="seconds")
    offline.note(LedgerEntry(model, url, n_bytes, sha256, when, ended))


def parts_folder(model: str, root: Path) -> Path:
    """Return the path of the hidden folder in `root` that holds the incomplete files while a model is downloaded.

    model: the name of the folder in which the model will be installed. The folder returned need not exist.
    """
    return root / f".{model}.download"
