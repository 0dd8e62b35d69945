"""The choices of the window as plain values of a session, and back: what is asked, of which pictures, and what is in front."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from capt_engine.errors import CaptError
from capt_engine.reading import fitted, what_fits
from capt_engine.records import AnalyzeResult, EvaluateRequest
from capt_gui.settings import AUTO, AttackSettings, Budget, EvaluateSettings, Natural
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.evaluate.tally import EvaluateTally
from capt_gui.view_models.explore.choices import OwnClasses

_SHARED = ("model", "prompts", "compare", "aim", "seed", "perturb", "rounding")


@dataclass
class Chosen:
    """The settings that belong to a session: those that change results."""

    model: str = ""
    prompts: str = ""
    compare: str = AUTO
    aim: str = "each"
    seed: Natural = 0
    perturb: str = "input"
    rounding: str = "none"
    eps: dict[str, Budget] = field(default_factory=dict)
    explore: AttackSettings = field(default_factory=AttackSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    target: str | None = None
    evaluate_target: str | None = None


@dataclass
class Classes:
    """The user's own class names and template on Explore, and for which model and prompts they were written."""

    key: str = ""
    class_list: str = ""
    classes: tuple[str, ...] = ()
    template: str = ""


@dataclass
class Evaluated:
    """The pictures of the Evaluate page: where they lie, also from the session's folder, and what was chosen about them."""

    place: str = ""
    near: str = ""
    split: str = ""
    class_list: str = ""
    template: str = ""


@dataclass
class WindowState:
    """All choices of the window. views: what each page shows, by its key. reports: folders of the runs that are chosen there."""

    chosen: Chosen = field(default_factory=Chosen)
    classes: Classes = field(default_factory=Classes)
    evaluated: Evaluated = field(default_factory=Evaluated)
    run: dict[str, Any] = field(default_factory=dict)
    page: str = ""
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    last_run: str = ""


@dataclass(frozen=True)
class Shown:
    """The evaluation whose result is shown. It is never changed once it is there, so that another thread may write it."""

    request: EvaluateRequest
    result: AnalyzeResult
    tally: EvaluateTally
    n_pictures: int = 0

    def plain(self) -> dict[str, object]:
        """Return it as plain JSON values; empty where the result holds a number that no session keeps."""
        result = asdict(
            replace(self.result, checks=tuple(replace(one, value=_finite(one.value)) for one in self.result.checks))
        )
        found: dict[str, object] = {
            "request": asdict(self.request), "result": result, "tally": self.tally.plain(), "n_pictures": self.n_pictures,
        }  # fmt: skip
        return found if _is_finite(found) else {}


def shown(desk: Desk) -> Shown | None:
    """Return the evaluation that is done and shown, None where there is none."""
    run = desk.evaluation.run
    if run.is_running or run.request is None or run.result is None:
        return None
    return Shown(run.request, run.result, run.tally, run.n_pictures)


def of(desk: Desk) -> WindowState:
    """Return the choices of the window as they are now, without the run that is shown and what each page shows."""
    settings, choices, evaluation = desk.settings, desk.choices, desk.evaluation
    chosen = Chosen(
        **{name: getattr(settings, name) for name in _SHARED},
        eps=dict(settings.eps),
        explore=settings.explore,
        evaluate=replace(settings.evaluate, recent=[]),
        target=choices.attack.target,
        evaluate_target=evaluation.choices.attack.target,
    )
    data = evaluation.data
    evaluated = Evaluated(data.place, "", data.split, evaluation.choices.class_list, evaluation.choices.own_template)
    return WindowState(
        chosen,
        Classes(*choices.own_classes()),
        evaluated,
        reports=desk.reports.chosen,
        last_run=desk.store.last,
    )


def plain(state: WindowState) -> dict[str, Any]:
    """Return the choices as plain JSON values."""
    return asdict(state)


def read(values: Mapping[str, object]) -> WindowState:
    """Return the choices that a session's plain `values` hold; what fits nothing is left at its default."""
    return what_fits(values, WindowState)


def choose(desk: Desk, state: WindowState) -> None:
    """Make the choices of a session those of the window: model, prompts, attack, classes."""
    settings, chosen = desk.settings, state.chosen
    desk.tour.leave()
    for name in _SHARED:
        if (value := getattr(chosen, name)) or name != "model":
            setattr(settings, name, value)
    settings.eps = dict(chosen.eps)
    _copy(chosen.explore, settings.explore, "attack", "norm", "expert")
    _copy(chosen.evaluate, settings.evaluate, "attack", "norm", "expert", "curve", "checks", "limit")
    if state.classes.key:
        desk.choices.put_own_classes(OwnClasses(*vars(state.classes).values()))
    if desk.model.is_ready:
        desk.model.on_ready(desk.model.catalogue)
    else:
        desk.model.changed.emit()
    desk.choices.attack.set_target(chosen.target)


def run_of(values: Mapping[str, object], runs: Path | None) -> Shown | None:
    """Return the evaluation that a session shows, None where it shows none or says of it what cannot be.

    runs: the folder of the kept runs: only one in it can be reported or gone on with.
    """
    if not values:
        return None
    try:
        request = fitted(values.get("request"), EvaluateRequest, called="The evaluation")
        result = fitted(values.get("result"), AnalyzeResult, called="Its result")
        n = fitted(values.get("n_pictures"), int, called="Its size")
        tally = EvaluateTally.of(values.get("tally"))
    except CaptError:
        return None
    is_ours = runs is not None and Path(request.options.keep).parent == runs
    keep = request.options.keep if is_ours else ""
    return Shown(replace(request, options=replace(request.options, keep=keep, resume=False)), result, tally, n)


def _copy(source: AttackSettings, target: AttackSettings, *names: str) -> None:
    """The record of a page stays the same object, which its view models hold."""
    for name in names:
        setattr(target, name, getattr(source, name))


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def _is_finite(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or abs(value) <= 2**53
