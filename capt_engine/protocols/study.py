"""The study behind docs/results.md: on which data sets settings are chosen, on which results are reported, and with which seeds.

Nothing is chosen on a reported set, and nothing is reported of a development set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from capt_engine.protocols import definitions
from capt_engine.protocols.definitions import Cell, Changes, Own, Part, Setting, Settings, Work

CIFAR10 = "cifar10"
FIRST, LAST = ("airplane", "automobile", "bird", "cat", "deer"), ("dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class StudySet:
    """One data set under one model, as the study measures it.

    name: TASK@DOMAIN of the toy world, or classes of CIFAR-10 and the model. eps: the budget of the attack inside tuning and in the
    measurement. steps: of PGD. classes: of CIFAR-10, none for the toy world. split: which of CIFAR-10's pictures are measured on.
    """

    name: str
    model: str
    eps: float = 1 / 255
    steps: int = 100
    classes: tuple[str, ...] = ()
    split: str = "test"

    @property
    def is_toy(self) -> bool:
        """Return True where the pictures are drawn from the toy world."""
        return not self.classes


# The plain photograph model keeps no picture at 1/255, whatever the prompts, so it is asked at a quarter of that.
_PHOTO_EPS, _PHOTO_STEPS = 0.25 / 255, 50

DEVELOPMENT = (
    StudySet("shapes@sketch", "demo"),
    StudySet("colours@fog", "demo"),
    StudySet("materials@tumbled", "demo"),
    StudySet("cifar10-first@photo-robust", "photo-robust", 1 / 255, _PHOTO_STEPS, FIRST, "train"),
    StudySet("cifar10-first@photo", "photo", _PHOTO_EPS, _PHOTO_STEPS, FIRST, "train"),
)
DEVELOPMENT_SEEDS = (11, 12, 13)

REPORTED = (
    StudySet("shapes@night", "demo"),
    StudySet("colours@film", "demo"),
    StudySet("materials@night", "demo"),
    StudySet("cifar10-last@photo-robust", "photo-robust", 1 / 255, _PHOTO_STEPS, LAST),
    StudySet("cifar10-last@photo", "photo", _PHOTO_EPS, _PHOTO_STEPS, LAST),
)
SEEDS = (1, 2, 3)
LIMIT = 250
"""Test pictures of each reported set."""

OTHER_LOOKS = ("shapes@fog", "shapes@film", "shapes@tumbled")
"""The toy world's shapes under looks that nothing was chosen on: the targets of the shift table."""

METHODS = ("zero-shot", "coop", "apt", "maple", "fap", "trades", "capt")
MORE_METHODS = ("adv-maple", "vpt", "pmg-aft")

CHOSEN: Mapping[str, Changes] = {}
"""Settings that the search found better than a relative's defaults, by method; those of CAPT have become its defaults."""

ALL = {one.name: one for one in (*DEVELOPMENT, *REPORTED, *(StudySet(name, "demo") for name in OTHER_LOOKS))}


def settings(limit: int, data: Mapping[str, tuple[str, int]], most_steps: int = 100) -> Settings:
    """Return the settings of every set of the study, measured on `limit` test pictures.

    data: by name, the text and the revision that say which pictures they are. most_steps: of PGD, where a set has more.
    """
    usual = Setting("demo", "", limit=limit)
    of_set = {
        name: Setting(one.model, *data[name], (one.eps,), min(one.steps, most_steps), limit, tune_eps=one.eps)
        for name, one in ALL.items()
    }
    return Settings(usual, of_set)


def results(own: Own) -> Work:
    """Return the tables of the study and the order in which their cells are computed: the most important first.

    own: CAPT's own λ and coupling.
    """
    sets = tuple(one.name for one in REPORTED)
    toys = tuple(one.name for one in REPORTED if one.is_toy)
    usual = (definitions.USUAL_SHOTS,)
    fewer = ("zero-shot", "fap", "trades", "capt")
    ablated = (sets[0], "cifar10-last@photo-robust")
    stages: list[Part] = [
        definitions.few_shot(sets, METHODS, usual, SEEDS),
        definitions.shift(toys[0], OTHER_LOOKS, METHODS, usual, SEEDS),
        definitions.cross_dataset(toys, METHODS, usual, SEEDS),
        definitions.base_to_new(toys, METHODS, usual, SEEDS),
        definitions.few_shot(sets, fewer, (4, 1, None), SEEDS),
        definitions.ablation(ablated, usual, SEEDS, own),
        definitions.few_shot(sets, MORE_METHODS, usual, SEEDS),
    ]
    stages = [_as_chosen(part) for part in stages]
    order = tuple(dict.fromkeys(cell for part in stages for cell in part.cells))
    shots = _joined("few-shot", stages[0], stages[4], stages[6])
    return Work((shots, stages[1], stages[2], stages[3], stages[5]), order)


def _joined(name: str, *parts: Part) -> Part:
    """Rows of several few-shot tables in one, by data set, in the order of the parts."""
    rows = tuple(dict.fromkeys(row for part in parts for row in part.rows))
    sets = dict.fromkeys(row.dataset for row in rows)
    return Part(name, parts[0].title, tuple(row for one in sets for row in rows if row.dataset == one))


def _as_chosen(part: Part) -> Part:
    """The part with every relative tuned as the search found best."""
    return replace(
        part, rows=tuple(replace(row, cells=tuple(_chosen_cell(cell) for cell in row.cells)) for row in part.rows)
    )


def _chosen_cell(cell: Cell) -> Cell:
    recipe = cell.recipe
    changes = CHOSEN.get(recipe.method, ()) if recipe is not None else ()
    return replace(cell, recipe=replace(recipe, changes=changes)) if recipe is not None and changes else cell


def names(sets: Sequence[StudySet]) -> tuple[str, ...]:
    """Return the names of `sets`."""
    return tuple(one.name for one in sets)
