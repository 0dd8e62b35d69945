"""The protocols of the paper's family as lists of cells: what is tuned on what, what is measured on what, and in which table it stands.

Nothing is computed here. Cells that two tables share have one key, so they are computed once.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from capt_engine.errors import BadRequest
from capt_engine.records import NO_PROMPTS, AttackSpec, EvaluateRequest, RunOptions, ThreatModel, TuneRequest

T = TypeVar("T")

ZERO_SHOT = "zero-shot"
Shots = int | None

OURS = "capt"
UNCHANGED = "unchanged"
USUAL_SHOTS = 16
AIMS = ("each", ZERO_SHOT)


@dataclass(frozen=True)
class Recipe:
    """The recipe of a set of prompts; None leaves a setting at the method's default."""

    dataset: str
    method: str
    shots: Shots
    seed: int
    half: str = "all"
    alpha: str | None = None
    alpha_const: float = 0.5
    weight: float | None = None
    coupling: str | None = None

    @property
    def name(self) -> str:
        """In words."""
        changed = [f"α = {self.alpha_const:g}" if self.alpha == "const" else f"α by {self.alpha}"] if self.alpha else []
        changed += [f"λ = {self.weight:g}"] if self.weight is not None else []
        changed += [self.coupling] if self.coupling else []
        half = "" if self.half == "all" else f" {self.half} classes"
        words = [f"{self.method} on {self.dataset}{half}", shots_text(self.shots), f"seed {self.seed}", *changed]
        return ", ".join(words)


@dataclass(frozen=True)
class Cell:
    """One thing to measure: prompts (recipe None: zero-shot) on the test pictures of a data set, or of one half of its classes."""

    recipe: Recipe | None
    dataset: str
    half: str = "all"

    @property
    def name(self) -> str:
        """In words."""
        half = "" if self.half == "all" else f", {self.half} classes"
        return f"{self.recipe.name if self.recipe else ZERO_SHOT} → {self.dataset}{half}"


@dataclass(frozen=True)
class Row:
    """One row of a table, with one cell a seed (zero-shot: one in all). variant: what else tells it from its neighbours."""

    dataset: str
    method: str
    variant: str
    cells: tuple[Cell, ...]
    half: str = "all"


