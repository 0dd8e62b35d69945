"""The protocols of the paper's family as lists of cells: what is tuned on what, what is measured on what, and in which table it stands.

Nothing is computed here. Cells that two tables share have one key, so they are computed once.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, TypeVar

from capt_engine.errors import BadRequest
from capt_engine.records import (
    NO_PROMPTS,
    AttackSpec,
    EvaluateRequest,
    ParamValue,
    RunOptions,
    ThreatModel,
    TuneRequest,
)

T = TypeVar("T")

ZERO_SHOT = "zero-shot"
Shots = int | None

OURS = "capt"
UNCHANGED = "unchanged"
USUAL_SHOTS = 16
AIMS = ("each", ZERO_SHOT)

# Fields that came later, with the values that say nothing.
_LATER = (("changes", ()), ("tune_eps", None))
# Names in cells that were written before → today's.
_OLD_NAMES: Mapping[str, str] = {"half": "subsample_classes", "weight": "lambda_"}


LR_FACTOR = "lr_factor"
"""In `Changes`: the learning rate as a multiple of the method's default for the model."""

Changes = tuple[tuple[str, ParamValue], ...]
"""Settings of tuning that differ from the method's defaults: fields of `TuneRequest`, or LR_FACTOR, with their values."""


@dataclass(frozen=True)
class Recipe:
    """The recipe of a set of prompts; None leaves a setting at the method's default, as do `changes` that name none."""

    OLD_NAMES: ClassVar[Mapping[str, str]] = _OLD_NAMES

    dataset: str
    method: str
    shots: Shots
    seed: int
    subsample_classes: str = "all"
    alpha: str | None = None
    alpha_const: float = 0.5
    lambda_: float | None = None
    coupling: str | None = None
    changes: Changes = ()

    @property
    def name(self) -> str:
        """Return the recipe as text for people, such as "capt on shapes@night, 16 shots, seed 1"."""
        changed = [f"α = {self.alpha_const:g}" if self.alpha == "const" else f"α by {self.alpha}"] if self.alpha else []
        changed += [f"λ = {self.lambda_:g}"] if self.lambda_ is not None else []
        changed += [self.coupling] if self.coupling else []
        changed += [f"{name} = {value}" for name, value in self.changes]
        half = "" if self.subsample_classes == "all" else f" {self.subsample_classes} classes"
        return ", ".join(
            [f"{self.method} on {self.dataset}{half}", shots_text(self.shots), f"seed {self.seed}", *changed]
        )


@dataclass(frozen=True)
class Cell:
    """One thing to measure: prompts (recipe None: zero-shot) on the test pictures of a data set, or of one half of its classes."""

    OLD_NAMES: ClassVar[Mapping[str, str]] = _OLD_NAMES

    recipe: Recipe | None
    dataset: str
    subsample_classes: str = "all"

    @property
    def name(self) -> str:
        """Return the cell as text: the prompts' recipe or "zero-shot", an arrow, the data set it is measured on."""
        half = "" if self.subsample_classes == "all" else f", {self.subsample_classes} classes"
        return f"{self.recipe.name if self.recipe else ZERO_SHOT} → {self.dataset}{half}"


@dataclass(frozen=True)
class Row:
    """One row of a table, with one cell a seed (zero-shot: one in all). variant: the text that tells it from its neighbours."""

    dataset: str
    method: str
    variant: str
    cells: tuple[Cell, ...]
    subsample_classes: str = "all"

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds with which the prompts of this row are tuned, in order; empty for zero-shot."""
        return tuple(cell.recipe.seed for cell in self.cells if cell.recipe is not None)


@dataclass(frozen=True)
class Part:
    """One table: its name, its title and its rows."""

    name: str
    title: str
    rows: tuple[Row, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Return the table's cells (prompts on a data set), each once: the first seed of every row, then the next."""
        columns = itertools.zip_longest(*(row.cells for row in self.rows))
        return _once(cell for column in columns for cell in column if cell is not None)


