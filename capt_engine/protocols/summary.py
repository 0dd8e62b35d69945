"""From the cells in a work folder to the page about them: the tables asked for, and what a reader must know of every figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from capt_engine.formatting import budget, duration
from capt_engine.protocols.cache import Measured, WorkFolder
from capt_engine.protocols.definitions import Cell, Part, Setting, Settings, Work
from capt_engine.protocols.render import Page
from capt_engine.protocols.table import CLEAN, ROBUST, Chapter, Line, table
from capt_engine.reading import renamed
from capt_engine.records.tuning import OLD_NAMES


def page_of(name: str, work: Work, settings: Settings, folder: WorkFolder, command: str) -> Page:
    """Return the tables of `work` with the figures of the cells in the work folder; others are named as missing.

    name: of the protocol, for the title. settings: those that the cells were computed under. folder: the work
    folder, which is only read. command: the command line that computes the tables again, for the page's facts.
    """
    cells = {cell: folder.read(settings.cell_key(cell)) for part in work.parts for cell in part.cells}
    older = sum(folder.is_older(settings.cell_key(cell)) for cell, measured in cells.items() if measured is None)
    found = [measured for measured in cells.values() if measured is not None]
    chapters = tuple(table(chapter(part, settings, cells)) for part in work.parts)
    title = "Results" if name == "results" else f"Protocol: {name}"
    return Page(title, _facts(settings, len(cells), found, older, command), chapters)


def chapter(part: Part, settings: Settings, cells: Mapping[Cell, Measured | None]) -> Chapter:
    """Return the rows of `part` with what was measured of them, None where nothing was.

    Where data sets have budgets of their own, the metrics are "clean" and "robust"; else "clean" and each budget.
    """
    own = settings.of_set
    metrics = (CLEAN, ROBUST) if own else (CLEAN, *(budget(eps) for eps in settings.usual.budgets))

    def measured(cell: Cell) -> Measured | None:
        found = cells[cell]
        if found is None or not own or not found.right:
            return found
        at = budget(settings[cell.dataset].budgets[0])
        return replace(found, right={CLEAN: found.right[CLEAN], ROBUST: found.right[at]})

    lines = tuple(Line(**vars(row), measured=tuple(map(measured, row.cells))) for row in part.rows)
    return Chapter(part.name, part.title, metrics, lines)


def _facts(
    settings: Settings, planned: int, found: list[Measured], older: int, command: str
) -> tuple[tuple[str, str], ...]:
    """Facts that a reader must know of every figure."""
    setting = settings.usual
    measured = sum(bool(one.right) for one in found)
    seconds = sum(one.tune_s + one.evaluate_s for one in found)
    pictures = f"{setting.limit}, evenly over the classes, or all where there are fewer" if setting.limit else "all"
    aimed = (
        "computed on each row's own model"
        if setting.aim == "each"
        else "computed on the zero-shot model, the same for all"
    )
    models = _different(one.model_sha256 for one in found)
    return (
        ("Command", f"`{command}`"),
        ("Versions", "; ".join(_different(one.versions for one in found)) or "nothing was measured"),
        *(_sets(settings, found) if settings.of_set else (("Model", _model(setting, models)),)),
        ("Device", ", ".join(_different(one.device for one in found)) or "none"),
        ("Cells", f"{measured} of {planned} are measured, in {duration(seconds)} of computing{_left_out(older)}"),
        ("Commits", ", ".join(_different(one.commit for one in found)) or "not known"),
        (
            "Test pictures",
            f"{pictures}; drawn once by a fixed seed, so every row of a data set, zero-shot included, is about the same pictures",
        ),
        (
            "Attack",
            f"PGD, L∞, untargeted, {_steps(settings)}, one random start, "
            f"white-box, {aimed}; it stops at a picture once that is fooled, which changes no accuracy. "
            "Robust accuracy is an upper bound: another attack may find more",
        ),
        (
            "Figures",
            "accuracy in percent: mean over seeds ± sample standard deviation, and in brackets Wilson's 95 % interval for n pictures, "
            "which says how far chance in the choice of pictures may have moved it, not chance in tuning",
        ),
        (
            "Difference to zero-shot",
            "in points, with the p of McNemar's exact test on the same pictures; several seeds' and data sets' answers are pooled, "
            "which makes p too small where they go together. Many tests are made here and none is corrected for that",
        ),
        ("Averages", "the plain mean of the data sets' means, only where every data set is measured"),
        (
            "Tuning",
            "every method with its defaults for this model, last epoch kept; validation pictures are not looked at",
        ),
        *_tuned_with(found),
        ("HM2, HM4", "harmonic means: of base and new classes; of base and new, clean and robust"),
    )


def _left_out(older: int) -> str:
    return f"; {older} of an older revision of the program are left out and count as not measured" if older else ""


def _model(setting: Setting, models: list[str]) -> str:
    mixed = " These are different models under one name: the figures cannot be compared." if len(models) > 1 else ""
    return f"{setting.model}, SHA-256 {', '.join(models) or 'not known'}.{mixed}"


def _steps(settings: Settings) -> str:
    steps = sorted({one.attack_steps for one in settings.of_set.values()} or {settings.usual.attack_steps})
    return " or ".join(f"{count} steps of ε / {min(4, count)}" for count in steps)


def _sets(settings: Settings, found: list[Measured]) -> list[tuple[str, str]]:
    """Facts of each data set: model, budget and attack, and the SHA-256 of each model that was met."""
    measured = dict.fromkeys(one.cell.dataset for one in found if one.cell is not None)
    sets = [
        f"{name}: {own.model}, ε = {budget(own.budgets[0])}, PGD-{own.attack_steps}"
        for name, own in settings.of_set.items()
        if name in measured
    ]
    by_model: dict[str, set[str]] = {}
    for one in found:
        if one.cell is not None and one.model_sha256:
            by_model.setdefault(settings[one.cell.dataset].model, set()).add(one.model_sha256)
    models = [_model(Setting(name, ""), sorted(hashes)) for name, hashes in sorted(by_model.items())]
    return [("Data sets", "; ".join(sets) or "nothing was measured"), *(("Model", text) for text in models)]


def _different(texts: Iterable[str]) -> list[str]:
    return sorted({text for text in texts if text})


def _tuned_with(found: Iterable[Measured]) -> list[tuple[str, str]]:
    """The defaults of each method, as the checkpoints say; all of them where they changed on the way."""
    by_method: dict[str, set[str]] = {}
    for one in found:
        recipe = one.cell.recipe if one.cell is not None else None
        if one.tuned_with is None or recipe is None or (recipe.alpha, recipe.lambda_, recipe.coupling) != (None,) * 3:
            continue
        settings = renamed(one.tuned_with, OLD_NAMES).items()
        text = ", ".join(f"{name.rstrip('_').replace('_', ' ')} {_value(name, value)}" for name, value in settings)
        by_method.setdefault(recipe.method, set()).add(text)
    return [
        (f"Tuning, {method}", "; changed on the way, so rows are not alike: ".join(sorted(texts)))
        for method, texts in sorted(by_method.items())
    ]


def _value(name: str, value: object) -> str:
    if name in ("eps", "attack_step_size") and isinstance(value, float):
        return budget(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
