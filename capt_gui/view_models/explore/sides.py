"""The two sets of prompts that are compared, A and B, and whom an attack is aimed at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_engine.records import AIMS, NO_PROMPTS, Catalogue, PromptsDescribed, PromptsInfo
from capt_gui.settings import AUTO, OFF, Settings
from capt_gui.view_models.engine_state import NO_CATALOGUE

SUFFIX = ".safetensors"

_FILES_KEPT = 8
_USUAL_METHOD = "capt"


@dataclass(frozen=True)
class CheckpointOption:
    """One checkpoint of the pickers; `made_for` names the other model it belongs to, empty when it can be chosen."""

    info: PromptsInfo
    made_for: str = ""


class Sides(QObject):
    """Reads and writes the settings; plain text is NO_PROMPTS here, on either side.

    changed: what is asked did. file_opened(path): a prompts file was chosen, of which nothing is known yet.
    """

    changed = Signal()
    file_opened = Signal(str)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._catalogue = NO_CATALOGUE
        self._described: dict[str, PromptsInfo] = {}

    def take(self, catalogue: Catalogue) -> None:
        """Take the engine's catalogue, and replace chosen prompts that do not fit the chosen model, as `fit` does.

        A falls back to plain text, B to the usual choice: CAPT's prompts beside plain text, else none. Emits no signal.
        """
        self._catalogue = catalogue
        self.fit()

    def describe(self, result: PromptsDescribed) -> None:
        """Take what the engine found in a prompts file, such as the classes that it was tuned on."""
        self._described[result.info.id] = result.info
        self.changed.emit()

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the prompts files chosen for A or B that lie outside the program's folders, as far as they are there."""
        listed = {info.id for info in self._catalogue.prompts}
        some = (name for name in (self.a, self.b) if name is not None and _is_file_name(name) and name not in listed)
        return tuple(name for name in some if Path(name).is_file())

    def fit(self) -> None:
        """Replace chosen prompts that do not fit the chosen model: A by plain text, B by the usual choice.

        The usual choice is CAPT's prompts for the model's own classes beside plain text, else none. Emits no signal.
        """
        chosen = self._settings
        if chosen.prompts and not self._usable(chosen.prompts):
            chosen.prompts = ""
        if chosen.compare not in {AUTO, OFF, NO_PROMPTS} and not self._usable(chosen.compare):
            chosen.compare = AUTO

    @property
    def a(self) -> str:
        """The id of the prompts of side A (the first of two that can be compared); NO_PROMPTS for plain text."""
        return self._settings.prompts or NO_PROMPTS

    @property
    def b(self) -> str | None:
        """The id of the prompts of side B, NO_PROMPTS for plain text; None when nothing is compared."""
        chosen = self._settings.compare
        if chosen == AUTO:
            return self._usual() if self.a == NO_PROMPTS else None
        return None if chosen in {OFF, self.a} else chosen

    @property
    def aim(self) -> str:
        """The prompts that an attack is computed on: "a", "b", or "each" for one on each, as without a comparison."""
        return self._settings.aim if self.b is not None and self._settings.aim in AIMS else AIMS[0]

    @property
    def are_learned(self) -> bool:
        """True if learned prompts are chosen for A or for B."""
        return self.a != NO_PROMPTS or self.b not in {None, NO_PROMPTS}

    @property
    def suggesting(self) -> PromptsInfo | None:
        """The chosen prompts whose class names are suggested: A's if they bring some, else B's; None if neither do."""
        found = (self.info(name) for name in (self.a, self.b) if name is not None)
        return next((info for info in found if info is not None and info.classes), None)

    @property
    def own_classes_key(self) -> str:
        """The key in the settings of the user's own class names for the chosen model and prompts.

        Prompts that bring class names have a key of their own, so that names typed for others do not judge with them; the
        usual partner of plain text shares that of the model.
        """
        usual = self._usual()
        found = (self.info(name) for name in (self.a, self.b) if name is not None and name != usual)
        prompts = next((info for info in found if info is not None and info.classes), None)
        return self._settings.model if prompts is None else f"{self._settings.model} + {prompts.id}"

    def described(self, classes: tuple[str, ...]) -> PromptsInfo | None:
        """Return the opened prompts file that was tuned on exactly these classes; None where none was."""
        return next((info for info in self._described.values() if info.classes == classes), None)

    @property
    def file_suggests(self) -> bool:
        """True if the classes that are suggested are those of a file outside the program's folders, whether they are known yet or not."""
        for name in (self.a, self.b):
            if name is not None and name in self.files:
                return True
            info = self.info(name) if name is not None else None
            if info is not None and info.classes:
                return False
        return False

    def set_a(self, name: str) -> None:
        """Choose the prompts with the id `name` for side A, NO_PROMPTS for plain text.

        If B has them already, A and B change places.
        """
        partner = self.b
        if name == partner:
            self.swap()
        elif name != self.a:
            self._settings.prompts = _stored(name)
            # the partner stays, although it was only the usual one of the old A
            if partner is not None:
                self._settings.compare = partner
            self.changed.emit()

    def set_b(self, name: str | None) -> None:
        """Choose the prompts with the id `name` for side B, NO_PROMPTS for plain text; None for no comparison.

        If A has them already, A gets those that B had, or plain text where it had none.
        """
        if name == self.b:
            return
        if name == self.a:
            self._settings.prompts = _stored(self.b or NO_PROMPTS)
        self._settings.compare = OFF if name is None else name
        self.changed.emit()

    def swap(self) -> None:
        """Exchange the prompts of A and B; an attack stays aimed at the same prompts. Nothing happens without B."""
        if self.b is None:
            return
        chosen = self._settings
        chosen.prompts, chosen.compare = _stored(self.b), self.a
        chosen.aim = {"a": "b", "b": "a"}.get(chosen.aim, chosen.aim)
        self.changed.emit()

    def set_aim(self, aim: str) -> None:
        """Choose the prompts that an attack is computed on: `aim` is "a", "b", or "each" for one attack on each."""
        if aim != self._settings.aim:
            self._settings.aim = aim
            self.changed.emit()

    def open_file(self, path: str, side: str) -> None:
        """Add the checkpoint file at `path` to those that can be chosen, and choose it for `side` "a" or "b".

        The file is not read here; the engine refuses one that does not fit.
        """
        files = self._settings.prompt_files
        self._settings.prompt_files = [path, *(file for file in files if file != path)][:_FILES_KEPT]
        before = (self.a, self.b)
        (self.set_a if side == "a" else self.set_b)(path)
        if (self.a, self.b) == before:
            self.changed.emit()
        self.file_opened.emit(path)

    def checkpoints(self) -> tuple[CheckpointOption, ...]:
        """Return all prompt checkpoints: those that ship, the user's own, and last those made for another model."""
        model = self._settings.model
        every = [
            CheckpointOption(info, model_label(self._catalogue, info.model) if _is_foreign(info, model) else "")
            for info in self._all()
        ]
        return tuple(sorted(every, key=lambda option: (bool(option.made_for), not option.info.bundled)))

    def info(self, name: str) -> PromptsInfo | None:
        """Return what is known of the prompts with the id `name`; None for plain text and for unknown prompts."""
        return next((info for info in self._all() if info.id == name), None)

    def label(self, name: str) -> str:
        """Return the name of the prompts with the id `name` in a sentence; "plain text" for "" and NO_PROMPTS."""
        if name in {"", NO_PROMPTS}:
            return self.tr("plain text")
        info = self.info(name)
        return info.label if info is not None else Path(name).stem if _is_file_name(name) else name

    def _all(self) -> list[PromptsInfo]:
        listed = list(self._catalogue.prompts)
        known = {info.id for info in listed}
        chosen = [name for name in (self.a, self._settings.compare) if _is_file_name(name)]
        files = dict.fromkeys([*self._settings.prompt_files, *chosen])
        return listed + [
            self._described.get(path, PromptsInfo(path, Path(path).stem, path))
            for path in files
            if path not in known and Path(path).is_file()
        ]

    def _usual(self) -> str | None:
        """The usual prompts beside plain text: CAPT's for this model, those that ship first.

        Prompts that were tuned on a few of the model's classes are none: they would judge any picture among those few.
        """
        classes = next((set(one.classes) for one in self._catalogue.models if one.id == self._settings.model), set())
        fitting = [one.info for one in self.checkpoints() if not one.made_for and set(one.info.classes) == classes]
        return next((info.id for info in fitting if info.method.lower() == _USUAL_METHOD), None)

    def _usable(self, name: str) -> bool:
        info = self.info(name)
        return info is not None and not _is_foreign(info, self._settings.model)


def model_label(catalogue: Catalogue, name: str) -> str:
    """Return the label, for people, of the model with the id `name`; the id if the catalogue does not hold it."""
    return next((model.label for model in catalogue.models if model.id == name), name)


def _is_foreign(info: PromptsInfo, model: str) -> bool:
    """Of a file that was only opened the model is not known; the engine refuses it, with the reason, if it must."""
    return info.model not in {"", model}


def _is_file_name(name: str) -> bool:
    return name.lower().endswith(SUFFIX)


def _stored(name: str) -> str:
    """Plain text is kept as no prompts at all."""
    return "" if name == NO_PROMPTS else name
