"""The choices of the Explore page: model, attack and classes, turned into the request that is frozen when Run is pressed."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, TypeVar

from PySide6.QtCore import QObject, Signal

from capt_engine.records import AnalyzeRequest
from capt_gui.settings import Settings
from capt_gui.view_models.attack_choice import AttackChoice
from capt_gui.view_models.model_choice import ModelChoice

_T = TypeVar("_T")

SUGGESTED, OWN = "", "own"
"""Keys of class names that are no list that ships: those that model or prompts suggest, and the user's own."""


class OwnClasses(NamedTuple):
    """The user's own choice of class names for a model and its prompts: the id of a list that ships, or names; and a template.

    key: `Sides.own_classes_key`. Empty: no choice.
    """

    key: str
    class_list: str
    classes: tuple[str, ...]
    template: str


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
        """Choose the catalogue's first attack where the chosen one is not in it, unless the catalogue has none."""
        names = [info.name for info in self.model.attacks]
        if names and self.settings.explore.attack not in names:
            self.settings.explore.attack = names[0]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes that the model is asked about: the user's, else the suggested ones."""
        return self._own_classes or self.suggestion[0]

    @property
    def template(self) -> str:
        """The sentence around each class name: the user's, else the suggested one."""
        return self._own_template or self.suggestion[1]

    @property
    def suggestion(self) -> tuple[tuple[str, ...], str]:
        """The suggested class names and template: those that the chosen prompts were tuned on, else the model's own."""
        prompts, model = self.model.sides.suggesting, self.model.info
        template = model.template if model else ""
        if prompts is not None:
            return prompts.classes, prompts.template or template
        return (model.classes if model else ()), template

    @property
    def class_list(self) -> str:
        """The key of the class names in use: the id of a list that ships, SUGGESTED for those of model or prompts, else OWN."""
        classes = self.classes
        listing = self.model.listing(classes)
        if listing is not None:
            return listing.id
        return SUGGESTED if classes == self.suggestion[0] else OWN

    def set_class_list(self, key: str) -> None:
        """Ask about the list that ships with the id `key`, or for SUGGESTED about the suggested classes; OWN changes nothing."""
        names = {one.id: one.classes for one in self.model.class_lists} | {SUGGESTED: self.suggestion[0]}
        if key in names:
            self.set_classes(names[key], self.template)

    @property
    def has_own_classes(self) -> bool:
        """True if the user has written class names or a template for the chosen model."""
        return bool(self._own_classes or self._own_template)

    @property
    def _key(self) -> str:
        return self.model.sides.own_classes_key

    @property
    def _own_classes(self) -> tuple[str, ...]:
        chosen = self.settings.class_list.get(self._key, "")
        listed = next((one.classes for one in self.model.class_lists if one.id == chosen), ())
        return listed or tuple(self.settings.classes.get(self._key, ()))

    @property
    def _own_template(self) -> str:
        return self.settings.template.get(self._key, "")

    def problem(self) -> str:
        """Return a few words on why a run cannot start, such as "Name at least two classes".

        "" when it can, and also before the catalogue arrives.
        """
        if not self.model.is_ready:
            return ""
        if len(set(self.classes)) < 2:
            return self.tr("Name at least two classes")
        return "" if "{}" in self.template else self.tr("The template needs {} where the class goes")

    def set_classes(self, classes: tuple[str, ...], template: str) -> None:
        """Take the class names and the template as the user's own for the chosen model.

        Names or a template equal to the suggested ones are stored as no choice, so that they follow later suggestions, and the
        names of a list that ships as its id.
        """
        suggested_classes, suggested_template = self.suggestion
        key = self._key
        own = classes != suggested_classes
        listing = self.model.listing(classes) if own else None
        _keep(self.settings.class_list, key, listing.id if listing is not None else "")
        _keep(self.settings.classes, key, list(classes) if own and listing is None else [])
        _keep(self.settings.template, key, "" if template == suggested_template else template)
        # the classes are what an attack can be told to reach
        self.attack.changed.emit()

    def own_classes(self) -> OwnClasses:
        """Return the user's own class names and template for the chosen model and prompts, as they are stored."""
        key, settings = self._key, self.settings
        names = tuple(settings.classes.get(key, ()))
        return OwnClasses(key, settings.class_list.get(key, ""), names, settings.template.get(key, ""))

    def put_own_classes(self, own: OwnClasses, *, over_others: bool = True) -> None:
        """Store class names and template that `own_classes` gave before, for the model and prompts that they were chosen for.

        over_others: also where others were chosen since.
        """
        tables = (self.settings.class_list, self.settings.classes, self.settings.template)
        if not over_others and any(own.key in table for table in tables):
            return
        _keep(self.settings.class_list, own.key, own.class_list)
        _keep(self.settings.classes, own.key, list(own.classes))
        _keep(self.settings.template, own.key, own.template)
        self.attack.changed.emit()

    def restore_classes(self) -> None:
        """Forget the user's class names and template for the chosen model, so that the suggested ones hold again."""
        self.set_classes((), "")

    def use_model_classes(self) -> None:
        """Take the model's own class names and template as the user's, where the chosen prompts suggest others."""
        if self.model.info is not None:
            self.set_classes(self.model.info.classes, self.model.info.template)

    def request(self, paths: tuple[str, ...], keep: str = "") -> AnalyzeRequest:
        """Return the request of an analysis with the choices as they are now; later changes do not touch it.

        paths: the pictures' files. keep: the run folder, "" to keep nothing.
        """
        # what stands in the editor is what is asked, whoever suggested it
        learned = self.model.sides.are_learned and self.model.is_ready
        # a file's own classes are the engine's to find, also while the window does not know them yet
        learned = learned and not self.model.sides.file_suggests
        classes = self.classes if learned else self._own_classes
        template = self.template if learned else self._own_template
        return AnalyzeRequest(
            paths=paths,
            attack=next(iter(self.attack.specs()), None),
            options=self.attack.options(classes=classes, template=template, keep=keep, with_pictures=True),
        )

    def made_with(self, request: AnalyzeRequest) -> bool:
        """Return True if the request was made with the present choices, its pictures, folder and LPIPS aside."""
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
