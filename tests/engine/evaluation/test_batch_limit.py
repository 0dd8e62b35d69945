"""How many pictures go through the models at once, on a device whose memory is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from capt_engine.evaluation import batch_limit
from capt_engine.evaluation.batch_limit import BatchLimit
from capt_engine.evaluation.plan import Plan, Variant, plan_evaluation
from capt_engine.model.classifier import Classifier
from capt_engine.records import AttackSpec, EvaluateRequest, RunOptions, ThreatModel

SIDE = 24


@pytest.fixture
def plan(tiny_classifier: Classifier) -> Callable[[int], Plan]:
    """A plan with a size of its batches, on a device that is no processor."""

    def made(batch: int) -> Plan:
        options = RunOptions(model="tiny", threat=ThreatModel("linf", 4 / 255), batch_size=batch)
        request = EvaluateRequest("", attacks=(AttackSpec("pgd"),), options=options)
        return plan_evaluation(request, [Variant("none", tiny_classifier)], tiny_classifier, "folder")

    return made


def limit_after(monkeypatch: pytest.MonkeyPatch, plan: Plan, free: int, used: dict[int, int]) -> BatchLimit:
    """A limit after batches of these sizes have used these bytes, with so many free."""
    monkeypatch.setattr(batch_limit, "free_bytes", lambda _: free)
    limit = BatchLimit(plan)
    for n, nbytes in used.items():
        monkeypatch.setattr(batch_limit, "part_bytes", lambda _, nbytes=nbytes: nbytes)
        limit.end(n, SIDE, SIDE, 0)
    return limit


def test_free_memory_sets_the_size(monkeypatch: pytest.MonkeyPatch, plan: Callable[[int], Plan]) -> None:
    """By what two batches took; with much of it at most four times the usual, and none but the usual where nothing is told."""
    usual = BatchLimit(plan(0)).most
    each = {1: 1_100, 2: 1_200}
    assert limit_after(monkeypatch, plan(0), 0, each).most == usual
    assert limit_after(monkeypatch, plan(0), 2_000, each).most == 6
    assert limit_after(monkeypatch, plan(0), 10**9, each).most == 4 * usual
    assert limit_after(monkeypatch, plan(0), 10**9, {1: 1_100}).most == usual
    assert limit_after(monkeypatch, plan(0), 10**9, {1: 1_100, 2: 1_100}).most == usual


def test_nobody_gets_more_than_was_asked_for(monkeypatch: pytest.MonkeyPatch, plan: Callable[[int], Plan]) -> None:
    """Fewer, where memory is short."""
    each = {1: 1_100, 2: 1_200}
    assert limit_after(monkeypatch, plan(12), 10**9, each).most == 12
    assert limit_after(monkeypatch, plan(12), 2_000, each).most == 6


def test_repeatable_runs_do_not_hang_on_free_memory(
    monkeypatch: pytest.MonkeyPatch, plan: Callable[[int], Plan]
) -> None:
    """Another size of the batch could mean other last bits on a GPU."""
    usual = BatchLimit(plan(0)).most
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    assert limit_after(monkeypatch, plan(0), 10**9, {1: 1_100, 2: 1_200}).most == usual


def test_a_failure_holds_for_other_sizes_of_pictures(plan: Callable[[int], Plan]) -> None:
    """Pictures of four times the area get a quarter, but at least one."""
    limit = BatchLimit(replace(plan(64)))
    limit.failed(8, SIDE, SIDE)
    assert [limit.at_once(SIDE, SIDE), limit.at_once(2 * SIDE, 2 * SIDE), limit.at_once(9 * SIDE, 9 * SIDE)] == [
        8,
        2,
        1,
    ]
