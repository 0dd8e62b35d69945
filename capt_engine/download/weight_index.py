"""The index of weights that lie in several files, as the library transformers writes it beside them: which files there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from capt_engine.errors import BadCheckpoint
from capt_engine.reading import read_json

SUFFIX: Final = ".index.json"
_LONGEST = 4_000_000
_MOST_PARTS = 200
_DAMAGED = "The folder is damaged."


@dataclass(frozen=True)
class _Index:
    """The part of an index that is read: the file of each tensor."""

    weight_map: dict[str, str]


def parts_of(index: Path) -> tuple[str, ...]:
    """Read the names of the files of weights that the file `index` lists; they are names beside it, and no paths.

    Raises BadCheckpoint where the index is damaged, names a file elsewhere, or lists more files than any model has.
    """
    names = sorted(set(read_json(index, _Index, error=BadCheckpoint, hint=_DAMAGED, most=_LONGEST).weight_map.values()))
    for name in names:
        if Path(name).name != name or "\\" in name or not name.endswith((".safetensors", ".bin")):
            raise BadCheckpoint(f"{index.name!r} lists {name[:80]!r}, which is no file of weights beside it.", _DAMAGED)
    if not 0 < len(names) <= _MOST_PARTS:
        raise BadCheckpoint(f"{index.name!r} lists {len(names)} files of weights.", _DAMAGED)
    return tuple(names)
