"""Bringing in what others have published: a file or folder, its name here, and what the file itself does not say."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
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
from capt_gui.view_models.models.install_job import InstallJob
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.labels import named, text


class ImportDialog(QDialog):
    """The part that both dialogs share: a path, a banner for what is missing, and the answer in words; each connects `go` itself."""

    def __init__(
        self, theme: Theme, job: InstallJob, title: str, explained: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._job = job
        self.setWindowTitle(title)
        self.setMinimumWidth(620)
        self.banner = Banner(theme)
        self.path = QLineEdit()
        self.name = QLineEdit()
        self._words = text("", "muted")
        self.go = QPushButton(self.tr("Import"))
        self.go.setProperty("primary", True)
        self._close = QPushButton(self.tr("Close"))
        self._fields = QVBoxLayout()
        self._fields.setSpacing(10)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(12)
        layout.addWidget(text(title, "title", wrap=False))
        layout.addWidget(text(explained, "muted"))
        layout.addWidget(self.banner)
        layout.addLayout(self._fields)
        layout.addWidget(self._words)
        buttons = QDialogButtonBox()
        buttons.addButton(self._close, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.addButton(self.go, QDialogButtonBox.ButtonRole.ActionRole)
        layout.addWidget(buttons)
        buttons.rejected.connect(self.reject)
        self.path.textChanged.connect(self.on_changed)
        self.name.textChanged.connect(self.on_changed)
        job.changed.connect(self.on_job_changed)
        job.failed.connect(self.on_failed)
        job.done.connect(self.on_done)
        self.on_changed()

    def on_changed(self) -> None:
        """Import needs a path; what else is missing, the engine says."""
        self.go.setEnabled(bool(self.path.text().strip()) and not self._job.is_running)

    def on_job_changed(self) -> None:
        """Show what is being done."""
        self._words.setText(self._job.progress_text)
        self.on_changed()

    def on_failed(self, failure: Failure) -> None:
        """Say what is missing or wrong; everything stays as it was typed."""
        self.banner.show_message("error", failure.message, failure.hint)

    def on_done(self, result: object) -> None:
        """Say what came of it; the dialog stays until it is closed."""
        if isinstance(result, ModelImported | PromptsImported):
            lines = [*result.said, *(self.tr("Assumed: {}").format(line) for line in result.assumed)]
            lines.append(score_words(result.score))
            kind = "warning" if result.score.warning else "done"
            self.banner.show_message(kind, self.tr("{} is here").format(result.name), "\n".join(lines))
            self.go.setEnabled(False)

    def on_browse_file(self) -> None:
        """Choose a file."""
        found, _ = QFileDialog.getOpenFileName(self, self.windowTitle(), str(Path.home()))
        if found:
            self.path.setText(found)

    def on_browse_folder(self) -> None:
        """Choose a folder."""
        found = QFileDialog.getExistingDirectory(self, self.windowTitle(), str(Path.home()))
        if found:
            self.path.setText(found)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nobody waits for the answer any more."""
        self._job.cancel()
        super().closeEvent(event)

    def _add_path(self, *, folders: bool) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.path, 1)
        file = QPushButton(self.tr("File…"))
        file.clicked.connect(self.on_browse_file)
        line.addWidget(file)
        if folders:
            folder = QPushButton(self.tr("Folder…"))
            folder.clicked.connect(self.on_browse_folder)
            line.addWidget(folder)
        label = text(self.tr("File or folder") if folders else self.tr("File"), "muted", wrap=False)
        label.setBuddy(self.path)
        self.path.setAccessibleName(label.text())
        self._fields.addWidget(label)
        self._fields.addLayout(line)

    def _add(self, words: str, control: QWidget) -> None:
        control.setAccessibleName(words)
        self._fields.addWidget(named(words, control))


