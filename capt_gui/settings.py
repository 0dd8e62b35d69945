"""Settings that the window remembers between two starts: one dataclass, kept as a small TOML file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
import platformdirs
import tomli_w

from capt_engine import files
from capt_engine.bundled_models import DEFAULT_MODEL
from capt_engine.errors import BadRequest
from capt_engine.reading import read_toml, what_fits

VERSION = 2
FILE_NAME = "settings.toml"
AUTO, OFF = "auto", "off"
FULL, SIMPLE = "full", "simple"
UI_SCALES = (80, 90, 100, 110, 125, 150, 175, 200)
"""Sizes of everything that can be chosen, in per cent."""
CARDS, TABLE = "cards", "table"
"""How the pictures of Explore are shown."""

Table: TypeAlias = dict[str, object]
# What the controls of the window can hold: a number beyond these is no setting.
Whole = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Real = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
Length = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Budget = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
Scale = Annotated[int, msgspec.Meta(ge=UI_SCALES[0], le=UI_SCALES[-1])]
Days = Annotated[int, msgspec.Meta(ge=1, le=36_500)]
Values = dict[str, bool | Whole | Real | str]


@dataclass
class AttackSettings:
    """The attack of a page. attack: its name. expert: per attack, the settings that differ from its defaults."""

    attack: str = "pgd"
    norm: str = "linf"
    expert: dict[str, Values] = field(default_factory=dict)


@dataclass
class EvaluateSettings(AttackSettings):
    """The choices of the Evaluate page. attack, expert: of a suite, an attack, or "none". limit: at most so many pictures, 0 for all.

    recent: where pictures came from, as `Settings.tune_recent`.
    """

    attack: str = "quick"
    curve: bool = False
    checks: str = "cheap"
    limit: Natural = 200
    recent: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Condition:
    """One condition of the filter on Explore. column: by its key. values: any of these texts; without any, a number.

    low, high: the ends of the numbers, None for no end.
    """

    column: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class SavedView:
    """A filter, an order and columns of the pictures on Explore, under a name.

    text: words that are looked for. conditions: those of one column are alternatives, those of several must all hold.
    sort: the key of a column, "" for the order in which pictures came. columns: keys, none for the usual ones.
    """

    name: str
    text: str = ""
    conditions: tuple[Condition, ...] = ()
    sort: str = ""
    descending: bool = False
    columns: tuple[str, ...] = ()


@dataclass
class GallerySettings:
    """The pictures on Explore. shown_as: CARDS or TABLE. views: those that were saved, by name."""

    shown_as: str = CARDS
    views: list[SavedView] = field(default_factory=list)


@dataclass
class Settings:
    """Every choice that outlives the window; the defaults are those of a first start.

    geometry: Qt's own window geometry in base64. eps: budget per norm. classes: per model, or model + prompts, the list the user
    wrote; class_list: the id of the list that ships and was chosen instead; without either, the suggested ones. `model` is read by
    the command line too, so it stays a plain string at the top of the file. prompts: side A, empty for plain text. compare:
    side B by its id, AUTO for the usual partner of A, OFF for none. aim: whom an attack is computed on. perturb, rounding: of the
    threat, for every attack. prompt_files: checkpoints opened from disk, the latest first. keep_runs: analyses are kept on disk, so
    that reports can be made of them. keep_pictures: the fooled pictures of which they have files, "none", "some" or "all".
    runs_budget_gb: beyond so many GB of kept runs the window asks what to do (0: it never asks); nothing is deleted for it.
    report_short: two pages. report_left_out: ids of sections. tune_recent: where pictures for tuning came
    from, the latest first; several folders of one drop are joined by line breaks. threads: of the processor, 0 for all. models_folder,
    runs_folder, data_folder: chosen folders, "" for the usual ones; the engine reads them from the file too, and so it does trash_days,
    trash_budget_gb and store_budget_gb, the most that the store of results takes. ui_scale: in per cent. language: its code, or
    "system". view: FULL or SIMPLE. shortcuts: by the name of an action the keys that the user gave it, "" for none. recent_sessions:
    files, the latest first.
    """

    version: int = VERSION
    model: str = DEFAULT_MODEL
    prompts: str = ""
    compare: str = AUTO
    aim: str = "each"
    device: str = "auto"
    threads: Natural = 0
    offline: bool = False
    models_folder: str = ""
    runs_folder: str = ""
    data_folder: str = ""
    theme: str = "system"
    ui_scale: Scale = 100
    language: str = "system"
    view: str = FULL
    seed: Natural = 0
    perturb: str = "input"
    rounding: str = "none"
    auto_run: bool = True
    last_folder: str = ""
    recent_sessions: list[str] = field(default_factory=list)
    geometry: str = ""
    expert_open: bool = False
    keep_runs: bool = True
    keep_pictures: str = "some"
    runs_budget_gb: Budget = 20.0
    trash_days: Days = 30
    trash_budget_gb: Budget = 5.0
    store_budget_gb: Budget = 5.0
    report_format: str = "pdf"
    report_redact: bool = False
    report_redact_classes: bool = False
    report_short: bool = False
    report_left_out: list[str] = field(default_factory=list)
    report_columns: list[Length] = field(default_factory=list)
    tune_recent: list[str] = field(default_factory=list)
    prompt_files: list[str] = field(default_factory=list)
    columns: list[Length] = field(default_factory=list)
    rows: list[Length] = field(default_factory=list)
    eps: dict[str, Budget] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)
    class_list: dict[str, str] = field(default_factory=dict)
    template: dict[str, str] = field(default_factory=dict)
    shortcuts: dict[str, str] = field(default_factory=dict)
    gallery: GallerySettings = field(default_factory=GallerySettings)
    explore: AttackSettings = field(default_factory=AttackSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)


def _nested(values: Table) -> Table:
    """Bring version 1 to 2: each page has a table of its own, and an attack keeps its steps among its other settings."""
    explore = {name: values.pop(name) for name in ("attack", "norm", "expert") if name in values}
    steps, attack, expert = values.pop("steps", 0), explore.get("attack", "pgd"), explore.setdefault("expert", {})
    if type(steps) is int and steps and isinstance(expert, dict) and isinstance(attack, str):
        own = expert.get(attack, {})
        expert[attack] = {**own, "steps": steps} if isinstance(own, dict) else own
    prefix = "evaluate_"
    evaluate = {name.removeprefix(prefix): values.pop(name) for name in list(values) if name.startswith(prefix)}
    if "test" in evaluate:
        evaluate["attack"] = evaluate.pop("test")
    if values.pop("space", "") == "original size":
        values["perturb"] = "original"
    return values | {"explore": explore, "evaluate": evaluate}


# version -> the step that brings the plain values of that version to the next one
UPGRADES: dict[int, Callable[[Table], Table]] = {1: _nested}


class UpgradeError(Exception):
    """A settings file of an older version that cannot be brought to this one."""


def settings_path() -> Path:
    """Return the path of this user's settings file, which need not exist."""
    return Path(platformdirs.user_config_dir("capt-explorer", appauthor=False)) / FILE_NAME


