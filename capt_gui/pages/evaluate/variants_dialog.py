"""The choice of the variants that are to be ranked, in a dialog: two to six of those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from capt_engine.records import MOST_VARIANTS
from capt_gui.view_models.evaluate.ranking_run import VariantOption
from capt_gui.widgets.dialogs import answer_of
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled


class VariantsDialog(QDialog):
    """Dialog with a box for each variant, under the name of its model; OK is enabled for two to six that are ticked."""

    def __init__(
        self, offered: Sequence[VariantOption], ticked: Sequence[VariantOption], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Rank several variants"))
        self.boxes: list[tuple[VariantOption, QCheckBox]] = []
        choices = QWidget()
        column = fill(QVBoxLayout(choices), spacing=6, margins=(2, 4, 8, 4))
        for model, some in groupby(offered, lambda one: one.model_label):
            column.addWidget(text(model, "strong"))
            for one in some:
                box = QCheckBox(one.label)
                box.setAccessibleName(self.tr("{} on {}").format(one.label, one.model_label))
                box.setChecked(one in ticked)
                box.toggled.connect(self.on_changed)
                column.addWidget(box)
                self.boxes.append((one, box))
            column.addSpacing(6)
        column.addStretch(1)
        self._count = text(role="caption")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._ok.setText(self.tr("Rank them"))
        self._ok.setProperty("primary", True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        title = text(self.tr("Which prompts for these pictures?"), "heading")
        what = self.tr("Each is asked about the same pictures and attacked on itself, with the test that is chosen.")
        parts = (title, text(what, "muted"), (scrolled(choices), 1), self._count, self.buttons)
        fill(QVBoxLayout(self), *parts, spacing=8, margins=(16, 16, 16, 12))
        self.resize(460, 460)
        self.on_changed()

    def chosen(self) -> tuple[VariantOption, ...]:
        """Return the variants that are ticked, in the order in which they stand."""
        return tuple(one for one, box in self.boxes if box.isChecked())

    def on_changed(self) -> None:
        """Count what is ticked, and enable OK for two to six."""
        n = len(self.chosen())
        self._ok.setEnabled(2 <= n <= MOST_VARIANTS)
        self._count.setText(self.tr("{} ticked; two to {} can be ranked.").format(n, MOST_VARIANTS))


def ask_for_variants(
    parent: QWidget, offered: Sequence[VariantOption], ticked: Sequence[VariantOption]
) -> tuple[VariantOption, ...]:
    """Ask in a dialog over `parent` which of the variants `offered` to rank; return them, none where the user cancels.

    ticked: those that are ticked at first.
    """
    dialog = VariantsDialog(offered, ticked, parent)
    return dialog.chosen() if answer_of(dialog) == QDialog.DialogCode.Accepted else ()
