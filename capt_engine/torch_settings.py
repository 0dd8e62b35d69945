"""Three settings of the libraries below torch, made on import (docs/decisions/0009): each package that imports torch imports this first.

`import capt_engine` alone sets nothing, so a program that only wants a name of ours keeps its environment as it is.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from pathlib import Path

# How Intel's BLAS answers, in the bits of its own header (MKL_CBWR_STRICT).
_STRICT = 0x10000


def _set() -> None:
    had_torch, had_mode = "torch" in sys.modules, "MKL_CBWR" in os.environ
    # Threads that wait sleep instead of spinning: on a machine that does anything else at the same time, a window included, spinning
    # made the same analysis ten times slower. Read when torch is loaded, so that later it would only reach child processes.
    if not had_torch:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Intel's BLAS otherwise picks its order of summation by the shape of the whole batch, and the same picture gets other last bits,
    # hence other adversarial pixels, in another batch. Read at the first matrix product.
    os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
    # NVIDIA's BLAS repeats its sums only with workspaces of a fixed size, 32 MB; read at its first product, so that --deterministic of a
    # later job would come too late.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if had_torch and not had_mode and not _is_strict():
        warnings.warn(
            "torch had multiplied matrices before capt_engine was used: a picture's result on the CPU may depend, in its last bits, on "
            "the others in its batch. Import capt_engine's names first, or set MKL_CBWR=AUTO,STRICT.",
            RuntimeWarning,
            stacklevel=2,
        )


def _is_strict() -> bool:
    """False where Intel's BLAS has begun in another mode; True where it has not, or torch has another BLAS."""
    library = Path(str(sys.modules["torch"].__file__)).parent / "lib" / "libtorch_cpu.so"
    try:
        mode = ctypes.CDLL(str(library)).mkl_serv_cbwr_get(-1)
    except (OSError, AttributeError):
        return True
    return bool(mode & _STRICT)


_set()
