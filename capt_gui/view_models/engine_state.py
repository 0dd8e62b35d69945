"""What is known of the engine: whether it is ready, what it offers, and what it is doing until then."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    Catalogue,
    CatalogueChanged,
    DeviceInfo,
    EngineFailed,
    EngineNote,
    EngineReady,
    Event,
    Failure,
)

STARTING = "starting the engine"


class EngineState(QObject):
    """Listens to the engine's own events; `changed` tells that any of the fields did."""

    changed = Signal()
    # with the catalogue: when there is one, and whenever it changes
    ready = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.catalogue: Catalogue | None = None
        self.device: DeviceInfo | None = None
        self.failure: Failure | None = None
        self.note = STARTING

    @property
    def is_ready(self) -> bool:
        """Whether work that needs a model can be done now."""
        return self.catalogue is not None

    @property
    def waiting_text(self) -> str:
        """ "Waiting for the engine: loading torch…" until it is ready, then nothing."""
        if self.is_ready or self.failure is not None:
            return ""
        if self.note == STARTING:
            return "Starting the engine…"
        note = self.note[:1].lower() + self.note[1:] if not self.note[1:2].isupper() else self.note
        return f"Waiting for the engine: {note.rstrip('.…')}…"

    def on_event(self, event: Event) -> None:
        """Take note of what the engine says of itself."""
        if isinstance(event, EngineNote):
            self.note = event.note
        elif isinstance(event, EngineReady):
            self.catalogue, self.device, self.note, self.failure = event.catalogue, event.device, "", None
            self.ready.emit(event.catalogue)
        elif isinstance(event, CatalogueChanged):
            self.catalogue = event.catalogue
            self.ready.emit(event.catalogue)
        elif isinstance(event, EngineFailed):
            self.failure = event.failure
        else:
            return
        self.changed.emit()
