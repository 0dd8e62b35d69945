"""The state of an epoch on disk: one file beside the checkpoint-to-be, from which a stopped run goes on as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.tensor_file import write_tensors
from capt_engine.records.tuning import renamed

# Not .safetensors: what lists prompts should not meet it.
SUFFIX = ".state"
_KEY, _FORMAT = "capt_tuning", 1
_PARTS = ("prompts", "best", "momentum")


@dataclass
class Saved:
    """A run after `epoch` epochs.

    settings: what the run is, as plain values; another run's file is recognised by them. batch_size: the one in use, which may have
    been halved.
    best: the prompts of `best_epoch`, empty where it is the last one. epochs: the TuneEpoch of each, as plain values.
    """

    settings: Mapping[str, Any]
    epoch: int
    batch_size: int
    best_epoch: int
    prompts: dict[str, Tensor]
    best: dict[str, Tensor]
    momentum: dict[str, Tensor]
    epochs: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def state_path(out: Path) -> Path:
    """Return the path of the state of a run that will write `out`."""
    return out.with_name(out.name + SUFFIX)


def write(path: Path, saved: Saved) -> None:
    """Replace the file at once, so that a kill leaves either the last epoch's or this one's. Raises CannotWrite."""
    tensors = {
        f"{part}/{name}": value.detach().clone()  # they may be the same ones, which safetensors refuses
        for part in _PARTS
        for name, value in getattr(saved, part).items()
    }
    document = {
        "format": _FORMAT,
        "settings": saved.settings,
        "epoch": saved.epoch,
        "batch_size": saved.batch_size,
        "best_epoch": saved.best_epoch,
        "epochs": saved.epochs,
        "notes": saved.notes,
    }
    write_tensors(path, tensors, {_KEY: json.dumps(document)})


def read(path: Path) -> Saved:
    """The state in a file that `write` made; raises BadCheckpoint for any other."""
    broken = BadCheckpoint(f"{str(path)!r} is not the state of a tuning run.", "Remove it and start again.")
    try:
        with safe_open(path, framework="pt") as file:
            plain = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise broken from error
    if not isinstance(plain, dict) or plain.get("format") != _FORMAT:
        raise broken
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
    for name, value in tensors.items():
        part, _, rest = name.partition("/")
        if part not in parts:
            raise broken
        parts[part][rest] = value
    plain = renamed(plain)
    try:
        saved = Saved(
            settings=renamed(dict(plain["settings"])),
            epoch=int(plain["epoch"]),
            batch_size=int(plain["batch_size"]),
            best_epoch=int(plain["best_epoch"]),
            epochs=list(plain["epochs"]),
            notes=list(plain["notes"]),
            **parts,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise broken from error
    if saved.epoch < 1 or saved.batch_size < 1:
        raise broken
    return saved


def first_difference(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """The first setting in which two runs differ, in words; empty where there is none."""
    # Through JSON, as the file's have been: a tuple and a list are the same there.
    mine = json.loads(json.dumps(ours))
    for name in [*mine, *(other for other in theirs if other not in mine)]:
        if name not in theirs or name not in mine or mine[name] != theirs[name]:
            return f"{name.rstrip('_')} was {_shown(theirs.get(name))}, now it is {_shown(mine.get(name))}"
    return ""


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
