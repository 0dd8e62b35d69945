"""Torch files made by hand, opcode by opcode and entry by entry, so that they can lie."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def text(value: str) -> bytes:
    """The opcode that pushes a text."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    """The opcode that pushes a number."""
    return pickle.dumps(value, 2)[2:-1]


def named(module: str, name: str) -> bytes:
    """The opcode that imports, in any other reader."""
    return f"c{module}\n{name}\n".encode()


def storage(key: str = "0", count: int = 12, kind: str = "FloatStorage") -> bytes:
    """A persistent id of torch, and the opcode that follows it."""
    return b"(" + text("storage") + named("torch", kind) + text(key) + text("cpu") + number(count) + b"tQ"


def tensor(shape: Sequence[int], strides: Sequence[int], offset: int = 0, **of: Any) -> bytes:
    """A tensor over a storage."""
    sizes = [b"(" + b"".join(number(n) for n in one) + b"t" for one in (shape, strides)]
    return (
        named("torch._utils", "_rebuild_tensor_v2")
        + b"("
        + storage(**of)
        + number(offset)
        + sizes[0]
        + sizes[1]
        + b"\x89"
        + named("collections", "OrderedDict")
        + b")RtR"
    )


def dictionary(**values: bytes) -> bytes:
    """A dict of already written values."""
    return b"}(" + b"".join(text(name) + value for name, value in values.items()) + b"u"


def program(value: bytes) -> bytes:
    """A whole pickle."""
    return b"\x80\x02" + value + b"."


def zipped(
    path: Path,
    described: bytes,
    values: dict[str, bytes] | None = None,
    *,
    compress: bool = False,
    root: str = "archive/",
) -> Path:
    """A container as torch has written it since 1.6."""
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr(f"{root}data.pkl", described)
        archive.writestr(f"{root}byteorder", "little")
        for key, content in (values if values is not None else {"0": bytes(48)}).items():
            archive.writestr(f"{root}data/{key}", content)
        archive.writestr(f"{root}version", "3\n")
    return path


def legacy(path: Path, described: bytes, values: dict[str, bytes] | None = None) -> Path:
    """The form before that."""
    held = values if values is not None else {"0": bytes(48)}
    head = [pickle.dumps(one, 2) for one in (MAGIC, PROTOCOL, SYSTEM)]
    body = b"".join(struct.pack("<q", len(content) // 4) + content for content in held.values())
    path.write_bytes(b"".join(head) + described + pickle.dumps(list(held), 2) + body)
    return path


def saved(state: dict[str, Any], *, as_zip: bool) -> bytes:
    """What torch.save writes."""
    out = io.BytesIO()
    torch.save(state, out, _use_new_zipfile_serialization=as_zip)
    return out.getvalue()
