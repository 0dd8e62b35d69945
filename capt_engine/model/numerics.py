"""The exactness of torch: precision of the image tower, what float32 means on a GPU, and repeatable algorithms; set here alone.

On NVIDIA's GPUs since Ampere float32 convolutions are computed in TF32 (10 bits of mantissa in place of 23) unless somebody forbids it, so
that "fp32" would not be fp32. It is forbidden at each forward pass, and allowed for the precision "tf32" alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.errors import DeviceProblem, UnknownName
from capt_engine.model.devices import name_of
from capt_engine.records import PRECISIONS

_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_TF32_SINCE = 8
"""The generation of NVIDIA's GPUs that has TF32 and bf16 units (Ampere), as torch counts them."""

# Gradients of pixels are smaller than what fp16 holds: a power of two brings them there and back without rounding.
_GRADIENT_SCALE = 2.0**7
# Always so many, as Intel's BLAS takes other kernels for up to three rows on AMD's processors, and with two threads for sixteen, whatever
# MKL_CBWR says. The long products inside a tower have more rows and no such trouble.
_ROWS_AT_ONCE = 4
_DRIVER = Path("/proc/driver/nvidia/version")


def require_precision(precision: str, device: torch.device) -> None:
    """Check that a device can compute in a precision; raise UnknownName for another word, DeviceProblem where it cannot."""
    if precision not in PRECISIONS:
        raise UnknownName("precision", precision, PRECISIONS)
    if precision == "tf32" and device.type != "cuda":
        raise DeviceProblem(
            f"TF32 is a precision of NVIDIA's GPUs; this is {device.type}.", "Use --precision fp32 or bf16."
        )
    old = device.type == "cuda" and not torch.version.hip and torch.cuda.get_device_capability(device)[0] < _TF32_SINCE
    if precision in ("tf32", "bf16") and old:
        raise DeviceProblem(f"{name_of(device)} has no units for {precision}.", "Use --precision fp32 or fp16.")


def computing(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Make the settings of a forward pass in `precision` on `device`, and return the context that it is to run in.

    What float32 means on a GPU stays set afterwards, for the backward pass.
    """
    if device.type == "cuda":
        _set_float32("tf32" if precision == "tf32" else "ieee")
    if precision in _HALVES:
        return torch.autocast(device.type, dtype=_HALVES[precision])
    return nullcontext()


def product_of_rows(rows: Tensor, matrix: Tensor) -> Tensor:
    """Multiply rows by a matrix; on a CPU the bits of a row's result, and of its gradient, do not depend on the other rows.

    Args:
        rows: (n, d).
        matrix: (d, m), of the same precision.

    Returns:
        Products (n, m).
    """
    # A device that is none of these, as the pretended one of the tests, computes on the processor.
    if rows.device.type in ("cuda", "mps", "xpu") or not len(rows):
        return rows @ matrix
    filled = F.pad(rows, (0, 0, 0, -len(rows) % _ROWS_AT_ONCE))
    return torch.cat([some @ matrix for some in torch.split(filled, _ROWS_AT_ONCE)])[: len(rows)]


class _Scaled(torch.autograd.Function):
    """The identity, whose gradient is multiplied by a factor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None


def into_half(pixels: Tensor, precision: str) -> Tensor:
    """Return pixels for a forward pass whose features go through `out_of_half`; with fp16 their gradient is scaled back.

    Args:
        pixels: (n, 3, h, w) in fp32.
        precision: of the image tower.

    Returns:
        The same values.
    """
    return _scaled(pixels, 1 / _GRADIENT_SCALE) if precision == "fp16" else pixels


def out_of_half(features: Tensor, precision: str) -> Tensor:
    """Return features, of which with fp16 the gradient is scaled up, so that it does not vanish on its way to the pixels.

    Args:
        features: (n, d).
        precision: of the image tower.

    Returns:
        The same values.
    """
    return _scaled(features, _GRADIENT_SCALE) if precision == "fp16" else features


def _scaled(x: Tensor, factor: float) -> Tensor:
    scaled: Tensor = _Scaled.apply(x, factor)
    return scaled


@contextmanager
def repeatable(wanted: bool) -> Iterator[None]:
    """Compute with algorithms that give the same bits each time on one machine, where `wanted`; then as before.

    An operation that has no such algorithm raises a RuntimeError, of which `is_unrepeatable` tells.
    """
    if not wanted:
        yield
        return
    cudnn: Any = torch.backends.cudnn
    filling: Any = torch.utils.deterministic
    before = (
        torch.get_deterministic_debug_mode(),
        cudnn.deterministic,
        cudnn.benchmark,
        filling.fill_uninitialized_memory,
    )
    # What `use_deterministic_algorithms` does, without the seconds in which that imports torch's compiler.
    torch.set_deterministic_debug_mode("error")
    # Filling memory that is written anyway would only take time.
    cudnn.deterministic, cudnn.benchmark, filling.fill_uninitialized_memory = True, False, False
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before[0])
        cudnn.deterministic, cudnn.benchmark, filling.fill_uninitialized_memory = before[1:]


