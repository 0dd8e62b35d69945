"""What the user has chosen, kept in the settings and turned into the request that is frozen when Run is pressed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    LPIPS_NETS,
    NO_PROMPTS,
    AnalyzeRequest,
    AttackInfo,
    AttackSpec,
    Catalogue,
    ModelInfo,
    NormInfo,
    ParamInfo,
    ParamValue,
    RunOptions,
    ThreatModel,
)
from capt_gui.settings import Settings
from capt_gui.view_models import pixels
from capt_gui.view_models.explore.sides import Sides
from capt_gui.view_models.stops import steps_param

_T = TypeVar("_T")
Values = tuple[tuple[str, ParamValue], ...]


class Choices(QObject):
    """The choices of the right column. `changed`: one that matters to results did; `offered`: the catalogue arrived."""

    changed = Signal()
    offered = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.catalogue: Catalogue | None = None
        self.sides = Sides(settings, self)
        self.sides.changed.connect(self.changed)
        self._target: str | None = None

    def on_ready(self, catalogue: Catalogue) -> None:
        """Take the catalogue; choices it does not hold fall back to its first entry."""
        self.catalogue = catalogue
        chosen = self.settings
        chosen.model = _known(chosen.model, [model.id for model in catalogue.models])
        chosen.attack = _known(chosen.attack, [attack.name for attack in catalogue.attacks])
        chosen.norm = _known(chosen.norm, [norm.name for norm in self.norms])
        self.sides.take(catalogue)
        self.offered.emit()
        self.changed.emit()

    @property
    def model(self) -> ModelInfo | None:
        """The chosen model, once the catalogue is there."""
        models = self.catalogue.models if self.catalogue else ()
        return next((model for model in models if model.id == self.settings.model), None)

    @property
    def attack(self) -> AttackInfo | None:
        """The chosen attack, once the catalogue is there."""
        attacks = self.catalogue.attacks if self.catalogue else ()
        return next((attack for attack in attacks if attack.name == self.settings.attack), None)

    @property
    def norm(self) -> NormInfo | None:
        """The chosen norm, once the catalogue is there."""
        norms = self.catalogue.norms if self.catalogue else ()
        return next((norm for norm in norms if norm.name == self.settings.norm), None)

    @property
    def norms(self) -> tuple[NormInfo, ...]:
        """The norms that the chosen attack works with; all of them where it has a budget of its own and asks for none."""
        every = self.catalogue.norms if self.catalogue else ()
        return tuple(
            norm for norm in every if self.attack is None or self.has_own_budget or norm.name in self.attack.norms
        )

    @property
    def has_own_budget(self) -> bool:
        """Whether the chosen attack is bound by something else than ε in a norm: a share of the picture, angles, a severity."""
        return self.attack is not None and not self.attack.norms

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes the model is asked about: the user's, else the suggestion."""
        return self._own_classes or self.suggestion[0]

    @property
    def template(self) -> str:
        """The sentence each class stands in: the user's, else the suggested one."""
        return self.settings.template.get(self.settings.model, "") or self.suggestion[1]

    @property
    def suggestion(self) -> tuple[tuple[str, ...], str]:
        """Classes and template of the prompts where they bring some, else the model's own."""
        prompts, model = self.sides.suggesting, self.model
        template = model.template if model else ""
        if prompts is not None:
            return prompts.classes, prompts.template or template
        return (model.classes if model else ()), template

    @property
    def has_own_classes(self) -> bool:
        """Whether the user has written classes or a template for this model."""
        chosen = self.settings
        return bool(self._own_classes or chosen.template.get(chosen.model))

    @property
    def _own_classes(self) -> tuple[str, ...]:
        return tuple(self.settings.classes.get(self.settings.model, ()))

    @property
    def eps(self) -> float:
        """The budget for the chosen norm, in pixel units."""
        return self.settings.eps.get(self.settings.norm, self.usual_eps)

    @property
    def usual_eps(self) -> float:
        """The budget where the user chose none: the model's own suggestion, else the norm's."""
        suggested = self.model.eps if self.model else None
        if suggested is not None and self.settings.norm == "linf":
            return suggested
        return self.norm.default_eps if self.norm else ThreatModel().eps

    @property
    def steps(self) -> int:
        """The steps of the chosen attack; 0 where it takes none, or nothing is known yet and nothing was chosen."""
        param = steps_param(self.attack) if self.attack else None
        if self.attack is not None and param is None:
            return 0
        return self.settings.steps or (int(param.default) if param else 0)

    @property
    def target(self) -> str | None:
        """The class the attack aims at, None for any wrong one."""
        can = self.attack is None or self.attack.can_target
        return self._target if can and self._target in self.classes else None

    def model_label(self, name: str) -> str:
        """What a model is called in the catalogue; its id when it is not there."""
        models = self.catalogue.models if self.catalogue else ()
        return next((model.label for model in models if model.id == name), name)

    def attack_label(self, name: str) -> str:
        """What an attack is called in the catalogue; its name when it is not there."""
        attacks = self.catalogue.attacks if self.catalogue else ()
        return next((attack.label for attack in attacks if attack.name == name), name)

    def problem(self) -> str:
        """Why Run makes no sense as things stand; empty when it does."""
        if self.catalogue is None:
            return ""
        if len(set(self.classes)) < 2:
            return "Name at least two classes"
        return "" if "{}" in self.template else "The template needs {} where the class goes"

    def set_model(self, name: str) -> None:
        """Choose a model; prompts that were made for another one give way."""
        if name != self.settings.model:
            self.settings.model = name
            self.sides.fit()
            self.changed.emit()

    def set_attack(self, name: str) -> None:
        """Choose an attack; a norm that it cannot work with gives way."""
        if name != self.settings.attack:
            self.settings.attack = name
            self.settings.norm = _known(self.settings.norm, [norm.name for norm in self.norms])
            self.changed.emit()

    def set_norm(self, name: str) -> None:
        """Choose a norm; its budget is the one last used with it."""
        self._set("norm", name)
        self.settings.eps.setdefault(name, self.eps)

    def set_eps(self, eps: float) -> None:
        """Choose the budget for the present norm."""
        if eps != self.eps:
            self.settings.eps[self.settings.norm] = eps
            self.changed.emit()

    def share(
        self,
        *,
        eps: tuple[str, float] | None = None,
        seed: int | None = None,
        perturb_and_rounding: tuple[str, str] | None = None,
    ) -> None:
        """Take the budget of a norm, the seed, or on what pixels attacks work, as chosen on another page: they are one setting."""
        if eps is not None:
            self.settings.eps[eps[0]] = eps[1]
        if seed is not None:
            self.settings.seed = seed
        if perturb_and_rounding is not None:
            self.settings.perturb, self.settings.rounding = perturb_and_rounding
        self.changed.emit()

    def set_steps(self, steps: int) -> None:
        """Choose the number of steps; the attack's own number is stored as "no choice"."""
        param = steps_param(self.attack) if self.attack else None
        self._set("steps", 0 if param is not None and steps == param.default else steps)

    def set_target(self, name: str | None) -> None:
        """Choose the class to aim at, None for any wrong one."""
        if name != self._target:
            self._target = name
            self.changed.emit()

    def set_classes(self, classes: tuple[str, ...], template: str) -> None:
        """Take the user's classes; the suggestion itself is stored as "no choice"."""
        model = self.settings.model
        suggested_classes, suggested_template = self.suggestion
        if classes == suggested_classes:
            classes = ()
        if template == suggested_template:
            template = ""
        _keep(self.settings.classes, model, list(classes))
        _keep(self.settings.template, model, template)
        self.changed.emit()

    def restore_classes(self) -> None:
        """Go back to the suggestion."""
        self.set_classes((), "")

    def use_model_classes(self) -> None:
        """Ask about the model's own classes where the prompts suggest others."""
        if self.model is not None:
            self.set_classes(self.model.classes, self.model.template)

    def expert_params(self) -> tuple[ParamInfo, ...]:
        """What the Expert form shows: the exact budget, the attack's own settings, on what pixels it works, the seed."""
        if self.attack is None or self.norm is None:
            return ()
        unit = "/255" if self.norm.name == "linf" else ""
        help_text = "How far each picture may be changed, in this norm."
        eps = ParamInfo("eps", "Budget ε", "float", self.usual_eps, 0.0, self.norm.high_eps, unit, help=help_text)
        seed = ParamInfo("seed", "Seed", "int", 0, 0, 2**31 - 1, help="The same seed gives the same pictures again.")
        return (*(() if self.has_own_budget else (eps,)), *self.attack.params, *pixels.params(), seed)

    def expert_values(self) -> Values:
        """The values of the Expert form that differ from its defaults."""
        values: dict[str, ParamValue] = {"eps": self.eps, "seed": self.settings.seed, **dict(self._attack_values())}
        values |= pixels.values(self.settings)
        defaults = {param.name: param.default for param in self.expert_params()}
        return tuple((name, value) for name, value in values.items() if name in defaults and value != defaults[name])

    def set_expert_values(self, values: Iterable[tuple[str, ParamValue]]) -> None:
        """Take the Expert form: values it does not name are at their defaults."""
        given = dict(values)
        if self.norm is None or self.attack is None:
            return
        if not self.has_own_budget:
            self.settings.eps[self.settings.norm] = float(given.pop("eps", self.usual_eps))
        self.settings.seed = int(given.pop("seed", 0))
        self.settings.perturb, self.settings.rounding = pixels.taken(given)
        if steps_param(self.attack) is not None:
            self.settings.steps = int(given.pop("steps", 0))
        _keep(self.settings.expert, self.settings.attack, given)
        self.changed.emit()

    def request(self, paths: tuple[str, ...], keep: str = "") -> AnalyzeRequest:
        """The frozen copy of all choices that one job works with."""
        chosen = self.settings
        learned = self.sides.are_learned and self.catalogue is not None
        return AnalyzeRequest(
            paths=paths,
            attack=AttackSpec(chosen.attack, self._attack_values()),
            options=RunOptions(
                model=chosen.model,
                prompts=None if self.sides.a == NO_PROMPTS else self.sides.a,
                compare=self.sides.b,
                aim=self.sides.aim,
                classes=self.classes if learned else self._own_classes,
                template=self.template if learned else chosen.template.get(chosen.model, ""),
                threat=ThreatModel(
                    chosen.norm, self.eps, self.target, perturb=chosen.perturb, rounding=chosen.rounding
                ),
                seed=chosen.seed,
                lpips=self.lpips,
                with_pictures=True,
                keep=keep,
            ),
        )

    @property
    def lpips(self) -> str:
        """What LPIPS is measured with: cheap beside an attack, and who brought the weights wants the number; the dear network is for the
        terminal."""
        return LPIPS_NETS[0] if self.catalogue is not None and LPIPS_NETS[0] in self.catalogue.lpips else ""

    def made_with(self, request: AnalyzeRequest) -> bool:
        """Whether a request was made with the present choices, whatever its pictures, kept or not, with LPIPS beside it or without."""
        now = self.request(request.paths)
        return (
            replace(now, options=replace(now.options, keep=request.options.keep, lpips=request.options.lpips))
            == request
        )

    def _attack_values(self) -> Values:
        values: dict[str, ParamValue] = dict(self.settings.expert.get(self.settings.attack, {}))
        if self.settings.steps and self.steps:
            values["steps"] = self.settings.steps
        if self.attack is not None:
            known = {param.name for param in self.attack.params}
            values = {name: value for name, value in values.items() if name in known}
        return tuple(sorted(values.items()))

    def _set(self, name: str, value: object) -> None:
        if getattr(self.settings, name) != value:
            setattr(self.settings, name, value)
            self.changed.emit()


def _known(name: str, names: list[str]) -> str:
    """The name if the catalogue holds it, else its first one."""
    return name if name in names or not names else names[0]


def _keep(table: dict[str, _T], key: str, value: _T) -> None:
    """Store a value, or forget the key when there is nothing to store."""
    if value:
        table[key] = value
    else:
        table.pop(key, None)
