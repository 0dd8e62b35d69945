"""Safetensors files: written whole or not at all, and what is wrong with one in a sentence."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.files import replacing

_NUMBER = re.compile(r"\(os error (\d+)\)")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and texts about them into a safetensors file, whole or not at all.

    Args:
        path: the file, replaced where it is there.
        tensors: tensors of any shape and device by name.
        metadata: texts by name. Where the same content must give the same bytes there may be one: safetensors writes
            several in an order that changes from file to file.

    Raises:
        CannotWrite: the disk refuses.
    """
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with replacing(path) as partial:
        try:
            save_file(kept, partial, dict(metadata))
        except SafetensorError as error:
            # The system's own error is only in the text.
            found = _NUMBER.search(str(error))
            number = int(found[1]) if found else errno.EIO
            raise OSError(number, os.strerror(number)) from error


@contextmanager
def sound(name: str, hint: str) -> Iterator[None]:
    """Run a `with` block that reads a safetensors file, and turn its errors into BadCheckpoint.

    name, hint: the file, and what to do about it, for the message.
    """
    try:
        yield
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise BadCheckpoint(f"{name!r} is not a sound safetensors file: {str(error)[:120]}.", hint) from error


def require_finite(tensors: Mapping[str, Tensor], name: str, hint: str) -> None:
    """Check that all floating-point values of some tensors are finite.

    Args:
        tensors: tensors of any shape by name.
        name: the file that they are from, for the message.
        hint: what to do about it, for the message.

    Raises:
        BadCheckpoint: a value is NaN or infinite.
    """
    for key, value in tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise BadCheckpoint(f"{name!r} holds values in {key[:80]!r} that are not finite numbers.", hint)
