"""Several variants on the same pictures, the best first: intervals, the gap, and exact paired tests against the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capt_engine.metrics.interval import wilson
from capt_engine.metrics.tally import Tally, paired
from capt_engine.records import PairedTest, RankedVariant


@dataclass(frozen=True)
class VariantAnswers:
    """The answers of one variant. model, prompts: their names; run: the run folder, "" for none.

    right: by picture, was it right when clean, and was it right under every attack (None: it was not attacked). seconds: of
    computing, all pictures together.
    """

    model: str
    prompts: str
    right: Mapping[str, tuple[bool, bool | None]]
    seconds: float = 0.0
    run: str = ""

    @classmethod
    def of(
        cls, tally: Tally, model: str, prompts: str, eps: float, seconds: float = 0.0, run: str = ""
    ) -> VariantAnswers:
        """Take the answers of the set of prompts called `prompts` from `tally`, under attack at the budget `eps`.

        eps: in pixel units of [0, 1]. model: the model's name. seconds: of computing, all pictures together. run: the run
        folder that the tally counts, "" for none.
        """
        key = (tally.aim(prompts), eps)
        right = {path: (one.clean, one.robust.get(key)) for path, one in tally.pictures.get(prompts, {}).items()}
        return cls(model, prompts, right, seconds, run)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted `p_values`, in their order: each may be held against a level as if it had been the only test.

    The i-th smallest of m is multiplied by m − i + 1; none is smaller than one before it, and none larger than 1 (Holm 1979).
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, most = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        most = max(most, min(1.0, (len(order) - rank) * p_values[i]))
        adjusted[i] = most
    return adjusted


def ranked(variants: Sequence[VariantAnswers]) -> tuple[RankedVariant, ...]:
    """Return `variants` with their accuracies, the best first, each but the best with its paired test against the best.

    The best is the one that is right under attack on the largest share of its pictures; where not all were attacked, the
    one that is right most often when clean, which also decides between equals; then the order given. Tests are McNemar's
    exact test on the pictures that both have answered, and p_holm is corrected for their number.
    """
    attacked = bool(variants) and all(_counts(one, 1) is not None for one in variants)
    order = sorted(variants, key=lambda one: tuple(-_share(one, place) for place in ((1, 0) if attacked else (0,))))
    tests = [_against(order[0], one, 1 if attacked else 0) for one in order[1:]]
    adjusted = iter(holm([test.p_value for test, _, _ in tests if test is not None]))
    found = []
    for place, one in enumerate(order):
        test, lost, repaired = tests[place - 1] if place else (None, (), ())
        clean, robust = _counts(one, 0), _counts(one, 1) if attacked else None
        found.append(
            RankedVariant(
                model=one.model,
                prompts=one.prompts,
                n=len(one.right),
                clean=clean[0] if clean else 0,
                clean_interval=wilson(*clean) if clean else None,
                robust=robust[0] if robust else None,
                robust_interval=wilson(*robust) if robust else None,
                seconds=one.seconds / len(one.right) if one.right else 0.0,
                versus=test,
                p_holm=next(adjusted) if test is not None else None,
                lost=lost,
                repaired=repaired,
                run=one.run,
            )
        )
    return tuple(found)


def _counts(one: VariantAnswers, place: int) -> tuple[int, int] | None:
    """Of the pictures that were judged in that state, how many are right, and how many there are."""
    known = [state for both in one.right.values() if (state := both[place]) is not None]
    return (sum(known), len(known)) if known else None


def _share(one: VariantAnswers, place: int) -> float:
    counts = _counts(one, place)
    return counts[0] / counts[1] if counts else 0.0


def _against(
    best: VariantAnswers, one: VariantAnswers, place: int
) -> tuple[PairedTest | None, tuple[str, ...], tuple[str, ...]]:
    """The paired test of the best (A) and another variant (B), and the pictures that only A, and only B, has right."""
    pairs = [
        (picture, bool(both[place]), bool(one.right[picture][place]))
        for picture, both in best.right.items()
        if both[place] is not None and picture in one.right and one.right[picture][place] is not None
    ]
    lost = tuple(picture for picture, a, b in pairs if a and not b)
    repaired = tuple(picture for picture, a, b in pairs if b and not a)
    return (paired((a, b) for _, a, b in pairs) if pairs else None), lost, repaired
