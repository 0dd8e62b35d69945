"""One prompt checkpoint: what it says of itself, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_engine.records import PromptsInfo
from capt_gui.widgets.fact_list import FactList
from capt_gui.widgets.labels import text

_CLASSES_SHOWN = 12


class PromptsDetails(QWidget):
    """use_clicked(id), verify_clicked(id), remove_clicked(id): what the user wants of the one that is shown."""

    use_clicked = Signal(str)
    verify_clicked = Signal(str)
    remove_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: PromptsInfo | None = None
        self.title, self._state = text("", "title", wrap=False), text("", "strong", wrap=False)
        self._summary = text()
        self._facts = FactList(
            {
                "model": self.tr("Made for"),
                "method": self.tr("Method"),
                "template": self.tr("Sentence"),
                "classes": self.tr("Classes"),
            }
        )
        self.use = QPushButton(self.tr("Use in the explorer"))
        self.use.setProperty("primary", True)
        self.verify = QPushButton(self.tr("Verify"))
        self.remove = QPushButton(self.tr("Remove…"))
        self._lay_out()
        self.use.clicked.connect(self.on_use)
        self.verify.clicked.connect(self.on_verify)
        self.remove.clicked.connect(self.on_remove)
        self.show_prompts(None, "")

    def show_prompts(self, info: PromptsInfo | None, model: str) -> None:
        """Show a checkpoint, made for a model of that label; or that none is chosen."""
        self._shown = info
        self.setEnabled(info is not None)
        if info is None:
            self.title.setText(self.tr("No prompts yet"))
            return
        self.title.setText(info.label)
        self._state.setText(self.tr("Ships with the app") if info.bundled else self.tr("Your own"))
        self._summary.setText(info.summary)
        classes = ", ".join(info.classes[:_CLASSES_SHOWN])
        more = len(info.classes) - _CLASSES_SHOWN
        told = {
            "model": model or self.tr("not said"),
            "method": info.method or self.tr("not said"),
            "template": info.template or self.tr("not said"),
            "classes": (classes + (self.tr(" and {} more").format(more) if more > 0 else "")) or self.tr("any"),
        }
        self._facts.set_facts(told)
        self.remove.setVisible(not info.bundled)

    def on_use(self) -> None:
        """Compare them with plain text in the explorer."""
        if self._shown is not None:
            self.use_clicked.emit(self._shown.id)

    def on_verify(self) -> None:
        """Are they still what was installed?"""
        if self._shown is not None:
            self.verify_clicked.emit(self._shown.id)

    def on_remove(self) -> None:
        """Take them off the shelf."""
        if self._shown is not None:
            self.remove_clicked.emit(self._shown.id)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self._state)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        for button in (self.use, self.verify, self.remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(26, 22, 26, 22)
        layout.setSpacing(18)
        layout.addLayout(head)
        layout.addWidget(self._summary)
        layout.addLayout(buttons)
        layout.addWidget(self._facts)
        layout.addStretch(1)
