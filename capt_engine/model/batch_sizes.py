"""The batches that an accelerator had memory for, remembered from run to run: a small one does not fail anew in each."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from capt_engine import folders
from capt_engine.errors import CaptError
from capt_engine.files import write_atomic
from capt_engine.model.devices import free_bytes, name_of
from capt_engine.reading import json_if_sound

# The oldest of more are forgotten.
_MOST = 200


@dataclass(frozen=True)
class Kept:
    """A batch that was halved until it fitted. n: its pictures; free: the bytes that were free for it, 0 where the device does not say."""

    n: int
    free: int


def memory_key(
    model_sha256: str, kind: str, device: torch.device, precision: str, height: int, width: int
) -> str:  # fmt: skip
    """Return the name under which the size of a batch is remembered; "" where there is nothing to remember it by.

    model_sha256: of the weights, "" for a model that nothing names. kind: of the work, such as an attack by gradients.
    height, width: of the pictures. Of the processor nothing is remembered.
    """
    if not model_sha256 or device.type == "cpu":
        return ""
    return " ".join((model_sha256[:16], kind, device.type, name_of(device), precision, f"{height}x{width}"))


def remembered(key: str, device: torch.device) -> int:
    """Return how many pictures fitted into a batch last time; 0 where that is not known.

    key: from `memory_key`. Where less of the memory of `device` is free now than then, or more, it is so many fewer, or more.
    """
    one = _all().get(key) if key else None
    if one is None or one.n < 1:
        return 0
    now = free_bytes(device)
    return max(1, one.n * now // one.free) if now and one.free > 0 else one.n


def remember(key: str, n: int, device: torch.device) -> None:
    """Remember that a batch of `n` pictures is what fits; a disk that refuses is no reason to end a run.

    key: from `memory_key`; with "" nothing is done. device: on which memory ran out; what it kept for later is freed by now.
    """
    if not key:
        return
    found = {name: one for name, one in _all().items() if name != key}
    found[key] = Kept(n, free_bytes(device))
    newest = dict(list(found.items())[-_MOST:])
    with contextlib.suppress(CaptError):
        write_atomic(_file(), json.dumps({name: asdict(one) for name, one in newest.items()}, indent=1) + "\n")


def _file() -> Path:
    return folders.data_dir() / "batch-sizes.json"


def _all() -> dict[str, Kept]:
    return json_if_sound(_file(), dict[str, Kept]) or {}
