"""The welcome before the first picture."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models import formatting
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.columns import centred
from capt_gui.widgets.drop_area import DropZone
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_WIDTH = 680
_ICON = 18


class Welcome(QScrollArea):
    """Welcome before the first picture: the purpose of the program, the ways to add pictures, and facts about this computer."""

    def __init__(self, theme: Theme, engine: EngineState, model: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._model = model
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.drop_zone = DropZone(theme)
        self.drop_zone.setMinimumHeight(250)
        self.facts = {name: text(role="muted") for name in ("device", "info", "check")}
        self._symbol = Symbol(theme, _ICON)
        symbols = (self._symbol, Symbol(theme, _ICON, "info"), Symbol(theme, _ICON, "check", "ok"))
        facts = [
            fill(QHBoxLayout(), (symbol, 0, Qt.AlignmentFlag.AlignTop), (label, 1), spacing=10)
            for symbol, label in zip(symbols, self.facts.values(), strict=True)
        ]
        promise = self.tr(
            "Drop a picture. CAPT Explorer shows what a CLIP model sees in it, searches for a change too small to "
            "notice that changes the answer, and lays both side by side."
        )
        body = QWidget()
        fill(
            QVBoxLayout(body),
            (None, 1),
            text(self.tr("Can this picture be made to fool the model?"), "title"),
            text(promise, "muted"),
            8,
            (self.drop_zone, 3),
            8,
            *facts,
            (None, 1),
            spacing=12,
            margins=24,
        )
        self.setWidget(centred(body, _WIDTH, 100))
        engine.changed.connect(self.on_engine_changed)
        model.changed.connect(self.on_engine_changed)
        self.on_engine_changed()

    def on_engine_changed(self) -> None:
        """Show the device and memory the engine computes on, why it failed or that it starts, and a sentence about the chosen model."""
        engine = self._engine
        if engine.failure is not None:
            device = f"{engine.failure.message} {engine.failure.hint}"
        elif engine.device is None:
            device = self.tr("{} You can drop pictures already.").format(engine.waiting_text)
        else:
            device = self.tr("Ready. Work is done on {}. {}").format(
                formatting.memory(engine.device), engine.device.note
            )
        self._symbol.set_icon(*(("device", "text_muted") if engine.failure is None else ("error", "broken")))
        info = self._model.info
        self.facts["device"].setText(device.strip())
        self.facts["info"].setText(
            f"{info.label}: {info.warning or info.summary}"
            if info is not None
            else self.tr("A small model ships with the app, so everything here works without a network.")
        )
        self.facts["check"].setText(
            self.tr("No account and no telemetry. The network is used only for downloads you start.")
        )
