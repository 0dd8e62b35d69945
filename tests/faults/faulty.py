"""A program that is killed, or finds the disk full, at the n-th change of a file: the same place again for the same n."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import warm

# Python announces every file that is opened for writing, moved, removed or made before it does so; what is between two of these is
# one place to be interrupted at. An alarm that nobody handles ends the process at once as well, between any two instructions.
_CHILD = """
import errno, os, signal, sys
root, how, at = sys.argv[1], sys.argv[2], float(sys.argv[3])
count = 0

def writes(mode, flags):
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

def listen(event, arguments):
    global count
    if event == "open":
        path, mode, flags = arguments
        if not writes(mode, flags):
            return
    elif event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"):
        path = arguments[0]
    else:
        return
    if not isinstance(path, (str, bytes, os.PathLike)) or not os.fsdecode(path).startswith(root):
        return
    count += 1
    if count == at and how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if count >= at and how == "full" and event in ("open", "os.mkdir"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fsdecode(path))

if how == "alarm":
    signal.setitimer(signal.ITIMER_REAL, at)
else:
    sys.addaudithook(listen)
from capt_engine.cli.main import main
status = main(sys.argv[4:])
print(f"changes {count}")
sys.exit(status)
"""


@dataclass(frozen=True)
class Ended:
    """How a program ended: its status, what it said, and how many changes of files it made below the root."""

    status: int
    said: str
    changes: int


def run(root: Path, words: Sequence[str], how: str = "count", at: float = 0) -> Ended:
    """Run `capt` with the words, in a process of its own.

    how: "kill" (SIGKILL before the change `at`), "full" (no room from the change `at` on), "alarm" (dead after `at`
    seconds) or "count".
    """
    done: subprocess.CompletedProcess[str] = warm.run(
        ("-c", _CHILD, str(root), how, str(at), *words), root, dict(os.environ)
    )
    found = re.search(r"changes (\d+)", done.stdout)
    return Ended(done.returncode, done.stderr, int(found[1]) if found else 0)


def content(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their names."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
