"""The right column: what the report should be, which scrolls; and Save and Print, which never leave."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.card import Card
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled
from capt_gui.widgets.segments import Segments

_FRONT = ("verdict", "summary")
"""The sections of a report of two pages."""


class OptionsColumn(QWidget):
    """Column with format, redaction and sections of the report; emits `save_clicked` and `print_clicked`."""

    save_clicked = Signal()
    print_clicked = Signal()

    def __init__(self, theme: Theme, reports: ReportsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reports = reports
        self._boxes: dict[str, QCheckBox] = {}
        self._format = Segments(
            theme,
            self.tr("Format"),
            [
                ("pdf", "PDF", self.tr("For reading and printing; the rows and the settings are attached.")),
                ("html", "HTML", self.tr("One web page that needs no network, with a table that can be sorted.")),
                ("csv", "CSV", self.tr("The table of all rows, for a spreadsheet.")),
                ("json", "JSON", self.tr("Everything, for a script.")),
            ],
        )
        self._meaning = text(role="caption")
        self._redact = QCheckBox(self.tr("Leave out names of files"))
        set_tooltip(self._redact, self.tr("Numbers stand for pictures and folders."))
        self._redact_classes = QCheckBox(self.tr("… and class names and hashes"))
        self._redact_classes.setAccessibleName(self.tr("Leave out class names and picture hashes too"))
        self._stays = text(role="caption")
        self._length = Segments(
            theme,
            self.tr("Length"),
            [
                ("short", self.tr("Two pages"), self.tr("The verdict, and what stands behind it.")),
                ("full", self.tr("Everything"), self.tr("The two pages, and an appendix with a table of contents.")),
            ],
        )
        self._all = QPushButton(self.tr("Include all"))
        self._all.setProperty("quiet", True)
        self._all.setAccessibleName(self.tr("Include all sections"))
        self._sections_note = text(role="caption")
        self._sections_box = QVBoxLayout()
        self.save = TextButton(theme, self.tr("Save…"), "export", look="primary", icon_height=18)
        self.print = TextButton(theme, self.tr("Print…"), "print", icon_height=18)
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.setProperty("danger", True)
        self._progress = ElidedLabel(text_role="muted")
        self._lay_out()
        self._format.picked.connect(reports.set_format)
        self._length.picked.connect(self.on_length_picked)
        self._redact.toggled.connect(reports.set_redact)
        self._redact_classes.toggled.connect(reports.set_redact_classes)
        self._all.clicked.connect(reports.include_all)
        self.save.clicked.connect(self.save_clicked)
        self.print.clicked.connect(self.print_clicked)
        self._cancel.clicked.connect(reports.writing.cancel)
        self._cancel.clicked.connect(reports.printing.cancel)
        for source in (reports, reports.writing, reports.printing, reports.runs):
            source.changed.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the chosen format, redaction and sections, and enable Save and Print if a report can be made."""
        reports = self._reports
        self._format.set_choice(reports.format)
        self._meaning.setText(self._meanings()[reports.format])
        self._redact.setChecked(reports.redact)
        self._redact_classes.setVisible(reports.redact)
        self._redact_classes.setChecked(reports.redact_classes)
        self._stays.setVisible(reports.redact)
        self._stays.setText(
            self.tr("The pictures under Examples stay; leave that section out to hide them.")
            if reports.redact_classes
            else self.tr("Class names and SHA-256 of the pictures stay: who has a picture can tell it was here.")
        )
        self._show_sections()
        self._show_buttons()

    def on_length_picked(self, length: str) -> None:
        """Make the report two pages ("short") or have it hold everything ("full"), as `length` says."""
        self._reports.set_short(length == "short")

    def on_section_toggled(self, included: bool) -> None:
        """Put the section of the toggled checkbox into the report if `included`, else leave it out."""
        box = self.sender()
        if box is not None:
            self._reports.set_included(str(box.property("section")), included)

    def _meanings(self) -> dict[str, str]:
        return {
            "pdf": self.tr("For reading and printing. The rows and the settings are attached to it."),
            "html": self.tr("One file for any browser, readable on a phone."),
            "csv": self.tr("One line for each result, for a spreadsheet."),
            "json": self.tr("Everything there is, for a script."),
        }

    def _show_sections(self) -> None:
        reports = self._reports
        if [section.id for section in reports.sections] != list(self._boxes):
            self._make_boxes()
        applies = reports.has_choice_of_sections and not reports.is_short
        self._length.set_choice("short" if reports.is_short else "full")
        self._length.setEnabled(reports.has_choice_of_sections)
        for section in reports.sections:
            box = self._boxes[section.id]
            there = section.present and reports.includes(section.id)
            box.setChecked(section.id in _FRONT if reports.is_short else there)
            box.setEnabled(applies and section.present)
            set_tooltip(box, "" if section.present else self.tr("This run has nothing to say here."))
        left_out = [section for section in reports.sections if section.present and not reports.includes(section.id)]
        self._all.setEnabled(applies and bool(left_out))
        note = ""
        if not reports.has_choice_of_sections:
            note = self.tr("{} holds everything.").format(reports.format.upper())
        elif not reports.sections:
            note = self.tr("They appear with the first pages.")
        elif reports.is_short:
            note = self.tr("Two pages hold what is ticked; “Everything” lets you choose.")
        elif not all(section.present for section in reports.sections):
            note = self.tr("Greyed: this run has nothing to say there.")
        self._sections_note.setText(note)
        self._sections_note.setVisible(bool(note))

    def _make_boxes(self) -> None:
        for box in self._boxes.values():
            self._sections_box.removeWidget(box)
            box.deleteLater()
        self._boxes = {}
        before: QWidget = self._all
        for section in self._reports.sections:
            box = QCheckBox(spoken(section.title))
            box.setProperty("section", section.id)
            box.setChecked(section.present and self._reports.includes(section.id))
            box.toggled.connect(self.on_section_toggled)
            self._sections_box.addWidget(box)
            QWidget.setTabOrder(before, box)
            self._boxes[section.id] = before = box

    def _show_buttons(self) -> None:
        reports, problem = self._reports, self._reports.problem()
        busy = reports.writing.is_running or reports.printing.is_running
        for button in (self.save, self.print):
            button.setEnabled(not problem and not busy)
            set_tooltip(button, problem)
            button.setAccessibleDescription(problem)
            button.setVisible(not busy)
        self._cancel.setVisible(busy)
        if busy:
            job = reports.writing if reports.writing.is_running else reports.printing
            doing = self.tr("Saving…") if reports.writing.is_running else self.tr("Printing…")
            self._progress.set_text(job.progress.text or doing)
        else:
            self._progress.set_text(problem)
        self._progress.setVisible(bool(self._progress.text()))

    def _lay_out(self) -> None:
        head = fill(QHBoxLayout(), text(self.tr("Sections"), "heading", wrap=False), (None, 1), self._all, spacing=6)
        self._sections_box.setSpacing(2)
        cards = (
            Card(
                column(
                    text(self.tr("Format"), "heading"),
                    self._format,
                    self._meaning,
                    self._redact,
                    self._redact_classes,
                    self._stays,
                    spacing=10,
                )
            ),
            Card(column(head, self._length, self._sections_note, self._sections_box, spacing=8)),
        )
        panels = QWidget()
        fill(QVBoxLayout(panels), *cards, (None, 1), spacing=12, margins=(4, 12, 12, 12))
        buttons = fill(QHBoxLayout(), (self.print, 1), (self.save, 2), (self._cancel, 1))
        bottom = fill(QVBoxLayout(), self._progress, buttons, margins=(4, 4, 12, 10))
        fill(QVBoxLayout(self), (scrolled(panels), 1), bottom, spacing=0)
