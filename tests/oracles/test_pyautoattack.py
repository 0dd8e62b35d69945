"""APGD-CE, APGD-T and Square against AutoAttack's own (the package pyautoattack) at equal work; skipped where that is not installed."""

from __future__ import annotations

import pytest
import torch

from capt_engine.attacks.apgd import APGDCE, APGDT
from capt_engine.attacks.base import L2, LINF, Attack, Norm
from capt_engine.attacks.square import Square
from tests.oracles.victims import Victim, compared, demo, small_cnn

pyautoattack = pytest.importorskip(
    "pyautoattack", reason="pyautoattack is not installed; nox -s oracles brings it", exc_type=ImportError
)

pytestmark = [pytest.mark.timeout(3600), pytest.mark.filterwarnings("ignore")]


def against(victim: Victim, ours: Attack, norm: Norm, eps: float, seed: int = 0) -> None:
    """The same number of steps, targets or queries, one restart, one attack alone."""
    theirs = pyautoattack.AutoAttack(
        victim.model,
        attacks=[ours.name],
        eps=eps,
        norm={"linf": "Linf", "l2": "L2"}[norm.name],
        seed=seed,
        version="custom",
    )
    # Read at each call; what is not set for this attack is not used by it.
    for attack in (theirs.apgd, theirs.apgd_targeted):
        attack.n_restarts, attack.n_iter = 1, getattr(ours, "steps", 1)
    theirs.apgd_targeted.n_target_classes = getattr(ours, "targets", 1)
    theirs.square.n_queries = getattr(ours, "queries", 1)
    with torch.random.fork_rng():
        answer = theirs.run_standard_evaluation(victim.images, victim.labels, batch_size=100)
    images = answer[0] if isinstance(answer, tuple) else answer
    what = f"{ours.name} {norm.name} {eps:.4f}, {getattr(ours, 'steps', getattr(ours, 'queries', 0))} steps"
    compared(victim, what, victim.right(victim.under(ours, norm, eps, seed)), victim.right(images))


@pytest.mark.parametrize(("norm", "eps"), [(LINF, 2 / 255), (L2, 0.3)], ids=["linf", "l2"])
@pytest.mark.parametrize(
    "attack", [APGDCE(steps=50, stop_early=True), APGDT(steps=30, targets=6)], ids=["apgd-ce", "apgd-t"]
)
def test_apgd_on_the_small_cnn(attack: Attack, norm: Norm, eps: float) -> None:
    """500 pictures."""
    against(small_cnn(), attack, norm, eps)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("norm", "eps"), [(LINF, 2 / 255), (L2, 0.3)], ids=["linf", "l2"])
def test_square_on_the_small_cnn(norm: Norm, eps: float, seed: int) -> None:
    """500 pictures, 500 queries, five seeds."""
    against(small_cnn(), Square(queries=500), norm, eps, seed)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "attack",
    [APGDCE(steps=10, stop_early=True), APGDT(steps=8, targets=2)],
    ids=["apgd-ce", "apgd-t"],
)
def test_apgd_on_the_demo(attack: Attack) -> None:
    """500 pictures; few steps, as each pass of the demo costs a hundred of the small CNN's."""
    against(demo(), attack, LINF, 2 / 255)


@pytest.mark.heavy
@pytest.mark.parametrize(("norm", "eps"), [(LINF, 2 / 255), (LINF, 4 / 255), (L2, 0.5)], ids=["linf-2", "linf-4", "l2"])
def test_square_on_the_demo(norm: Norm, eps: float) -> None:
    """500 pictures, 150 queries."""
    against(demo(), Square(queries=150), norm, eps)
