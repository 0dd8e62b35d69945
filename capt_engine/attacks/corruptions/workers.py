"""Corruptions side by side: processes of one thread each, whose pictures are those of this process bit for bit."""

from __future__ import annotations

import contextlib
import json
import math
import queue
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import numpy as np
import torch
from torch import Tensor

from capt_engine.attacks.base import PictureRngs

# Each process loads torch, some seconds of a core and 300 MB.
_MOST = 8
_active: ContextVar[Workers | None] = ContextVar("workers", default=None)


class _Gone(Exception):
    """A process has ended before its answer."""


class Workers:
    """Processes that corrupt pictures. They start at the first picture, and those that died are done without."""

    def __init__(self, n: int) -> None:
        self._n = n
        self.processes: list[subprocess.Popen[bytes]] = []
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._broken = False

    def corrupted(self, kind: str, severity: int, pictures: Sequence[Tensor], rngs: PictureRngs) -> list[Tensor] | None:
        """Corrupt pictures, as many at once as there are processes.

        Args:
            kind: the corruption.
            severity: from 1 to 5.
            pictures: each (1, 3, h, w) in [0, 1], float32, on the CPU.
            rngs: their streams, of which nothing was drawn; they are not moved on.

        Returns:
            The corrupted pictures in their order; None where a process has died, and the caller does it himself.
        """
        words = rngs.unused()
        if self._broken or words is None:
            return None
        if not self.processes:
            self._start()
        heads = [{"kind": kind, "severity": severity, "words": one} for one in words]
        try:
            with ThreadPoolExecutor(self._n, "corrupt") as pool:
                return list(pool.map(partial(_asked, self._idle), heads, pictures))
        except (_Gone, OSError):
            self._broken = True
            self.close()
            return None

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    assert pipe is not None
                    pipe.close()
        self.processes = []

    def _start(self) -> None:
        for _ in range(self._n):
            process = subprocess.Popen(
                # -P: a file of the folder that we stand in is never taken for a module.
                (sys.executable, "-P", "-m", "capt_engine.attacks.corruptions.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self.processes.append(process)
            self._idle.put(process)


def _asked(idle: queue.SimpleQueue[subprocess.Popen[bytes]], head: dict[str, object], picture: Tensor) -> Tensor:
    process = idle.get()
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        shape = list(picture.shape)
        process.stdin.write(json.dumps({**head, "shape": shape}).encode() + b"\n")
        process.stdin.write(picture.contiguous().numpy().tobytes())
        process.stdin.flush()
        data = process.stdout.read(4 * math.prod(shape))
        if len(data) < 4 * math.prod(shape):
            raise _Gone
        return torch.from_numpy(np.frombuffer(data, np.float32).reshape(shape).copy())
    finally:
        idle.put(process)


@contextmanager
def side_by_side(n_threads: int) -> Iterator[None]:
    """Corrupt pictures in at most `n_threads` processes while this holds; with one nothing changes."""
    if n_threads < 2:
        yield
        return
    workers = Workers(min(n_threads, _MOST))
    token = _active.set(workers)
    try:
        yield
    finally:
        _active.reset(token)
        workers.close()


def active() -> Workers | None:
    """Return the processes that hold now; None where pictures are corrupted one after the other."""
    return _active.get()
