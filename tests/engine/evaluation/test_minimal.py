"""The smallest budget, against models for which it is known on paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.apgd import APGDT
from capt_engine.attacks.base import L2, LINF, Attack, Norm, PictureRngs, Threat
from capt_engine.attacks.pgd import PGD
from capt_engine.evaluation.minimal import smallest_budgets
from capt_engine.progress import no_progress
from tests.engine.checks.planted import SIDE, VALUES, Linear, pictures

DUAL = {"linf": 1.0, "l2": 2.0}


def found(
    model: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    norm: Norm,
    eps: float,
    tolerance: float = 0.01,
    attack: Attack = PGD(steps=60, loss="margin"),  # noqa: B008  # frozen
) -> list[float]:
    """The smallest budgets, with PGD unless another attack is named."""
    return smallest_budgets(
        attack,
        model,
        images,
        labels,
        Threat(norm, eps),
        lambda some: PictureRngs.of(0, [str(i) for i in some]),
        lambda logits, some: logits.argmax(dim=1) != labels[list(some)],
        tolerance,
        no_progress,
    )


@pytest.mark.parametrize(("norm", "start"), [(LINF, 0.05), (LINF, 0.002), (L2, 0.3)], ids=["linf", "linf far", "l2"])
@pytest.mark.parametrize(("k", "attack"), [(2, PGD(steps=60)), (4, APGDT(steps=20))], ids=["two", "four"])
def test_a_linear_model(norm: Norm, start: float, k: int, attack: Attack) -> None:
    """min over the others of lead / ‖w − w'‖ in the dual norm, to one percent, wherever the search begins."""
    model = Linear(k)
    images, labels = pictures(model, 12)
    logits = model(images)
    weight = model.weight.double()
    expected = []
    for logit, label in zip(logits.double(), labels.tolist(), strict=True):
        others = [j for j in range(len(weight)) if j != label]
        reach = [torch.linalg.vector_norm(weight[label] - weight[j], DUAL[norm.name]) for j in others]
        expected.append(min(float((logit[label] - logit[j]) / far) for j, far in zip(others, reach, strict=True)))
    for eps, exact in zip(found(model, images, labels, norm, start, attack=attack), expected, strict=True):
        assert exact * 0.999 <= eps <= exact * 1.0101


def test_a_piecewise_linear_model() -> None:
    """Class 1 lies beyond either of two parallel walls: the nearer one decides."""
    stream = torch.Generator().manual_seed(0)
    across = torch.where(torch.rand(VALUES, generator=stream) < 0.5, -1.0, 1.0) / VALUES
    places = torch.tensor([-0.05, -0.01, 0.0, 0.02, 0.07])
    images = (0.5 + places[:, None] * across.sign()).view(-1, 3, SIDE, SIDE)

    def model(x: Tensor) -> Tensor:
        beyond = ((x.flatten(1) - 0.5) @ across).abs() - 0.1
        return torch.stack([-50 * beyond, 50 * beyond], dim=1)

    labels = torch.zeros(5, dtype=torch.long)
    for eps, place in zip(found(model, images, labels, LINF, 0.01), places.tolist(), strict=True):
        exact = 0.1 - abs(place)
        assert exact * 0.999 <= eps <= exact * 1.0101


def test_what_never_breaks_is_infinite() -> None:
    """A model with one answer for everything has no smallest budget."""

    def stubborn(x: Tensor) -> Tensor:
        return torch.stack([x.flatten(1).mean(dim=1) * 0 + 1, x.flatten(1).mean(dim=1) * 0], dim=1)

    images, _ = pictures(Linear(), 2)
    assert found(stubborn, images, torch.zeros(2, dtype=torch.long), LINF, 0.05) == [math.inf, math.inf]


def test_pictures_are_searched_one_by_one() -> None:
    """Among others or alone, a picture gets the same number."""
    model = Linear()
    images, labels = pictures(model, 6)
    together = found(model, images, labels, LINF, 0.05, 0.1)

    def alone(i: int) -> float:
        def rngs(some: Sequence[int]) -> PictureRngs:
            return PictureRngs.of(0, [str(i) for _ in some])

        (eps,) = smallest_budgets(
            PGD(steps=60, loss="margin"),
            model,
            images[i : i + 1],
            labels[i : i + 1],
            Threat(LINF, 0.05),
            rngs,
            lambda logits, _: logits.argmax(dim=1) != labels[i],
            0.1,
            no_progress,
        )
        return eps

    assert [alone(i) for i in range(6)] == together
