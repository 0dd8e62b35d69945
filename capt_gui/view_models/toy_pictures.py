"""Labelled pictures of the toy world, drawn when somebody wants to try a page without pictures of their own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, QTemporaryDir, Signal

from capt_engine.bundled_models import TOYS
from capt_engine.records import JobProgress, ToyWorldDrawn, ToyWorldRequest
from capt_gui.bridge import About, Bridge
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.navigation import EVALUATE, TUNE
from capt_gui.view_models.one_job import OneJob


class ToyPictures(OneJob):
    """`drawn(folder)` once they are there; `progressed(text)` until then; `failed(Failure)`: they could not be drawn."""

    drawn = Signal(str)
    progressed = Signal(str)
    failed = Signal(object)

    def __init__(
        self,
        bridge: Bridge,
        model: ModelChoice,
        home: Path | None,
        split: str,
        per_class: int,
        parent: QObject | None = None,
    ) -> None:
        """home: where they are kept; None for a place that goes with the program. split: "train" or "test"."""
        super().__init__(bridge, parent)
        self._model = model
        self._home, self._split, self._per_class = home, split, per_class
        self._scratch: QTemporaryDir | None = None
        bridge.closing.connect(self.on_closing)

    def start(self) -> str:
        """Have the pictures drawn, and choose the model that knows them; return the id of the model of before, "" if it was that one."""
        before = self._model.settings.model
        self._model.set_model(TOYS[0])
        if not self.is_running:
            if self._home is None and self._scratch is None:
                self._scratch = QTemporaryDir()
            home = self._home or Path(self._scratch.path() if self._scratch is not None else "")
            # the name of the folder is what the page calls the data
            folder = home / f"{self._split} pictures" / "toy world"
            self._run(
                ToyWorldRequest(str(folder), self._split, self._per_class),
                About(TUNE if self._split == "train" else EVALUATE, is_fleeting=True),
                progressed=self.on_progressed,
                finished=self.on_drawn,
                failed=self.failed,
            )
        return "" if before == TOYS[0] else before

    def without(self, *places: Iterable[str]) -> list[str]:
        """Return `places`, where pictures came from, each once and without the toy world's own."""
        ours = str(self._home) if self._home is not None else ""
        found = dict.fromkeys(place for some in places for place in some)
        return [place for place in found if not ours or not place.startswith(ours)]

    def on_progressed(self, event: JobProgress) -> None:
        """Emit `progressed` with a line on how many pictures are drawn."""
        self.progressed.emit(self.tr("{} of {} pictures").format(event.done, event.total) if event.total else "")

    def on_drawn(self, result: ToyWorldDrawn) -> None:
        """Emit `drawn` with the folder of the pictures."""
        self.drawn.emit(result.folder)

    def on_closing(self) -> None:
        """Delete the temporary folder, if there is one, because the window closes."""
        if self._scratch is not None:
            self._scratch.remove()
