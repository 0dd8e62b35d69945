"""The welcome before the first picture."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models import formatting
from capt_gui.view_models.engine_state import EngineState
from capt_gui.widgets.drop_area import DropZone
from capt_gui.widgets.labels import text

_WIDTH = 680
_ICON = 18


class Welcome(QScrollArea):
    """The purpose of the program, the ways in, what was found on this computer, and that nothing leaves it."""

    def __init__(self, theme: Theme, engine: EngineState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._engine = engine
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.drop_zone = DropZone(theme)
        self.drop_zone.setMinimumHeight(250)
        self.facts = {name: text(role="muted") for name in ("device", "info", "check")}
        self._icons: dict[str, QLabel] = {}
        self.setWidget(self._centred(self._body()))
        engine.changed.connect(self.on_engine_changed)
        theme.changed.connect(self.on_engine_changed)
        self.on_engine_changed()

    def on_engine_changed(self) -> None:
        """Say what is known of the computer and the engine."""
        engine = self._engine
        if engine.failure is not None:
            device, symbol = f"{engine.failure.message} {engine.failure.hint}".strip(), "error"
        elif engine.device is None:
            device, symbol = engine.waiting_text + " You can drop pictures already.", "device"
        else:
            device, symbol = (
                f"Ready. Work is done on {formatting.memory(engine.device)}. {engine.device.note}",
                "device",
            )
        models = engine.catalogue.models if engine.catalogue else ()
        self.facts["device"].setText(device.strip())
        self.facts["info"].setText(
            f"{models[0].label}: {models[0].warning or models[0].summary}"
            if models
            else "A small demo model ships with the app, so everything here works without a network."
        )
        self.facts["check"].setText("No account and no telemetry. The network is used only for downloads you start.")
        tints = {"error": "broken", "device": "text_muted", "info": "text_muted", "check": "ok"}
        for name, label in self._icons.items():
            drawing = symbol if name == "device" else name
            label.setPixmap(self._theme.pixmap(drawing, _ICON, tints[drawing], self.devicePixelRatioF()))

    def _body(self) -> QWidget:
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(12)
        layout.addStretch(1)
        layout.addWidget(text("Can this picture be made to fool the model?", "title"))
        layout.addWidget(
            text(
                "Drop a picture. CAPT Explorer shows what a CLIP model sees in it, searches for a change too small to "
                "notice that changes the answer, and lays both side by side.",
                "muted",
            )
        )
        layout.addSpacing(8)
        layout.addWidget(self.drop_zone, 3)
        layout.addSpacing(8)
        for name, label in self.facts.items():
            layout.addLayout(self._fact(name, label))
        layout.addStretch(1)
        return body

    def _fact(self, name: str, label: QLabel) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(10)
        self._icons[name] = QLabel()
        line.addWidget(self._icons[name], 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(label, 1)
        return line

    def _centred(self, body: QWidget) -> QWidget:
        body.setMaximumWidth(_WIDTH)
        outer = QWidget()
        layout = QHBoxLayout(outer)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(1)
        layout.addWidget(body, 100)
        layout.addStretch(1)
        return outer
