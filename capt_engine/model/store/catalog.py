"""The curated models: what each is, whether it is here, and what this machine would make of it. Touches no network and no torch."""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from capt_engine.download import offline
from capt_engine.download.client import parts_folder
from capt_engine.download.process import Order
from capt_engine.download.weight_index import SUFFIX
from capt_engine.errors import BadRequest, UnknownName
from capt_engine.folders import models_dir
from capt_engine.formatting import percent
from capt_engine.reading import read_toml
from capt_engine.records import DeviceInfo, ModelsListed, OfferedModel
from capt_engine.resources import resource

HUB = "hf-hub:"
CONFIGS = {"open_clip": "open_clip_config.json", "CLIPModel": "config.json"}

# A repository of which nothing is known holds open_clip's files or those of transformers, and is asked for them in this order.
_EITHER = "either"
_OPEN_CLIP_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
_CLIP_MODEL_WEIGHTS = ("model.safetensors", "pytorch_model.bin")

# Above so much work for one picture, an attack of 20 steps takes a processor a minute and more.
_SLOW_GFLOPS = 20.0
# The rest of the machine needs some memory too.
_SHARE = 0.7


@dataclass(frozen=True)
class Entry(OfferedModel):
    """One [[model]] of resources/models.toml, which says what each field is, before anything is known of this machine."""

    figure: str = ""
    address: str = ""
    weights: tuple[str, ...] = ()
    form: str = "open_clip"
    bundled: bool = False
    memory_mb: float = 0.0
    gflops: float = 0.0
    imagenet: float | None = None
    average: str = ""
    figure_source: str = ""


def offered(device: DeviceInfo | None = None) -> tuple[OfferedModel, ...]:
    """Return the models of the curated list, each with its state ("installed" …) and its fit for this machine.

    device: where a model would run; None counts as the processor.
    """
    return tuple(_offered(one, device) for one in _entries())


def listed(device: DeviceInfo | None = None) -> ModelsListed:
    """Return all that the Models page shows: offered models, other installed ones, free space, and the network lock.

    device: where a model would run; None counts as the processor.
    """
    known = {one.id for one in _entries()}
    root = models_dir()
    others = sorted(folder.name for folder in root.iterdir() if is_model(folder)) if root.is_dir() else []
    return ModelsListed(
        offered=offered(device),
        others=tuple(name for name in others if name not in known),
        folder=str(root),
        free_bytes=free_bytes(root),
        offline=bool(offline.reason()),
        offline_reason=offline.reason(),
    )


def is_model(folder: Path) -> bool:
    """Return True if a folder holds an installed model: it is not hidden, and has a model's configuration file.

    Unfinished downloads lie in hidden folders.
    """
    return not folder.name.startswith(".") and any(
        (folder / name).is_file() for name in (CONFIGS["open_clip"], "tower.json")
    )


def find_offer(model: str) -> OfferedModel:
    """Return the curated list's model with this id or, for "hf-hub:owner/name", what is known of one not on it.

    Raises UnknownName for another id, BadRequest for a malformed "hf-hub:" one.
    """
    for one in _entries():
        if one.id == model:
            return _offered(one, None)
    if model.startswith(HUB):
        return _offered(_from_hub(model), None)
    raise UnknownName("model to download", model, [one.id for one in _entries()])


def orders(model: str) -> tuple[Order, ...]:
    """Return the download orders for a model's files, its configuration first.

    That file is small and shows early that the repository is a model. model: an id of the curated list, or
    "hf-hub:owner/name". Raises BadRequest for another id, or a model that ships with the program.
    """
    entry = entry_of(model)
    configs, beside = _configs(entry)
    if entry.address:
        raise BadRequest(
            f"{model} is not at the hub, and no hash vouches for the file that its authors publish: {entry.address}",
            f"Fetch it in your browser, then: capt models import FILE --as {model} --base {entry.base}",
        )
    if entry.bundled:
        raise BadRequest(f"{model} ships with the program; there is nothing to download.", "Choose it as it is.")
    folder = str(parts_folder(install_name(model), models_dir()))
    return (
        Order(entry.repo, entry.revision, configs, folder),
        *(Order(entry.repo, entry.revision, (name,), folder, optional=True) for name in beside),
        Order(entry.repo, entry.revision, entry.weights, folder, entry.bytes, entry.sha256),
    )


