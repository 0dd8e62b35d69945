"""Step 1: whose pictures they are, and what is wrong with them; nothing of the user's is ever written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from capt_engine.bundled_models import TOYS
from capt_engine.records import Failure
from capt_gui.pages.tune.class_details import ClassDetails
from capt_gui.pages.tune.step import Step
from capt_gui.panels.data_intake import DataIntake
from capt_gui.panels.data_welcome import DataWelcome, Greeting
from capt_gui.panels.notice_list import NoticeList
from capt_gui.panels.scan_progress import ScanProgress
from capt_gui.plain_text import set_tooltip
from capt_gui.view_models.class_table_model import STRIP_COLUMN, ClassTableModel
from capt_gui.view_models.data_warnings import Picked
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.class_table import ClassTable
from capt_gui.widgets.columns import columns
from capt_gui.widgets.drop_area import local_paths
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class DataStep(Step):
    """Step 1 of the wizard, with three views: the welcome, the scan under way, and the table of classes."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._project = desk.tuning.project
        self._scan = desk.tuning.scan
        self.intake = DataIntake(self, desk.settings)
        self.banner = Banner(desk.theme)
        self.welcome = DataWelcome(desk.theme, self._greeting(), self._recent)
        self.progress = ScanProgress(desk.theme, desk.tuning.thumbnails)
        self.notices = NoticeList(desk.theme)
        self.table = ClassTable(desk.theme, STRIP_COLUMN)
        self.details = ClassDetails(desk.theme, self._project, self._scan)
        self._rows = ClassTableModel(self._scan, parent=self)
        self._title = ElidedLabel(text_role="heading")
        self._summary = text(role="caption")
        self._filter = QLineEdit()
        self._again = QPushButton(self.tr("Scan again"))
        self._other = QPushButton(self.tr("Other pictures…"))
        self._found = QWidget()
        self._faces = QStackedWidget()
        self._lay_out()
        self._connect()
        self.on_changed()

    @property
    def blocked_because(self) -> str:
        """Return a sentence why these pictures cannot be used for tuning yet, or "" if they can."""
        return self._scan.problem()

    def enter(self) -> None:
        """Move the keyboard focus to the button that chooses a folder, to Cancel during a scan, or to the table of classes."""
        self._focused().setFocus()

    def take(self, mime: QMimeData) -> bool:
        """Scan the dropped files of `mime`, folders, a table or a split file; return False when it holds no file."""
        paths = local_paths(mime)
        if not paths:
            return False
        self.on_paths(paths)
        return True

    def file_actions(self) -> list[QAction]:
        """Return the actions of the File menu that ask the user for pictures."""
        return self.intake.actions

    def on_paths(self, paths: list[str]) -> None:
        """Scan the pictures at `paths`, folders, a table or a split file; while tuning runs, only say that it goes on."""
        if self._project.is_busy:
            message = self.tr("Tuning goes on with the pictures of this project.")
            self.banner.show_message("info", message, self.tr("Stop it in step 4, or wait for its end."))
            return
        self.banner.clear()
        self._scan.take([str(Path(path).absolute()) for path in paths])

    def on_toys(self) -> None:
        """Have the toy world's pictures drawn, for a look at tuning, and choose the model that knows them."""
        self.desk.tuning.toys.start()
        self.on_toys_progressed("")

    def on_toys_progressed(self, text: str) -> None:
        """Say in the banner that the toy world is being drawn, and how far that is, `text`."""
        self.banner.show_message("info", self.tr("Drawing the toy world…"), text)

    def on_toys_drawn(self, folder: str) -> None:
        """Scan the toy world's pictures in `folder` for a project with the model that knows them."""
        self.on_paths([folder])
        if not self._project.is_busy:
            self._project.change(model=TOYS[0])
            message = self.tr("The toy world's own small model is tuned.")
            self.banner.show_message(
                "info", message, self.tr("For pictures of your own, choose another model in step 3.")
            )

    def on_changed(self) -> None:
        """Show what the scan found, its warnings, and how many classes and pictures are left out of tuning."""
        result, state = self._scan.result, self._project.state
        face = self.progress if self._scan.is_running else self.welcome if result is None else self._found
        if face is not self._faces.currentWidget():
            # the window's own focus: the user may be in another program while the scan ends
            had_focus = self.isAncestorOf(self.window().focusWidget() or self.window())
            self._faces.setCurrentWidget(face)
            if had_focus:
                self._focused().setFocus()
        self._again.setEnabled(not self._project.is_busy)
        self._other.setEnabled(not self._project.is_busy)
        if result is not None:
            classes = len(self._scan.classes_in())
            usable = sum(self._scan.usable(name) for name in self._scan.classes_in())
            parts = [
                self.tr("1 class") if classes == 1 else self.tr("{:,} classes").format(classes),
                self.tr("{:,} usable pictures").format(usable),
            ]
            out = len(state.excluded_classes), len(state.excluded)
            if out[0]:
                parts.append(
                    self.tr("1 class left out") if out[0] == 1 else self.tr("{:,} classes left out").format(out[0])
                )
            if out[1]:
                parts.append(
                    self.tr("1 picture left out") if out[1] == 1 else self.tr("{:,} pictures left out").format(out[1])
                )
            self._title.set_text(state.title)
            set_tooltip(self._title, "\n".join(state.data))
            self._summary.setText(" · ".join(parts))
        self.notices.show_notices(self._scan.notices())
        self._rows.show(result, frozenset(state.excluded_classes))
        self.details.show_class(self.table.current_key())
        self.changed.emit()

    def on_running_changed(self, running: bool) -> None:
        """Show the progress when a scan begins (`running`), or what it found once it has ended."""
        if running:
            self.banner.clear()
            self.progress.begin()
        else:
            self.welcome.refresh()
        self.on_changed()

    def on_failed(self, failure: Failure) -> None:
        """Show the message and the hint of `failure`, that of a scan, in the banner, with a button to try again."""
        self.banner.show_message("error", failure.message, failure.hint, self.tr("Try again"))

    def on_entered(self, name: str) -> None:
        """Show the pictures of the class called `name`, on which Return was pressed, and move the keyboard focus to them."""
        self.details.show_class(name)
        self.details.grid.setFocus()

    def on_toggled(self, names: list[str]) -> None:
        """Leave the classes called `names` out of tuning, or take them back if all are left out; do nothing while tuning runs."""
        if not self._project.is_busy:
            self._scan.toggle(Picked(classes=tuple(names)))

    def on_acted(self, number: int) -> None:
        """Do what notice `number` (from 0) offers: leave pictures out, take them back, or show a class's unreadable ones."""
        notice = self._scan.notices()[number]
        if notice.exclude:
            self._scan.exclude(notice.exclude)
        elif notice.include:
            self._scan.include(notice.include)
        elif notice.show:
            self._filter.clear()
            self.table.select_name(notice.show)
            self.details.show_kind("unreadable")
        self.table.setFocus()

    def _greeting(self) -> Greeting:
        return Greeting(
            self.tr("Teach the model your own classes"),
            self.tr(
                "A few pictures of each class are enough. The model learns a prompt that names them better, and keeps "
                "naming them when somebody tries to fool it. You will see honestly whether it helped."
            ),
            self.tr("A folder that holds one folder for each class, named as you would say it: “cat”, “coffee mug”."),
            self.tr("Also several folders at once · a CSV with path,label · a few-shot split file (JSON)"),
            self.tr("Two classes with a handful of pictures each are the least; a thousand classes are welcome."),
        )

    def _recent(self) -> list[str]:
        settings = self.desk.settings
        return self.desk.tuning.toys.without(settings.tune_recent, settings.evaluate.recent)

    def _focused(self) -> QWidget:
        if self._scan.is_running:
            return self.progress.cancel
        return self.table if self._scan.result is not None else self.welcome.folder

    def _lay_out(self) -> None:
        self._filter.setPlaceholderText(self.tr("Filter classes"))
        self._filter.setAccessibleName(self.tr("Filter the classes"))
        self._filter.setClearButtonEnabled(True)
        self._filter.setMaximumWidth(220)
        set_tooltip(self._again, self.tr("Look for new and changed pictures; what is left out stays so"))
        self._other.setAccessibleName(self.tr("Other pictures"))
        names = fill(QVBoxLayout(), self._title, self._summary, spacing=1)
        controls = (self._filter, self._again, self._other)
        above = fill(QHBoxLayout(), (names, 1), *controls, margins=(0, 0, 14, 0))
        note = self.tr("Your files are only read, never changed. What you leave out stays where it is.")
        left = QFrame()
        left.setProperty("card", True)
        fill(QVBoxLayout(left), above, (self.table, 1), text(note, "caption"), margins=(16, 14, 2, 8))
        self.table.set_model(self._rows)
        self.columns = columns((left, 5, 460), (self.details, 3, 280), sizes=(750, 410), handle=10)
        fill(QVBoxLayout(self._found), self.notices, (self.columns, 1), spacing=10, margins=(20, 12, 20, 12))
        for face in (self.welcome, self.progress, self._found):
            self._faces.addWidget(face)
        room = fill(QVBoxLayout(), self.banner, margins=(20, 0, 20, 0))
        fill(QVBoxLayout(self), room, (self._faces, 1), spacing=0)

    def _connect(self) -> None:
        scan = self._scan
        scan.changed.connect(self.on_changed)
        scan.running_changed.connect(self.on_running_changed)
        scan.progress_changed.connect(self.progress.set_progress)
        scan.failed.connect(self.on_failed)
        self.welcome.paths_chosen.connect(self.on_paths)
        self.welcome.folder_clicked.connect(self.intake.on_choose_folder)
        self.welcome.table_clicked.connect(self.intake.on_choose_table)
        self.welcome.toys_clicked.connect(self.on_toys)
        toys = self.desk.tuning.toys
        toys.progressed.connect(self.on_toys_progressed)
        toys.drawn.connect(self.on_toys_drawn)
        toys.failed.connect(self.on_failed)
        self.intake.chosen.connect(self.on_paths)
        self.progress.cancel_clicked.connect(scan.cancel)
        self.table.current_changed.connect(self.details.show_class)
        self.table.toggled.connect(self.on_toggled)
        self.table.entered_row.connect(self.on_entered)
        self.notices.acted.connect(self.on_acted)
        self._filter.textChanged.connect(self.table.set_filter)
        self._again.clicked.connect(scan.scan)
        self._other.clicked.connect(self.intake.on_choose_folder)
        self.banner.action_clicked.connect(scan.scan)
