"""The LPIPS weights that the user has brought: a safetensors file for each network, which says where it came from and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open

from capt_engine.errors import BadCheckpoint, BadRequest, UnknownName
from capt_engine.files import move_new
from capt_engine.folders import lpips_dir
from capt_engine.model.importers.lpips import LpipsWeights
from capt_engine.model.lpips import NETS, Lpips, Net, digest
from capt_engine.model.store import install_record
from capt_engine.model.tensor_file import sound, write_tensors
from capt_engine.records import LPIPS_NETS

FORMAT = "capt-lpips/1"
_FACTS = ("format", "net", "sha256", "backbone", "backbone_sha256", "linear", "linear_sha256")
_AGAIN = "Remove it with `capt lpips remove`, and import the two files again."


@dataclass(frozen=True)
class StoredLpips:
    """One file of the store and what it says of itself."""

    net: Net
    path: Path
    facts: dict[str, str]


def path_of(net: str) -> Path:
    """Return the path where the LPIPS weights of a network are kept, there or not.

    net: "alex" or "vgg"; raises UnknownName for another.
    """
    if net not in NETS:
        raise UnknownName("network of LPIPS", net, NETS)
    return lpips_dir() / f"{net}.safetensors"


def names() -> tuple[str, ...]:
    """Return the names ("alex", "vgg") of the networks whose LPIPS weights are installed."""
    return tuple(net for net in LPIPS_NETS if path_of(net).is_file())


def install(weights: LpipsWeights) -> StoredLpips:
    """Store LPIPS weights, whole or not at all, and return what is then stored.

    Raises BadRequest where weights of that network are there already; they are never replaced.
    """
    path = path_of(weights.net.name)
    if path.exists():
        raise BadRequest(
            f"The LPIPS weights of {weights.net.label} are here already.",
            f"`capt lpips remove {weights.net.name}` makes room for others.",
        )
    staged = path.with_name(f".{path.name}.importing")
    facts = (FORMAT, weights.net.name, digest(weights.state), *weights.backbone, *weights.linear)
    try:
        write_tensors(staged, weights.state, dict(zip(_FACTS, facts, strict=True)))
        move_new(staged, path)
    finally:
        install_record.discard(staged)
    return stored(weights.net.name)


def stored(net: str) -> StoredLpips:
    """Read the path and the facts (sources, SHA-256) of a network's stored LPIPS weights, from the file's header alone.

    net: "alex" or "vgg". Raises BadCheckpoint where there are no such weights, or the file is damaged; UnknownName for
    another network.
    """
    path = _present(net)
    with sound(str(path), _AGAIN), safe_open(path, "pt") as file:
        facts = dict(file.metadata() or {})
    if set(facts) != set(_FACTS) or (facts["format"], facts["net"]) != (FORMAT, net):
        raise BadCheckpoint(f"{str(path)!r} does not say that it holds LPIPS on {NETS[net].label}.", _AGAIN)
    return StoredLpips(NETS[net], path, facts)


def stamp(net: str) -> tuple[int, int]:
    """Return the time of the last change (in nanoseconds) and the size in bytes of a network's LPIPS weights file.

    net: "alex" or "vgg". Raises BadCheckpoint where there are no such weights.
    """
    status = _present(net).stat()
    return status.st_mtime_ns, status.st_size


def load(net: str, device: torch.device) -> Lpips:
    """Load LPIPS on a network ("alex" or "vgg") to a device, after checking that its weights are unchanged.

    Raises BadCheckpoint where the weights are missing, damaged, or not what was imported.
    """
    one = stored(net)
    with sound(str(one.path), _AGAIN):
        state = safetensors.torch.load_file(one.path)
    sources = {name: one.facts[name] for name in ("backbone_sha256", "linear_sha256")}
    try:
        found = Lpips(one.net, state, device, sources)
    except BadCheckpoint as error:
        raise BadCheckpoint(f"{str(one.path)!r} is damaged: {error.message}", _AGAIN) from error
    if found.sha256 != one.facts["sha256"]:
        raise BadCheckpoint(f"The LPIPS weights of {one.net.label} have changed since they were imported.", _AGAIN)
    return found


def remove(net: str) -> Path:
    """Delete the LPIPS weights of a network ("alex" or "vgg"), and return the path that they had.

    Raises BadCheckpoint where there are none.
    """
    path = _present(net)
    install_record.discard(path)
    return path


def _present(net: str) -> Path:
    path = path_of(net)
    if not path.is_file():
        others = [one for one in names() if one != net]
        instead = f" Or measure with `--lpips {others[0]}`, whose weights are here." if others else ""
        raise BadCheckpoint(
            f"There are no LPIPS weights of {NETS[net].label} here; none are shipped and none are fetched.",
            f"Bring yours: `capt lpips import {NETS[net].file} {net}.pth`.{instead}",
        )
    return path
