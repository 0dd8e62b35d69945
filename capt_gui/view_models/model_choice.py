"""The choice that the Explore and the Evaluate page share: the model, its prompts, and the settings that are the same for every attack."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import LPIPS_NETS, AttackInfo, Catalogue, ClassList, ModelInfo
from capt_gui.settings import Settings
from capt_gui.translate import counted, spoken
from capt_gui.view_models.engine_state import NO_CATALOGUE
from capt_gui.view_models.explore.sides import Sides, model_label

_NAMED = 3


class ModelChoice(QObject):
    """`changed`: a choice that matters to results did; `offered`: the catalogue arrived."""

    changed = Signal()
    offered = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.catalogue = NO_CATALOGUE
        # the catalogue arrived
        self.is_ready = False
        self.sides = Sides(settings, self)
        self.sides.changed.connect(self.changed)

    def on_ready(self, catalogue: Catalogue) -> None:
        """Take the engine's catalogue; a chosen model that is not in it gives way to the catalogue's first model.

        Emits `offered` and `changed`.
        """
        self.catalogue, self.is_ready = catalogue, True
        ids = [model.id for model in catalogue.models]
        if ids and self.settings.model not in ids:
            self.settings.model = ids[0]
        self.sides.take(catalogue)
        self.offered.emit()
        self.changed.emit()

    @property
    def info(self) -> ModelInfo | None:
        """The chosen model as the catalogue describes it; None before the catalogue arrives."""
        return next((model for model in self.catalogue.models if model.id == self.settings.model), None)

    @property
    def attacks(self) -> tuple[AttackInfo, ...]:
        """All attacks of the engine's catalogue; empty before the catalogue arrives."""
        return self.catalogue.attacks

    @property
    def lpips(self) -> str:
        """The network that measures LPIPS: "alex" if its weights are installed, else "" (LPIPS is not measured)."""
        return LPIPS_NETS[0] if LPIPS_NETS[0] in self.catalogue.lpips else ""

    @property
    def class_lists(self) -> tuple[ClassList, ...]:
        """The lists of class names that ship; empty before the catalogue arrives."""
        return self.catalogue.class_lists

    def listing(self, names: tuple[str, ...]) -> ClassList | None:
        """Return the list that ships with exactly these class names; None for any other names."""
        return next((one for one in self.class_lists if one.classes == names), None)

    def among(self, names: tuple[str, ...]) -> str:
        """Return the class names that an answer was chosen among in words: how many they are, and whose.

        As in "among 130 everyday words", "among the 14 class names of Demo CLIP", "among 2 class names of your own (cat, dog)".
        """
        if (listing := self.listing(names)) is not None:
            return self.tr("among {}").format(spoken(listing.among))
        count = counted(len(names), "1 class name", "{:,} class names")
        makers = [(one.label, one.classes) for one in self.catalogue.models]
        # Several prompts are tuned on the same classes: those that are chosen are meant.
        prompts = sorted(self.catalogue.prompts, key=lambda one: one.id not in (self.sides.a, self.sides.b))
        makers += [(one.label, one.classes) for one in prompts]
        owner = next((label for label, classes in makers if classes == names), "")
        if owner:
            return self.tr("among the {} of {}").format(count, owner)
        some = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        if (found := self.sides.described(names)) is not None:
            return self.tr("among the {} of {}").format(count, found.label)
        own = list(names) in self.settings.classes.values()
        return (self.tr("among {} of your own ({})") if own else self.tr("among {} ({})")).format(count, some)

    def asked(self, name: str, names: tuple[str, ...]) -> str:
        """Return the label of the model with the id `name`, and the class names that it chose among, in words."""
        return self.tr("{}, {}").format(self.label(name), self.among(names))

    def label(self, name: str) -> str:
        """Return the label, for people, of the model with the id `name`; the id if the catalogue does not hold it."""
        return model_label(self.catalogue, name)

    def attack_label(self, name: str) -> str:
        """Return the label, for people, of the attack called `name`; the name if the catalogue does not hold it."""
        return next((attack.label for attack in self.attacks if attack.name == name), name)

    def set_model(self, name: str) -> None:
        """Choose the model with the id `name`; chosen prompts that were made for another model are dropped."""
        if name != self.settings.model:
            self.settings.model = name
            self.sides.fit()
            self.changed.emit()
