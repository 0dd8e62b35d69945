"""The state of an epoch on disk: one file beside the checkpoint-to-be, from which a stopped run goes on as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from safetensors import SafetensorError, safe_open
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.model.tensor_file import write_tensors
from capt_engine.reading import decode, renamed
from capt_engine.records import TuneEpoch
from capt_engine.records.tuning import OLD_NAMES

# Not .safetensors: what lists prompts should not meet it.
SUFFIX = ".state"
_KEY, _FORMAT = "capt_tuning", 1
_PARTS = ("prompts", "best", "momentum")


@dataclass(frozen=True)
class Saved:
    """A run after `epoch` epochs.

    settings: what the run is, as plain values; another run's file is recognised by them. batch_size: the one in use, which an
    older version may have halved. best: the prompts of `best_epoch`, empty where it is the last one.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = OLD_NAMES

    settings: dict[str, object]
    epoch: Annotated[int, msgspec.Meta(ge=1)]
    batch_size: Annotated[int, msgspec.Meta(ge=1)]
    best_epoch: int
    epochs: list[TuneEpoch]
    notes: list[str]
    format: int = _FORMAT
    prompts: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    momentum: dict[str, Tensor] = field(default_factory=dict)


def state_path(out: Path) -> Path:
    """Return the path of the state file, beside `out`, of a tuning run that will write its prompts to `out`."""
    return out.with_name(out.name + SUFFIX)


def write(path: Path, saved: Saved) -> None:
    """Write `saved`, the state of a tuning run that can be resumed from it, into the file `path`, over what is there.

    At every moment the file is the old one or the new one. Raises CannotWrite where the disk refuses.
    """
    tensors = {
        f"{part}/{name}": value.detach().clone()  # they may be the same ones, which safetensors refuses
        for part in _PARTS
        for name, value in getattr(saved, part).items()
    }
    document = asdict(replace(saved, prompts={}, best={}, momentum={}))
    write_tensors(path, tensors, {_KEY: json.dumps(document)})


def read(path: Path) -> Saved:
    """Return the state of a tuning run that `write` left in the file `path`.

    Raises BadCheckpoint where the file is missing, damaged or something else.
    """
    broken = BadCheckpoint(f"{str(path)!r} is not the state of a tuning run.", "Remove it and start again.")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise broken from error
    if text is None:
        raise broken
    called = f"The state of a tuning run in {str(path)!r}"
    saved = decode(text, Saved, called=called, error=BadCheckpoint, hint=broken.hint)
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
    for name, value in tensors.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = value
    if saved.format != _FORMAT or len(parts) > len(_PARTS):
        raise broken
    saved = replace(saved, prompts=parts["prompts"], best=parts["best"], momentum=parts["momentum"])
    return replace(saved, settings=renamed(saved.settings, OLD_NAMES))


def first_difference(ours: Mapping[str, object], theirs: Mapping[str, object]) -> str:
    """Return a phrase on the first setting that differs in two runs, "seed was 1, now it is 2"; "" for none.

    ours: the settings of the run now, by name. theirs: those of the earlier run.
    """
    # Through JSON, as the file's have been: a tuple and a list are the same there.
    mine = json.loads(json.dumps(ours))
    for name in [*mine, *(other for other in theirs if other not in mine)]:
        if name not in theirs or name not in mine or mine[name] != theirs[name]:
            return f"{name.rstrip('_')} was {_shown(theirs.get(name))}, now it is {_shown(mine.get(name))}"
    return ""


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