def is_unrepeatable(error: BaseException) -> bool:
    """Return True for the error by which torch says that an operation has no repeatable algorithm."""
    return isinstance(error, RuntimeError) and "does not have a deterministic implementation" in str(error)


@contextmanager
def exact_convolutions(device: torch.device) -> Iterator[None]:
    """On NVIDIA's GPUs: convolutions that are the same each time, none of them rounded to ten bits on the way; then as before."""
    if device.type != "cuda":
        yield
        return
    _set_float32("ieee")
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


def switches() -> dict[str, bool | str]:
    """Return torch's settings on which bits depend, by name: repeatable algorithms, and what float32 is computed in."""
    backends = torch.backends
    found: dict[str, bool | str] = {
        "algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn": backends.cudnn.deterministic,
        "cudnn_benchmark": backends.cudnn.benchmark,
    }
    if not hasattr(backends.cudnn, "conv"):
        return {**found, "float32_matmul": torch.get_float32_matmul_precision()}
    # Other names may not be mixed with these: torch refuses to tell.
    found["float32_matmul"] = str(backends.cuda.matmul.fp32_precision)
    found["float32_convolution"] = str(backends.cudnn.conv.fp32_precision)
    return found


def accelerator_facts(device: torch.device) -> dict[str, str]:
    """Return what an accelerator's bits depend on besides its name: `driver`, `cudnn`, and the `attention` kernels torch may take.

    Each is "" on the processor, and where nobody says.
    """
    if device.type != "cuda":
        return {"driver": "", "cudnn": "", "attention": ""}
    cuda: Any = torch.backends.cuda
    cudnn: Any = torch.backends.cudnn
    kinds = {
        "flash": cuda.flash_sdp_enabled(),
        "memory-efficient": cuda.mem_efficient_sdp_enabled(),
        "cudnn": cuda.cudnn_sdp_enabled(),
        "math": cuda.math_sdp_enabled(),
    }
    return {
        "driver": _driver(),
        "cudnn": str(cudnn.version() or ""),
        "attention": ", ".join(name for name, on in kinds.items() if on),
    }


def _driver() -> str:
    """The version of NVIDIA's driver as Linux tells it; "" elsewhere."""
    try:
        words = _DRIVER.read_text(encoding="utf-8", errors="replace").partition("\n")[0].split()
    except OSError:
        return ""
    return next((word for word in words if word[0].isdigit() and "." in word), "")


def _set_float32(meaning: str) -> None:
    """Set what float32 is computed in on NVIDIA's GPUs: "ieee", or "tf32"."""
    cudnn: Any = torch.backends.cudnn
    matmul: Any = torch.backends.cuda.matmul
    if not hasattr(cudnn, "conv"):
        # torch before 2.9.
        cudnn.allow_tf32 = matmul.allow_tf32 = meaning == "tf32"
        return
    for part in (cudnn.conv, cudnn.rnn, matmul):
        if part.fp32_precision != meaning:
            part.fp32_precision = meaning
