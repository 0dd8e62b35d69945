"""The choices of the Explore page: model, attack and classes, turned into the request that is frozen when Run is pressed."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from capt_engine.records import AnalyzeRequest
from capt_gui.settings import Settings
from capt_gui.view_models.attack_choice import AttackChoice
from capt_gui.view_models.model_choice import ModelChoice

_T = TypeVar("_T")


class Choices(QObject):
    """`changed`: a choice that matters to results did."""

    changed = Signal()

    def __init__(self, model: ModelChoice, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.settings: Settings = model.settings
        self.attack = AttackChoice(model, self.settings.explore, self._class_names, parent=self)
        model.offered.connect(self.on_offered)
        self.attack.changed.connect(self.changed)

    def on_offered(self) -> None:
        """Fall back to the first attack where the catalogue does not hold the chosen one."""
        names = [info.name for info in self.model.attacks]
        if names and self.settings.explore.attack not in names:
            self.settings.explore.attack = names[0]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes the model is asked about: the user's, else the suggestion."""
        return self._own_classes or self.suggestion[0]

    @property
    def template(self) -> str:
        """The template each class stands in: the user's, else the suggested one."""
        return self._own_template or self.suggestion[1]

    @property
    def suggestion(self) -> tuple[tuple[str, ...], str]:
        """Classes and template of the prompts where they bring some, else the model's own."""
        prompts, model = self.model.sides.suggesting, self.model.info
        template = model.template if model else ""
        if prompts is not None:
            return prompts.classes, prompts.template or template
        return (model.classes if model else ()), template

    @property
    def has_own_classes(self) -> bool:
        """True where the user has written classes or a template for this model."""
        return bool(self._own_classes or self._own_template)

    @property
    def _own_classes(self) -> tuple[str, ...]:
        return tuple(self.settings.classes.get(self.settings.model, ()))

    @property
    def _own_template(self) -> str:
        return self.settings.template.get(self.settings.model, "")

    def problem(self) -> str:
        """Why Run makes no sense as things stand; empty when it does."""
        if not self.model.is_ready:
            return ""
        if len(set(self.classes)) < 2:
            return "Name at least two classes"
        return "" if "{}" in self.template else "The template needs {} where the class goes"

    def set_classes(self, classes: tuple[str, ...], template: str) -> None:
        """Take the user's classes; the suggestion itself is stored as "no choice"."""
        suggested_classes, suggested_template = self.suggestion
        model = self.settings.model
        _keep(self.settings.classes, model, [] if classes == suggested_classes else list(classes))
        _keep(self.settings.template, model, "" if template == suggested_template else template)
        # the classes are what an attack can be told to reach
        self.attack.changed.emit()

    def restore_classes(self) -> None:
        """Go back to the suggestion."""
        self.set_classes((), "")

    def use_model_classes(self) -> None:
        """Ask about the model's own classes where the prompts suggest others."""
        if self.model.info is not None:
            self.set_classes(self.model.info.classes, self.model.info.template)

    def request(self, paths: tuple[str, ...], keep: str = "") -> AnalyzeRequest:
        """The frozen copy of all choices that one job works with."""
        # what stands in the editor is what is asked, whoever suggested it
        learned = self.model.sides.are_learned and self.model.is_ready
        classes = self.classes if learned else self._own_classes
        template = self.template if learned else self._own_template
        return AnalyzeRequest(
            paths=paths,
            attack=next(iter(self.attack.specs()), None),
            options=self.attack.options(classes=classes, template=template, keep=keep, with_pictures=True),
        )

    def made_with(self, request: AnalyzeRequest) -> bool:
        """True for a request made with the present choices, whatever its pictures, kept or not, with LPIPS beside it or without."""
        now = self.request(request.paths, request.options.keep)
        return replace(now, options=replace(now.options, lpips=request.options.lpips)) == request

    def _class_names(self) -> tuple[str, ...]:
        return self.classes


def _keep(table: dict[str, _T], key: str, value: _T) -> None:
    """Store a value, or forget the key when there is nothing to store."""
    if value:
        table[key] = value
    else:
        table.pop(key, None)
