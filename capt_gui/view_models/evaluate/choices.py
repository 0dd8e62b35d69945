"""Choices of an evaluation of labelled pictures: attacks, budgets, number of pictures, and checks."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject, Signal

from capt_engine.formatting import percent_number
from capt_engine.records import CHECK_LEVELS, EvaluateRequest, ParamInfo, until_chance
from capt_gui.settings import EvaluateSettings
from capt_gui.view_models.attack_choice import AttackChoice
from capt_gui.view_models.evaluate.data import EvaluateData
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.tune import tune_text

LIMITS = (20, 50, 100, 200, 500, 1000, 2000)

_EVERY = "every_picture"


class EvaluateChoices(QObject):
    """`changed`: a choice of this page did, or one that it shares with Explore, or the pictures."""

    changed = Signal()

    def __init__(self, model: ModelChoice, data: EvaluateData, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.data = data
        self.settings: EvaluateSettings = model.settings.evaluate
        self.attack = AttackChoice(model, self.settings, self._class_names, self._extra_params, self)
        # these belong to the data, and go with them
        self._template = ""
        self._class_list = ("", "")
        self.attack.changed.connect(self.changed)
        # the classes of the data are what an attack can be told to reach
        data.changed.connect(self.attack.changed)

    @property
    def can_curve(self) -> bool:
        """True when a curve of accuracy against ε is possible: a norm bounds the chosen attack and ε is not 0."""
        return self.attack.has_budget and self.attack.eps > 0

    @property
    def curve(self) -> bool:
        """True when the user wants a curve of accuracy against ε and the chosen attack allows one."""
        return self.settings.curve and self.can_curve

    @property
    def checks(self) -> str:
        """The level of the engine's checks of the figures: "off", "cheap" or "full"; an unknown setting gives "cheap"."""
        return self.settings.checks if self.settings.checks in CHECK_LEVELS else "cheap"

    @property
    def template(self) -> str:
        """The sentence around each class name: the user's, else the data set's own; "" before a scan."""
        return self._template or (self.data.result.template if self.data.result else "")

    @property
    def own_template(self) -> str:
        """The sentence around each class name that the user wrote; "" for the data set's own."""
        return self._template

    @property
    def class_list(self) -> str:
        """The id of the list that ships and that answers are chosen among; "" for the classes of the data."""
        place, key = self._class_list
        return key if place == self.data.place else ""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that the model chooses among: those of the chosen list, else those of the data."""
        listed = (one.classes for one in self.model.class_lists if one.id == self.class_list)
        return next(listed, self.data.names)

    def set_class_list(self, key: str) -> None:
        """Have answers chosen among the list that ships with the id `key`, "" for the classes of the data; it goes with the data."""
        if key != self.class_list:
            self._class_list = (self.data.place, key)
            self.attack.changed.emit()

    @property
    def pictures(self) -> int:
        """The number of usable pictures a run takes: the chosen limit, else all of the chosen part; 0 before a scan."""
        return self.limit or self.data.pictures_in_split

    @property
    def drawn(self) -> int:
        """The number of pictures that a run draws, including unreadable ones, which the run reports as failed."""
        listed = sum(own.listed for own in self.data.classes)
        return min(listed, self.limit or listed)

    def limits(self) -> list[tuple[str, object]]:
        """Return the choices for the largest number of pictures as (label, number), ascending, then "all" with 0.

        Numbers that are not smaller than the number of pictures in the chosen part are left out.
        """
        there = self.data.pictures_in_split
        # one that is no stop of ours, as a settings file may hold, gets one of its own
        numbers = sorted({*LIMITS, *([self.settings.limit] if self.settings.limit > 0 else [])})
        stops: list[tuple[str, object]] = [(f"{n:,}", n) for n in numbers if not there or n < there]
        return [*stops, (self.tr("all {:,}").format(there) if there else self.tr("all"), 0)]

    @property
    def limit(self) -> int:
        """The largest number of pictures that a run takes; 0 for all, also if the number chosen exceeds what there is."""
        return self.settings.limit if 0 < self.settings.limit < self.data.pictures_in_split else 0

    def set_curve(self, wanted: bool) -> None:
        """Switch the run's curve of accuracy against ε on (`wanted` True) or off."""
        self._set("curve", wanted)

    def set_checks(self, level: str) -> None:
        """Choose the level of the engine's checks of the figures: "off", "cheap" or "full"."""
        self._set("checks", level)

    def set_limit(self, limit: int) -> None:
        """Choose the largest number of pictures that a run takes; 0 for all."""
        self._set("limit", limit)

    def set_template(self, template: str) -> None:
        """Choose the sentence around each class name, with {} for the name; "" for the data set's own."""
        own = self.data.result.template if self.data.result else ""
        template = "" if template == own else template
        if template != self._template:
            self._template = template
            self.changed.emit()

    def problem(self) -> str:
        """Return a few words on why a run cannot start now, such as "Choose a test"; "" when it can."""
        if data := self.data.problem():
            return data
        if not self.model.is_ready:
            # an attack that was chosen last time is not known yet, nor the budget that suits the model
            return self.tr("Waiting for the engine")
        if self.attack.is_unknown:
            return self.tr("Choose a test")
        return "" if "{}" in (self.template or "{}") else self.tr("The template needs {} where the class goes")

    def request(self, keep: str = "") -> EvaluateRequest:
        """Return the request of an evaluation with the choices as they are now; later changes do not touch it.

        keep: the run folder, "" to keep nothing.
        """
        attack, suite = self.attack, self.attack.suite
        every = bool(dict(attack.values).get(_EVERY, False))
        return EvaluateRequest(
            data=self.data.place,
            split=self.data.split,
            attacks=attack.specs(),
            suite=suite.name if suite is not None else "",
            curve=until_chance(attack.eps, attack.norm_name) if self.curve else (),
            until_chance=self.curve,
            skip_broken=self.curve or (suite is not None and suite.adversarial and not every),
            checks=self.checks,
            limit=self.limit,
            options=attack.options(classes=self.classes if self.class_list else (), template=self._template, keep=keep),
        )

    def cost_text(self, seconds: float | None = None) -> str:
        """Return a sentence on the work that the run will be: pictures, sets of prompts, attacks, budgets, and time.

        seconds: the forecast of the time; None where no such run was measured. "" while the number of pictures is not
        known.
        """
        n = self.pictures
        if not n:
            return ""
        sides = 1 if self.model.sides.b is None else 2
        text = self.tr("1 picture") if n == 1 else self.tr("{:,} pictures").format(n)
        if sides > 1:
            text += self.tr(" × 2 sets of prompts")
        suite = self.attack.suite
        if not self.attack.has_attack:
            passes = n * sides * (1 + (len(suite.linf) if suite is not None else 0))
            text = self.tr("{}: {:,} forward passes").format(text, passes)
            text += "" if self.checks == "off" else self.tr(" and the checks")
            return self.tr("{}. {}").format(text, "" if seconds is None else self._time_text(seconds)).strip()
        if suite is not None:
            count = len(suite.of(self.attack.norm_name, targeted=self.attack.target is not None))
            text += self.tr(" × {} attacks").format(count)
        if self.curve:
            budgets = len(until_chance(self.attack.eps, self.attack.norm_name))
            text += self.tr(" × up to {} budgets").format(budgets)
        return self.tr("{}. {}").format(text, self._time_text(seconds))

    def _time_text(self, seconds: float | None) -> str:
        if seconds is None:
            return self.tr("How long that takes is measured on the first of them.")
        return self.tr("At the pace of the last such run: {}.").format(tune_text.duration(seconds))

    def interval_text(self) -> str:
        """Return a sentence on the largest half width of a 95 % Wilson interval for so many pictures; "" before a scan."""
        n = self.pictures
        if not n:
            return ""
        z = 1.96
        reach = z * math.sqrt(0.25 / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return self.tr("Figures are known to ± {} points or better.").format(percent_number(reach))

    def _extra_params(self) -> tuple[ParamInfo, ...]:
        suite = self.attack.suite
        if suite is None or not suite.adversarial or self.curve:
            return ()
        text = self.tr("Also those that an earlier attack broke. The worst case is the same; it takes longer.")
        return (ParamInfo(_EVERY, self.tr("Every attack on every picture"), "bool", False, help=text),)

    def _class_names(self) -> tuple[str, ...]:
        return self.classes

    def _set(self, name: str, value: object) -> None:
        if getattr(self.settings, name) != value:
            setattr(self.settings, name, value)
            self.changed.emit()