def entry_of(model: str) -> Entry:
    """Return the curated list's entry for a model, or for "hf-hub:owner/name" an entry with what the id tells.

    model: the id. Raises BadRequest for an id that is neither.
    """
    return next((one for one in _entries() if one.id == model), None) or _from_hub(model)


def _configs(entry: Entry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the configuration, of which the first that is there counts, and those of files that may be beside it.

    Of a CLIPModel the mean and deviation stand in a file of their own, which not every repository has.
    """
    configs = tuple(CONFIGS.values()) if entry.form == _EITHER else (CONFIGS[entry.form],)
    return configs, ("preprocessor_config.json",) if CONFIGS["CLIPModel"] in configs else ()


def install_name(model: str) -> str:
    """Return the name of the folder that a model id is installed in: "hf-hub:owner/name" becomes "owner--name"."""
    return model.removeprefix(HUB).replace("/", "--")


def free_bytes(path: Path) -> int:
    """Return the free bytes on the disk where the folder `path` is, or would be if it were made."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def memory_bytes() -> int | None:
    """Return the machine's memory in bytes; None where the system does not say."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _windows_memory() -> int | None:
    kilobytes = ctypes.c_ulonglong()
    kernel: Any = getattr(ctypes, "windll", None)
    if kernel is None or not kernel.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes)):
        return None
    return kilobytes.value * 1024


@functools.cache
def _entries() -> tuple[Entry, ...]:
    return read_toml(resource("models.toml"), dict[str, tuple[Entry, ...]])["model"]


def _from_hub(model: str) -> Entry:
    repo = model.removeprefix(HUB)
    if not model.startswith(HUB) or repo.count("/") != 1 or not all(repo.split("/")):
        raise BadRequest(f"{model!r} names no model of the hub.", "Write it as hf-hub:owner/name.")
    return Entry(
        id=model,
        label=repo,
        purpose="A model of the hub that is not on our list: nothing is known of it beforehand.",
        licence="not known: read its page",
        activation="as its config says",
        parameters=0,
        size=0,
        repo=repo,
        revision="main",
        weights=(*_OPEN_CLIP_WEIGHTS, *_CLIP_MODEL_WEIGHTS, *(name + SUFFIX for name in _CLIP_MODEL_WEIGHTS)),
        form=_EITHER,
    )


def _offered(entry: Entry, device: DeviceInfo | None) -> OfferedModel:
    folder = models_dir() / install_name(entry.id)
    parts = parts_folder(folder.name, models_dir())
    have = sum(part.stat().st_size for part in parts.glob("*") if part.is_file()) if parts.is_dir() else 0
    needs, size = int(entry.memory_mb * 1e6), 4 * entry.parameters
    page = f"https://huggingface.co/{entry.repo}" if entry.repo else entry.page
    names = (_configs(entry)[0][0], entry.weights[0]) if entry.repo else ()
    at_hub = tuple(f"{page}/resolve/{entry.revision}/{name}" for name in names)
    state = "bundled" if entry.bundled else "installed" if is_model(folder) else "partial" if have else "absent"
    return replace(
        msgspec.convert(entry, OfferedModel, from_attributes=True),
        figure=_figure(entry),
        bytes=entry.bytes or (None if entry.address else size or None),  # a tower is smaller than its model
        estimated=entry.bytes is None and size > 0 and not entry.address,
        state=state,
        have_bytes=have,
        comfort=_comfort(needs or size, entry.gflops, device),
        needs_bytes=needs,
        folder=str(folder) if is_model(folder) else "",
        page=page,
        files=(entry.address,) if entry.address else at_hub,
    )


def _figure(entry: Entry) -> str:
    """The published figure with its source; "" where none is known to us."""
    share = "" if entry.imagenet is None else f"{percent(entry.imagenet)} zero-shot on ImageNet"
    return f"{share or entry.average} ({entry.figure_source})" if share or entry.average else ""


def _comfort(needs: int, gflops: float, device: DeviceInfo | None) -> str:
    on_gpu = device is not None and device.name != "cpu"
    room = device.memory_bytes if device is not None and on_gpu else memory_bytes()
    if room is not None and needs > _SHARE * room:
        return "too large"
    return "comfortable" if on_gpu or gflops <= _SLOW_GFLOPS else "slow"