def load(path: Path) -> tuple[Settings, str]:
    """Read the settings file `path`, and return the settings with a sentence for the user, "" if there is nothing to say.

    A missing or unreadable file gives the defaults; so does a damaged one, which is renamed besides. Of a file with some
    values that fit nothing, a copy is kept beside it, and the other values are used. Nothing is raised for these.
    """
    unfit: list[str] = []
    try:
        data = read_toml(path, Table)
        settings = what_fits(upgrade(data, UPGRADES, VERSION), Settings, unfit.append)
        return settings, set_aside(path, _of_unfit(unfit), whole=False) if unfit else ""
    except (BadRequest, UpgradeError) as problem:
        why = problem.__cause__
        if isinstance(why, FileNotFoundError):
            return Settings(), ""
        if isinstance(why, OSError):
            return Settings(), f"The settings could not be read ({why.strerror}), so the defaults are used."
        return Settings(), set_aside(path, "The settings file was damaged.")


def save(settings: Settings, path: Path) -> None:
    """Write `settings` to the TOML file `path`, so that a crash meanwhile leaves the old file whole.

    A name that no text file can hold, such as that of a folder in bytes that are no text, is left out. Raises
    CannotWrite where the disk refuses.
    """
    # Those who keep their settings elsewhere have a link here, which stays.
    files.write_atomic(path.resolve(), tomli_w.dumps(_writable(asdict(settings))))


def set_aside(path: Path, reason: str, *, whole: bool = True) -> str:
    """Rename the settings file `path` to the next free settings.bad-N.toml, and return a sentence that says so.

    reason: the sentence before it, such as "The settings file was damaged.". whole: none of its values is
    used, not only some. Where the disk refuses, nothing is renamed and the sentence says that.
    """
    aside = files.set_aside(path)
    if aside is None:
        return f"{reason} It could not be set aside, so the defaults are used for now."
    return f"{reason} It was kept as {aside.name}, and {'the' if whole else 'their'} defaults are used."


def _of_unfit(names: list[str]) -> str:
    """Return the sentence on settings whose values make no sense, naming the first few."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"The settings file had values that make no sense ({', '.join(names[:3])}{more})."


def _writable(value: Any) -> Any:
    """Return plain values without the texts in them that UTF-8 cannot write."""
    if isinstance(value, dict):
        # what is None has no place in TOML, and is None again when it is not there
        return {_writable(name): _writable(one) for name, one in value.items() if _is_text(name) and one is not None}
    if isinstance(value, list | tuple):
        return [_writable(one) for one in value if _is_text(one)]
    return value if _is_text(value) else ""


def _is_text(value: Any) -> bool:
    return not isinstance(value, str) or not any("\ud800" <= one <= "\udfff" for one in value)


def upgrade(data: Table, upgrades: dict[int, Callable[[Table], Table]], version: int) -> Table:
    """Return `data`, the values of an older settings file, brought to `version` one version at a time; `data` stays unchanged.

    upgrades: by version, the function that brings its values to the next one. Raises UpgradeError where one is missing
    or fails, or where the version in `data` is no whole number. The values of a newer file are kept, but marked as of
    `version`.
    """
    values = dict(data)
    found = values.get("version", version)
    if not isinstance(found, int) or isinstance(found, bool):
        raise UpgradeError(f"the version is {found!r}")
    for step in range(found, version):
        try:
            values = upgrades[step](dict(values))
        except Exception as problem:
            raise UpgradeError(f"from version {step}: {problem!r}") from problem
    return values | {"version": version}
