"""Importing torch and open_clip without freezing a window, and without the parts that this program never runs.

Five things were measured (benchmarks/start_up.py prints what they are worth together):

* Loading torch's shared libraries holds Python's global lock for hundreds of milliseconds at a time, which stops every other thread.
  Called as a foreign function, the same `dlopen` releases the lock, and the later import finds the libraries already there.
* torchvision imports torch's compiler (torch._dynamo, and sympy with it: seconds) for one predicate of an operator that CLIP does
  not use. It gets a stand-in that fetches the real module the moment anything is asked of it.
* open_clip imports timm, with all its architectures and through them the compiler, for the towers that are built from timm. It
  finds timm absent, which it allows for, until such a tower is wanted.
* torchvision imports its data sets and models (0.6 s of processor time), of which CLIP uses none. Stand-ins are found in their place,
  which import the real ones the moment anything is asked of them.
* open_clip imports the client of the Hugging Face hub (0.3 s), for downloads and uploads that this program does itself or never. It
  gets functions that import the real ones when they are called.
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


# Modules that are imported along with what is used, and are not: those that are read later, and those whose functions are called.
_UNREAD = ("torchvision.datasets", "torchvision.models")
_UNCALLED = ("huggingface_hub", "open_clip.push_to_hf_hub")


class _Unread(ModuleType):
    """Stands for a module until anything is read from it, and hands over what the real one has."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            if name.startswith("__"):  # `inspect` asks every module for __file__
                raise AttributeError(name)
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class _Uncalled(ModuleType):
    """Stands for a module of functions; each imports the real module when it is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = self.__name__

        def late(*arguments: Any, **named: Any) -> Any:
            return getattr(importlib.import_module(module), name)(*arguments, **named)

        return late


@contextmanager
def _stand_ins(*modules: ModuleType) -> Iterator[None]:
    """Let an import find these in the place of modules of their names; those that are loaded already stay."""
    put = [one for one in modules if one.__name__ not in sys.modules]
    sys.modules.update((one.__name__, one) for one in put)
    try:
        yield
    finally:
        for one in put:
            if sys.modules.get(one.__name__) is one:
                del sys.modules[one.__name__]


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
        with _compiler_stand_in(), _stand_ins(*map(_Unread, _UNREAD)):
            importlib.import_module("torchvision")
    if "open_clip" not in sys.modules and "timm" not in sys.modules:
        sys.modules["timm"] = None  # type: ignore[assignment]  # what Python itself reads as "there is no such module"
        try:
            with _stand_ins(*map(_Uncalled, _UNCALLED)):
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
