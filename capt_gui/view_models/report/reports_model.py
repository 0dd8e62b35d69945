"""The report in the making: of which runs, in what format, with which sections; and its pages as they are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.formatting import size
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
_GB = 1000**3

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
        self._wanted: tuple[str, ...] = ()
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
        """The state of the preview: one of LOOKING, NO_RUNS, UNCHOSEN, NO_SECTIONS, PREPARING, FAILED, SHOWN.

        LOOKING: the list of runs is not known yet. UNCHOSEN: no run is chosen. PREPARING: pages are being drawn.
        """
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
        """The format in which the report is saved: "pdf", "html", "csv" or "json"."""
        return self._settings.report_format

    @property
    def redact(self) -> bool:
        """True if the report shows numbers instead of the names of files and folders."""
        return self._settings.report_redact

    @property
    def has_choice_of_sections(self) -> bool:
        """True if sections can be left out in the chosen format (PDF and HTML); CSV and JSON are always complete."""
        return self.format in _WITH_SECTIONS

    @property
    def is_short(self) -> bool:
        """True if the report is the two pages in front alone, in a format that has pages; False if it has an appendix."""
        return self._settings.report_short and self.has_choice_of_sections

    def set_short(self, short: bool) -> None:
        """Make the report the two pages in front alone if `short`, else with its appendix; the preview is drawn anew."""
        if short != self._settings.report_short:
            self._settings.report_short = short
            self._ask_soon()

    @property
    def sections(self) -> tuple[SectionInfo, ...]:
        """The sections that a report can have; they differ between one chosen run and several.

        Empty until a preview of that kind was drawn once.
        """
        return self._sections.get(len(self.chosen) > 1, ())

    @property
    def chosen_runs(self) -> tuple[KeptRun, ...]:
        """The chosen runs, in the order of the list of runs (newest first)."""
        return tuple(run for run in self.runs.runs if run.folder in self.chosen)

    @property
    def budget_bytes(self) -> float:
        """The bytes beyond which the kept runs are too many to be silent about; infinite where the window never asks."""
        return self._settings.runs_budget_gb * _GB or math.inf

    def size_text(self, runs: str) -> str:
        """Return the line on what the kept runs take on the disk; `runs` says in words how many there are."""
        if math.isinf(self.budget_bytes):
            return f"{runs} · {size(self.runs.n_bytes)}"
        return tr("{} · {} of {}").format(runs, size(self.runs.n_bytes), size(self.budget_bytes))

    def excess(self) -> str:
        """Return a sentence that the kept runs take more on the disk than the budget; "" while they do not."""
        if self.runs.n_bytes <= self.budget_bytes:
            return ""
        return tr("Kept runs take {}, more than the {} set for them.").format(
            size(self.runs.n_bytes), size(self.budget_bytes)
        )

    def larger_budget(self) -> float:
        """Return the bytes of the next larger budget: the double, and as often again as the kept runs need."""
        budget = self.budget_bytes
        while budget < self.runs.n_bytes:
            budget *= 2
        return budget

    def allow_more(self) -> None:
        """Raise the budget of the kept runs to `larger_budget`."""
        self._settings.runs_budget_gb = self.larger_budget() / _GB
        self.runs.changed.emit()

    def includes(self, section: str) -> bool:
        """Return True unless the user left out the section with this id."""
        return section not in self._settings.report_left_out

    def problem(self) -> str:
        """Return a sentence that says why the report cannot be saved now; empty if it can."""
        if not self.chosen:
            return tr("Choose a run first")
        if self.has_choice_of_sections and not self._has_sections():
            return tr("Choose at least one section")
        return ""

    def choose(self, folders: Sequence[str]) -> None:
        """Choose the runs to report by their folders: one, or several side by side; the preview is drawn anew.

        Folders that are not in the list of runs are ignored.
        """
        known = {run.folder for run in self.runs.runs}
        chosen = tuple(folder for folder in folders if folder in known)
        if chosen != self.chosen:
            self.chosen = chosen
            self.selected.emit()
            self._ask_soon()

    def show_run(self, folder: str) -> None:
        """Refresh the list of runs, and choose the run in `folder` as soon as the list holds it."""
        self.show_runs((folder,))

    def show_runs(self, folders: Sequence[str]) -> None:
        """Refresh the list of runs, and choose those in `folders`, side by side, as soon as the list holds them all."""
        self._wanted = tuple(folders)
        self.runs.refresh()

    def set_format(self, name: str) -> None:
        """Choose the format in which the report is saved, one of FORMATS; any other name is ignored.

        The preview does not change: it always shows the pages of the PDF.
        """
        if name in FORMATS and name != self.format:
            self._settings.report_format = name
            self.changed.emit()

    @property
    def redact_classes(self) -> bool:
        """Return True if numbers stand for class names and hashes of pictures too; only where those of files are left out."""
        return self.redact and self._settings.report_redact_classes

    def set_redact_classes(self, redact: bool) -> None:
        """Show numbers instead of class names and hashes of pictures too if `redact`; the preview is drawn anew."""
        if redact != self._settings.report_redact_classes:
            self._settings.report_redact_classes = redact
            self._ask_soon()

    def set_redact(self, redact: bool) -> None:
        """Show numbers instead of the names of files and folders if `redact`; the preview is drawn anew."""
        if redact != self.redact:
            self._settings.report_redact = redact
            self._ask_soon()

    def set_included(self, section: str, included: bool) -> None:
        """Include the section with this id in the report, or leave it out; the preview is drawn anew."""
        left_out = self._settings.report_left_out
        if included == self.includes(section):
            return
        if included:
            left_out.remove(section)
        else:
            left_out.append(section)
        self._ask_soon()

    def include_all(self) -> None:
        """Include every section that was left out; the preview is drawn anew."""
        if self._settings.report_left_out:
            self._settings.report_left_out.clear()
            self._ask_soon()

    def request(self, out: str) -> ReportRequest:
        """Return the request that writes the report of the chosen runs to the file `out`, whose ending says the format.

        Sections that were left out are missing in PDF and HTML only; CSV and JSON are complete.
        """
        suffix = out.rpartition(".")[2].lower()
        has_pages, short = suffix in _WITH_SECTIONS, self._settings.report_short
        sections = self._included() if has_pages and not short else ()
        return ReportRequest(self.chosen, out, sections, self.redact, self.redact_classes, short=short and has_pages)

    def write(self, out: str) -> None:
        """Write the report of the chosen runs to the file `out`, whose ending says the format.

        The job `writing` tells how it ended.
        """
        self.writing.start(self.request(out))

    def draw_for_paper(self, page_width: int) -> None:
        """Draw the pages of the report for a printer, each `page_width` pixels wide; the job `printing` emits them."""
        self.printing.start(self._pages_request(page_width))

    def try_again(self) -> None:
        """Draw the preview again, also if nothing was changed, for example after a failure."""
        self._requested = None
        self._ask_soon()

    def on_runs_changed(self) -> None:
        """Keep the chosen runs that are still in the list; a run that `show_run` waits for is chosen in their place.

        If none is left once the list is complete, the newest finished run is chosen, or the newest one if none is
        finished.
        """
        known = [run.folder for run in self.runs.runs]
        chosen = [folder for folder in self.chosen if folder in known]
        if self._wanted and set(self._wanted) <= set(known):
            chosen, self._wanted = list(self._wanted), ()
        if not chosen and not self.runs.is_running:
            newest = self.runs.newest_first
            chosen = [run.folder for run in newest if run.ended][:1] or [run.folder for run in newest][:1]
        self.choose(chosen)
        self.changed.emit()

    def on_timeout(self) -> None:
        """Draw the preview of the present choice, unless exactly that was requested last or nothing would be in it."""
        self._timer.stop()
        wanted = self._pages_request(self.page_width)
        if wanted != self._requested and self.chosen and self._has_sections():
            self._requested, self.failure = wanted, None
            self.preview.start(wanted)
        self.changed.emit()

    def on_preview_done(self, result: ReportResult) -> None:
        """Keep the number of pages and the sections of the preview that was drawn.

        If the sections, known only now, include one that the user left out, the preview is drawn again without it.
        """
        self.pages = result.pages
        self._sections[len(self.chosen) > 1] = self._known(result)
        if self._pages_request(self.page_width) != self._requested:
            self._ask_soon()
        else:
            self.changed.emit()

    def on_preview_failed(self, failure: Failure) -> None:
        """Keep in `failure` why the preview could not be drawn, and announce it by `changed`."""
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
        short = self._settings.report_short
        return ReportRequest(
            self.chosen,
            _PREVIEW_NAME,
            () if short else self._included(),
            self.redact,
            self.redact_classes,
            preview=True,
            page_width=page_width,
            short=short,
        )

    def _known(self, result: ReportResult) -> tuple[SectionInfo, ...]:
        """The sections of an answer; what was not asked for may be there all the same, so that it can be asked for again."""
        requested = self._requested.sections if self._requested is not None else ()
        if self._requested is not None and self._requested.short:
            requested = tuple(section.id for section in result.sections if section.present)
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
        if self._settings.report_short:
            return True
        present = [section.id for section in self.sections if section.present]
        return not present or any(self.includes(section) for section in present)