@dataclass(frozen=True)
class Setting:
    """The settings that all cells of a run share. data: where the data sets are, as text; revision: of pictures that are drawn.

    limit: test pictures, 0 for all; they are drawn by a fixed seed, so that everything is measured on the same ones. tune_eps:
    the budget inside tuning, None for the method's default.
    """

    model: str
    data: str
    revision: int = 0
    budgets: tuple[float, ...] = (1 / 255, 2 / 255)
    attack_steps: int = 100
    limit: int = 300
    aim: str = "each"
    precision: str = "fp32"
    tune_eps: float | None = None

    def recipe_key(self, recipe: Recipe) -> str:
        """Return a file name, without its ending, for the prompts of `recipe` under this setting.

        The name is readable, and differs wherever anything differs that decides the prompts.
        """
        own = (self.model, self.data, self.revision, self.precision)
        return _key(_parts(recipe), (_as_before(recipe), *own, *(() if self.tune_eps is None else (self.tune_eps,))))

    def cell_key(self, cell: Cell) -> str:
        """Return a file name, without its ending, for the outcome of `cell` (prompts on a data set) under this setting.

        The name is readable, and differs wherever anything differs that decides the outcome, such as model or budgets.
        """
        return _key((*_parts(cell.recipe), "at", cell.dataset), (_as_before(cell), _as_before(self)))


@dataclass(frozen=True)
class Settings:
    """The settings of a run whose data sets are not all measured alike. of_set: by data set; `usual` is for all others."""

    usual: Setting
    of_set: Mapping[str, Setting] = field(default_factory=dict)

    def __getitem__(self, dataset: str) -> Setting:
        """Return the setting for the data set named `dataset`."""
        return self.of_set.get(dataset, self.usual)

    def recipe_key(self, recipe: Recipe) -> str:
        """Return a file name, without its ending, for the prompts of `recipe`, tuned as its data set's setting says."""
        return self[recipe.dataset].recipe_key(recipe)

    def cell_key(self, cell: Cell) -> str:
        """Return a file name, without its ending, for the outcome of `cell` (prompts measured as its data set's setting says)."""
        key = self[cell.dataset].cell_key(cell)
        if cell.recipe is None or self[cell.recipe.dataset] == self[cell.dataset]:
            return key
        # Prompts of another setting are other prompts under the same recipe.
        return _key((*_parts(cell.recipe), "at", cell.dataset), (key, self.recipe_key(cell.recipe)))


def _parts(recipe: Recipe | None) -> tuple[str, ...]:
    if recipe is None:
        return (ZERO_SHOT,)
    return (recipe.method, recipe.dataset, shots_text(recipe.shots), f"seed {recipe.seed}")


def _as_before(record: Recipe | Cell | Setting) -> dict[str, Any]:
    """A record under the first names of its fields, without later ones that say nothing, so that what was computed before keeps its key."""
    first = {new: old for old, new in _OLD_NAMES.items()}

    def fields(items: list[tuple[str, Any]]) -> dict[str, Any]:
        return {first.get(name, name): value for name, value in items if (name, value) not in _LATER}

    return asdict(record, dict_factory=fields)


def _key(parts: Iterable[str], facts: object) -> str:
    readable = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-") for part in parts)
    return f"{readable[:100]}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:10]}"


def shots_text(shots: Shots) -> str:
    """Return the number of training pictures per class as text: "16 shots", "1 shot"; "all shots" for None."""
    return "all shots" if shots is None else f"{shots} shot{'' if shots == 1 else 's'}"


def tune_request(recipe: Recipe, setting: Setting, place: tuple[str, str], out: str, device: str) -> TuneRequest:
    """Return the request that tunes the prompts of `recipe` and writes them to the file `out`; nothing is run.

    setting: the model and precision. place: the fields data and data_root, from `Pictures.place`. device: "auto", "cpu"
    and so on. Validation is left out to save time, as the last epoch is kept anyway.
    """
    changes: dict[str, Any] = dict(recipe.changes)
    if LR_FACTOR in changes:
        changes["lr"] = changes.pop(LR_FACTOR) * _usual_lr(recipe.method, setting.model)
    request = TuneRequest(
        data=place[0],
        data_root=place[1],
        out=out,
        model=setting.model,
        method=recipe.method,
        shots=recipe.shots,
        seed=recipe.seed,
        subsample_classes=recipe.subsample_classes,
        alpha=recipe.alpha,
        alpha_const=recipe.alpha_const,
        lambda_=recipe.lambda_,
        coupling=recipe.coupling,
        validate=False,
        strips=False,
        resume=True,
        device=device,
        precision=setting.precision,
        eps=setting.tune_eps,
    )
    return replace(request, **changes)


