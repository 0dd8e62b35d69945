"""From the cells in a work folder to the page about them: the tables asked for, and what a reader must know of every figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capt_engine.formatting import budget, duration
from capt_engine.protocols.cache import Measured, WorkFolder
from capt_engine.protocols.definitions import Cell, Part, Setting, Work
from capt_engine.protocols.render import Page
from capt_engine.protocols.table import CLEAN, Chapter, Line, table
from capt_engine.reading import renamed
from capt_engine.records.tuning import OLD_NAMES


def page_of(name: str, work: Work, setting: Setting, folder: WorkFolder, command: str) -> Page:
    """Return the tables of `work` with the figures of the cells in the work folder; others are named as missing.

    name: of the protocol, for the title. setting: the setting that the cells were computed under. folder: the work
    folder, which is only read. command: the command line that computes the tables again, for the page's facts.
    """
    cells = {cell: folder.read(setting.cell_key(cell)) for part in work.parts for cell in part.cells}
    found = [measured for measured in cells.values() if measured is not None]
    chapters = tuple(table(_chapter(part, setting, cells)) for part in work.parts)
    title = "Results" if name == "results" else f"Protocol: {name}"
    return Page(title, _facts(setting, len(cells), found, command), chapters)


def _chapter(part: Part, setting: Setting, cells: Mapping[Cell, Measured | None]) -> Chapter:
    metrics = (CLEAN, *(budget(eps) for eps in setting.budgets))
    lines = tuple(Line(**vars(row), measured=tuple(cells[cell] for cell in row.cells)) for row in part.rows)
    return Chapter(part.name, part.title, metrics, lines)


def _facts(setting: Setting, planned: int, found: list[Measured], command: str) -> tuple[tuple[str, str], ...]:
    """Facts that a reader must know of every figure."""
    measured = sum(bool(one.right) for one in found)
    seconds = sum(one.tune_s + one.evaluate_s for one in found)
    pictures = f"{setting.limit}, evenly over the classes, or all where there are fewer" if setting.limit else "all"
    aimed = (
        "computed on each row's own model"
        if setting.aim == "each"
        else "computed on the zero-shot model, the same for all"
    )
    models = _different(one.model_sha256 for one in found)
    mixed = " These are different models under one name: the figures cannot be compared." if len(models) > 1 else ""
    return (
        ("Command", f"`{command}`"),
        ("Versions", "; ".join(_different(one.versions for one in found)) or "nothing was measured"),
        ("Model", f"{setting.model}, SHA-256 {', '.join(models) or 'not known'}.{mixed}"),
        ("Device", ", ".join(_different(one.device for one in found)) or "none"),
        ("Cells", f"{measured} of {planned} are measured, in {duration(seconds)} of computing"),
        (
            "Test pictures",
            f"{pictures}; drawn once by a fixed seed, so every row of a data set, zero-shot included, is about the same pictures",
        ),
        (
            "Attack",
            f"PGD, L∞, untargeted, {setting.attack_steps} steps of ε / {min(4, setting.attack_steps)}, one random start, "
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
