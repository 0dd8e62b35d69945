"""The store of computed results as Preferences shows it: how much it holds, and making room in it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.formatting import size
from capt_engine.records import Failure, StoreFacts, StoreRequest
from capt_gui.bridge import Bridge
from capt_gui.translate import counted, spoken
from capt_gui.view_models.one_job import OneJob

UNUSED_DAYS = 30.0
"""What nobody has asked for during so many days goes when room is made."""


class StoredResults(OneJob):
    """Asks the engine what the store holds. changed(): an answer came, or something is being removed."""

    changed = Signal()

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self.facts: StoreFacts | None = None
        self.failure = ""

    def refresh(self) -> None:
        """Ask what the store holds now."""
        self._ask(StoreRequest())

    def trim(self) -> None:
        """Remove the results that nobody has asked for during the last 30 days."""
        self._ask(StoreRequest(unused_days=UNUSED_DAYS))

    def empty(self) -> None:
        """Remove all results."""
        self._ask(StoreRequest(trim_to=0))

    @property
    def text(self) -> str:
        """The contents of the store, the most that it may hold, and what was removed last; a word while nothing is known yet."""
        facts = self.facts
        if self.failure or facts is None:
            return self.failure or self.tr("Looking…")
        held = counted(facts.entries, "1 result", "{:,} results")
        said = [self.tr("{}, {} of at most {}.").format(held, size(facts.n_bytes), size(facts.budget))]
        if facts.removed:
            gone = counted(facts.removed, "1 result", "{:,} results")
            said.append(self.tr("Removed: {} ({}).").format(gone, size(facts.removed_bytes)))
        if not facts.is_on:
            said.append(self.tr("The store is off."))
        return " ".join(said)

    def on_finished(self, facts: StoreFacts) -> None:
        """Take what the engine found."""
        self.facts, self.failure = facts, ""
        self.changed.emit()

    def on_failed(self, failure: Failure) -> None:
        """Say why nothing is known."""
        self.failure = spoken(failure.message)
        self.changed.emit()

    def _ask(self, request: StoreRequest) -> None:
        self._run(request, finished=self.on_finished, failed=self.on_failed)
        self.changed.emit()
