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
        """The name, without its parent folders, of the folder or table that is evaluated; "" when there is none."""
        return PurePath(self.place).name or self.place

    @property
    def splits(self) -> tuple[tuple[str, int], ...]:
        """The data set's parts (train, val, test) that have usable pictures, as (name, number); empty before a scan."""
        return tuple((name, count) for name, count in self.result.splits if count) if self.result else ()

    @property
    def pictures_in_split(self) -> int:
        """The number of usable pictures in the chosen part of the data set; 0 before a scan."""
        return sum(own.usable for own in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all classes of the data set, in order: those the model chooses among; empty before a scan."""
        return tuple(own.name for own in self.result.classes) if self.result else ()

    @property
    def unreadable(self) -> tuple[FailedPicture, ...]:
        """The pictures that could not be read, each with the reason; empty before a scan."""
        return tuple(failure for _, failure in self.result.unreadable) if self.result else ()

    @property
    def pictures(self) -> dict[str, tuple[str, ...]]:
        """The paths of the usable pictures in the chosen part, by name of their class; empty until listed."""
        use = self.split if self.split in USES and len(self.splits) > 1 else ""
        return self._by_use.get(use, {})

    def shown(self) -> ScanResult | None:
        """Return the scan's result with the class counts of the chosen part in place of all; None before a scan."""
        return replace(self.result, classes=self.classes) if self.result is not None else None

    def problem(self) -> str:
        """Return a sentence on why the pictures cannot be evaluated, such as none having been dropped; "" if they can."""
        if self.is_running:
            return self.tr("The pictures are being looked through")
        if self.result is None:
            return self.tr("Drop labelled pictures first")
        return self._block()

    @staticmethod
    def could_be_data(path: str) -> bool:
        """Return True if the path is that of a folder, or ends like a table or split file (.csv, .tsv, .json)."""
        return path.lower().endswith(_TABLES) or Path(path).is_dir()

    def take(self, paths: Sequence[str]) -> None:
        """Drop the present pictures, and scan the one folder of classes, table or split file given in `paths`.

        Given none or several paths, emit `failed` and change nothing.
        """
        if len(paths) != 1:
            message = self.tr("One folder or table at a time.")
            hint = self.tr("Drop the folder that holds the folders of all classes, or name the pictures in one CSV.")
            self.failed.emit(Failure("BadRequest", message, hint))
            return
        self.forget()
        self.place = str(Path(paths[0]).absolute())
        self.scan()

    def clear(self) -> None:
        """Forget the pictures, as at the start."""
        self.forget()
        self.place = ""
        self.changed.emit()

    def scan(self) -> None:
        """Scan the chosen folder or table (again); nothing happens when none is chosen or a scan is under way."""
        if not self.place or self.is_running:
            return
        if self._scratch is None:
            self._scratch = QTemporaryDir()
        self.start((self.place,), self._scratch.path())
        self.changed.emit()

    def set_split(self, name: str) -> None:
        """Choose the part of the data set to evaluate by its name, such as "test"."""
        if name != self.split:
            self.split = name
            self._count()
            self.changed.emit()

    def on_closing(self) -> None:
        """Delete the temporary folder with the scan's inventory, because the window closes."""
        if self._scratch is not None:
            self._scratch.remove()

    def on_scanned(self, found: ScanResult) -> None:
        """Keep the scan's result, list its place as recent, choose a part (test where there is one), and list its pictures."""
        super().on_scanned(found)
        before = [place for place in self._settings.evaluate.recent if place != self.place]
        self._settings.evaluate.recent = [self.place, *before][:RECENT]
        parts = [name for name, _ in self.splits]
        # the engine takes the same part where nobody says: the only one, else the test
        self.split = "" if len(parts) < 2 else "test" if "test" in parts else parts[0]
        self._count()
        self.list_pictures(own_parts=len(parts) > 1)

    def on_ended(self) -> None:
        """Forget the chosen place if no scan of it has brought a result; emit `running_changed(False)` and `changed`."""
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
        """Cancel the scan, and forget its result, pictures, thumbnails and part, because other pictures are to come."""
        self.split = ""
        super().forget()
