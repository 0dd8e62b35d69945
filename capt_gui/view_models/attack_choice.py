"""The attack that is chosen on a page: by which one, or which suite, how far it may go, towards what, and on which pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    NO_PROMPTS,
    PERTURBED,
    PICTURES_KEPT,
    ROUNDINGS,
    SUITES,
    AttackInfo,
    AttackSpec,
    NormInfo,
    ParamInfo,
    ParamValue,
    RunOptions,
    Suite,
    ThreatModel,
)
from capt_gui.settings import AttackSettings
from capt_gui.translate import spoken
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.stops import steps_param

CLEAN_ONLY = "none"
Values = tuple[tuple[str, ParamValue], ...]


class AttackChoice(QObject):
    """Attack, norm and the attack's own settings are kept for each page; budgets, seed, space and rounding are the same on all.

    `changed`: one of them, the model, or the prompts.
    """

    changed = Signal()

    def __init__(
        self,
        model: ModelChoice,
        chosen: AttackSettings,
        targets: Callable[[], tuple[str, ...]],
        extra_params: Callable[[], tuple[ParamInfo, ...]] = tuple,
        parent: QObject | None = None,
    ) -> None:
        """targets: the classes that an attack may want to see. extra_params: what the page adds to the Expert form."""
        super().__init__(parent)
        self.model = model
        self.settings = model.settings
        self._chosen = chosen
        self._targets = targets
        self._extra_params = extra_params
        # it belongs to the classes, and goes with them
        self._target: str | None = None
        model.changed.connect(self.changed)

    @property
    def name(self) -> str:
        """The name of the chosen suite or attack, such as "standard" or "pgd"; CLEAN_ONLY ("none") for no attack."""
        return self._chosen.attack

    @property
    def suite(self) -> Suite | None:
        """The chosen suite; None when a single attack, or no attack, is chosen."""
        return next((one for one in SUITES if one.name == self.name), None)

    @property
    def attack(self) -> AttackInfo | None:
        """The chosen single attack as the catalogue describes it; None for a suite, no attack, or an unknown one."""
        return next((one for one in self.model.attacks if one.name == self.name), None)

    @property
    def is_unknown(self) -> bool:
        """True while the chosen name is that of no suite and of no attack in the catalogue, which may be still to come."""
        return self.suite is None and self.attack is None and self.name != CLEAN_ONLY

    @property
    def is_corruption_table(self) -> bool:
        """True when a suite of common corruptions (noise, blur, weather) is chosen, in which nobody attacks."""
        return self.suite is not None and not self.suite.adversarial

    @property
    def has_attack(self) -> bool:
        """True when a suite of attacks or a known attack is chosen, or any attack before the catalogue arrives."""
        if self.suite is not None:
            return self.suite.adversarial
        return self.attack is not None or (self.is_unknown and not self.model.is_ready)

    @property
    def has_budget(self) -> bool:
        """True when a budget ε in a norm bounds the chosen attack; False for a patch, a rotation or no attack."""
        return self.has_attack and (self.attack is None or bool(self.attack.norms))

    @property
    def can_target(self) -> bool:
        """True when the chosen attack or suite can be told which class the model's answer should become."""
        return self.has_attack and (self.attack is None or self.attack.can_target)

    @property
    def norms(self) -> tuple[NormInfo, ...]:
        """The norms that the chosen attack works with; all norms for a suite or an attack that names none."""
        own = self.attack.norms if self.attack is not None else ()
        return tuple(norm for norm in self.model.catalogue.norms if not own or norm.name in own)

    @property
    def norm(self) -> NormInfo | None:
        """The chosen norm, or the first that the attack works with; None before the catalogue arrives."""
        norms = self.norms
        return next((norm for norm in norms if norm.name == self._chosen.norm), norms[0] if norms else None)

    @property
    def norm_name(self) -> str:
        """The name of the norm in use, such as "linf"; the name stored in the settings before the catalogue arrives."""
        return self.norm.name if self.norm is not None else self._chosen.norm

    @property
    def eps(self) -> float:
        """The budget ε for the norm in use, with pixels in [0, 1]: the user's, else `usual_eps`."""
        return self.settings.eps.get(self.norm_name, self.usual_eps)

    @property
    def usual_eps(self) -> float:
        """The budget ε used when the user chose none, with pixels in [0, 1]: under L∞ the model's own, else the norm's.

        A model without a budget of its own uses the norm's as well.
        """
        suggested = self.model.info.eps if self.model.info else None
        if suggested is not None and self.norm_name == "linf":
            return suggested
        return self.norm.default_eps if self.norm else ThreatModel().eps

    @property
    def steps(self) -> int:
        """The number of steps of the chosen single attack: the user's, else its default.

        0 for an attack that takes no steps, and for one that is not known yet when the user chose none.
        """
        param = steps_param(self.attack) if self.attack is not None else None
        if self.attack is not None and param is None:
            return 0
        chosen = dict(self.values).get("steps", param.default if param is not None else 0)
        return int(chosen) if isinstance(chosen, int | float) else 0

    @property
    def target(self) -> str | None:
        """The class that the attack wants to see; None for any wrong class, or when the attack cannot be targeted."""
        return self._target if self.can_target and self._target in self.targets else None

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the classes that an attack can be told to reach on this page."""
        return self._targets()

    @property
    def values(self) -> Values:
        """The user's settings of the chosen attack or suite, as (name, value) pairs in order of name.

        Only those that differ from the defaults are kept; settings that the attack does not have are left out.
        """
        values = self._chosen.expert.get(self.name, {})
        if self.attack is None:
            return tuple(sorted(values.items()))
        known = {param.name: param for param in self.attack.params}
        # The settings file may be another version's, or edited by hand.
        return tuple(sorted((name, one) for name, one in values.items() if name in known and known[name].allows(one)))

    def set_attack(self, name: str) -> None:
        """Choose the suite or the attack called `name`; CLEAN_ONLY ("none") chooses no attack."""
        if name != self._chosen.attack:
            self._chosen.attack = name
            self.changed.emit()

    def set_norm(self, name: str) -> None:
        """Choose the norm called `name`, such as "linf" or "l2"; the budget becomes the one last used with it."""
        if name != self._chosen.norm:
            self._chosen.norm = name
            self.changed.emit()

    def set_eps(self, eps: float) -> None:
        """Choose the budget `eps` for the norm in use, with pixels in [0, 1]; it holds on every page of the window."""
        if eps != self.eps:
            self.settings.eps[self.norm_name] = eps
            self.model.changed.emit()

    def set_steps(self, steps: int) -> None:
        """Choose the number of steps of the chosen single attack; its default number is stored as no choice."""
        self._keep(dict(self.values) | {"steps": steps})
        self.changed.emit()

    def set_target(self, name: str | None) -> None:
        """Choose the class called `name` as the one that the attack should reach; None for any wrong class."""
        if name != self._target:
            self._target = name
            self.changed.emit()

    def expert_params(self) -> tuple[ParamInfo, ...]:
        """Return the fields of the Expert form: budget, the attack's own settings, changed pixels, rounding and seed.

        Fields that do not apply are left out; there are none before the catalogue arrives, or for an unknown attack.
        """
        norm = self.norm
        if norm is None or self.is_unknown:
            return ()
        found: list[ParamInfo] = []
        if self.has_budget:
            unit, text = (
                "/255" if norm.name == "linf" else "",
                self.tr("How far each picture may be changed, in this norm."),
            )
            found.append(
                ParamInfo("eps", self.tr("Budget ε"), "float", self.usual_eps, 0.0, norm.high_eps, unit, help=text)
            )
        found += (*(self.attack.params if self.attack is not None else ()), *self._extra_params())
        if self.has_attack:
            found += self._pixel_params()
        text = self.tr("The same seed draws the same pictures and finds the same attacks.")
        return (*found, ParamInfo("seed", self.tr("Seed"), "int", 0, 0, 2**31 - 1, help=text))

    def expert_values(self) -> Values:
        """Return (name, value) for every field of the Expert form that differs from its default."""
        values: dict[str, ParamValue] = {"eps": self.eps, "seed": self.settings.seed, **dict(self.values)}
        values |= {"perturb": self.settings.perturb, "rounding": self.settings.rounding}
        defaults = {param.name: param.default for param in self.expert_params()}
        return tuple((name, value) for name, value in values.items() if name in defaults and value != defaults[name])

    def set_expert_values(self, values: Iterable[tuple[str, ParamValue]]) -> None:
        """Take (name, value) pairs from the Expert form, and reset every field that they do not name to its default.

        Nothing happens before the catalogue arrives, or for an unknown attack.
        """
        given = dict(values)
        if self.norm is None or self.is_unknown:
            return
        if self.has_budget:
            self.settings.eps[self.norm_name] = float(given.pop("eps", self.usual_eps))
        self.settings.seed = int(given.pop("seed", 0))
        if self.has_attack:
            self.settings.perturb = str(given.pop("perturb", PERTURBED[0]))
            self.settings.rounding = str(given.pop("rounding", ROUNDINGS[0]))
        self._keep(given)
        self.model.changed.emit()

    def specs(self) -> tuple[AttackSpec, ...]:
        """Return the chosen single attack with its settings, in a tuple of one; empty for a suite or no attack."""
        return (AttackSpec(self.name, self.values),) if self.has_attack and self.suite is None else ()

    def threat(self) -> ThreatModel:
        """Return the threat model for a run: norm, budget, target, changed pixels and rounding as chosen.

        Without an attack, changed pixels and rounding are the defaults, whatever was chosen for attacks.
        """
        perturb, rounding = PERTURBED[0], ROUNDINGS[0]
        if self.has_attack:
            perturb, rounding = self.settings.perturb, self.settings.rounding
        return ThreatModel(self.norm_name, self.eps, self.target, perturb=perturb, rounding=rounding)

    def options(
        self, *, classes: tuple[str, ...] = (), template: str, keep: str, with_pictures: bool = False
    ) -> RunOptions:
        """Return the options of a run: the chosen model, prompts, comparison, threat model and seed.

        classes, template: the class names asked about, and the sentence around them. keep: the run folder, "" to keep
        nothing. with_pictures: have the rows bring their large pictures.
        """
        sides = self.model.sides
        return RunOptions(
            model=self.settings.model,
            prompts=None if sides.a == NO_PROMPTS else sides.a,
            compare=sides.b,
            aim=sides.aim,
            classes=classes,
            template=template,
            threat=self.threat(),
            seed=self.settings.seed,
            lpips=self.model.lpips if self.has_attack else "",
            with_pictures=with_pictures,
            keep=keep,
            keep_pictures=keeps if (keeps := self.settings.keep_pictures) in PICTURES_KEPT else PICTURES_KEPT[1],
        )

    def summary(self) -> str:
        """Return a sentence about the chosen suite or attack, or about having none; "" while the attack is unknown."""
        info = self.suite or self.attack
        if info is not None:
            return spoken(info.summary)
        return self.tr("Nobody attacks: how many answers are right as the pictures are.") if not self.is_unknown else ""

    def _pixel_params(self) -> tuple[ParamInfo, ...]:
        perturb = self.tr(
            "What the model sees, or the picture's own pixels, resized inside the model; the latter takes long for large pictures."
        )
        rounding = self.tr(
            "Judge pictures at full precision, or of 8-bit values as files hold them, which the attack then knows."
        )
        return (
            ParamInfo("perturb", self.tr("Changed pixels"), "choice", PERTURBED[0], choices=PERTURBED, help=perturb),
            ParamInfo("rounding", self.tr("Rounding"), "choice", ROUNDINGS[0], choices=ROUNDINGS, help=rounding),
        )

    def _keep(self, values: dict[str, ParamValue]) -> None:
        """Store the values that differ from the attack's defaults, or forget the attack when none does."""
        params = self.attack.params if self.attack is not None else ()
        defaults = {param.name: param.default for param in params}
        own = {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}
        if own:
            self._chosen.expert[self.name] = own
        else:
            self._chosen.expert.pop(self.name, None)
