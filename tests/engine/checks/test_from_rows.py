"""The checks that rows answer, on trials made up for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from capt_engine.checks.from_rows import ROW_CHECKS, row_checks, rows_first
from capt_engine.checks.table import CHECKS, FEWEST, TOO_FEW, Finding
from capt_engine.metrics.tally import Tally, Trial
from capt_engine.records import Check

EPS = 0.02
SQUARE: dict[str, Any] = {"attack": "square", "knowledge": "black-box, sees scores"}


def trial(path: str, adv: str, **other: Any) -> Trial:
    """A picture of a cat that is right when clean, attacked by PGD that knows the model."""
    given = {
        "prompts": "a",
        "attack": "pgd",
        "eps": EPS,
        "norm": "linf",
        "knowledge": "white-box",
        "clean_conf": 0.9,
        "adv_conf": 0.9,
        "metrics": (("linf", 0.02),),
        **other,
    }
    return Trial(path, "cat", "cat", adv_pred=adv, success=adv != "cat", **given)


def pictures(n: int, *some: Trial) -> list[Trial]:
    """The trials of one picture, of n pictures."""
    return [replace(one, path=f"{one.path} of {i}") for i in range(n) for one in some]


def status(trials: list[Trial], name: str, *, labelled: bool = True, targeted: bool = False, classes: int = 2) -> Check:
    """One check of some trials."""
    found = row_checks(Tally(trials), EPS, labelled=labelled, targeted=targeted, classes=classes)
    return {one.name: one for one in found}[name]


PASSING: list[tuple[str, list[Trial]]] = [
    ("budget-kept", [trial("1", "dog")]),
    ("zero-budget", [trial("1", "cat", eps=0.0, metrics=())]),
    ("attacks-hurt", [trial("1", "dog")]),
    ("monotone-budget", [trial("1", "cat", eps=0.01), trial("1", "dog")]),
    ("black-box-weaker", pictures(FEWEST, trial("1", "dog"), trial("1", "cat", **SQUARE))),
    ("transfer-weaker", pictures(FEWEST, trial("1", "dog", aimed_at="a"), trial("1", "cat", aimed_at="b"))),
    ("baseline-breaks", pictures(FEWEST, trial("1", "dog", prompts="none"), trial("1", "dog"))),
    ("survives-png", pictures(FEWEST, trial("1", "dog", png=True))),
    ("labels-known", [trial("1", "dog")]),
    ("above-chance", pictures(FEWEST, trial("1", "dog"))),
    ("enough-pictures", [trial(str(i), "dog") for i in range(50)]),
]
FAILING: list[tuple[str, list[Trial]]] = [
    ("budget-kept", [trial("1", "dog", metrics=(("linf", 0.021),))]),
    ("zero-budget", [trial("1", "dog", eps=0.0, metrics=())]),
    ("zero-budget", [trial("1", "cat", eps=0.0, metrics=(), adv_conf=0.8)]),
    ("monotone-budget", [trial("1", "dog", eps=0.01), trial("1", "cat")]),
    ("black-box-weaker", pictures(FEWEST, trial("1", "cat"), trial("1", "dog", **SQUARE))),
    ("transfer-weaker", pictures(FEWEST, trial("1", "cat", aimed_at="a"), trial("1", "dog", aimed_at="b"))),
    ("baseline-breaks", pictures(FEWEST, trial("1", "cat", prompts="none"), trial("1", "cat"))),
    ("survives-png", pictures(FEWEST // 2, trial("1", "dog", png=True), trial("2", "dog", png=False))),
    ("enough-pictures", [trial("1", "dog")]),
]


@pytest.mark.parametrize(("name", "trials"), PASSING, ids=[name for name, _ in PASSING])
def test_a_sound_run_passes(name: str, trials: list[Trial]) -> None:
    """With its number."""
    found = status(trials, name)
    assert found.status == "pass", found
    assert found.value is not None


@pytest.mark.parametrize(("name", "trials"), FAILING, ids=[f"{i}-{name}" for i, (name, _) in enumerate(FAILING)])
def test_an_unsound_run_fails(name: str, trials: list[Trial]) -> None:
    """By the check that is named for it."""
    assert status(trials, name).status == "fail"


RATES = [(name, trials) for name, trials in PASSING + FAILING if CHECKS[name].is_rate]


@pytest.mark.parametrize(("name", "trials"), RATES, ids=[f"{i}-{name}" for i, (name, _) in enumerate(RATES)])
def test_a_share_of_too_few_pictures_neither_passes_nor_fails(name: str, trials: list[Trial]) -> None:
    """One picture less than a share needs: the check was not run, and says how many there were."""
    assert status(trials, name).status != "not_run"
    last = trials[-1].path
    found = status([one for one in trials if one.path != last], name)
    assert (found.status, found.value, found.shown) == ("not_run", None, TOO_FEW)
    assert "too few" in found.message
    assert str(FEWEST - 1) in found.message


def test_the_rows_at_hand_stand_over_a_few_pictures_attacked_anew() -> None:
    """One page, one answer: 71 of 71 by the rows is not made a failure by 4 of 5 that were tried again, nor by a part of the run."""
    spec = CHECKS["survives-png"]
    sound = pictures(71, trial("1", "dog", png=True))
    anew = Check(spec.name, spec.title, "fail", 0.8, "4 of 5", spec.why)
    of_rows = row_checks(Tally(sound), EPS, labelled=True, targeted=False)
    assert {one.name: one.shown for one in rows_first(of_rows, [anew])}["survives-png"] == "71 of 71"
    few = row_checks(Tally(sound[:5]), EPS, labelled=True, targeted=False)
    found = {one.name: one for one in rows_first(few, [anew])}
    assert found["survives-png"].shown == TOO_FEW
    assert found["enough-pictures"].status == "fail"
    # The parts of a run have few pictures each; the whole has enough.
    whole = {one.name: one for one in rows_first(of_rows, few, few)}
    assert whole["enough-pictures"].status == "pass"


def test_the_model_asked_again_answers_what_rows_cannot() -> None:
    """Without rows of a matrix the transfer that was tried stands; and ε = 0 must hold both ways, as the model is asked to the last bit."""
    of_rows = row_checks(Tally([trial("1", "cat", eps=0.0, metrics=())]), EPS, labelled=True, targeted=False)
    tried = [
        replace(CHECKS[name].result(Finding(False, 1, "1", n=FEWEST)), shown="again")
        for name in ("transfer-weaker", "zero-budget")
    ]
    found = {one.name: one for one in rows_first(of_rows, tried)}
    assert found["transfer-weaker"].shown == found["zero-budget"].shown == "again"


def test_plain_clip_under_a_transfer_is_no_baseline() -> None:
    """Whether the same attack breaks it is not known where it was only shown what was computed on another model."""
    trials = [trial(str(i), "cat", prompts=one, aimed_at="model:other") for i in range(9) for one in ("none", "a")]
    assert status(trials, "baseline-breaks").status == "not_run"


def test_an_attack_that_helps_is_noticed() -> None:
    """More right under attack than before."""
    helped = Trial("1", "cat", "dog", "a", "pgd", EPS, "cat", norm="linf", clean_conf=0.5, adv_conf=0.5)
    assert status([helped], "attacks-hurt").status == "fail"
    assert status([helped], "attacks-hurt", targeted=True).status == "not_run"


def test_nobody_labelled_is_noticed() -> None:
    """Agreement with oneself is no accuracy."""
    assert status([trial("1", "dog")], "labels-known", labelled=False).status == "fail"


def test_fog_is_no_black_box_attack() -> None:
    """What lies outside the ball proves nothing about the attack inside it; nor does noise, which does not search."""
    fog = [trial(str(i), "dog", attack="corruption", knowledge="no search", norm="") for i in range(3)]
    assert status([*fog, *(trial(str(i), "cat") for i in range(3))], "black-box-weaker").status == "not_run"


def test_what_was_carried_proves_no_order_of_budgets() -> None:
    """Where broken pictures are not attacked again the curve cannot rise, so that it does not is no sign of anything."""
    carried = [trial("1", "dog", eps=0.01), trial("1", "", skipped="broken at 2.55/255", metrics=(), adv_conf=None)]
    assert status(carried, "monotone-budget").status == "not_run"


def test_nothing_at_all_is_answered_with_sentences() -> None:
    """No rows: nothing passes."""
    found = row_checks(Tally(), EPS, labelled=True, targeted=False)
    assert len(found) == len(ROW_CHECKS)
    assert {one.status for one in found} <= {"fail", "not_run", "pass"}
    assert {one.name for one in found} <= set(CHECKS.names())
    assert "pass" not in {one.status for one in found if one.name != "labels-known"}


def guessed(right: int, n: int, prompts: str = "a") -> list[Trial]:
    """Clean answers to n pictures, of which some are right."""
    return [Trial(str(i), "cat", "cat" if i < right else "dog", prompts, clean_conf=0.9) for i in range(n)]


def test_clean_accuracy_at_chance_is_doubted() -> None:
    """2 of 28 right among 14 classes is guessing, and 28 of 28 is not; below 20 pictures nothing is said; the worst prompts count."""
    found = status(guessed(2, 28), "above-chance", classes=14)
    assert (found.status, found.shown) == ("fail", "2 of 28 right, chance 7.1 %")
    assert "pairing of folders and class names" in found.message
    assert status(guessed(28, 28), "above-chance", classes=14).status == "pass"
    assert status(guessed(0, 19), "above-chance", classes=14).shown == "too few"
    assert status(guessed(28, 28) + guessed(2, 28, "b"), "above-chance", classes=14).status == "fail"
    for unknown in (
        status(guessed(2, 28), "above-chance", classes=0),
        status(guessed(2, 28), "above-chance", labelled=False),
    ):
        assert unknown.status == "not_run"
