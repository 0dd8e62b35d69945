"""One prompt checkpoint: what it says of itself, and what can be done with it."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_engine.records import PromptsInfo
from capt_gui.pages.models.model_item import ModelItem, in_a_row
from capt_gui.widgets.fact_list import FactList

_CLASSES_SHOWN = 12


class PromptsDetails(ModelItem):
    """Asks to be told which checkpoint to show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts = FactList(
            {
                "model": self.tr("Made for"),
                "method": self.tr("Method"),
                "template": self.tr("Template"),
                "classes": self.tr("Classes"),
            }
        )
        self._lay_out()
        self.show_prompts(None, "")

    def show_prompts(self, info: PromptsInfo | None, model: str) -> None:
        """Show a checkpoint, made for a model of that label; or that none is chosen."""
        self.shown_id = info.id if info is not None else ""
        self.setEnabled(info is not None)
        if info is None:
            self.title.setText(self.tr("No prompts yet"))
            return
        self.title.setText(info.label)
        self.standing.setText(self.tr("Ships with the app") if info.bundled else self.tr("Your own"))
        self.about.setText(info.summary)
        classes = ", ".join(info.classes[:_CLASSES_SHOWN])
        more = len(info.classes) - _CLASSES_SHOWN
        facts = {
            "model": model or self.tr("not said"),
            "method": info.method or self.tr("not said"),
            "template": info.template or self.tr("not said"),
            "classes": (classes + (self.tr(" and {} more").format(more) if more > 0 else "")) or self.tr("any"),
        }
        self._facts.set_facts(facts)
        self.remove.setVisible(not info.bundled)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(26, 22, 26, 22)
        layout.setSpacing(18)
        layout.addLayout(self.head())
        layout.addWidget(self.about)
        layout.addLayout(in_a_row(self.use, self.verify, self.remove))
        layout.addWidget(self._facts)
        layout.addStretch(1)
