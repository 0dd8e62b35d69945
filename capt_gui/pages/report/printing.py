"""Pages on paper: asks for a printer, and paints each page as it arrives."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, QSizeF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QDialog, QWidget

from capt_engine.records import Failure, PagesReady, ReportResult
from capt_gui.images import to_image
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.widgets.dialogs import answer_of

try:
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo

    CAN_PRINT = True
except ImportError:  # a system without the printing libraries that Qt needs
    CAN_PRINT = False

# finer than this no printer shows a page of text
_WIDEST = 2480


class Printing(QObject):
    """Prints the report; emits `problem(message, hint)` when it could not, and `printed(name)` with the printer's name when it did."""

    problem = Signal(str, str)
    printed = Signal(str)

    def __init__(self, window: QWidget, reports: ReportsModel) -> None:
        super().__init__(window)
        self._window = window
        self._reports = reports
        self._printer: QPrinter | None = None
        self._painter: QPainter | None = None
        self._painted = 0
        job = reports.printing
        job.pages_arrived.connect(self.on_pages_arrived)
        job.done.connect(self.on_done)
        job.failed.connect(self.on_failed)
        job.changed.connect(self.on_changed)

    def start(self) -> None:
        """Ask the user for a printer and have the report drawn for it; emit `problem` where there is no printer."""
        instead = self.tr("Save the report as a PDF, and print that.")
        if not CAN_PRINT:
            self.problem.emit(self.tr("This system has no printing support."), instead)
        elif not QPrinterInfo.availablePrinterNames():
            self.problem.emit(self.tr("No printer is set up on this computer."), instead)
        else:
            printer = QPrinter(QPrinter.PrinterMode.HighResolution)
            dialog = QPrintDialog(printer, self._window)
            dialog.setOption(QPrintDialog.PrintDialogOption.PrintPageRange)
            if answer_of(dialog) == QDialog.DialogCode.Accepted:
                self.print_on(printer)

    def print_on(self, printer: QPrinter) -> None:
        """Have the report drawn for `printer`, as wide as its paper in its own pixels, but at least 600 and at most 2480."""
        printer.setFullPage(True)
        self._printer, self._painted = printer, 0
        width = printer.pageLayout().fullRectPixels(printer.resolution()).width()
        self._reports.draw_for_paper(min(max(width, 600), _WIDEST))

    def on_pages_arrived(self, event: PagesReady) -> None:
        """Paint those pages that `event` brings on the printer that are in the range chosen in the print dialog."""
        if self._printer is None:
            return
        first = self._printer.fromPage() or 1
        last = self._printer.toPage() or event.total
        for number, page in enumerate(event.pages, event.first + 1):
            if not first <= number <= last or not self._is_ready():
                continue
            if self._painted and not self._printer.newPage():
                self._refuse()
                return
            assert self._painter is not None
            sheet = QRectF(self._painter.viewport())
            size = QSizeF(page.width, page.height)
            scale = min(sheet.width() / size.width(), sheet.height() / size.height())
            size *= scale
            target = QRectF(sheet.center().x() - size.width() / 2, sheet.top(), size.width(), size.height())
            self._painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            self._painter.drawImage(target, to_image(page))
            self._painted += 1

    def on_done(self, _result: ReportResult) -> None:
        """Finish the print job, and emit `printed` with the name of the printer, or of the file in its place; `_result` is unused."""
        if self._printer is not None:
            name = self._printer.printerName() or self._printer.outputFileName()
            self._end()
            self.printed.emit(name)

    def on_failed(self, failure: Failure) -> None:
        """Abort the print job, and emit `problem` with the message and the hint of `failure`."""
        self._abort()
        self.problem.emit(failure.message, failure.hint)

    def on_changed(self) -> None:
        """Abort the print job when the drawing of its pages was cancelled."""
        if not self._reports.printing.is_running and self._printer is not None:
            self._abort()

    def _is_ready(self) -> bool:
        if self._painter is None and self._printer is not None:
            painter = QPainter()
            if not painter.begin(self._printer):
                self._refuse()
                return False
            self._painter = painter
        return self._painter is not None

    def _refuse(self) -> None:
        self._abort()
        self._reports.printing.cancel()
        self.problem.emit(self.tr("The printer took no pages."), self.tr("Save the report as a PDF, and print that."))

    def _abort(self) -> None:
        if self._printer is not None and self._painter is not None:
            self._printer.abort()
        self._end()

    def _end(self) -> None:
        if self._painter is not None:
            self._painter.end()
        self._painter = self._printer = None