def _usual_lr(method: str, model: str) -> float:
    # The defaults know torch; the names and keys of this module must be there without it, for --help.
    from capt_engine.tuning.defaults import of_demo, usual
    from capt_engine.tuning.methods import METHODS

    return float((usual(METHODS[method]) | of_demo(model))["lr"])


def evaluate_request(
    cell: Cell, setting: Setting, place: tuple[str, str], prompts: str | None, device: str
) -> EvaluateRequest:
    """Return the request that measures `cell` (prompts on a data set's test pictures), clean and attacked.

    setting: model, budgets, attack steps and limit. place: the fields data and data_root, from `Pictures.place`.
    prompts: the path of the prompts file, None for zero-shot. device: "auto", "cpu" and so on.
    """
    spec = AttackSpec("pgd", (("steps", setting.attack_steps), ("stop_early", True)))
    transferred = prompts is not None and setting.aim == ZERO_SHOT
    return EvaluateRequest(
        data=place[0],
        data_root=place[1],
        split="test",
        attacks=(spec,) if setting.budgets else (),
        curve=setting.budgets,
        limit=setting.limit,
        subsample_classes=cell.subsample_classes,
        # A protocol prints accuracies alone. What was wrong before, or is broken already, needs no attack for that.
        checks="off",
        skip_broken=True,
        options=RunOptions(
            model=setting.model,
            prompts=prompts,
            compare=NO_PROMPTS if transferred else None,
            aim="b" if transferred else "each",
            threat=ThreatModel(eps=max(setting.budgets, default=0.0)),
            device=device,
            precision=setting.precision,
        ),
    )


def few_shot(datasets: Sequence[str], methods: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int]) -> Part:
    """Return the few-shot table to compute: each method and number of shots, tuned and measured on the same data set.

    datasets, methods: names; "zero-shot" among the methods adds a row without tuning. shots: training pictures per
    class, None for all. seeds: one cell of each row is computed for each.
    """
    rows = [row for dataset in datasets for row in _moved(dataset, (dataset,), methods, shots, seeds)]
    return Part("few-shot", "Few-shot: tuned and measured on the same data set", tuple(rows))


def base_to_new(datasets: Sequence[str], methods: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int]) -> Part:
    """Return the base-to-new table to compute: tuned on the first half of the classes, measured on each half.

    datasets, methods: names; "zero-shot" among the methods adds rows without tuning. shots: training pictures per
    class, None for all. seeds: one cell of each row is computed for each.
    """
    rows = []
    for dataset in datasets:
        rows += [*_zero_shot(methods, dataset, "base"), *_zero_shot(methods, dataset, "new")]
        for method, count, half in itertools.product(_tuned(methods), shots, ("base", "new")):
            cells = tuple(Cell(Recipe(dataset, method, count, seed, "base"), dataset, half) for seed in seeds)
            rows.append(Row(dataset, method, shots_text(count), cells, half))
    return Part("base-to-new", "Base to new: tuned on one half of the classes, measured on both", tuple(rows))


def cross_dataset(
    datasets: Sequence[str], methods: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int]
) -> Part:
    """Return the cross-dataset table to compute: tuned on the first of `datasets`, measured on all others.

    datasets, methods: names; "zero-shot" among the methods adds rows without tuning. shots: training pictures per
    class, None for all. seeds: one cell of each row is computed for each. Raises BadRequest for fewer than two data
    sets.
    """
    if len(datasets) < 2:
        raise BadRequest("Cross-dataset needs a data set to tune on and another to measure on.", "Name two or more.")
    rows = _moved(datasets[0], datasets[1:], methods, shots, seeds)
    return Part("cross-dataset", f"Cross-dataset: tuned on {datasets[0]}, measured on others", rows)


def shift(
    source: str, targets: Sequence[str], methods: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int]
) -> Part:
    """Return the distribution-shift table to compute: tuned on the data set `source`, measured on it and on `targets`.

    targets: data sets of the same classes in other styles. methods: names; "zero-shot" adds rows without tuning. shots:
    training pictures per class, None for all. seeds: one cell of each row is computed for each.
    """
    places = _once([source, *targets])
    rows = _moved(source, places, methods, shots, seeds)
    return Part("shift", f"Distribution shift: tuned on {source}, measured on the same task under other looks", rows)


