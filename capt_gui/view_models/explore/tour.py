"""The toy world as a first look: its model, its prompts and its pictures, and one sentence on what its run showed."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, fields
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_engine.bundled_models import TOYS
from capt_engine.formatting import NO_BREAK
from capt_engine.records import AnalyzeResult, PictureRow
from capt_engine.resources import resource
from capt_gui.settings import AUTO, AttackSettings, Settings
from capt_gui.translate import tr
from capt_gui.view_models import formatting
from capt_gui.view_models.explore.analysis_model import AnalysisModel
from capt_gui.view_models.explore.choices import Choices, OwnClasses
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.truth import outcome_of

_TOY = TOYS[0]
_NO_CHOICE = ("", (), "")


@dataclass(frozen=True)
class Lesson:
    """One picture on which A was fooled and B held, and the sentence that says so with the totals of the run."""

    path: str
    sentence: str


@dataclass
class _Chosen:
    """Settings that a look at the toy world changes; the defaults are what it shows."""

    model: str
    prompts: str = ""
    compare: str = AUTO
    aim: str = "each"
    eps: dict[str, float] = field(default_factory=dict)
    explore: AttackSettings = field(default_factory=AttackSettings)

    @classmethod
    def of(cls, settings: Settings) -> _Chosen:
        """Return a copy of what is chosen in `settings`."""
        return cls(**{one.name: deepcopy(getattr(settings, one.name)) for one in fields(cls)})

    def put_into(self, settings: Settings) -> None:
        """Choose this in `settings`; the page's own record of its attack stays the same object."""
        for one in fields(self):
            if one.name != "explore":
                setattr(settings, one.name, getattr(self, one.name))
        for one in fields(self.explore):
            setattr(settings.explore, one.name, getattr(self.explore, one.name))


class Tour(QObject):
    """Chooses the toy world for a look, and what was chosen before when that is over.

    learned(Lesson): the first run has ended, and showed something.
    """

    learned = Signal(object)

    def __init__(
        self, choices: Choices, gallery: GalleryModel, analysis: AnalysisModel, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._choices = choices
        self._settings = choices.settings
        self._gallery = gallery
        self._analysis = analysis
        self._before: _Chosen | None = None
        # class names that were typed for the toy world before
        self._own: OwnClasses | None = None
        # the sentence is said of the first run only
        self._awaits_run = self._awaits_catalogue = False
        choices.changed.connect(self.on_choices_changed)
        choices.model.offered.connect(self.on_offered)
        analysis.finished.connect(self.on_finished)

    @property
    def is_on(self) -> bool:
        """True while the toy world is chosen for a look only."""
        return self._before is not None

    def start(self, *, compare: str = AUTO) -> None:
        """Choose the toy world with its classes, plain text beside the usual prompts, and its usual budget; attack its pictures.

        compare: side B as the settings name it, OFF for plain text alone.
        """
        if self._before is None:
            self._before = _Chosen.of(self._settings)
        _Chosen(_TOY, compare=compare).put_into(self._settings)
        self._awaits_run = True
        self._choices.attack.set_target(None)
        if (own := self._choices.own_classes())[1:] != _NO_CHOICE:
            self._own = own
        self._choices.restore_classes()
        self._choices.model.changed.emit()
        if (search := self._analysis.drop([str(folder())], analyse=False)) is not None:
            search.finished.connect(self.on_found)

    def leave(self) -> str:
        """Choose what was chosen before the toy world; return the id of the model that is back, "" where none changed.

        With another model the toy world's pictures and their runs go: of those it would know nothing.
        """
        if self._before is None:
            return ""
        before, self._before, self._awaits_run = self._before, None, False
        self._put_back()
        before.put_into(self._settings)
        if before.model == _TOY:
            self._choices.model.changed.emit()
            return ""
        self._analysis.cancel()
        self._gallery.remove(self._paths())
        self._choices.model.sides.fit()
        self._choices.model.changed.emit()
        return before.model

    def on_choices_changed(self) -> None:
        """Take the model that the user chooses meanwhile as theirs: the look at the toy world is over."""
        if self._settings.model != _TOY:
            self._before, self._awaits_run = None, False
            self._put_back()

    def on_found(self) -> None:
        """Attack the toy world's pictures, now or as soon as the catalogue says what there is to compare."""
        if self._choices.model.is_ready:
            self._analysis.run(self._paths())
        else:
            self._awaits_catalogue = True

    def on_offered(self) -> None:
        """Attack the pictures that waited for the catalogue."""
        if self._awaits_catalogue and self._awaits_run:
            self._analysis.run(self._paths())
        self._awaits_catalogue = False

    def on_finished(self, _result: AnalyzeResult) -> None:
        """Emit `learned` when the first run of the toy world has ended, if there is a picture that shows the difference."""
        if not self._awaits_run:
            return
        self._awaits_run = False
        found = lesson(filter(None, map(self._gallery.item, self._paths())))
        if found is not None:
            self.learned.emit(found)

    def _put_back(self) -> None:
        """Store the class names again that were typed for the toy world before the look at it, unless others were typed since."""
        own, self._own = self._own, None
        if own is not None:
            self._choices.put_own_classes(own, over_others=False)

    def _paths(self) -> list[str]:
        return [path for path in self._gallery.usable_paths() if Path(path).parent == folder()]


def folder() -> Path:
    """Return the folder of the toy world's pictures that ship."""
    return resource("samples")


def lesson(items: Iterable[Item]) -> Lesson | None:
    """Return the clearest picture on which plain prompts were fooled and tuned ones held, with the totals of the run.

    items: analysed pictures of one run. On the picture A and B must begin with the same answer, the right one where that
    is known, A lose it and B keep it; of several, the one where both are surest after the attack. None where there is no
    such picture, or where B did not keep more answers in all.
    """
    pairs = [(item, item.row, item.other) for item in items if item.row is not None and item.other is not None]
    kept_a, kept_b = sum(_held(a) for _, a, _ in pairs), sum(_held(b) for _, _, b in pairs)
    telling = [
        (item.path, a, b)
        for item, a, b in pairs
        if _same_start(a, b)
        and outcome_of(a, item.label) in ("broken", "changed")
        and outcome_of(b, item.label) in ("held", "kept")
    ]
    if not telling or kept_b <= kept_a:
        return None
    path, a, _ = max(telling, key=lambda pair: min(_confidence(pair[1]), _confidence(pair[2])))
    answer, wrong = a.classes[a.clean.winner], a.classes[_last(a)]
    words = tr(
        "Attacked within {}, plain text (A) kept its answer on {} of {} pictures, the tuned prompts (B) on {}: "
        "this one turned from “{}” into “{}” for A and stayed “{}” for B."
    )
    within = formatting.threat(a.threat).replace(" ", NO_BREAK)
    return Lesson(path, words.format(within, kept_a, len(pairs), kept_b, answer, wrong, answer))


def _last(row: PictureRow) -> int:
    return (row.attacked or row.clean).winner


def _held(row: PictureRow) -> bool:
    return _last(row) == row.clean.winner


def _same_start(a: PictureRow, b: PictureRow) -> bool:
    return a.classes[a.clean.winner] == b.classes[b.clean.winner]


def _confidence(row: PictureRow) -> float:
    return max((row.attacked or row.clean).probabilities)
