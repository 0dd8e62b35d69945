"""One stage of training: AdamW with warm-up and a cosine, saved and resumed so that equal bits come out."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.files import write_atomic
from capt_engine.progress import Progress

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_SAVE_EVERY = 50
_LAST_SHARE = 0.02


class Stage:
    """Trains named tensors in place; every draw of its loss depends on seed and step only, so it may be stopped after any step."""

    def __init__(
        self,
        name: str,
        plan: DataclassInstance,
        steps: int,
        tensors: Mapping[str, Tensor],
        lr: Mapping[str, float] | float,
        *,
        weight_decay: float = 0.0,
        warm_up: int = 50,
    ) -> None:
        """Prepare the optimiser.

        plan: a dataclass of what decides the run. tensors: leaves that take gradients. lr: one for all, or one for each
        name or first part of names. Matrices only are shrunk by weight_decay. warm_up: steps.
        """
        self.name, self.steps, self.step = name, steps, 0
        self._plan, self._warm_up = asdict(plan), warm_up
        self._tensors = dict(tensors)
        self._lr = [lr if isinstance(lr, float) else lr.get(one) or lr[one.split(".")[0]] for one in self._tensors]
        groups = [
            {"params": [tensor], "weight_decay": weight_decay if tensor.ndim >= 2 and "embedding" not in one else 0.0}
            for one, tensor in self._tensors.items()
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98))

    def run(
        self, loss: Callable[[int], Tensor], checkpoint: Path, progress: Progress, until: int | None = None
    ) -> None:
        """Go on to the end, or to step `until`; `loss` takes the step's number. Raises BadCheckpoint for one of another plan."""
        if checkpoint.exists():
            self._resume(checkpoint)
        last = min(self.steps, self.steps if until is None else until)
        while self.step < last:
            for group, lr in zip(self._optimizer.param_groups, self._lr, strict=True):
                group["lr"] = lr * self._share()
            value = loss(self.step)
            self._optimizer.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._tensors.values(), 1.0)
            self._optimizer.step()
            self.step += 1
            if self.step % _SAVE_EVERY == 0 or self.step == last:
                self._save(checkpoint)
            progress(self.step, self.steps, f"{self.name}: loss {value.item():.3f}")

    def _share(self) -> float:
        if self.step < self._warm_up:
            return (self.step + 1) / self._warm_up
        done = (self.step - self._warm_up) / max(1, self.steps - self._warm_up)
        return _LAST_SHARE + (1 - _LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * done))

    def _save(self, path: Path) -> None:
        state = {
            "plan": self._plan,
            "stage": self.name,
            "step": self.step,
            "tensors": {name: tensor.detach() for name, tensor in self._tensors.items()},
            "optimizer": self._optimizer.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_atomic(path, buffer.getvalue())

    def _resume(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["plan"] != self._plan or state["stage"] != self.name:
            raise BadCheckpoint(
                f"{path} was written by a training run with other settings.",
                "Delete it to start again, or repeat the earlier settings.",
            )
        with torch.no_grad():
            for name, tensor in self._tensors.items():
                tensor.copy_(state["tensors"][name])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
