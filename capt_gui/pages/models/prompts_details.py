"""One prompt checkpoint: what it says of itself, and what can be done with it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_engine.records import PromptsInfo
from capt_gui.pages.models.model_item import ModelItem
from capt_gui.theme import Theme
from capt_gui.widgets.fact_list import FactList
from capt_gui.widgets.layout import fill

_CLASSES_SHOWN = 12


class PromptsDetails(ModelItem):
    """Shows the prompt checkpoint that `show_prompts` names."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._facts = FactList(
            theme,
            {
                "model": self.tr("Made for"),
                "method": self.tr("Method"),
                "template": self.tr("Template"),
                "classes": self.tr("Classes"),
            },
        )
        buttons = fill(QHBoxLayout(), self.use, self.verify, self.remove, (None, 1), spacing=10)
        parts = (self.head, self.about, buttons, self._facts, (None, 1))
        fill(QVBoxLayout(self), *parts, spacing=18, margins=(26, 22, 26, 22))
        self.show_prompts(None, "")

    def show_prompts(self, info: PromptsInfo | None, model: str) -> None:
        """Show the prompt checkpoint `info`, made for the model with the label `model`; None shows "No prompts yet"."""
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
        facts = {"model": model, "method": info.method, "template": info.template}
        self._facts.set_facts({key: value or self.tr("not said") for key, value in facts.items()})
        shown = classes + (self.tr(" and {} more").format(more) if more > 0 else "")
        self._facts.set_facts({"classes": shown or self.tr("any")})
        self.remove.setVisible(not info.bundled)
