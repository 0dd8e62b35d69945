"""A pretended accelerator: tensors say that they lie on "pretend", the work is done by the processor, and what would cost time is counted.

It is a backend of torch in Python (PrivateUse1). As on a real one, a tensor of the processor beside one of the device is refused. Counted
are copies to and from the device, with their bytes, and the operations for which the host waits until the device is idle: reading a value,
indexing by a mask, asking how many values are not zero. It cannot be taken out of a process again, so it is installed in one of its own.
"""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

NAME = "pretend"
PRODUCT = f"{Path(__file__).parents[2] / 'capt_engine'}/"

WAITING = {
    "aten::_local_scalar_dense": "a value",
    "aten::is_nonzero": "a value",
    "aten::equal": "a value",
    "aten::nonzero": "how many",
    "aten::masked_select": "how many",
    "aten::_unique2": "how many",
    "aten::unique_dim": "how many",
    "aten::repeat_interleave.Tensor": "how many",
}
"""The operations for which the host waits, and what it waits for."""

KINDS = ("empty", "zeros", "copies", "convolutions", "products", "other")
"""The kinds of operations that take memory: matrix products and attention are products."""

_PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::linear", "aten::_scaled_dot_product")
_COPIES = ("aten::_copy_from", "aten::_copy_from_and_resize")
_INDEXING = ("aten::index.", "aten::index_put", "aten::_index_put", "aten::_unsafe_index")
_libraries: list[Any] = []


class Pretend:
    """What the device has done since `counted` began, and what it refuses.

    waits, to_device, from_device: how often, by kind and by the function of the product; nbytes: how many went to the device.
    made: how many tensors, by KINDS; largest: the bytes of the largest of them. forbids_double: as Apple's GPUs, it knows no float64.
    memory_left: it is out of memory once, after so many more tensors of the kind `fails` ("" for any); None for never. memory: it has
    none for a tensor of more bytes, each time; None for enough. failures: how often it was out of memory.
    held, peak: the bytes that its tensors hold, and that they held at most; total: those that there are, None for enough; tells: it
    says how many are free.
    """

    def __init__(self) -> None:
        self.waits: Counter[tuple[str, str]] = Counter()
        self.to_device: Counter[str] = Counter()
        self.from_device: Counter[str] = Counter()
        self.kernels: Counter[str] = Counter()
        self.made: Counter[str] = Counter()
        self.nbytes = self.largest = self.failures = 0
        self.forbids_double = False
        self.memory_left: int | None = None
        self.memory: int | None = None
        self.held = self.peak = 0
        self.total: int | None = None
        self.tells = True
        self.fails = ""
        self.out_of_memory: Callable[[], BaseException] = torch.OutOfMemoryError

    def clear(self) -> None:
        """Begin to count at zero."""
        for counts in (self.waits, self.to_device, self.from_device, self.kernels, self.made):
            counts.clear()
        self.nbytes = self.largest = self.failures = 0

    @property
    def halts(self) -> int:
        """The number of times that the host waited: for a value, for how many there are, or for a copy to it."""
        return sum(self.waits.values()) + sum(self.from_device.values())

    def take(self, nbytes: int) -> None:
        """Give memory away that `release` gets back."""
        self.held += nbytes
        self.peak = max(self.peak, self.held)

    def release(self, nbytes: int) -> None:
        """Get memory back."""
        self.held -= nbytes


DEVICE = Pretend()


@contextmanager
def counted() -> Iterator[Pretend]:
    """Count from zero what happens inside."""
    DEVICE.clear()
    yield DEVICE


