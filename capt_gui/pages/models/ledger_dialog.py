"""Everything that was ever downloaded, in a table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from capt_engine.records import LedgerEntry
from capt_gui.plain_text import set_tooltip
from capt_gui.view_models.models.models_model import size
from capt_gui.view_models.runs_model import when
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class LedgerDialog(QDialog):
    """Dialog with a table of all downloads, newest first, including those that were broken off."""

    def __init__(self, entries: Sequence[LedgerEntry], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("What was downloaded"))
        self.resize(900, 420)
        total = sum(entry.bytes for entry in entries)
        summary = (
            self.tr("{} downloads, {} in all. Nothing else was ever fetched.").format(len(entries), size(total))
            if entries
            else self.tr("Nothing was ever downloaded.")
        )
        heads = [
            self.tr("When"),
            self.tr("Model"),
            self.tr("Bytes"),
            self.tr("Ended"),
            self.tr("SHA-256"),
            self.tr("From"),
        ]
        table = QTableWidget(len(entries), len(heads))
        table.setHorizontalHeaderLabels(heads)
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setTabKeyNavigation(False)
        table.setAccessibleName(self.tr("Downloads, newest first"))
        for row, entry in enumerate(entries):
            cells = (when(entry.when), entry.model, f"{entry.bytes:,}", entry.ended, entry.sha256, entry.url)
            for column, value in enumerate(cells):
                item = QTableWidgetItem(value)
                set_tooltip(item, value)
                if column == 2:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                table.setItem(row, column, item)
        table.resizeColumnsToContents()
        table.setColumnWidth(4, 140)
        table.horizontalHeader().setStretchLastSection(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        parts = (text(summary, "heading"), (table, 1), buttons)
        fill(QVBoxLayout(self), *parts, spacing=12, margins=(20, 18, 20, 14))
