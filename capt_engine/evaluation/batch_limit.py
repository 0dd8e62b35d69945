"""The size of a run's batches: what was asked for, as far as the device has memory for it."""

from __future__ import annotations

import torch

from capt_engine.evaluation.plan import Plan
from capt_engine.model.batch_sizes import memory_key, remember, remembered
from capt_engine.model.devices import free_bytes
from capt_engine.model.memory import begin_part, part_bytes

# Pictures of 224 pixels that go through a model at once where nobody says how many. On a CPU a small batch is as fast as a large one and
# its first row comes sooner.
_USUAL, _USUAL_CPU = 64, 8
_TABLE = 16
# An accelerator that tells what is free may get so many times as many, and this share of it is counted on.
_GROWTH, _SHARE = 4, 0.8


class BatchLimit:
    """The limit of a run's batches. It falls where memory runs out, for the rest of the run and for the next one.

    work: the plan. Where nobody set a size, an accelerator that tells its free memory is asked how much the first batches took, and gets
    as many pictures as fit, but for runs that are to be repeated to the bit, whose batches hang on nothing that changes.
    """

    def __init__(self, work: Plan) -> None:
        self._work, self._device = work, work.classifier.device
        self._wanted = _wanted(work)
        self._is_free = not work.batch and not work.is_table and not torch.are_deterministic_algorithms_enabled()
        self._room: int | None = None
        self._known: dict[tuple[int, int], int] = {}
        self._used: dict[tuple[int, int], dict[int, int]] = {}

    @property
    def most(self) -> int:
        """Return how many pictures of the model's own size go through it at once."""
        side = self._work.classifier.size
        return self.at_once(side, side)

    def at_once(self, height: int, width: int) -> int:
        """Return how many pictures of that size go through the models at once, at least one."""
        size = height, width
        if size not in self._known:
            self._known[size] = remembered(self._key(*size), self._device)
        wanted = max(1, self._wanted * self._work.classifier.size**2 // (height * width))
        foreseen = self._foreseen(size)
        if foreseen:
            wanted = min(foreseen, wanted * (_GROWTH if self._is_free else 1))
        if self._room is not None:
            wanted = min(wanted, max(1, self._room // (height * width)))
        return min(wanted, self._known[size] or wanted)

    def begin(self) -> int:
        """Begin a batch, and return the bytes that the device has in use before it; 0 where it does not say."""
        return begin_part(self._device)

    def end(self, n: int, height: int, width: int, before: int) -> None:
        """Note what a batch of `n` pictures took at most, beside the bytes in use `before` it."""
        if peak := part_bytes(self._device):
            self._used.setdefault((height, width), {})[n] = peak - before

    def failed(self, n: int, height: int, width: int) -> None:
        """Take note that a batch of more than `n` pictures of that size has found no memory, which was freed by now."""
        # Pictures of another size have as little room.
        self._room = n * height * width
        self._known[height, width] = n
        remember(self._key(height, width), n, self._device)

    def _key(self, height: int, width: int) -> str:
        one = self._work.classifier
        by_gradients = any(planned.attack.knowledge == "gradients" for planned in self._work.planned_attacks)
        kind = "gradients" if by_gradients else "answers"
        return memory_key(one.sha256, kind, self._device, one.precision, height, width)

    def _foreseen(self, size: tuple[int, int]) -> int:
        """The pictures that fit by what two batches took, one larger than the other; 0 where that is not known."""
        used = sorted(self._used.get(size, {}).items())
        free = free_bytes(self._device)
        if len(used) < 2 or not free:
            return 0
        (n, taken), (more, taken_by_more) = used[-2:]
        each = (taken_by_more - taken) / (more - n)
        return max(more, int(more + (_SHARE * free - taken_by_more) / each)) if each > 0 else 0


def _wanted(work: Plan) -> int:
    """Pictures of the model's own size, whatever memory there is."""
    usual = (_USUAL if work.classifier.device.type != "cpu" else _USUAL_CPU) * 224**2
    batch = work.batch or max(1, usual // max(work.classifier.size**2, 112**2))
    # The many rows a picture of a table wait for the last corruption, with an answer of k numbers each.
    return min(batch, _TABLE) if work.is_table else batch
