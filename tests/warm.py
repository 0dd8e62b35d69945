"""Programs in processes of their own that need not import torch again: each is forked from one process that has it in memory.

For tests that want another process (its exit code, its environment, its limits), not for those about what an import does: these start a
fresh interpreter. A child has its own environment, folder and streams, and no thread of the test.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

PRELOADED = ("torch", "numpy", "safetensors.torch", "capt_engine.model.clip")
IS_POSSIBLE = "forkserver" in multiprocessing.get_all_start_methods()


def run(arguments: tuple[str, ...], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python with `-c CODE …` or `-m MODULE …` as its arguments in the folder `cwd`, with the environment `env` and no other."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOADED])
    (out, out_end), (err, err_end) = context.Pipe(duplex=False), context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(arguments, str(cwd), dict(env), out_end, err_end))
    process.start()
    out_end.close()
    err_end.close()
    heard: dict[str, bytes] = {}
    reader = threading.Thread(target=lambda: heard.update(err=_all(err)))
    reader.start()
    heard["out"] = _all(out)
    reader.join()
    process.join()
    said = {name: text.decode("utf-8", "replace") for name, text in heard.items()}
    return subprocess.CompletedProcess(arguments, process.exitcode or 0, said["out"], said["err"])


def _all(end: Connection) -> bytes:
    with end, open(end.fileno(), "rb", closefd=False) as stream:
        return stream.read()


def _child(arguments: tuple[str, ...], cwd: str, env: dict[str, str], out: Connection, err: Connection) -> None:
    for number, end in ((1, out), (2, err)):
        os.dup2(end.fileno(), number)
        end.close()
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.path[:0] = [one for one in env.get("PYTHONPATH", "").split(os.pathsep) if one]
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False, buffering=1))  # noqa: SIM115
    kind, what, *rest = arguments
    sys.argv = ["-c", *rest] if kind == "-c" else [what, *rest]
    if kind == "-c":
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)