@dataclass(frozen=True)
class Own:
    """CAPT's own λ and coupling, so that a row that asks for them is the unchanged one rather than another run of it."""

    lambda_: float
    coupling: str


def ablation(datasets: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int], own: Own) -> Part:
    """Return the ablation table to compute: CAPT unchanged, and with one choice changed at a time (α, λ, coupling).

    datasets: names. shots: training pictures per class, None for all. seeds: one cell of each row is computed for each.
    own: CAPT's own λ and coupling, which need no row of their own.
    """
    lambdas, couplings = (1.0, 2.5, 4.0), ("vision_to_text", "text_to_vision", "independent")
    changes: dict[str, dict[str, Any]] = {
        UNCHANGED: {},
        "α = 0": {"alpha": "const", "alpha_const": 0.0},
        "α = 1": {"alpha": "const", "alpha_const": 1.0},
        **{f"λ = {value:g}": {"lambda_": value} for value in lambdas if value != own.lambda_},
        **{name.replace("_", " "): {"coupling": name} for name in couplings if name != own.coupling},
    }
    rows = []
    for dataset in datasets:
        rows += _zero_shot((ZERO_SHOT,), dataset)
        for count, (name, change) in itertools.product(shots, changes.items()):
            variant = name if len(shots) == 1 else f"{name}, {shots_text(count)}"
            cells = tuple(Cell(replace(Recipe(dataset, OURS, count, seed), **change), dataset) for seed in seeds)
            rows.append(Row(dataset, OURS, variant, cells))
    chosen = f"adaptive α, λ = {own.lambda_:g}, {own.coupling.replace('_', ' ')}"
    return Part("ablation", f"Ablation: CAPT ({chosen}) with one choice changed at a time", tuple(rows))


@dataclass(frozen=True)
class Work:
    """Tables, and the order in which their cells are computed: the most important first."""

    parts: tuple[Part, ...]
    order: tuple[Cell, ...]


def results(
    datasets: Sequence[str], targets: Sequence[str], methods: Sequence[str], seeds: Sequence[int], own: Own
) -> Work:
    """Return all tables of this module for a few data sets, and the order in which to compute their cells.

    Few-shot and cross-dataset use all `datasets`, the other tables the first one; the shift table measures `targets`,
    its classes in other styles, and is left out where there are none. methods: names. seeds: one cell of each row for
    each. own: CAPT's own λ and coupling.
    """
    first, usual = datasets[0], (USUAL_SHOTS,)

    def parts(seeds: Sequence[int]) -> tuple[Part, ...]:
        return (
            few_shot(datasets, methods, usual, seeds),
            ablation((first,), usual, seeds, own),
            few_shot(datasets, methods, (4, 1), seeds),
            base_to_new((first,), methods, usual, seeds),
            *((cross_dataset(datasets, methods, usual, seeds),) if len(datasets) > 1 else ()),
            *((shift(first, targets, methods, usual, seeds),) if targets else ()),
            few_shot(datasets, methods, (None,), seeds),
        )

    order = _once(cell for seed in seeds for part in parts((seed,)) for cell in part.cells)
    tables = (few_shot(datasets, methods, (1, 4, USUAL_SHOTS, None), seeds), *parts(seeds))
    by_name = {part.name: part for part in reversed(tables)}
    return Work(tuple(by_name[name] for name in dict.fromkeys(part.name for part in tables)), order)


def _tuned(methods: Sequence[str]) -> tuple[str, ...]:
    return tuple(method for method in methods if method != ZERO_SHOT)


def _zero_shot(methods: Sequence[str], dataset: str, half: str = "all") -> list[Row]:
    return [Row(dataset, ZERO_SHOT, "", (Cell(None, dataset, half),), half)] if ZERO_SHOT in methods else []


def _moved(
    source: str, targets: Iterable[str], methods: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int]
) -> tuple[Row, ...]:
    rows = []
    for target in targets:
        rows += _zero_shot(methods, target)
        for method, count in itertools.product(_tuned(methods), shots):
            cells = tuple(Cell(Recipe(source, method, count, seed), target) for seed in seeds)
            rows.append(Row(target, method, shots_text(count), cells))
    return tuple(rows)


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
