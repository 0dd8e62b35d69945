"""The question before anything is fetched: what, how large, from where, under which licence, and where it goes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QPushButton, QVBoxLayout, QWidget

from capt_engine.formatting import short
from capt_engine.records import ModelsListed, OfferedModel
from capt_gui.translate import spoken
from capt_gui.view_models.models.models_model import size
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class ConsentDialog(QDialog):
    """Asks whether a model is to be downloaded, with its facts; it is accepted when the user agrees, and "Not now" is the default."""

    def __init__(self, model: OfferedModel, listed: ModelsListed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Download a model"))
        self.setMinimumWidth(560)
        promise = self.tr(
            "The server learns that this computer fetches this model, and nothing about your pictures. "
            "You can pause or cancel at any time; what came is kept."
        )
        self.no = QPushButton(self.tr("Not now"))
        self.yes = QPushButton(self.tr("Download {}").format(size(model.bytes, estimated=model.estimated)))
        self.yes.setProperty("primary", True)
        self.yes.setAutoDefault(False)
        buttons = QDialogButtonBox()
        buttons.addButton(self.no, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.addButton(self.yes, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(self._facts(model, listed)):
            grid.addWidget(text(name, "muted", wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            shown = text(value)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(shown, row, 1)
        title = text(self.tr("Download {}?").format(spoken(model.label)), "title", wrap=False)
        parts = (title, text(spoken(model.purpose)), grid, text(promise, "caption"), buttons)
        fill(QVBoxLayout(self), *parts, spacing=14, margins=(24, 22, 24, 18))
        self.no.setDefault(True)
        self.no.setFocus()

    def _facts(self, model: OfferedModel, listed: ModelsListed) -> list[tuple[str, str]]:
        revision = (
            self.tr("newest (no commit is known beforehand; the one fetched is written down)")
            if model.revision == "main"
            else self.tr("commit {}").format(model.revision[:12])
        )
        known = (
            self.tr("SHA-256 {}, known beforehand").format(short(model.sha256))
            if model.sha256
            else self.tr("against the SHA-256 that the hub gives for the file")
        )
        room = self.tr("{} ({} free)").format(listed.folder, size(listed.free_bytes))
        facts = [
            (self.tr("Size"), size(model.bytes, estimated=model.estimated)),
            (self.tr("From"), f"{model.page}\n{revision}"),
            (self.tr("Licence"), spoken(model.licence)),
            (self.tr("Checked"), known),
            (self.tr("Goes to"), room),
        ]
        if model.have_bytes:
            facts.insert(1, (self.tr("Here already"), size(model.have_bytes)))
        return facts
