"""A stranger's torch file taken apart: its tensors as safetensors, its plain values as JSON, everything else left behind.

Reads what torch.save writes (a zip container since 1.6, consecutive pickles before) without torch. `main` is run in a process of its
own: it first takes from itself the means to start programs, to open files, to import, and to reach a network; then it reads. It answers
with one line of JSON: {"values": {path: value}}, {"refused": sentence, "hint": sentence} or {"unwritten": the number of a system error}.

Uses nothing but the standard library and its neighbour `pickle_machine`.
"""

from __future__ import annotations

import codecs
import io
import json
import math
import os
import struct
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, NoReturn

from capt_engine.model.importers.pickle_machine import SIZES, Inert, Refused, TensorAt, load

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_NOT_WHOLE = "It did not arrive whole; copy or download it again."
# What training programs keep beside the weights, by the beginning of its name in the outermost dictionary.
_OPTIMISERS = ("optim", "opt_state")
_SKIPPED = (*_OPTIMISERS, "scheduler", "lr_sched", "grad_scaler", "scaler", "callbacks", "loops", "amp")
_DEEPEST, _LONGEST_NAME, _LONGEST_TEXT, _MOST_VALUES = 24, 300, 2000, 2000
_BLOCK = 1 << 22
# RuntimeError: also what is not implemented, and what nests too deeply.
_DAMAGE = (zipfile.BadZipFile, struct.error, zlib.error, ValueError, EOFError, OverflowError, RuntimeError)


@dataclass(frozen=True)
class Limits:
    """Limits beyond which a file is refused; memory and time are those of the process that reads it."""

    file_bytes: int = 12 << 30
    pickle_bytes: int = 32 << 20
    total_bytes: int = 12 << 30
    tensors: int = 20_000
    entries: int = 40_000
    memory_bytes: int = 3 << 30
    seconds: int = 600


@dataclass(frozen=True)
class _Place:
    """The place of a storage's bytes in the file."""

    begin: int
    size: int


@dataclass(frozen=True)
class Taken:
    """The content of a file: tensors and plain values by their path, whose steps are joined by "/"; `copy` gives a tensor's bytes."""

    tensors: dict[str, TensorAt]
    values: dict[str, object]
    copy: Callable[[TensorAt], Iterator[bytes]]


def take(file: BinaryIO, size: int, limits: Limits) -> Taken:
    """Read the structure of an open torch file of `size` bytes, its tensors' places and its plain values.

    Nothing in the file is run, and sizes are compared with the limits before they are used. Raises Refused for a file
    that is damaged, too large, or no torch file.
    """
    if size > limits.file_bytes:
        raise Refused(f"has {size:,} bytes; {limits.file_bytes:,} are allowed", "Is this the right file?")
    start = file.read(512)
    file.seek(0)
    try:
        if start.startswith(b"PK"):
            root, places = _zipped(file, size, limits)
        elif start[:1] == b"\x80":
            root, places = _consecutive(file, size, limits)
        else:
            raise Refused(*_other_kind(start))
        tensors, values = _flattened(root, limits)
        for name, one in tensors.items():
            _check(name, one, places)
    except _DAMAGE as error:
        raise Refused("is damaged: it cannot be taken apart", _NOT_WHOLE) from error
    total = sum(math.prod(one.shape) * SIZES[one.dtype] for one in tensors.values())
    if total > limits.total_bytes:
        raise Refused(
            f"holds {total:,} bytes of tensors; {limits.total_bytes:,} are allowed", "Is this the right file?"
        )
    return Taken(tensors, values, lambda one: _copied(file, one, places[one.storage.key]))