@dataclass(frozen=True)
class Part:
    """One table."""

    name: str
    title: str
    rows: tuple[Row, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All its cells, the first seed of every row before the second of any, each once."""
        columns = itertools.zip_longest(*(row.cells for row in self.rows))
        return _once(cell for column in columns for cell in column if cell is not None)


@dataclass(frozen=True)
class Setting:
    """The settings that all cells of a run share. data: where the data sets are, in words; revision: of pictures that are drawn.

    limit: test pictures, 0 for all; they are drawn by a fixed seed, so that everything is measured on the same ones.
    """

    model: str
    data: str
    revision: int = 0
    budgets: tuple[float, ...] = (1 / 255, 2 / 255)
    attack_steps: int = 100
    limit: int = 300
    aim: str = "each"
    precision: str = "fp32"

    def recipe_key(self, recipe: Recipe) -> str:
        """A file name for a set of prompts, readable and its own."""
        return _key(
            recipe.method,
            recipe.dataset,
            shots_text(recipe.shots),
            f"seed {recipe.seed}",
            told=(asdict(recipe), self.model, self.data, self.revision, self.precision),
        )

    def cell_key(self, cell: Cell) -> str:
        """A file name for a cell; cells measured in another way have others."""
        recipe = cell.recipe
        words = (
            [recipe.method, recipe.dataset, shots_text(recipe.shots), f"seed {recipe.seed}"] if recipe else [ZERO_SHOT]
        )
        return _key(*words, "at", cell.dataset, told=(asdict(cell), asdict(self)))


def _key(*words: str, told: object) -> str:
    readable = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", word).strip("-") for word in words)
    return f"{readable[:100]}-{hashlib.sha256(repr(told).encode()).hexdigest()[:10]}"


def shots_text(shots: Shots) -> str:
    """Write the number of pictures per class: "16 shots", "1 shot", "all shots"."""
    return "all shots" if shots is None else f"{shots} shot{'' if shots == 1 else 's'}"


def tune_request(recipe: Recipe, setting: Setting, place: tuple[str, str], out: str, device: str) -> TuneRequest:
    """The prompts of a recipe; `place` is the data set and the folder of the benchmarks.

    Validation would change nothing, as the last epoch is kept; it is left out to save its time.
    """
    return TuneRequest(
        data=place[0],
        data_root=place[1],
        out=out,
        model=setting.model,
        method=recipe.method,
        shots=recipe.shots,
        seed=recipe.seed,
        subsample_classes=recipe.half,
        alpha=recipe.alpha,
        alpha_const=recipe.alpha_const,
        lambda_=recipe.weight,
        coupling=recipe.coupling,
        validate=False,
        resume=True,
        device=device,
        precision=setting.precision,
    )


def evaluate_request(
    cell: Cell, setting: Setting, place: tuple[str, str], prompts: str | None, device: str
) -> EvaluateRequest:
    """The measurement of a cell with the prompts of a file (None: zero-shot)."""
    spec = AttackSpec("pgd", (("steps", setting.attack_steps), ("stop_early", True)))
    transferred = prompts is not None and setting.aim == ZERO_SHOT
    return EvaluateRequest(
        data=place[0],
        data_root=place[1],
        split="test",
        attacks=(spec,) if setting.budgets else (),
        curve=setting.budgets,
        limit=setting.limit,
        subsample_classes=cell.half,
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
    """Every method × number of shots, tuned and measured on each data set; zero-shot as a row of its own."""
    rows = []
    for dataset in datasets:
        rows += _zero_shot(methods, dataset)
        for method, count in itertools.product(_tuned(methods), shots):
            cells = tuple(Cell(Recipe(dataset, method, count, seed), dataset) for seed in seeds)
            rows.append(Row(dataset, method, shots_text(count), cells))
    return Part("few-shot", "Few-shot: tuned and measured on the same data set", tuple(rows))


def base_to_new(datasets: Sequence[str], methods: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int]) -> Part:
    """Tuned on the first half of the classes, measured on that half and on the other."""
    rows = []
    for dataset, half in itertools.product(datasets, ("base", "new")):
        rows += _zero_shot(methods, dataset, half)
    for dataset, method, count, half in itertools.product(datasets, _tuned(methods), shots, ("base", "new")):
        cells = tuple(Cell(Recipe(dataset, method, count, seed, "base"), dataset, half) for seed in seeds)
        rows.append(Row(dataset, method, shots_text(count), cells, half))
    rows.sort(key=lambda row: datasets.index(row.dataset))
    return Part("base-to-new", "Base to new: tuned on one half of the classes, measured on both", tuple(rows))


def cross_dataset(
    datasets: Sequence[str], methods: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int]
) -> Part:
    """Tuned on the first data set, measured on all others with their own class names and templates."""
    if len(datasets) < 2:
        raise BadRequest("Cross-dataset needs a data set to tune on and another to measure on.", "Name two or more.")
    rows = _moved(datasets[0], datasets[1:], methods, shots, seeds)
    return Part("cross-dataset", f"Cross-dataset: tuned on {datasets[0]}, measured on others", rows)


def shift(
    source: str, targets: Sequence[str], methods: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int]
) -> Part:
    """Tuned on one look of a task, measured on that and on others."""
    places = _once([source, *targets])
    rows = _moved(source, places, methods, shots, seeds)
    return Part("shift", f"Distribution shift: tuned on {source}, measured on the same task under other looks", rows)


@dataclass(frozen=True)
class Own:
    """CAPT's own λ and coupling, so that a row that asks for them is the unchanged one rather than another run of it."""

    weight: float
    coupling: str


def ablation(datasets: Sequence[str], shots: Sequence[Shots], seeds: Sequence[int], own: Own) -> Part:
    """CAPT with one choice changed at a time: α, λ, the coupling of the towers."""
    weights, couplings = (1.0, 2.5, 4.0), ("vision_to_text", "text_to_vision", "independent")
    changes: dict[str, dict[str, Any]] = {
        UNCHANGED: {},
        "α = 0": {"alpha": "const", "alpha_const": 0.0},
        "α = 1": {"alpha": "const", "alpha_const": 1.0},
        **{f"λ = {weight:g}": {"weight": weight} for weight in weights if weight != own.weight},
        **{name.replace("_", " "): {"coupling": name} for name in couplings if name != own.coupling},
    }
    rows = []
    for dataset in datasets:
        rows += _zero_shot((ZERO_SHOT,), dataset)
        for count, (name, change) in itertools.product(shots, changes.items()):
            variant = name if len(shots) == 1 else f"{name}, {shots_text(count)}"
            cells = tuple(Cell(replace(Recipe(dataset, OURS, count, seed), **change), dataset) for seed in seeds)
            rows.append(Row(dataset, OURS, variant, cells))
    chosen = f"adaptive α, λ = {own.weight:g}, {own.coupling.replace('_', ' ')}"
    return Part("ablation", f"Ablation: CAPT ({chosen}) with one choice changed at a time", tuple(rows))


@dataclass(frozen=True)
class Work:
    """Tables, and the order in which their cells are computed: the most important first."""

    parts: tuple[Part, ...]
    order: tuple[Cell, ...]


def results(
    datasets: Sequence[str], targets: Sequence[str], methods: Sequence[str], seeds: Sequence[int], own: Own
) -> Work:
    """Every table about a few data sets, the first of them (and the other looks of its task, `targets`) being looked at most closely."""
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
    told = (few_shot(datasets, methods, (1, 4, USUAL_SHOTS, None), seeds), *parts(seeds))
    by_name = {part.name: part for part in reversed(told)}
    return Work(tuple(by_name[name] for name in dict.fromkeys(part.name for part in told)), order)


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
