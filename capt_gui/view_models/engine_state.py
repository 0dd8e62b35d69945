"""The state of the engine: ready or not, its catalogue, and what it is doing until then."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    Catalogue,
    CatalogueChanged,
    DeviceInfo,
    EngineFailed,
    EngineNote,
    EngineReady,
    Failure,
)
from capt_gui.bridge import Bridge
from capt_gui.translate import tr

STARTING = "starting the engine"
NO_CATALOGUE = Catalogue((), (), (), (), ())
"""The catalogue until the engine has sent one."""


class EngineState(QObject):
    """Listens to the engine's own events; `changed` tells that any of the fields did."""

    changed = Signal()
    # with the catalogue: when there is one, and whenever it changes
    ready = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.catalogue = NO_CATALOGUE
        # work that needs a model can be done now
        self.is_ready = False
        self.device: DeviceInfo | None = None
        self.failure: Failure | None = None
        self.note = STARTING
        bridge.engine_noted.connect(self.on_noted)
        bridge.engine_ready.connect(self.on_ready)
        bridge.engine_failed.connect(self.on_failed)
        bridge.catalogue_changed.connect(self.on_catalogue_changed)

    @property
    def waiting_text(self) -> str:
        """Return a line such as "Waiting for the engine: loading torch…"; "" once the engine is ready or has failed."""
        if self.is_ready or self.failure is not None:
            return ""
        if self.note == STARTING:
            return tr("Starting the engine…")
        note = self.note[:1].lower() + self.note[1:] if not self.note[1:2].isupper() else self.note
        return tr("Waiting for the engine: {}…").format(note.rstrip(".…"))

    def on_noted(self, event: EngineNote) -> None:
        """Store the engine's note on what it is doing before it is ready, and emit `changed`."""
        self.note = event.note
        self.changed.emit()

    def on_ready(self, event: EngineReady) -> None:
        """Store the engine's device and catalogue of what can be chosen, and emit `ready` and `changed`."""
        self.device, self.note, self.failure = event.device, "", None
        self._take(event.catalogue)

    def on_catalogue_changed(self, event: CatalogueChanged) -> None:
        """Store the engine's renewed catalogue of models, prompts and attacks, and emit `ready` and `changed`."""
        self._take(event.catalogue)

    def on_failed(self, event: EngineFailed) -> None:
        """Store the reason why the engine could not start, and emit `changed`."""
        self.failure = event.failure
        self.changed.emit()

    def _take(self, catalogue: Catalogue) -> None:
        self.catalogue, self.is_ready = catalogue, True
        self.ready.emit(catalogue)
        self.changed.emit()
