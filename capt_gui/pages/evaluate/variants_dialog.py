"""The choice of the variants that are to be ranked, in a dialog: two to six of those that there are."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from capt_engine.records import MOST_VARIANTS
from capt_gui.view_models.evaluate.ranking_run import VariantOption
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class VariantsDialog(QDialog):
    """Dialog with a list of variants to tick; OK is enabled for two to six."""

    def __init__(
        self, offered: Sequence[VariantOption], ticked: Sequence[VariantOption], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._offered = tuple(offered)
        self.setWindowTitle(self.tr("Rank several variants"))
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Variants"))
        for one in self._offered:
            item = QListWidgetItem(one.label)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if one in ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self._count = text(role="caption")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self._ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._ok.setText(self.tr("Rank them"))
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self.list.itemChanged.connect(self.on_changed)
        title = text(self.tr("Which prompts for these pictures?"), "heading")
        what = text(
            self.tr("Each is asked about the same pictures and attacked on itself, with the test that is chosen."),
            "muted",
        )
        fill(
            QVBoxLayout(self),
            title,
            what,
            (self.list, 1),
            self._count,
            self._buttons,
            spacing=8,
            margins=(16, 16, 16, 12),
        )
        self.resize(460, 420)
        self.on_changed()

    def chosen(self) -> tuple[VariantOption, ...]:
        """Return the variants that are ticked, in the order of the list."""
        states = (self.list.item(row).checkState() for row in range(self.list.count()))
        return tuple(one for one, state in zip(self._offered, states, strict=True) if state == Qt.CheckState.Checked)

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
    return dialog.chosen() if dialog.exec() == QDialog.DialogCode.Accepted else ()
