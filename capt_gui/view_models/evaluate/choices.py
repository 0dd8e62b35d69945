"""How labelled pictures are to be evaluated: with which attacks, how far, on how many, and how much it doubts itself."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    CHECK_LEVELS,
    NO_PROMPTS,
    SUITES,
    AttackInfo,
    AttackSpec,
    EvaluateRequest,
    NormInfo,
    ParamInfo,
    ParamValue,
    RunOptions,
    Suite,
    ThreatModel,
    until_chance,
)
from capt_gui.settings import Settings
from capt_gui.view_models import formatting, pixels
from capt_gui.view_models.evaluate.data import EvaluateData
from capt_gui.view_models.explore.choices import Choices, Values
from capt_gui.view_models.stops import steps_param
from capt_gui.view_models.tune import tune_text

CLEAN_ONLY = "none"
LIMITS = (20, 50, 100, 200, 500, 1000, 2000)

_EVERY = "every_picture"


class EvaluateChoices(QObject):
    """Model, prompts, aim, seed and the budget of each norm are Explore's too; the rest is this page's own. `changed`: one of them."""

    changed = Signal()

    def __init__(self, settings: Settings, shared: Choices, data: EvaluateData, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.shared = shared
        self.data = data
        # the class the attack aims at and the sentence of the classes belong to the data, and go with them
        self._target: str | None = None
        self._template = ""
        shared.changed.connect(self.on_shared_changed)
        data.changed.connect(self.changed)

    # what there is

    @property
    def suite(self) -> Suite | None:
        """The chosen suite, None where one attack, or none, was chosen."""
        return next((one for one in SUITES if one.name == self.settings.evaluate_test), None)

    @property
    def attacks(self) -> tuple[AttackInfo, ...]:
        """Every attack of the catalogue."""
        return self.shared.catalogue.attacks if self.shared.catalogue else ()

    @property
    def attack(self) -> AttackInfo | None:
        """The one attack that was chosen, None for a suite or none."""
        return next((one for one in self.attacks if one.name == self.settings.evaluate_test), None)

    @property
    def is_corruption_table(self) -> bool:
        """Whether nobody attacks, but pictures are shown in bad weather."""
        return self.suite is not None and not self.suite.adversarial

    @property
    def has_budget(self) -> bool:
        """Whether what was chosen is bound by ε in a norm."""
        if self.suite is not None:
            return self.suite.adversarial
        return self.attack is not None and bool(self.attack.norms)

    @property
    def has_attack(self) -> bool:
        """Whether somebody attacks."""
        return self.attack is not None or (self.suite is not None and self.suite.adversarial)

    @property
    def norms(self) -> tuple[NormInfo, ...]:
        """The norms that what was chosen works with."""
        every = self.shared.catalogue.norms if self.shared.catalogue else ()
        own = self.attack.norms if self.attack is not None and self.attack.norms else None
        return tuple(norm for norm in every if own is None or norm.name in own)

    @property
    def norm(self) -> NormInfo | None:
        """The chosen norm, or the first that is possible."""
        norms = self.norms
        return next((norm for norm in norms if norm.name == self.settings.evaluate_norm), norms[0] if norms else None)

    @property
    def eps(self) -> float:
        """The budget, in pixel units."""
        norm = self.norm
        if norm is None:
            return ThreatModel().eps
        return self.settings.eps.get(norm.name, self.usual_eps)

    @property
    def usual_eps(self) -> float:
        """The budget where the user chose none: the model's own suggestion, else the norm's."""
        norm, model = self.norm, self.shared.model
        if norm is not None and norm.name == "linf" and model is not None and model.eps is not None:
            return model.eps
        return norm.default_eps if norm is not None else ThreatModel().eps

    @property
    def steps(self) -> int:
        """The steps of the one attack; 0 where it takes none."""
        param = steps_param(self.attack) if self.attack is not None else None
        return int(dict(self._own_values()).get("steps", param.default)) if param is not None else 0

    @property
    def can_curve(self) -> bool:
        """Whether accuracy can be drawn against ε."""
        return self.has_budget and self.eps > 0

    @property
    def curve(self) -> bool:
        """Whether it is."""
        return self.settings.evaluate_curve and self.can_curve

    @property
    def checks(self) -> str:
        """How much the evaluation doubts itself, one of CHECK_LEVELS."""
        return self.settings.evaluate_checks if self.settings.evaluate_checks in CHECK_LEVELS else "cheap"

    @property
    def target(self) -> str | None:
        """The class the attack aims at, None for any wrong one."""
        can = self.has_budget and (self.attack is None or self.attack.can_target)
        return self._target if can and self._target in self.data.names else None

    @property
    def template(self) -> str:
        """The sentence each class stands in: the user's, else the data set's own."""
        return self._template or (self.data.result.template if self.data.result else "")

    @property
    def aim(self) -> str:
        """Whom an attack is computed on."""
        return self.shared.sides.aim

    @property
    def pictures(self) -> int:
        """How many pictures a run takes, 0 while that is not known."""
        return self.limit or self.data.pictures_in_split

    @property
    def drawn(self) -> int:
        """How many a run draws: those that cannot be read are among them, and are told of."""
        listed = sum(own.listed for own in self.data.classes)
        return min(listed, self.limit or listed)

    def limits(self) -> list[tuple[str, object]]:
        """(label, limit) from few to all of them; a limit that is no smaller than what there is would be all of them."""
        there = self.data.pictures_in_split
        # one that is no stop of ours, as a settings file may hold, gets one of its own
        numbers = sorted({*LIMITS, *([self.settings.evaluate_limit] if self.settings.evaluate_limit > 0 else [])})
        stops: list[tuple[str, object]] = [(f"{n:,}", n) for n in numbers if not there or n < there]
        return [*stops, (self.tr("all {:,}").format(there) if there else self.tr("all"), 0)]

    @property
    def limit(self) -> int:
        """The stop that the present limit is."""
        return self.settings.evaluate_limit if 0 < self.settings.evaluate_limit < self.data.pictures_in_split else 0

    # choosing

    def set_test(self, name: str) -> None:
        """Choose a suite, an attack, or CLEAN_ONLY."""
        self._set("evaluate_test", name)

    def set_norm(self, name: str) -> None:
        """Choose a norm; its budget is the one last used with it."""
        self._set("evaluate_norm", name)

    def set_eps(self, eps: float) -> None:
        """Choose the budget, on the Explore page too."""
        if self.norm is not None and eps != self.eps:
            self.shared.share(eps=(self.norm.name, eps))

    def set_steps(self, steps: int) -> None:
        """Choose the steps of the one attack."""
        param = steps_param(self.attack) if self.attack is not None else None
        if param is not None:
            values = dict(self._own_values()) | {"steps": steps}
            self._keep({name: value for name, value in values.items() if (name, value) != ("steps", param.default)})
            self.changed.emit()

    def set_curve(self, wanted: bool) -> None:
        """Draw accuracy against ε, or not."""
        self._set("evaluate_curve", wanted)

    def set_checks(self, level: str) -> None:
        """Choose how much the evaluation doubts itself."""
        self._set("evaluate_checks", level)

    def set_limit(self, limit: int) -> None:
        """Choose at most how many pictures, 0 for all."""
        self._set("evaluate_limit", limit)

    def set_target(self, name: str | None) -> None:
        """Choose the class to aim at, None for any wrong one."""
        if name != self._target:
            self._target = name
            self.changed.emit()

    def set_template(self, template: str) -> None:
        """Choose the sentence, "" for the data set's own."""
        own = self.data.result.template if self.data.result else ""
        template = "" if template == own else template
        if template != self._template:
            self._template = template
            self.changed.emit()

    # the Expert form

    def expert_params(self) -> tuple[ParamInfo, ...]:
        """What the Expert form shows: the exact budget, what the attack or the suite can be told, the seed."""
        norm = self.norm
        if norm is None:
            return ()
        found: list[ParamInfo] = []
        if self.has_budget:
            unit = "/255" if norm.name == "linf" else ""
            help_text = self.tr("How far each picture may be changed, in this norm.")
            found.append(
                ParamInfo("eps", self.tr("Budget ε"), "float", self.usual_eps, 0.0, norm.high_eps, unit, help=help_text)
            )
        if self.attack is not None:
            found += self.attack.params
        if self.suite is not None and self.suite.adversarial and not self.curve:
            words = self.tr("Also those that an earlier attack broke. The worst case is the same; it takes longer.")
            found.append(ParamInfo(_EVERY, self.tr("Every attack on every picture"), "bool", False, help=words))
        if self._attacks_somebody:
            found += pixels.params()
        words = self.tr("The same seed draws the same pictures and finds the same attacks.")
        found.append(ParamInfo("seed", self.tr("Seed"), "int", 0, 0, 2**31 - 1, help=words))
        return tuple(found)

    @property
    def _attacks_somebody(self) -> bool:
        """Whether the test is an attack, or several."""
        return self.attack is not None or (self.suite is not None and self.suite.adversarial)

    def expert_values(self) -> Values:
        """The values of the Expert form that differ from its defaults."""
        values: dict[str, ParamValue] = {"eps": self.eps, "seed": self.settings.seed, **dict(self._own_values())}
        values |= pixels.values(self.settings)
        defaults = {param.name: param.default for param in self.expert_params()}
        return tuple((name, value) for name, value in values.items() if name in defaults and value != defaults[name])

    def set_expert_values(self, values: Iterable[tuple[str, ParamValue]]) -> None:
        """Take the Expert form: values it does not name are at their defaults."""
        given = dict(values)
        if self.norm is None:
            return
        eps = (self.norm.name, float(given.pop("eps", self.usual_eps))) if self.has_budget else None
        seed, chosen = int(given.pop("seed", 0)), pixels.taken(given)
        self._keep(given)
        self.shared.share(eps=eps, seed=seed, perturb_and_rounding=chosen if self._attacks_somebody else None)

    # asking

    def problem(self) -> str:
        """Why Run makes no sense as things stand; empty when it does."""
        if data := self.data.problem():
            return data
        if self.shared.catalogue is None:
            # an attack that was chosen last time is not known yet, nor the budget that suits the model
            return self.tr("Waiting for the engine")
        if self.suite is None and self.attack is None and self.settings.evaluate_test != CLEAN_ONLY:
            return self.tr("Choose a test")
        return "" if "{}" in (self.template or "{}") else self.tr("The sentence needs {} where the class goes")

    def request(self, keep: str = "") -> EvaluateRequest:
        """The frozen copy of all choices that one job works with."""
        chosen, sides = self.settings, self.shared.sides
        suite, norm = self.suite, self.norm.name if self.norm is not None else "linf"
        every = bool(dict(self._own_values()).get(_EVERY, False))
        perturb, rounding = (chosen.perturb, chosen.rounding) if self._attacks_somebody else pixels.taken({})
        return EvaluateRequest(
            data=self.data.place,
            split=self.data.split,
            attacks=() if self.attack is None else (AttackSpec(self.attack.name, self._own_values()),),
            suite=suite.name if suite is not None else "",
            curve=until_chance(self.eps, norm) if self.curve else (),
            until_chance=self.curve,
            skip_broken=self.curve or (suite is not None and suite.adversarial and not every),
            checks=self.checks,
            limit=self.limit,
            options=RunOptions(
                model=chosen.model,
                prompts=None if sides.a == NO_PROMPTS else sides.a,
                compare=sides.b,
                aim=self.aim,
                template=self._template,
                threat=ThreatModel(norm, self.eps, self.target, perturb=perturb, rounding=rounding),
                seed=chosen.seed,
                keep=keep,
                lpips=self.shared.lpips if self._attacks_somebody else "",
            ),
        )

    def test_label(self) -> str:
        """What the chosen test is called."""
        if self.suite is not None:
            return self.suite.label
        return self.attack.label if self.attack is not None else self.tr("Clean only")

    def test_words(self) -> str:
        """The one sentence about it."""
        if self.suite is not None:
            return self.suite.summary
        if self.attack is not None:
            return self.attack.summary
        if self.settings.evaluate_test != CLEAN_ONLY:
            return ""
        return self.tr("Nobody attacks: how many answers are right as the pictures are.")

    def cost_words(self, seconds: float | None = None) -> str:
        """How much work it is, as far as that is certain before it begins; seconds: how long, at the pace of the last such run."""
        n = self.pictures
        if not n:
            return ""
        sides = 1 if self.shared.sides.b is None else 2
        words = self.tr("1 picture") if n == 1 else self.tr("{:,} pictures").format(n)
        if sides > 1:
            words += self.tr(" × 2 sets of prompts")
        if self.is_corruption_table or (self.suite is None and self.attack is None):
            passes = n * sides * (1 + (len(self.suite.linf) if self.suite is not None else 0))
            words = self.tr("{}: {:,} forward passes").format(words, passes)
            words += "" if self.checks == "off" else self.tr(" and the checks")
            return f"{words}. {self._time_words(seconds)}".strip() if seconds is not None else f"{words}."
        if self.suite is not None:
            norm = self.norm.name if self.norm is not None else "linf"
            count = len(self.suite.of(norm, targeted=self.target is not None))
            words += self.tr(" × {} attacks").format(count)
        if self.curve and self.norm is not None:
            budgets = len(until_chance(self.eps, self.norm.name))
            words += self.tr(" × up to {} budgets").format(budgets)
        return f"{words}. {self._time_words(seconds)}"

    def _time_words(self, seconds: float | None) -> str:
        if seconds is None:
            return self.tr("How long that takes is measured on the first of them.")
        return self.tr("At the pace of the last such run: {}.").format(tune_text.duration(seconds))

    def interval_words(self) -> str:
        """How wide an interval is at the most with so many pictures: Wilson's, at one half."""
        n = self.pictures
        if not n:
            return ""
        z = 1.96
        reach = z * math.sqrt(0.25 / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return self.tr("Figures are known to ± {} points or better.").format(f"{100 * reach:.2g}")

    def eps_words(self) -> str:
        """The budget as it is written."""
        return formatting.budget(self.eps, self.norm.name if self.norm is not None else "linf")

    def on_shared_changed(self) -> None:
        """The model, the prompts or a shared budget changed, or the catalogue is there."""
        self.changed.emit()

    def _own_values(self) -> Values:
        """What the user has set for this suite or attack, but for what is no longer known."""
        values = self.settings.evaluate_expert.get(self.settings.evaluate_test, {})
        known = {param.name for param in self.attack.params} if self.attack is not None else {_EVERY}
        return tuple(sorted((name, value) for name, value in values.items() if name in known))

    def _keep(self, values: dict[str, ParamValue]) -> None:
        table, key = self.settings.evaluate_expert, self.settings.evaluate_test
        if values:
            table[key] = values
        else:
            table.pop(key, None)

    def _set(self, name: str, value: object) -> None:
        if getattr(self.settings, name) != value:
            setattr(self.settings, name, value)
            self.changed.emit()
