"""The search for the settings of each method: successive halving over the development sets of the study, by a rule written down before.

Candidates stand from simple to complicated. In each rung every candidate left is tuned and measured on the same data sets, seeds and
pictures; the better third goes on. A candidate's score is the mean of its clean and its robust (PGD) accuracy over the data sets and
seeds of the rung alone, so no candidate profits from a lucky earlier rung; of two with one score the earlier in the list wins. One whose
tuning fails comes last.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from capt_engine.formatting import duration
from capt_engine.protocols import study
from capt_engine.protocols.cache import Measured
from capt_engine.protocols.definitions import LR_FACTOR, Cell, Changes, Part, Recipe, Row, Settings
from capt_engine.protocols.render import Page
from capt_engine.protocols.study import DEVELOPMENT, StudySet
from capt_engine.protocols.summary import chapter
from capt_engine.protocols.table import CLEAN, ROBUST, Entry, Figure, Table, table


@dataclass(frozen=True)
class Candidate:
    """Settings to try for a method. name: how the tables call them."""

    name: str
    changes: Changes = ()


@dataclass(frozen=True)
class Rung:
    """One round. shots: training pictures a class. limit: test pictures of each set. steps: of PGD, at most."""

    name: str
    sets: tuple[StudySet, ...]
    seeds: tuple[int, ...]
    shots: int
    limit: int
    steps: int


_TOYS = tuple(one for one in DEVELOPMENT if one.is_toy)
RUNGS = (
    Rung("rung 1", _TOYS, (11,), 4, 80, 20),
    Rung("rung 2", DEVELOPMENT, (12,), 16, 150, 50),
    Rung("rung 3", DEVELOPMENT, (11, 13), 16, 200, 100),
)
_KEPT = 3
"""One candidate in so many goes on; after the last rung one alone."""

DEFAULT = "default"
_LR = (Candidate("lr × 0.3", ((LR_FACTOR, 0.3),)), Candidate("lr × 3", ((LR_FACTOR, 3.0),)))
_LONGER = Candidate("20 epochs", (("epochs", 20),))
_KL_ATTACK = Candidate(
    "inner attack climbs KL", (("attack_loss", "kl"), ("attack_steps", 2), ("attack_step_size", 1 / 255))
)

CANDIDATES: Mapping[str, tuple[Candidate, ...]] = {
    "capt": (
        Candidate(DEFAULT),
        Candidate("λ = 1", (("lambda_", 1.0),)),
        Candidate("λ = 5", (("lambda_", 5.0),)),
        *_LR,
        _LONGER,
        Candidate("text to vision", (("coupling", "text_to_vision"),)),
        Candidate("independent", (("coupling", "independent"),)),
        Candidate("length 8", (("n_ctx", 8),)),
        Candidate("depth 2", (("depth", 2),)),
        Candidate("α by confidence", (("alpha", "confidence"),)),
        Candidate("α by entropy", (("alpha", "entropy"),)),
        Candidate("α by loss balance", (("alpha", "loss_balance"),)),
        Candidate("α by batch", (("alpha", "batch"),)),
        Candidate("α by schedule", (("alpha", "schedule"),)),
        Candidate("α ramped", (("alpha", "ramped"),)),
        Candidate("α clipped", (("alpha", "clipped"),)),
        Candidate("α tempered", (("alpha", "tempered"),)),
        _KL_ATTACK,
        Candidate("KL by Jensen and Shannon", (("kl_direction", "js"),)),
        Candidate("clean target detached", (("detach_clean", True),)),
        Candidate("λ = 1, α clipped", (("lambda_", 1.0), ("alpha", "clipped"))),
        Candidate("λ = 1, independent", (("lambda_", 1.0), ("coupling", "independent"))),
        Candidate("λ = 1, α clipped, 20 epochs", (("lambda_", 1.0), ("alpha", "clipped"), ("epochs", 20))),
    ),
    "trades": (
        Candidate(DEFAULT),
        Candidate("λ = 1", (("lambda_", 1.0),)),
        Candidate("λ = 5", (("lambda_", 5.0),)),
        *_LR,
        _LONGER,
        Candidate("independent", (("coupling", "independent"),)),
        _KL_ATTACK,
    ),
    "fap": (
        Candidate(DEFAULT),
        Candidate("λ = 0.75", (("lambda_", 0.75),)),
        Candidate("λ = 3", (("lambda_", 3.0),)),
        *_LR,
        _LONGER,
    ),
    "maple": (Candidate(DEFAULT), *_LR, _LONGER),
    "apt": (Candidate(DEFAULT), *_LR, _LONGER),
    "coop": (Candidate(DEFAULT), *_LR, _LONGER),
}
"""What is tried for each method, from simple to complicated: 24 for CAPT, at most 8 for each relative."""

Found = Callable[[Rung, Cell], Measured | None]
"""A finished cell of a rung; None where it must be computed."""


@dataclass(frozen=True)
class Scored:
    """A candidate in a rung. score: None until every cell is there; accuracies are shares in [0, 1], by data set."""

    candidate: Candidate
    cells: tuple[Cell, ...]
    measured: tuple[Measured | None, ...]
    score: float | None
    goes_on: bool = False


@dataclass(frozen=True)
class Round:
    """A method in a rung, best candidate first where every cell is there. done: whether it is decided who goes on."""

    method: str
    rung: Rung
    scored: tuple[Scored, ...]
    done: bool


def rounds(found: Found) -> tuple[Round, ...]:
    """Return every round that can be begun from the cells there are, rung by rung, methods in the order of CANDIDATES.

    A method stops where a round lacks cells, or has left one candidate alone.
    """
    left = {method: list(candidates) for method, candidates in CANDIDATES.items()}
    made = []
    for number, rung in enumerate(RUNGS):
        for method in list(left):
            keep = 1 if number == len(RUNGS) - 1 else math.ceil(len(left[method]) / _KEPT)
            one = _round(method, rung, left[method], keep, found)
            made.append(one)
            going = [scored.candidate for scored in one.scored if scored.goes_on]
            if not one.done or len(going) == 1:
                del left[method]
            else:
                left[method] = going
    return tuple(made)


def winners(made: Sequence[Round]) -> dict[str, Candidate]:
    """Return the candidate that is left of each method whose rounds are all done."""
    last = {one.method: one for one in made}
    found = {}
    for method, one in last.items():
        going = [scored.candidate for scored in one.scored if scored.goes_on]
        if one.done and len(going) == 1:
            found[method] = going[0]
    return found


def _round(method: str, rung: Rung, candidates: Sequence[Candidate], keep: int, found: Found) -> Round:
    scored = []
    for candidate in candidates:
        cells = cells_of(method, rung, candidate)
        measured = tuple(found(rung, cell) for cell in cells)
        scored.append(Scored(candidate, cells, measured, score(measured)))
    done = all(one.score is not None for one in scored)
    if done:
        # Sorting is stable, so of equals the simpler one, which stands earlier, comes first.
        order = sorted(scored, key=lambda one: -(one.score or 0.0))
        scored = [
            Scored(one.candidate, one.cells, one.measured, one.score, place < keep) for place, one in enumerate(order)
        ]
    return Round(method, rung, tuple(scored), done)


def cells_of(method: str, rung: Rung, candidate: Candidate) -> tuple[Cell, ...]:
    """Return the cells of a candidate in a rung, by data set, then by seed."""
    return tuple(
        Cell(Recipe(one.name, method, rung.shots, seed, changes=candidate.changes), one.name)
        for one in rung.sets
        for seed in rung.seeds
    )


def score(measured: Sequence[Measured | None]) -> float | None:
    """Return the mean of clean and robust accuracy over cells, in [0, 1]; None where a cell is missing, 0 where one failed."""
    if any(one is None for one in measured):
        return None
    if any(one is None or one.failure for one in measured):
        return 0.0
    return statistics.fmean(statistics.fmean(accuracies(one)) for one in measured if one is not None)


def accuracies(measured: Measured) -> tuple[float, ...]:
    """Return the clean accuracy of a cell and that at each budget, as shares in [0, 1]."""
    return tuple(text.count("1") / (len(text) - text.count("-")) for text in measured.right.values())


def settings(rung: Rung, data: Mapping[str, tuple[str, int]]) -> Settings:
    """Return the settings of a rung; data: as in `study.settings`."""
    return study.settings(rung.limit, data, rung.steps)


def cells_to_compute(made: Sequence[Round], rung: Rung) -> tuple[Cell, ...]:
    """Return the cells of the rounds of `rung`: the first data set and seed of every candidate, then the next."""
    columns = itertools.zip_longest(*(scored.cells for one in made if one.rung is rung for scored in one.scored))
    return tuple(cell for column in columns for cell in column if cell is not None)


def page(made: Sequence[Round], settings: Mapping[str, Settings], found: Found, command: str) -> Page:
    """Return the rounds as tables, with who goes on and who is chosen in sentences.

    settings: by the name of a rung. found: as for `rounds`. command: the command line that computes the rounds again.
    """
    measured = [cell for one in made for scored in one.scored for cell in scored.measured if cell is not None]
    seconds = sum(one.tune_s + one.evaluate_s for one in measured)
    planned = sum(len(scored.cells) for one in made for scored in one.scored)
    chosen = winners(made)
    rungs = "; ".join(
        f"{rung.name}: {', '.join(study.names(rung.sets))}, seeds {', '.join(map(str, rung.seeds))}, {rung.shots} shots, "
        f"{rung.limit} test pictures a set, at most {rung.steps} steps of PGD"
        for rung in RUNGS
    )
    sentences = [
        f"{method}: {chosen[method].name}" if method in chosen else f"{method}: not decided yet"
        for method in CANDIDATES
    ]
    facts = (
        ("Command", f"`{command}`"),
        ("Rule", " ".join((__doc__ or "").split("\n\n", 1)[1].split())),
        ("Rungs", rungs),
        ("Candidates", ", ".join(f"{method} {len(tried)}" for method, tried in CANDIDATES.items())),
        ("Cells", f"{len(measured)} of the {planned} so far are measured, in {duration(seconds)} of computing"),
        ("Chosen", "; ".join(sentences)),
        ("Figures", "accuracy in percent on development sets, which no reported table shows; mean over seeds"),
    )
    return Page("Search", facts, tuple(_table(one, settings[one.rung.name], found) for one in made))


def _table(one: Round, settings: Settings, found: Found) -> Table:
    cells = {cell: found(one.rung, cell) for scored in one.scored for cell in scored.cells}
    counted = table(replace(chapter(part(one), settings, cells), name=part(one).name))
    scores = [
        Entry("score", one.method, scored.candidate.name, "all", len(one.rung.seeds), len(one.rung.seeds), {
            CLEAN: None if scored.score is None else Figure(scored.score), ROBUST: None
        })
        for scored in one.scored
    ]  # fmt: skip
    going = [scored.candidate.name for scored in one.scored if scored.goes_on]
    said = f"Goes on: {'; '.join(going)}." if one.done else "Not decided: cells are missing."
    return replace(counted, entries=(*scores, *counted.entries), verdicts=(said,))


def part(one: Round) -> Part:
    """Return a round as a table: a row for each candidate on each data set."""
    rows = tuple(
        Row(
            place.name,
            one.method,
            scored.candidate.name,
            tuple(cell for cell in scored.cells if cell.dataset == place.name),
        )
        for place in one.rung.sets
        for scored in one.scored
    )
    return Part(f"{one.rung.name} {one.method}", f"{one.rung.name.capitalize()}: {one.method}", rows)
