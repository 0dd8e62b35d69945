"""Importing torch and open_clip without freezing a window, and without the parts that this program never runs.

Three things were measured (benchmarks/start_up.py prints what they are worth together):

* Loading torch's shared libraries holds Python's global lock for hundreds of milliseconds at a time, which stops every other thread.
  Called as a foreign function, the same `dlopen` releases the lock, and the later import finds the libraries already there.
* torchvision imports torch's compiler (torch._dynamo, and sympy with it: seconds) for one predicate of an operator that CLIP does
  not use. It gets a stand-in that fetches the real module the moment anything is asked of it.
* open_clip imports timm, with all its architectures and through them the compiler, for the towers that are built from timm. It
  finds timm absent, which it allows for, until such a tower is wanted.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

_LIBRARIES = (
    "libtorch_global_deps",
    "libc10",
    "libtorch_cpu",
    "libc10_cuda",
    "libtorch_cuda",
    "libtorch",
    "libtorch_python",
)


def preload_torch() -> None:
    """Load torch's shared libraries ahead of `import torch`, without stopping other threads meanwhile.

    Does nothing where torch is imported already or missing, or the system is not POSIX.
    """
    spec = importlib.util.find_spec("torch")
    if os.name != "posix" or "torch" in sys.modules or spec is None or spec.origin is None:
        return
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    for library in _LIBRARIES:
        path = Path(spec.origin).parent / "lib" / (library + suffix)
        if path.is_file():
            # A failure here is not ours to report: the import that follows meets it again and says what is wrong.
            dlopen(os.fsencode(path), os.RTLD_NOW | os.RTLD_GLOBAL)


def open_clip() -> Any:
    """Import open_clip faster than usual, without torch's compiler and without timm, and return the module.

    What something else has already loaded stays.
    """
    if "torchvision" not in sys.modules and "torch._dynamo" not in sys.modules:
        with _compiler_stand_in():
            importlib.import_module("torchvision")
    if "open_clip" not in sys.modules and "timm" not in sys.modules:
        sys.modules["timm"] = None  # type: ignore[assignment]  # what Python itself reads as "there is no such module"
        try:
            importlib.import_module("open_clip")
        finally:
            del sys.modules["timm"]
    return importlib.import_module("open_clip")


def allow_timm() -> None:
    """Make open_clip able to build models whose image tower comes from timm, which `open_clip()` left out."""
    towers = importlib.import_module("open_clip.timm_model")
    if towers.timm is None:
        # A reload fills the same module dictionary, which the TimmModel class that open_clip already holds looks its names up in.
        importlib.reload(towers)


@contextmanager
def _compiler_stand_in() -> Iterator[None]:
    package, utils = ModuleType("torch._dynamo"), ModuleType("torch._dynamo.utils")
    names = (package.__name__, utils.__name__)

    def step_aside() -> None:
        for name, module in zip(names, (package, utils), strict=True):
            if sys.modules.get(name) is module:
                del sys.modules[name]

    def is_compile_supported(device_type: Any) -> Any:
        return importlib.import_module(utils.__name__).is_compile_supported(device_type)

    def other(name: str) -> Any:
        if name.startswith("__"):  # `inspect` asks every module for __file__
            raise AttributeError(name)
        # Asked for more than the one predicate: let the real compiler in, now.
        step_aside()
        return getattr(importlib.import_module(utils.__name__), name)

    package.__path__ = []
    utils.is_compile_supported = is_compile_supported  # type: ignore[attr-defined]
    utils.__getattr__ = other  # type: ignore[method-assign]
    sys.modules[package.__name__], sys.modules[utils.__name__] = package, utils
    try:
        yield
    finally:
        step_aside()
