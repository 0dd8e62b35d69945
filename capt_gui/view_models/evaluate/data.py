"""The labelled pictures that are evaluated: a read-only scan of them, and which part of them is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from PySide6.QtCore import QObject, QTemporaryDir

from capt_engine.records import USES, ClassCount, FailedPicture, Failure, ScanResult
from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.view_models.evaluate.data_warnings import notices
from capt_gui.view_models.scan_job import ScanJob

RECENT = 6
_TABLES = (".csv", ".tsv", ".json")


class EvaluateData(ScanJob):
    """The pictures to evaluate. `changed`: the pictures, or which part of them."""

    def __init__(self, bridge: Bridge, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._settings = settings
        self._scratch: QTemporaryDir | None = None
        # the classes as the chosen part has them; those without a picture there are among the answers all the same
        self.classes: tuple[ClassCount, ...] = ()
        self.place = ""
        # what a split of the inventory calls the chosen part; "" where the data set brings only one
        self.split = ""
        bridge.closing.connect(self.on_closing)

    @property
    def title(self) -> str:
        """The name of the folder or table."""
        return PurePath(self.place).name or self.place

    @property
    def splits(self) -> tuple[tuple[str, int], ...]:
        """The parts that have usable pictures, each with how many; one alone needs no choice."""
        return tuple((name, count) for name, count in self.result.splits if count) if self.result else ()

    @property
    def pictures_in_split(self) -> int:
        """Usable pictures of the chosen part."""
        return sum(own.usable for own in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes that the model chooses among."""
        return tuple(own.name for own in self.result.classes) if self.result else ()

    @property
    def unreadable(self) -> tuple[FailedPicture, ...]:
        """The pictures that cannot be used, with the reason."""
        return tuple(failure for _, failure in self.result.unreadable) if self.result else ()

    @property
    def pictures(self) -> dict[str, tuple[str, ...]]:
        """Usable pictures of the chosen part by class, as far as they are known."""
        use = self.split if self.split in USES and len(self.splits) > 1 else ""
        return self._by_use.get(use, {})

    def shown(self) -> ScanResult | None:
        """The scan's answer with the chosen part alone."""
        return replace(self.result, classes=self.classes) if self.result is not None else None

    def problem(self) -> str:
        """Why nothing can be evaluated, in a sentence; empty when something can."""
        if self.is_running:
            return self.tr("The pictures are being looked through")
        if self.result is None:
            return self.tr("Drop labelled pictures first")
        return self._block()

    @staticmethod
    def could_be_data(path: str) -> bool:
        """True if a path is a folder, a table or a split file."""
        return path.lower().endswith(_TABLES) or Path(path).is_dir()

    def take(self, paths: Sequence[str]) -> None:
        """Look through a folder of classes, a table or a split file; only one at a time, as one run is of one data set."""
        if len(paths) != 1:
            message = self.tr("One folder or table at a time.")
            hint = self.tr("Drop the folder that holds the folders of all classes, or name the pictures in one CSV.")
            self.failed.emit(Failure("BadRequest", message, hint))
            return
        self.forget()
        self.place = str(Path(paths[0]).absolute())
        self.scan()

    def scan(self) -> None:
        """Look through the same pictures again."""
        if not self.place or self.is_running:
            return
        if self._scratch is None:
            self._scratch = QTemporaryDir()
        self.start((self.place,), self._scratch.path())
        self.changed.emit()

    def set_split(self, name: str) -> None:
        """Choose a part."""
        if name != self.split:
            self.split = name
            self._count()
            self.changed.emit()

    def on_closing(self) -> None:
        """The window closes: what the scan noted down is not needed any more."""
        if self._scratch is not None:
            self._scratch.remove()

    def on_scanned(self, found: ScanResult) -> None:
        """The pictures have been looked through: choose a part, and ask which pictures each class has."""
        super().on_scanned(found)
        before = [place for place in self._settings.evaluate.recent if place != self.place]
        self._settings.evaluate.recent = [self.place, *before][:RECENT]
        parts = [name for name, _ in self.splits]
        # the engine takes the same part where nobody says: the only one, else the test
        self.split = "" if len(parts) < 2 else "test" if "test" in parts else parts[0]
        self._count()
        self.list_pictures(own_parts=len(parts) > 1)

    def on_ended(self) -> None:
        """Forget the place where nothing was found there."""
        if self.result is None:
            self.place = ""
        super().on_ended()

    def _count(self) -> None:
        classes = self.result.classes if self.result else ()
        if len(self.splits) > 1:
            counts = ((own, dict(own.by_split).get(self.split, 0)) for own in classes)
            classes = tuple(replace(own, listed=count, usable=count) for own, count in counts)
        self.classes = classes
        self._usable = {own.name: own.usable for own in classes}
        self._notices = () if self.result is None else notices(self.result, classes, self.split)

    def forget(self) -> None:
        """Other pictures are coming."""
        self.split = ""
        super().forget()
