"""Prompts files that are chosen from anywhere on disk: the engine says what they were tuned on."""

from __future__ import annotations

from PySide6.QtCore import QObject

from capt_engine.records import DescribePromptsRequest
from capt_gui.bridge import Bridge
from capt_gui.view_models.model_choice import ModelChoice


class PromptFiles(QObject):
    """Has each chosen file described once: when it is opened, and at the start where it was chosen before."""

    def __init__(self, bridge: Bridge, model: ModelChoice, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._model = model
        self._requested: set[str] = set()
        model.sides.file_opened.connect(self.on_opened)
        model.offered.connect(self.on_offered)

    def on_opened(self, path: str) -> None:
        """Have the prompts file at `path` described; one that cannot be read is refused when it is used, with the reason."""
        self._requested.add(path)
        self._bridge.run(DescribePromptsRequest(path), finished=self._model.sides.describe)

    def on_offered(self) -> None:
        """Have the files described that are chosen already."""
        for path in self._model.sides.files:
            if path not in self._requested:
                self.on_opened(path)
