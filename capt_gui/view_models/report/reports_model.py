"""The report in the making: of which runs, in what format, with which sections; and its pages as they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.records import Failure, KeptRun, ReportRequest, ReportResult, SectionInfo
from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.translate import tr
from capt_gui.view_models.report.report_job import ReportJob
from capt_gui.view_models.runs_model import RunsModel

DELAY_MS = 150
FORMATS = ("pdf", "html", "csv", "json")
# a table for a script is complete, whatever a reader wants to see
_WITH_SECTIONS = ("pdf", "html")
_PAGE_WIDTH = 1240
_PREVIEW_NAME = "preview.pdf"

LOOKING, NO_RUNS, UNCHOSEN, NO_SECTIONS, PREPARING, FAILED, SHOWN = (
    "looking",
    "no runs",
    "unchosen",
    "no sections",
    "preparing",
    "failed",
    "shown",
)


class ReportsModel(QObject):
    """Every change asks for new pages a moment later; pages of an older choice are never shown for a newer one.

    changed: the choice, the state, or what is known of sections. selected: other runs were chosen. The jobs `preview`,
    `writing` and `printing` tell of themselves.
    """

    changed = Signal()
    selected = Signal()

    def __init__(self, bridge: Bridge, settings: Settings, runs: RunsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.runs = runs
        self.preview = ReportJob(bridge, self)
        self.writing = ReportJob(bridge, self)
        self.printing = ReportJob(bridge, self)
        self.chosen: tuple[str, ...] = ()
        self.failure: Failure | None = None
        self.pages = 0
        self.page_width = _PAGE_WIDTH
        self._wanted = ""
        # of one run, and of several side by side
        self._sections: dict[bool, tuple[SectionInfo, ...]] = {}
        self._requested: ReportRequest | None = None
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.on_timeout)
        if settings.report_format not in FORMATS:
            settings.report_format = FORMATS[0]
        runs.changed.connect(self.on_runs_changed)
        self.preview.done.connect(self.on_preview_done)
        self.preview.failed.connect(self.on_preview_failed)
        self.preview.changed.connect(self.changed)
        bridge.closing.connect(self._timer.stop)

    @property
    def state(self) -> str:
        """The state of the middle column: one of the words above."""
        if not self.runs.runs:
            return LOOKING if self.runs.is_running or not self.runs.is_known else NO_RUNS
        if not self.chosen:
            return UNCHOSEN
        if not self._has_sections():
            return NO_SECTIONS
        if self.failure is not None:
            return FAILED
        return PREPARING if self._timer.isActive() or self.preview.is_running or self._requested is None else SHOWN

    @property
    def format(self) -> str:
        """One of FORMATS."""
        return self._settings.report_format

    @property
    def redact(self) -> bool:
        """True if names of files are left out."""
        return self._settings.report_redact

    @property
    def has_choice_of_sections(self) -> bool:
        """True if the format leaves out what the user left out."""
        return self.format in _WITH_SECTIONS

    @property
    def sections(self) -> tuple[SectionInfo, ...]:
        """The sections such a report can have, empty until the first was drawn."""
        return self._sections.get(len(self.chosen) > 1, ())

    @property
    def chosen_runs(self) -> tuple[KeptRun, ...]:
        """The chosen runs, in the order of the list."""
        return tuple(run for run in self.runs.runs if run.folder in self.chosen)

    def includes(self, section: str) -> bool:
        """True if the user wants a section."""
        return section not in self._settings.report_left_out

    def problem(self) -> str:
        """Why nothing can be saved as things stand; empty when it can."""
        if not self.chosen:
            return tr("Choose a run first")
        if self.has_choice_of_sections and not self._has_sections():
            return tr("Choose at least one section")
        return ""

    def choose(self, folders: Sequence[str]) -> None:
        """Take other runs: one, or several to lay side by side."""
        known = {run.folder for run in self.runs.runs}
        chosen = tuple(folder for folder in folders if folder in known)
        if chosen != self.chosen:
            self.chosen = chosen
            self.selected.emit()
            self._ask_soon()

    def show_run(self, folder: str) -> None:
        """Choose a run as soon as the list holds it, and look for it now."""
        self._wanted = folder
        self.runs.refresh()

    def set_format(self, name: str) -> None:
        """Choose the format; the pages stay, they are always those of the PDF."""
        if name in FORMATS and name != self.format:
            self._settings.report_format = name
            self.changed.emit()

    def set_redact(self, redact: bool) -> None:
        """Leave names of files out, or not."""
        if redact != self.redact:
            self._settings.report_redact = redact
            self._ask_soon()

    def set_included(self, section: str, included: bool) -> None:
        """Take a section in, or leave it out."""
        left_out = self._settings.report_left_out
        if included == self.includes(section):
            return
        if included:
            left_out.remove(section)
        else:
            left_out.append(section)
        self._ask_soon()

    def include_all(self) -> None:
        """Take every section in."""
        if self._settings.report_left_out:
            self._settings.report_left_out.clear()
            self._ask_soon()

    def request(self, out: str) -> ReportRequest:
        """The request that writes this report to a file."""
        suffix = out.rpartition(".")[2].lower()
        sections = self._included() if suffix in _WITH_SECTIONS else ()
        return ReportRequest(self.chosen, out, sections, self.redact)

    def write(self, out: str) -> None:
        """Write the report to a file."""
        self.writing.start(self.request(out))

    def draw_for_paper(self, page_width: int) -> None:
        """Draw the pages once more, as fine as the printer can use them; `printing` brings them."""
        self.printing.start(self._pages_request(page_width))

    def try_again(self) -> None:
        """Ask for the pages once more."""
        self._requested = None
        self._ask_soon()

    def on_runs_changed(self) -> None:
        """Keep what is chosen as far as it is still there; else choose the run that is wanted, or the newest."""
        known = [run.folder for run in self.runs.runs]
        chosen = [folder for folder in self.chosen if folder in known]
        if self._wanted in known:
            chosen, self._wanted = [self._wanted], ""
        if not chosen and not self.runs.is_running:
            finished = [run.folder for run in self.runs.runs if run.ended] or known
            chosen = finished[:1]
        self.choose(chosen)
        self.changed.emit()

    def on_timeout(self) -> None:
        """The user has paused: ask for the pages, unless they are there."""
        self._timer.stop()
        wanted = self._pages_request(self.page_width)
        if wanted != self._requested and self.chosen and self._has_sections():
            self._requested, self.failure = wanted, None
            self.preview.start(wanted)
        self.changed.emit()

    def on_preview_done(self, result: ReportResult) -> None:
        """All pages are there; the sections are known now, so that what was left out before can be left out here."""
        self.pages = result.pages
        self._sections[len(self.chosen) > 1] = self._known(result)
        if self._pages_request(self.page_width) != self._requested:
            self._ask_soon()
        else:
            self.changed.emit()

    def on_preview_failed(self, failure: Failure) -> None:
        """Say why there are no pages."""
        self.failure, self._requested = failure, None
        self.changed.emit()

    def _ask_soon(self) -> None:
        """Stop drawing what is out of date, and wait for the user to pause."""
        self.failure = None
        if self.preview.is_running:
            self._requested = None
            self.preview.cancel()
        self._timer.start()
        self.changed.emit()

    def _pages_request(self, page_width: int) -> ReportRequest:
        sections = self._included()
        return ReportRequest(self.chosen, _PREVIEW_NAME, sections, self.redact, preview=True, page_width=page_width)

    def _known(self, result: ReportResult) -> tuple[SectionInfo, ...]:
        """The sections of an answer; what was not asked for may be there all the same, so that it can be asked for again."""
        requested = self._requested.sections if self._requested is not None else ()
        before = {section.id: section for section in self.sections}
        known = []
        for section in result.sections:
            if requested and section.id not in requested:
                old = before.get(section.id, section)
                section = replace(old, present=section.present or section.id not in before or old.present)
            known.append(section)
        return tuple(known)

    def _included(self) -> tuple[str, ...]:
        """The ids to name; none where nothing is left out, which stands for all."""
        included = tuple(section.id for section in self.sections if self.includes(section.id))
        return () if len(included) == len(self.sections) else included

    def _has_sections(self) -> bool:
        """True if anything would be in the report, as far as is known."""
        present = [section.id for section in self.sections if section.present]
        return not present or any(self.includes(section) for section in present)
