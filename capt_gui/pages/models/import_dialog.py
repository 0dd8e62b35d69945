"""Bringing in what others have published: a file or folder, its name here, and what the file itself does not say."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QIntValidator, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from capt_engine.formatting import percent
from capt_engine.records import (
    Failure,
    ImportModelRequest,
    ImportPromptsRequest,
    ModelImported,
    ModelInfo,
    PromptsImported,
    SanityScore,
)
from capt_gui.theme import Theme
from capt_gui.translate import later, spoken, tr
from capt_gui.view_models.models.install_job import InstallJob, InstallRequest
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.layout import fill

# Wider than any published.
_WIDEST_HEAD = 1024


class ImportDialog(QDialog):
    """The part that both dialogs share: a path, a name, a banner for what is missing, and a line that says what is being done."""

    title = ""
    explained = ""

    def __init__(self, theme: Theme, job: InstallJob, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._job = job
        title = self.tr(self.title)
        self.setWindowTitle(title)
        self.setMinimumWidth(620)
        self.banner = Banner(theme)
        self.path = QLineEdit()
        self.name = QLineEdit()
        self._progress = text("", "muted")
        self.go = QPushButton(self.tr("Import"))
        self.go.setProperty("primary", True)
        self._fields = QVBoxLayout()
        self._fields.setSpacing(10)
        buttons = QDialogButtonBox()
        buttons.addButton(QPushButton(self.tr("Close")), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.addButton(self.go, QDialogButtonBox.ButtonRole.ActionRole)
        above = (text(title, "title", wrap=False), text(self.tr(self.explained), "muted"), self.banner)
        parts = (*above, self._fields, self._progress, buttons)
        fill(QVBoxLayout(self), *parts, spacing=12, margins=(24, 20, 24, 16))
        buttons.rejected.connect(self.reject)
        # However it is closed, nobody waits for the import's answer any more.
        self.rejected.connect(job.cancel)
        self.go.clicked.connect(self.on_go)
        self.path.textChanged.connect(self.on_changed)
        self.name.textChanged.connect(self.on_changed)
        job.changed.connect(self.on_job_changed)
        job.failed.connect(self.on_failed)
        job.done.connect(self.on_done)
        self.on_changed()

    def showEvent(self, event: QShowEvent) -> None:
        """Give the dialog the height that its fields want at its width; by itself it would press them together."""
        super().showEvent(event)
        if (layout := self.layout()) is not None:
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))

    def request(self) -> InstallRequest:
        """Return the request to the engine for the import that the fields describe.

        Each dialog overrides this; here it raises NotImplementedError.
        """
        raise NotImplementedError

    def on_go(self) -> None:
        """Clear the banner, and start the import that the fields describe."""
        self.banner.clear()
        self._job.start(self.request())

    def on_changed(self) -> None:
        """Enable the Import button if a path is given and no import runs; the engine says what else is missing."""
        self.go.setEnabled(bool(self.path.text().strip()) and not self._job.is_running)

    def on_job_changed(self) -> None:
        """Show the progress of the import in words, and enable the Import button if a path is given and nothing runs."""
        self._progress.setText(self._job.progress.text)
        self.on_changed()

    def on_failed(self, failure: Failure) -> None:
        """Show the message and the hint of `failure` in the banner; the fields keep what was typed."""
        self.banner.show_message("error", failure.message, failure.hint)

    def on_done(self, result: object) -> None:
        """Show the imported model or prompts of `result`, what was assumed, and how they scored; the dialog stays open.

        A result that is no import is ignored.
        """
        if isinstance(result, ModelImported | PromptsImported):
            lines = [*result.said, *(self.tr("Assumed: {}").format(line) for line in result.assumed)]
            lines.append(score_text(result.score))
            kind = "warning" if result.score.warning else "done"
            self.banner.show_message(kind, self.tr("{} is here").format(result.name), "\n".join(lines))
            self.go.setEnabled(False)

    def on_browse_file(self) -> None:
        """Ask the user for a file and put its path into the path field; do nothing when the dialog is cancelled."""
        found, _ = QFileDialog.getOpenFileName(self, self.windowTitle(), str(Path.home()))
        if found:
            self.path.setText(found)

    def on_browse_folder(self) -> None:
        """Ask the user for a folder and put its path into the path field; do nothing when the dialog is cancelled."""
        found = QFileDialog.getExistingDirectory(self, self.windowTitle(), str(Path.home()))
        if found:
            self.path.setText(found)

    def _add_path(self, *, folders: bool) -> None:
        file = QPushButton(self.tr("File…"))
        file.clicked.connect(self.on_browse_file)
        line = fill(QHBoxLayout(), (self.path, 1), file)
        if folders:
            folder = QPushButton(self.tr("Folder…"))
            folder.clicked.connect(self.on_browse_folder)
            line.addWidget(folder)
        label = text(self.tr("File or folder") if folders else self.tr("File"), "muted", wrap=False)
        label.setBuddy(self.path)
        self.path.setAccessibleName(label.text())
        self._fields.addWidget(label)
        self._fields.addLayout(line)

    def _add(self, label: str, control: QWidget) -> None:
        self._add_beside((label, control))

    def _add_beside(self, *fields: tuple[str, QWidget]) -> None:
        """Fields in one line, for a dialog that has to stand on a screen 600 pixels tall."""
        line = QHBoxLayout()
        for label, control in fields:
            control.setAccessibleName(label)
            line.addWidget(named(label, control), 1)
        self._fields.addLayout(line)


class ImportModelDialog(ImportDialog):
    """Asks for a folder or a weights file that becomes an installed model."""

    title = later("Use a model that you have")
    explained = later(
        "An open_clip or CLIPModel folder, a CLIP's state dict, TeCoA's container, or a bare image tower (FARE). "
        "It is copied and converted to safetensors; pickled files are read by a process that can run nothing. "
        "Your file is not changed."
    )

    def __init__(
        self, theme: Theme, job: InstallJob, models: tuple[ModelInfo, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, job, parent)
        self.base = _choices(
            (self.tr("none: it is a whole model"), ""), *((spoken(model.label), model.id) for model in models)
        )
        self.activation = _choices(
            (self.tr("as the files say, else QuickGELU"), ""),
            (self.tr("QuickGELU (OpenAI's weights and those tuned from them)"), "quickgelu"),
            (self.tr("GELU (LAION's, DataComp's and most others)"), "gelu"),
        )
        self.head_width = QLineEdit()
        self.head_width.setValidator(QIntValidator(1, _WIDEST_HEAD, self))
        self.head_width.setPlaceholderText(self.tr("as published models of its width have them"))
        self._add_path(folders=True)
        self._add(self.tr("What it is to be called here"), self.name)
        self._add(self.tr("Of an image tower alone (TeCoA, FARE): the model it was tuned from"), self.base)
        self._add(self.tr("Trained with"), self.activation)
        self._add(self.tr("Of a bare state dict: how wide its attention heads are"), self.head_width)
        self.path.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_changed(self) -> None:
        """Suggest a name made from the path unless the user wrote one; enable Import if both are given and no import runs."""
        super().on_changed()
        if not self.name.isModified():
            stem = Path(self.path.text().strip()).stem.replace(" ", "-")
            if self.name.text() != stem:
                self.name.setText(stem)
        self.go.setEnabled(self.go.isEnabled() and bool(self.name.text().strip()))

    def suggest(self, name: str, base: str) -> None:
        """Fill in the name and, if it is installed, the base of the image tower that the user is about to bring in."""
        with QSignalBlocker(self.name):  # or the name would be made from the path again
            self.name.setText(name)
        self.name.setModified(True)
        self.base.setCurrentIndex(max(self.base.findData(base), 0))

    def request(self) -> ImportModelRequest:
        """Return the request to import the model at the path, with all that the fields say of it."""
        return ImportModelRequest(
            self.path.text().strip(),
            self.name.text().strip(),
            self.base.currentData(),
            self.activation.currentData(),
            head_width=int(self.head_width.text() or 0),
        )


class ImportPromptsDialog(ImportDialog):
    """Asks for a published prompts file."""

    title = later("Import published prompts")
    explained = later(
        "Prompts of CoOp, APT, AdvPT, MaPLe, FAP, IVLP, PromptSRC, VPT and their adversarial kin, as their authors "
        "released them. The family is seen from the file; it is read by a process that can run nothing, and converted."
    )

    def __init__(
        self, theme: Theme, job: InstallJob, models: tuple[ModelInfo, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, job, parent)
        self.model = _choices(*((spoken(model.label), model.id) for model in models))
        self.template, self.classes = QLineEdit(), QLineEdit()
        self.position = _choices(
            (self.tr("as the path says, else at the end"), ""),
            (self.tr("at the end"), "end"),
            (self.tr("in the middle"), "middle"),
            (self.tr("in front"), "front"),
        )
        self.family = _choices((self.tr("as the file says"), ""), (self.tr("MaPLe"), "maple"), (self.tr("FAP"), "fap"))
        self.name.setPlaceholderText(self.tr("made from the family and the file"))
        self.template.setPlaceholderText(self.tr("as the family's authors had it, where the file does not say"))
        self.classes.setPlaceholderText(
            self.tr("only for prompts that belong to classes: a, b, c in the order of training")
        )
        self._add_path(folders=False)
        self._add(self.tr("The model they were tuned for"), self.model)
        self._add(self.tr("What they are to be called here"), self.name)
        self._add(self.tr("The data set's template, {} being the class name"), self.template)
        self._add(self.tr("Classes"), self.classes)
        self._add_beside(
            (self.tr("Where the class name stands (CoOp, APT)"), self.position),
            (self.tr("Method, of prompts of one layer"), self.family),
        )
        self.path.setFocus(Qt.FocusReason.OtherFocusReason)

    def request(self) -> ImportPromptsRequest:
        """Return the request to import the prompts at the path, with all that the fields say of them."""
        return ImportPromptsRequest(
            self.path.text().strip(),
            self.model.currentData() or "demo",
            self.name.text().strip(),
            template=self.template.text().strip(),
            classes=tuple(name.strip() for name in self.classes.text().split(",") if name.strip()),
            position=self.position.currentData(),
            family=self.family.currentData(),
        )


def score_text(score: SanityScore) -> str:
    """Return a sentence with how many of a few labelled pictures were right in `score`, and its warning, if any.

    Where no picture could be scored it is the warning alone.
    """
    if score.n == 0:
        return spoken(score.warning)
    said = tr("Zero-shot on {}: {} of {} right, {} by guessing.")
    said = said.format(spoken(score.pictures), score.right, score.n, percent(score.chance))
    return f"{said} {spoken(score.warning)}".strip()


def _choices(*entries: tuple[str, str]) -> QComboBox:
    """A list to choose from: each entry is its text and the value behind it."""
    box = QComboBox()
    for label, value in entries:
        box.addItem(label, value)
    return box