def install() -> torch.device:
    """Make the device known to torch for the rest of this process, and return it."""
    from torch.utils import backend_registration

    backend_registration._setup_privateuseone_for_python_backend(NAME)
    # Autocast asks each device.
    module = getattr(torch, NAME)
    module.get_amp_supported_dtype = lambda: [torch.bfloat16]
    # It tells of its memory as CUDA does.
    module.mem_get_info = lambda _: (
        (DEVICE.total - DEVICE.held, DEVICE.total) if DEVICE.total and DEVICE.tells else (0, 0)
    )
    module.memory_allocated = module.memory_reserved = lambda _: DEVICE.held
    module.max_memory_allocated = lambda _: DEVICE.peak
    module.reset_peak_memory_stats = lambda _: setattr(DEVICE, "peak", DEVICE.held)
    rest, aten = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    rest.fallback(_run, "PrivateUse1")
    # Half precision is computed in full: what is proven is that it can be asked for.
    rest.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    aten.impl("empty.memory_format", _empty, "PrivateUse1")
    aten.impl("empty_strided", _empty_strided, "PrivateUse1")
    aten.impl("zeros", _zeros, "PrivateUse1")
    aten.impl("as_strided", _as_strided, "PrivateUse1")
    aten.impl("view", _viewed, "PrivateUse1")
    aten.impl("convolution_overrideable", _convolved, "PrivateUse1")
    aten.impl("convolution_backward_overrideable", _convolved_back, "PrivateUse1")
    _libraries.extend((rest, aten))
    return torch.device(NAME)


def _ours(value: object) -> bool:
    return isinstance(value, Tensor) and value.device.type == NAME


def _made(value: Tensor, kind: str = "other") -> Tensor:
    """A tensor of the device, behind which lies `value`."""
    _spend(kind, value.numel() * value.element_size())
    made: Tensor = torch._C._acc.create_empty_tensor(tuple(value.shape), value.dtype)
    # It lives as long as the storage. Views are other tensors over the same storage.
    behind = value.contiguous()
    made.untyped_storage().behind = behind  # type: ignore[attr-defined]
    nbytes = value.numel() * value.element_size()
    DEVICE.take(nbytes)
    weakref.finalize(behind, DEVICE.release, nbytes)
    return made


def _spend(kind: str, nbytes: int) -> None:
    DEVICE.made[kind] += 1
    DEVICE.largest = max(DEVICE.largest, nbytes)
    too_large = DEVICE.memory is not None and nbytes > DEVICE.memory
    too_large = too_large or (DEVICE.total is not None and DEVICE.held + nbytes > DEVICE.total)
    if DEVICE.memory_left is not None and DEVICE.fails in ("", kind):
        DEVICE.memory_left -= 1
        if DEVICE.memory_left < 0:
            DEVICE.memory_left, too_large = None, True
    if too_large:
        DEVICE.failures += 1
        raise DEVICE.out_of_memory()


def _real(value: Any) -> Any:
    """The processor's tensor behind one of the device; anything else as it is."""
    if not _ours(value):
        return value
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.AutogradPrivateUse1)
    with torch._C._ExcludeDispatchKeyGuard(keys):
        base = value.untyped_storage().behind
        return base.as_strided(value.shape, value.stride(), value.storage_offset())


def _as_strided(x: Tensor, size: Sequence[int], stride: Sequence[int], offset: int | None = None) -> Tensor:
    """A view: another tensor over the same storage."""
    DEVICE.kernels["aten::as_strided"] += 1
    place = x.storage_offset() if offset is None else offset
    view: Tensor = torch._C._dynamo.guards._reinterpret_tensor(
        x, tuple(size), tuple(stride), place - x.storage_offset()
    )
    return view


def _viewed(x: Tensor, size: Sequence[int]) -> Tensor:
    view = _real(x).view(size)
    return _as_strided(x, view.shape, view.stride())


