"""Corruptions in processes of their own are those of this one, and their end is no harm."""

from __future__ import annotations

import torch

from capt_engine.attacks.base import PictureRngs, Threat
from capt_engine.attacks.corruption import Corrupt
from capt_engine.attacks.corruptions import CORRUPTIONS
from capt_engine.attacks.corruptions.workers import active, side_by_side
from capt_engine.progress import no_progress


def corrupted(kind: str, severity: int, images: torch.Tensor) -> torch.Tensor:
    """The pictures after one corruption, drawn by a fixed seed."""
    rngs = PictureRngs.of(0, [str(i) for i in range(len(images))])
    labels = torch.zeros(len(images), dtype=torch.long)
    return Corrupt(kind=kind, severity=severity).run(lambda x: x, images, labels, Threat(), rngs, no_progress)


def test_they_are_the_same_bits_and_a_death_is_survived() -> None:
    """Of every kind, in their order; where the processes are killed, this process goes on."""
    images = torch.rand(5, 3, 40, 32, generator=torch.Generator().manual_seed(1))
    expected = {kind: corrupted(kind, 1 + i % 5, images) for i, kind in enumerate(CORRUPTIONS.names())}
    with side_by_side(2):
        workers = active()
        assert workers is not None
        for i, kind in enumerate(CORRUPTIONS.names()):
            assert torch.equal(corrupted(kind, 1 + i % 5, images), expected[kind]), kind
        processes = [*workers.processes]
        assert len(processes) == 2
        for process in processes:
            process.kill()
        assert torch.equal(corrupted("snow", 5, images), corrupted("snow", 5, images))
        rngs = PictureRngs.of(0, ["a"])
        assert workers.corrupted("snow", 5, images.split(1), rngs) is None
    assert active() is None
    assert all(process.poll() is not None for process in processes)


def test_one_thread_needs_no_process() -> None:
    """Nor do streams from which something was drawn go there."""
    with side_by_side(1):
        assert active() is None
    rngs = PictureRngs.of(0, ["a", "b"])
    assert rngs.unused() is not None
    rngs.only(torch.tensor([1])).uniform(torch.empty(1, 3))
    assert rngs.unused() is None
    assert rngs.only(torch.tensor([0])).unused() is not None
