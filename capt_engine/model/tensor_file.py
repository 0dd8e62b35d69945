"""Writing tensors as a safetensors file, whole or not at all."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from capt_engine.files import replacing

_NUMBER = re.compile(r"\(os error (\d+)\)")


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors under their names; raises CannotWrite.

    Of metadata there may be one entry where the same content must give the same bytes: safetensors writes several in an order that
    changes from file to file.
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