def _place() -> str:
    """The file and function of the product that is being run."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PRODUCT):
            return f"{name.removeprefix(PRODUCT)}:{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return "elsewhere"


def _run(op: Any, *args: Any, **kwargs: Any) -> Any:
    """Do any operation on the tensors behind, and count it."""
    name = op.name()
    DEVICE.kernels[name] += 1
    if name in _COPIES:
        return _copied(*args[:2])
    tensors = [one for one in pytree.tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
    _refuse(name, args, tensors)
    if name in WAITING:
        DEVICE.waits[WAITING[name], _place()] += 1
    real = {id(one): _real(one) for one in tensors}
    behind, named = pytree.tree_map(lambda one: real[id(one)] if isinstance(one, Tensor) else one, (args, kwargs))
    named = {key: torch.device("cpu") if key == "device" else one for key, one in named.items() if key != "pin_memory"}
    if DEVICE.forbids_double and (
        named.get("dtype") is torch.float64 or any(one.dtype is torch.float64 and one.dim() for one in tensors)
    ):
        raise TypeError(f"The device knows no float64: {name} at {_place()}")
    # A number that stands for a tensor comes as a number.
    wanted = [str(one.type) for one in op._schema.arguments[: len(behind)]]
    behind = [
        torch.tensor(one) if kind == "Tensor" and isinstance(one, int | float) else one
        for one, kind in zip(behind, wanted, strict=True)
    ]
    if name.startswith(_PRODUCTS):
        # Libraries of matrix products take memory to work in.
        _spend("products", 0)
    found = op(*behind, **named)
    if op._schema.is_mutable:
        return _written(op, args, kwargs, real)
    return pytree.tree_map_only(Tensor, _made, found)


def _written(op: Any, args: Sequence[Any], kwargs: dict[str, Any], real: dict[int, Tensor]) -> Any:
    """The tensors that an operation in place was given, which are what it returns."""
    arguments = op._schema.arguments
    given = [
        *(one for one, about in zip(args, arguments, strict=False) if about.alias_info and about.alias_info.is_write),
        *(kwargs[about.name] for about in arguments if about.alias_info and about.name in kwargs),
    ]
    for one in given:
        # An out= that was made empty has grown.
        if _ours(one) and real[id(one)].shape != one.shape:
            one.data = _made(real[id(one)])
    returned = len(op._schema.returns)
    return None if not returned else given[0] if returned == 1 else tuple(given[:returned])


def _refuse(name: str, args: Sequence[Any], tensors: Sequence[Tensor]) -> None:
    """Refuse what a real device refuses, and count the indices for which the host waits."""
    if name.startswith(_INDEXING):
        for one in args[1]:
            if one is not None and one.dtype in (torch.bool, torch.uint8):
                DEVICE.waits["a mask", _place()] += 1
            elif one is not None and one.device.type == "cpu" and one.dim():
                DEVICE.to_device[_place()] += 1
        return
    stranger = next((one for one in tensors if one.device.type == "cpu" and one.dim()), None)
    if stranger is not None and not name.startswith(("aten::copy_", "aten::set_")):
        raise RuntimeError(f"{name} was given a tensor of the processor, {tuple(stranger.shape)}, beside the device's.")


def _copied(source: Tensor, place: Tensor) -> Tensor:
    if _ours(source) and not _ours(place):
        DEVICE.from_device[_place()] += 1
    elif _ours(place) and not _ours(source):
        DEVICE.to_device[_place()] += 1
        DEVICE.nbytes += source.numel() * source.element_size()
    # A copy takes memory where it changes type or order on the way.
    _spend("copies", place.numel() * place.element_size() if _ours(place) else 0)
    _real(place).copy_(_real(source))
    return place


def _empty(size: Sequence[int], *, dtype: torch.dtype | None = None, **_: object) -> Tensor:
    _refuse_double(dtype)
    return _made(torch.empty(size, dtype=dtype), "empty")


def _zeros(size: Sequence[int], *, dtype: torch.dtype | None = None, **_: object) -> Tensor:
    _refuse_double(dtype)
    return _made(torch.zeros(size, dtype=dtype), "zeros")


def _empty_strided(
    size: Sequence[int], stride: Sequence[int], *, dtype: torch.dtype | None = None, **_: object
) -> Tensor:
    del stride
    return _empty(size, dtype=dtype)


def _refuse_double(dtype: torch.dtype | None) -> None:
    if DEVICE.forbids_double and dtype is torch.float64:
        raise TypeError(f"The device knows no float64: at {_place()}")


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, *rest: Any) -> Tensor:
    DEVICE.kernels["aten::convolution"] += 1
    return _made(torch.ops.aten.convolution(_real(x), _real(weight), _real(bias), *rest).contiguous(), "convolutions")


def _convolved_back(
    grad: Tensor, x: Tensor, weight: Tensor, stride: Any, padding: Any, dilation: Any, transposed: bool, output_padding: Any,
    groups: int, wanted: Sequence[bool],
) -> tuple[Tensor | None, ...]:  # fmt: skip
    DEVICE.kernels["aten::convolution_backward"] += 1
    shape = (None, stride, padding, dilation, transposed, output_padding, groups, [*wanted[:2], False])
    found = torch.ops.aten.convolution_backward(_real(grad), _real(x), _real(weight), *shape)
    made = [None if one is None else _made(one.contiguous(), "convolutions") for one in found[:2]]
    return (*made, _made(_real(grad).sum((0, 2, 3))) if wanted[2] else None)