def write_safetensors(taken: Taken, out: BinaryIO) -> None:
    """Write the tensors of a file that was read into the open file `out`, in safetensors form, block by block."""
    order = sorted(taken.tensors.items(), key=lambda named: (-SIZES[named[1].dtype], named[0]))
    header, at = {}, 0
    for name, one in order:
        size = math.prod(one.shape) * SIZES[one.dtype]
        header[name] = {"dtype": one.dtype, "shape": list(one.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    out.write(len(text).to_bytes(8, "little") + text)
    for _, one in order:
        for block in taken.copy(one):
            out.write(block)


def _other_kind(start: bytes) -> tuple[str, str]:
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "is a web page, not weights", "The download ended on a page for people; get the file itself."
    if text.startswith(b"version https://git-lfs"):
        return "is a pointer of git LFS, not the file it points to", "Fetch it with `git lfs pull`."
    if start[257:262] == b"ustar":
        return (
            "is a tar archive, the form torch wrote before 2017",
            "Unpack it if it holds checkpoints; that old form is not read.",
        )
    if not start:
        return "is empty", _NOT_WHOLE
    return "is neither a torch checkpoint nor safetensors", "Name the file that its authors released."


def _zipped(file: BinaryIO, size: int, limits: Limits) -> tuple[object, dict[str, _Place]]:
    archive = zipfile.ZipFile(file)
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise Refused(f"is an archive of {len(entries):,} entries; {limits.entries:,} are allowed")
    places = _places(file, entries, size)
    described = [name for name in places if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(described) != 1:
        raise Refused("is a zip archive, but not one that torch wrote", "If it is a packed folder, unpack it first.")
    root = described[0].removesuffix("data.pkl")
    place = places[described[0]]
    if place.size > limits.pickle_bytes:
        raise Refused(f"describes its tensors in {place.size:,} bytes; {limits.pickle_bytes:,} are allowed")
    for name in places:
        if name in (described[0], f"{root}byteorder") or name.startswith(f"{root}data/"):
            # What TorchScript has beside them, its code, may be; it is never looked at.
            entry = archive.getinfo(name)
            if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
                raise Refused("holds compressed entries, which torch never writes (they can unpack to any size)")
            if _crc(file, places[name]) != entry.CRC:
                raise Refused(f"is damaged: the checksum of {name[-60:]!r} is wrong", _NOT_WHOLE)
    if f"{root}byteorder" in places and _bytes(file, places[f"{root}byteorder"], 16).strip() != b"little":
        raise Refused("was written on a big-endian machine, which is not supported")
    values = f"{root}data/"
    held = {name.removeprefix(values): one for name, one in places.items() if name.startswith(values)}
    return load(io.BytesIO(_bytes(file, place, limits.pickle_bytes))), held


def _places(file: BinaryIO, listed: list[zipfile.ZipInfo], size: int) -> dict[str, _Place]:
    """The places of an archive's files by name, once each lies within it and none overlaps another."""
    spans, places = [], {}
    for entry in listed:
        if entry.is_dir():
            continue
        if entry.filename in places:
            raise Refused("is an archive in which a name stands twice")
        if entry.flag_bits & 1:
            raise Refused("is an encrypted archive", "Unlock it first.")
        file.seek(entry.header_offset)
        local = file.read(30)
        if len(local) < 30 or local[:4] != b"PK\x03\x04":
            raise Refused("is an archive whose directory points nowhere", _NOT_WHOLE)
        begin = entry.header_offset + 30 + sum(struct.unpack("<HH", local[26:30]))
        if begin + entry.compress_size > size:
            raise Refused("ends within its values", _NOT_WHOLE)
        spans.append((entry.header_offset, begin + entry.compress_size))
        places[entry.filename] = _Place(begin, entry.compress_size)
    spans.sort()
    if any(end > begin for (_, end), (begin, _) in pairwise(spans)):
        raise Refused("is an archive whose entries overlap")
    return places


def _crc(file: BinaryIO, place: _Place) -> int:
    """The CRC-32 of a part of a file."""
    crc = 0
    for block in _blocks(file, place):
        crc = zlib.crc32(block, crc)
    return crc


def _blocks(file: BinaryIO, place: _Place) -> Iterator[bytes]:
    """A part of a file, block by block."""
    file.seek(place.begin)
    left = place.size
    while left:
        block = file.read(min(left, _BLOCK))
        if not block:
            raise Refused("ends within its values", _NOT_WHOLE)
        left -= len(block)
        yield block


def _bytes(file: BinaryIO, place: _Place, most: int) -> bytes:
    file.seek(place.begin)
    return file.read(min(place.size, most))


def _consecutive(file: BinaryIO, size: int, limits: Limits) -> tuple[object, dict[str, _Place]]:
    """The form before torch 1.6: magic number, protocol, system, the object and the list of storages; then count and values of each."""
    head = io.BytesIO(file.read(limits.pickle_bytes))
    first = load(head)
    if first != _MAGIC:
        # A pickle of plain Python objects; it may still be one of something dangerous, which `load` has refused by now.
        raise Refused("is a pickle, but not one that torch wrote", "Name the file that its authors released.")
    if load(head) != _PROTOCOL:
        raise Refused("is of a torch format that is not known")
    types: dict[str, str] = {}
    system, root, keys = load(head), load(head, types), load(head)
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise Refused("was written on a big-endian machine, which is not supported")
    if not isinstance(keys, list) or len(keys) > limits.tensors or not all(isinstance(key, str) for key in keys):
        raise Refused("does not list its storages")
    places: dict[str, _Place] = {}
    at = head.tell()
    for key in keys:
        file.seek(at)
        counted = file.read(8)
        if len(counted) < 8 or key in places:
            raise Refused("ends within its values", _NOT_WHOLE)
        # A storage that nothing refers to has no known type, so what follows it cannot be found; torch writes none.
        if key not in types:
            raise Refused("lists a storage that no tensor uses")
        length = int.from_bytes(counted, "little") * SIZES[types[key]]
        if at + 8 + length > size:
            raise Refused("ends within its values", _NOT_WHOLE)
        places[key] = _Place(at + 8, length)
        at += 8 + length
    return root, places


def _walk(root: object, limits: Limits) -> Iterator[tuple[str, object]]:
    """Every leaf by its path. A container that stands in several places is walked once, so that nothing can be made to explode."""
    seen: set[int] = set()
    left: list[tuple[str, object, int]] = [("", root, 0)]
    leaves = 0
    while left:
        path, value, deep = left.pop()
        if isinstance(value, Inert) and value.name.startswith("__torch__.") and isinstance(value.state, dict):
            value = value.state  # a module of a TorchScript archive, as OpenAI published CLIP
        if isinstance(value, dict | list | tuple):
            if id(value) in seen or deep > _DEEPEST:
                continue
            seen.add(id(value))
            named = value.items() if isinstance(value, dict) else enumerate(value)
            inside = [(f"{path}/{key}" if path else str(key), one, deep + 1) for key, one in named]
            left += [one for one in reversed(inside) if deep or not one[0].startswith(_SKIPPED)]
            continue
        leaves += 1
        if leaves > 50 * limits.tensors:
            raise Refused("holds more values than any checkpoint needs")
        yield path, value


def _flattened(root: object, limits: Limits) -> tuple[dict[str, TensorAt], dict[str, object]]:
    tensors: dict[str, TensorAt] = {}
    values: dict[str, object] = {}
    for path, value in _walk(root, limits):
        if isinstance(value, TensorAt):
            if len(path) > _LONGEST_NAME or not path.isprintable():
                raise Refused("holds a tensor under a name that cannot be shown")
            if path in tensors or path == "__metadata__":
                raise Refused("holds two tensors under one name")
            tensors[path or "tensor"] = value
            if len(tensors) > limits.tensors:
                raise Refused(f"holds more than {limits.tensors:,} tensors")
        elif len(values) < _MOST_VALUES and _is_plain(value):
            values[path[:_LONGEST_NAME]] = value
    if not tensors:
        if isinstance(root, dict) and any(str(key).startswith(_OPTIMISERS) for key in root):
            raise Refused("holds the state of an optimiser, not weights", "Name the file that holds the weights.")
        raise Refused("holds no tensors", "Name the file that its authors released.")
    return tensors, values


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < 1 << 63
    return value is None or (isinstance(value, str) and len(value) <= _LONGEST_TEXT)


def _check(name: str, one: TensorAt, places: dict[str, _Place]) -> None:
    """Does a tensor stay within its storage, and is it no larger than that?"""
    place = places.get(one.storage.key)
    if place is None:
        raise Refused(f"lacks the values of {name!r}", _NOT_WHOLE)
    width = SIZES[one.dtype]
    values = math.prod(one.shape)
    last = one.storage.start + one.offset + sum((n - 1) * s for n, s in zip(one.shape, one.strides, strict=True))
    held = place.size // width
    if one.storage.dtype and one.storage.count * width > place.size:
        raise Refused(f"promises {one.storage.count:,} values for {name!r}; there are {held:,}", _NOT_WHOLE)
    if values and (last >= held or values > held):
        raise Refused(
            f"says that {name!r} has {values:,} values in {'×'.join(map(str, one.shape))}; there are {held:,}"
        )


def _copied(file: BinaryIO, one: TensorAt, place: _Place) -> Iterator[bytes]:
    """The values of a tensor in order, in blocks."""
    width, count = SIZES[one.dtype], math.prod(one.shape)
    begin = place.begin + (one.storage.start + one.offset) * width
    if one.strides == _contiguous(one.shape) or count <= 1:
        yield from _blocks(file, _Place(begin, count * width))
        return
    extent = sum((n - 1) * s for n, s in zip(one.shape, one.strides, strict=True)) + 1
    file.seek(begin)
    flat = memoryview(file.read(extent * width))
    whole = flat if width == 1 else flat.cast("H") if width == 2 else flat.cast("I") if width == 4 else flat.cast("Q")
    yield from _rows(whole, 0, one.shape, one.strides)


def _rows(whole: memoryview, at: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Iterator[bytes]:
    if len(shape) == 1:
        step = strides[0]
        yield (
            whole[at : at + (shape[0] - 1) * step + 1 : step].tobytes()
            if step
            else whole[at : at + 1].tobytes() * shape[0]
        )
        return
    for index in range(shape[0]):
        yield from _rows(whole, at + index * strides[0], shape[1:], strides[1:])


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def _shut_in(limits: Limits) -> None:
    """Give up, for the rest of this process, what reading does not need: files, programs, imports, the network, memory, time."""
    for name in ("cp437", "utf-8", "ascii", "latin-1", "raw-unicode-escape", "unicode-escape"):
        codecs.lookup(name)  # which imports the codec: soon nothing can be imported
    try:
        import resource
    except ImportError:  # Windows: the parent's clock and the audit hook remain
        pass
    else:
        # Above what the interpreter has mapped already.
        for kind, most in (
            (resource.RLIMIT_AS, limits.memory_bytes),
            (resource.RLIMIT_CPU, limits.seconds),
            (resource.RLIMIT_FSIZE, limits.total_bytes + (64 << 20)),
            (resource.RLIMIT_CORE, 0),
        ):
            soft, hard = resource.getrlimit(kind)
            with suppress(ValueError, OSError):  # macOS knows not all of them
                resource.setrlimit(kind, (most if soft == resource.RLIM_INFINITY else min(most, soft), hard))
    for name in (
        "socket",
        "_socket",
        "ssl",
        "_ssl",
        "subprocess",
        "ctypes",
        "_ctypes",
        "multiprocessing",
        "pickle",
        "_pickle",
    ):
        sys.modules[name] = None  # type: ignore[assignment]  # what Python itself reads as "there is no such module"
    sys.addaudithook(_refuse_event)


_FORBIDDEN = (
    "open",
    "import",
    "exec",
    "compile",
    "os.",
    "socket.",
    "subprocess.",
    "ctypes.",
    "shutil.",
    "pty.",
    "pickle.",
    "code.__new__",
)


def _refuse_event(event: str, arguments: object) -> None:
    del arguments
    if event in _FORBIDDEN or event.startswith(tuple(one for one in _FORBIDDEN if one.endswith("."))):
        os._exit(86)


def main(source: str, out: str, limits: Limits) -> NoReturn:
    """Convert the pickled file `source` to the safetensors file `out`, and end this process.

    Memory, time and system calls are limited, so run it as a process of its own. A line of JSON on stdout says the
    plain values of the file, why it was refused, or the error number of writing.
    """
    with open(source, "rb") as file, open(out, "wb") as written:  # noqa: PTH123 - before the doors are shut
        size = os.fstat(file.fileno()).st_size
        warnings.simplefilter("ignore")  # to print one, its source would be opened
        _shut_in(limits)
        answer: dict[str, object]
        try:
            taken = take(file, size, limits)
            write_safetensors(taken, written)
            written.flush()
            answer = {"values": taken.values}
        except Refused as refused:
            answer = {"refused": refused.what, "hint": refused.hint}
        except MemoryError:
            what = f"needs more than {limits.memory_bytes:,} bytes of memory to be read"
            answer = {"refused": what, "hint": "Is this the right file?"}
        except OSError as error:
            answer = {"unwritten": error.errno}
        except (
            Exception
        ) as error:  # a mistake of ours: to print its traceback would open files, which is forbidden by now
            answer = {"refused": f"could not be read ({type(error).__name__}: {error})", "hint": "Please report this."}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        os._exit(0)