class ImportModelDialog(ImportDialog):
    """A folder or a weights file becomes an installed model."""

    def __init__(
        self, theme: Theme, job: InstallJob, models: tuple[ModelInfo, ...], parent: QWidget | None = None
    ) -> None:
        self.base, self.activation = QComboBox(), QComboBox()
        super().__init__(
            theme,
            job,
            parent.tr("Use a model that you have") if parent else "Use a model that you have",
            "An open_clip or CLIPModel folder, a CLIP's state dict, TeCoA's container, or a bare image tower (FARE). "
            "It is copied and converted to safetensors; pickled files are read by a process that can run nothing. "
            "Your file is not changed.",
            parent,
        )
        self.go.clicked.connect(self.on_go)
        self._add_path(folders=True)
        self._add(self.tr("What it is to be called here"), self.name)
        self.base.addItem(self.tr("none: it is a whole model"), "")
        for model in models:
            self.base.addItem(model.label, model.id)
        self._add(self.tr("Of an image tower alone (TeCoA, FARE): the model it was tuned from"), self.base)
        for words, value in (
            (self.tr("as the files say, else QuickGELU"), ""),
            (self.tr("QuickGELU (OpenAI's weights and those tuned from them)"), "quickgelu"),
            (self.tr("GELU (LAION's, DataComp's and most others)"), "gelu"),
        ):
            self.activation.addItem(words, value)
        self._add(self.tr("Trained with"), self.activation)
        self.path.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_changed(self) -> None:
        """A model needs a name too; it is offered from the path's."""
        super().on_changed()
        if not self.name.isModified():
            stem = Path(self.path.text().strip()).stem.replace(" ", "-")
            if self.name.text() != stem:
                self.name.setText(stem)
        self.go.setEnabled(self.go.isEnabled() and bool(self.name.text().strip()))

    def on_go(self) -> None:
        """Ask for the import."""
        self.banner.clear()
        self._job.start(
            ImportModelRequest(
                self.path.text().strip(),
                self.name.text().strip(),
                self.base.currentData(),
                self.activation.currentData(),
            )
        )


class ImportPromptsDialog(ImportDialog):
    """Import a published prompts file."""

    def __init__(
        self, theme: Theme, job: InstallJob, models: tuple[ModelInfo, ...], parent: QWidget | None = None
    ) -> None:
        self.model, self.position = QComboBox(), QComboBox()
        self.template, self.classes = QLineEdit(), QLineEdit()
        super().__init__(
            theme,
            job,
            parent.tr("Import published prompts") if parent else "Import published prompts",
            "Prompts of CoOp, APT, AdvPT, MaPLe, FAP, IVLP, PromptSRC, VPT and their adversarial kin, as their authors "
            "released them. The family is seen from the file; it is read by a process that can run nothing, and converted.",
            parent,
        )
        self.go.clicked.connect(self.on_go)
        self._add_path(folders=False)
        for one in models:
            self.model.addItem(one.label, one.id)
        self._add(self.tr("The model they were tuned for"), self.model)
        self.name.setPlaceholderText(self.tr("made from the family and the file"))
        self._add(self.tr("What they are to be called here"), self.name)
        self.template.setPlaceholderText(self.tr("as the family's authors had it, where the file does not say"))
        self._add(self.tr("The data set's template, {} being the class name"), self.template)
        self.classes.setPlaceholderText(
            self.tr("only for prompts that belong to classes: a, b, c in the order of training")
        )
        self._add(self.tr("Classes"), self.classes)
        for words, value in (
            (self.tr("as the path says, else at the end"), ""),
            (self.tr("at the end"), "end"),
            (self.tr("in the middle"), "middle"),
            (self.tr("in front"), "front"),
        ):
            self.position.addItem(words, value)
        self._add(self.tr("Where the class name stands (CoOp, APT)"), self.position)
        self.path.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_go(self) -> None:
        """Ask for the import."""
        self.banner.clear()
        classes = tuple(name.strip() for name in self.classes.text().split(",") if name.strip())
        self._job.start(
            ImportPromptsRequest(
                self.path.text().strip(),
                self.model.currentData() or "demo",
                self.name.text().strip(),
                template=self.template.text().strip(),
                classes=classes,
                position=self.position.currentData(),
            )
        )


def score_words(score: SanityScore) -> str:
    """A few pictures, to see that it works at all."""
    if score.n == 0:
        return score.warning
    said = f"Zero-shot on {score.pictures}: {score.right} of {score.n} right, {percent(score.chance)} by guessing."
    return f"{said} {score.warning}".strip()
