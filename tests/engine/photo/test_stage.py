"""A stage of training that is stopped, killed and resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.photo.plan import Plan
from capt_engine.photo.stage import Stage
from capt_engine.progress import no_progress

STEPS = 120


def _stage(plan: Plan | None = None) -> tuple[Stage, dict[str, Tensor]]:
    start = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    tensors = {"map.weight": start.clone().requires_grad_(), "map.bias": torch.zeros(3, requires_grad=True)}
    return Stage("toy", plan or Plan(), STEPS, tensors, 1e-2, weight_decay=0.1), tensors


def _loss_of(tensors: dict[str, Tensor], end: int = STEPS) -> Callable[[int], Tensor]:
    def loss(step: int) -> Tensor:
        if step == end:
            raise KeyboardInterrupt
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        return (x @ tensors["map.weight"].T + tensors["map.bias"] - x[:, :3]).square().mean()

    return loss


def test_stopped_and_killed_runs_end_in_the_same_bits(tmp_path: Path) -> None:
    """Once through, stopped at step 70, and killed at step 77, which goes on from the last save: equal tensors, and trained ones."""
    whole, through = _stage()
    before = through["map.weight"].detach().clone()
    whole.run(_loss_of(through), tmp_path / "whole.pt", no_progress)
    assert not torch.allclose(through["map.weight"], before, atol=0.05)
    for name, until, end in (("stopped", 70, STEPS), ("killed", None, 77)):
        stage, tensors = _stage()
        try:
            stage.run(_loss_of(tensors, end), tmp_path / f"{name}.pt", no_progress, until)
        except KeyboardInterrupt:
            assert name == "killed"
        again, resumed = _stage()
        again.run(_loss_of(resumed), tmp_path / f"{name}.pt", no_progress)
        assert again.step == STEPS
        for tensor, other in zip(through.values(), resumed.values(), strict=True):
            assert torch.equal(tensor, other), name


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    """Going on under other settings would give neither run."""
    stage, tensors = _stage()
    stage.run(_loss_of(tensors), tmp_path / "a.pt", no_progress, until=2)
    other, others = _stage(replace(Plan(), seed=1))
    with pytest.raises(BadCheckpoint, match="other settings"):
        other.run(_loss_of(others), tmp_path / "a.pt", no_progress)
