"""PGD and Carlini-Wagner against foolbox at equal work; skipped where that is not installed."""

from __future__ import annotations

import pytest
import torch

from capt_engine.attacks.base import L2, LINF, Norm
from capt_engine.attacks.carlini_wagner import CarliniWagner
from capt_engine.attacks.pgd import PGD
from tests.oracles.victims import Victim, compared, demo, small_cnn

foolbox = pytest.importorskip(
    "foolbox", reason="foolbox is not installed; nox -s oracles brings it", exc_type=ImportError
)

pytestmark = [pytest.mark.timeout(1800), pytest.mark.filterwarnings("ignore")]


def foolbox_right(victim: Victim, attack: object, eps: float) -> torch.Tensor:
    """Which pictures are still right after their attack, batch by batch as ours."""
    model = foolbox.PyTorchModel(victim.model, bounds=(0, 1), device="cpu")
    parts = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for images, labels in zip(victim.images.split(100), victim.labels.split(100), strict=True):
            _, clipped, _ = attack(model, images, labels, epsilons=[eps])  # type: ignore[operator]
            parts.append(clipped[0])
    return victim.right(torch.cat(parts))


def pgd(victim: Victim, norm: Norm, eps: float, steps: int) -> None:
    """The same steps, the same step size, a random start each."""
    kind = foolbox.attacks.LinfPGD if norm is LINF else foolbox.attacks.L2PGD
    theirs = foolbox_right(victim, kind(rel_stepsize=0.25, steps=steps), eps)
    ours = victim.right(victim.under(PGD(steps=steps, step_size=eps / 4), norm, eps))
    compared(victim, f"PGD-{steps} {norm.name} {eps:.4f}", ours, theirs)


def carlini_wagner(victim: Victim, eps: float, searches: int, steps: int) -> None:
    """The same searches and steps, from the same first weight."""
    attack = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=searches, steps=steps, stepsize=0.01, initial_const=0.01
    )
    theirs = foolbox_right(victim, attack, eps)
    ours = victim.right(victim.under(CarliniWagner(steps=steps, searches=searches), L2, eps))
    compared(victim, f"CW-{searches}x{steps} l2 {eps:.4f}", ours, theirs)


@pytest.mark.parametrize(("norm", "eps"), [(LINF, 2 / 255), (L2, 0.3)], ids=["linf", "l2"])
def test_pgd_on_the_small_cnn(norm: Norm, eps: float) -> None:
    """500 pictures, 40 steps."""
    pgd(small_cnn(), norm, eps, 40)


def test_carlini_wagner_on_the_small_cnn() -> None:
    """500 pictures, 5 searches of 60 steps."""
    carlini_wagner(small_cnn(), 0.3, 5, 60)


@pytest.mark.heavy
def test_pgd_on_the_demo() -> None:
    """500 pictures, 10 steps."""
    pgd(demo(), LINF, 2 / 255, 10)


@pytest.mark.heavy
def test_carlini_wagner_on_the_demo() -> None:
    """500 pictures, 3 searches of 15 steps."""
    carlini_wagner(demo(), 0.5, 3, 15)
