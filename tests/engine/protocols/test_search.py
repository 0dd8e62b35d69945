"""The search for settings: halving by the written rule, on development sets alone, and what the committed cells decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from capt_engine.formatting import budget
from capt_engine.protocols import search, study
from capt_engine.protocols.cache import Measured
from capt_engine.protocols.definitions import Cell
from capt_engine.protocols.search import CANDIDATES, RUNGS, Candidate, Round, Rung

Planted = Callable[[Rung, str, Candidate], float]


def found_by(accuracy: Planted) -> search.Found:
    """Cells with a planted share of right answers, clean and robust alike; a negative share is a cell that failed."""
    by_changes = {
        (method, candidate.changes): candidate for method, candidates in CANDIDATES.items() for candidate in candidates
    }

    def found(rung: Rung, cell: Cell) -> Measured | None:
        assert cell.recipe is not None
        share = accuracy(rung, cell.recipe.method, by_changes[cell.recipe.method, cell.recipe.changes])
        if share < 0:
            return Measured(failure="It failed.")
        right = "1" * round(100 * share) + "0" * (100 - round(100 * share))
        return Measured(right={"clean": right, budget(study.ALL[cell.dataset].eps): right})

    return found


def going(one: Round) -> list[str]:
    """The names of those that go on, best first."""
    return [scored.candidate.name for scored in one.scored if scored.goes_on]


def place(method: str, candidate: Candidate) -> int:
    """The place of a candidate in its list."""
    return CANDIDATES[method].index(candidate)


def test_as_many_candidates_as_were_promised() -> None:
    """24 for CAPT, at most 8 for each relative, none twice, and the defaults first, being the simplest."""
    assert len(CANDIDATES["capt"]) == 24
    assert max(len(tried) for method, tried in CANDIDATES.items() if method != "capt") == 8
    for tried in CANDIDATES.values():
        assert len({one.changes for one in tried}) == len({one.name for one in tried}) == len(tried)
        assert tried[0] == Candidate("default")
    assert {*CANDIDATES} == {*study.METHODS} - {"zero-shot"}


def test_the_better_third_goes_on_and_one_is_left() -> None:
    """Where later candidates are better, 24 become 8, 3 and 1, and the last of the list wins."""
    made = search.rounds(found_by(lambda _, method, one: 0.3 + place(method, one) / 100))
    capt = [one for one in made if one.method == "capt"]
    assert [len(going(one)) for one in capt] == [8, 3, 1]
    assert [one.rung.name for one in capt] == ["rung 1", "rung 2", "rung 3"]
    assert {method: one.name for method, one in search.winners(made).items()} == {
        method: tried[-1].name for method, tried in CANDIDATES.items()
    }


def test_of_equals_the_simpler_goes_on() -> None:
    """One score for all leaves the defaults."""
    assert {one.name for one in search.winners(search.rounds(found_by(lambda *_: 0.5))).values()} == {"default"}


def test_each_rung_counts_alone() -> None:
    """A lucky first rung is no help in the second."""
    lucky = CANDIDATES["capt"][4]

    def accuracy(rung: Rung, method: str, one: Candidate) -> float:
        if method == "capt" and one == lucky:
            return 0.9 if rung is RUNGS[0] else 0.1
        return 0.5

    made = search.rounds(found_by(accuracy))
    capt = [one for one in made if one.method == "capt"]
    assert going(capt[0])[0] == lucky.name
    assert lucky.name not in going(capt[1])


def test_one_that_fails_comes_last() -> None:
    """A candidate whose tuning fails is no winner, and stops nobody."""
    made = search.rounds(found_by(lambda _, method, one: -1.0 if place(method, one) == 0 else 0.4))
    assert {method: one.name for method, one in search.winners(made).items()} == {
        method: tried[1].name for method, tried in CANDIDATES.items()
    }


def test_nothing_is_decided_while_cells_are_missing() -> None:
    """A method with a gap stays in its rung, the others go on; every missing cell is asked for, set by set."""

    def gap(rung: Rung, cell: Cell) -> Measured | None:
        assert cell.recipe is not None
        is_missing = cell.recipe.method == "fap" and cell.dataset == "colours@fog" and not cell.recipe.changes
        return None if is_missing else found_by(lambda *_: 0.5)(rung, cell)

    made = search.rounds(gap)
    assert [one.rung.name for one in made if one.method == "fap"] == ["rung 1"]
    assert "fap" not in search.winners(made)
    assert search.winners(made)["capt"].name == "default"
    nothing = search.rounds(lambda *_: None)
    asked = search.cells_to_compute(nothing, RUNGS[0])
    assert len(asked) == len(set(asked)) == 3 * sum(map(len, CANDIDATES.values()))
    assert {cell.dataset for cell in asked[: len(asked) // 3]} == {"shapes@sketch"}


def test_a_score_is_the_mean_of_clean_and_robust() -> None:
    """(60 + 20) / 2 and (80 + 40) / 2 are 40 and 60, 50 in the mean; an unusable picture counts in neither."""
    cells = [
        Measured(right={"clean": "1110-0", "1/255": "1000-0"}),
        Measured(right={"clean": "11110", "1/255": "11000"}),
    ]
    assert search.score(cells) == pytest.approx(0.5)
    assert search.score([*cells, None]) is None
    assert search.score([*cells, Measured(failure="It failed.")]) == 0


def test_nothing_is_chosen_on_what_is_reported() -> None:
    """Reported sets, looks and seeds are in no rung; both models of photographs are asked about other classes and pictures."""
    developed = {one.name for rung in RUNGS for one in rung.sets}
    assert not developed & {*study.names(study.REPORTED), *study.OTHER_LOOKS}
    assert not {seed for rung in RUNGS for seed in rung.seeds} & {*study.SEEDS}
    assert not {*study.FIRST} & {*study.LAST}
    assert {one.split for one in study.DEVELOPMENT if not one.is_toy} == {"train"}
    assert {one.split for one in study.REPORTED} == {"test"}


def test_the_page_says_rule_rungs_and_who_goes_on() -> None:
    """A table a round with each candidate's score, and the chosen ones in words."""
    found = found_by(lambda _, method, one: 0.3 + place(method, one) / 100)
    made = search.rounds(found)
    data: Mapping[str, tuple[str, int]] = dict.fromkeys(study.ALL, ("", 0))
    settings = {rung.name: search.settings(rung, data) for rung in RUNGS}
    page = search.page(made, settings, found, "capt protocol search")
    facts = dict(page.facts)
    assert "mean of its clean and its robust" in facts["Rule"]
    assert "coop: 20 epochs" in facts["Chosen"]
    table = next(one for one in page.tables if one.name == "rung 3 capt")
    assert table.verdicts == ("Goes on: λ = 1, α clipped, 20 epochs.",)
    score = next(one for one in table.entries if one.dataset == "score")
    assert score.figures["clean"] is not None
    assert score.figures["clean"].mean == pytest.approx(0.53)
