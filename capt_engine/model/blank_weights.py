"""Networks built without drawing the random numbers that their weights begin with, for weights that are loaded a moment later.

Drawing them takes longer than reading the file: a quarter of a second of `photo`, seconds of a ViT-B/16.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

# of Tensor and of torch.nn.init
_DRAWING = frozenset(
    {
        "normal_",
        "uniform_",
        "trunc_normal_",
        "xavier_normal_",
        "xavier_uniform_",
        "kaiming_normal_",
        "kaiming_uniform_",
    }
)


class BlankWeights(TorchFunctionMode):
    """While it is entered, the weights of new modules are left as the memory happens to be: each must be loaded afterwards."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the tensor that is to be filled as it is; do everything else as usual."""
        if getattr(func, "__name__", "") in _DRAWING:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
