"""Asks which pictures of which results are to be saved, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from capt_gui.widgets.dialogs import answer_of
from capt_gui.widgets.input import inset
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.layout import fill

_WIDTH = 500


@dataclass(frozen=True)
class PicturesToSave:
    """An answer. all_shown: of all results that are shown, else of the chosen ones. kinds: keys of what is saved.

    factor: by how much an amplified perturbation is multiplied. replaces: files that are there already are replaced.
    """

    all_shown: bool
    kinds: tuple[str, ...]
    factor: int
    folder: str
    replaces: bool


class SavePicturesDialog(QDialog):
    """Which results, which pictures of each, the folder, and what happens to files that are there already."""

    def __init__(
        self,
        parent: QWidget,
        counts: tuple[int, int],
        kinds: tuple[tuple[str, str, bool], ...],
        folder: str,
        in_the_way: Callable[[PicturesToSave], tuple[int, int]],
    ) -> None:
        """counts: of chosen results, and of all that are shown. kinds: a key, the words and the first state of each picture.

        in_the_way: of an answer, how many files it would write, and how many of them are there already.
        """
        super().__init__(parent)
        self.setWindowTitle(self.tr("Save pictures"))
        self._in_the_way = in_the_way
        chosen, shown = counts
        self.chosen = QRadioButton(self.tr("The chosen pictures ({:,})").format(chosen))
        self.all_shown = QRadioButton(self.tr("All that are shown ({:,})").format(shown))
        (self.chosen if chosen else self.all_shown).setChecked(True)
        self.chosen.setEnabled(chosen > 0)
        self.boxes = {key: QCheckBox(words) for key, words, _ in kinds}
        for key, _, checked in kinds:
            self.boxes[key].setChecked(checked)
        self.factor = QSpinBox(minimum=1, maximum=255, value=10)
        self.factor.setPrefix("× ")
        inset(self.factor)
        self.factor.setAccessibleName(self.tr("Factor of the amplified perturbation"))
        self.folder = QLineEdit(folder)
        self.folder.setAccessibleName(self.tr("Folder"))
        choose = QPushButton(self.tr("Choose…"))
        choose.setAccessibleName(self.tr("Choose the folder"))
        choose.clicked.connect(self.on_choose)
        self.replaces = QCheckBox(self.tr("Replace files that are there already"))
        self.note = text("", "caption")
        kinds_of_button = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(kinds_of_button.Save | kinds_of_button.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        lines = [
            fill(QHBoxLayout(), box, (None, 1), self.factor) if key == "amplified" else box
            for key, box in self.boxes.items()
        ]
        place = QWidget()
        fill(QHBoxLayout(place), (self.folder, 1), choose)
        fill(
            QVBoxLayout(self), text(self.tr("Of which results"), "strong"), self.chosen, self.all_shown, 6,
            text(self.tr("Which pictures"), "strong"), *lines, 6, named(self.tr("Folder"), place), self.replaces,
            self.note, self._buttons, spacing=6, margins=18,
        )  # fmt: skip
        self.setMinimumWidth(_WIDTH)
        for button in (self.chosen, self.all_shown, self.replaces, *self.boxes.values()):
            button.toggled.connect(self.on_changed)
        self.folder.textChanged.connect(self.on_changed)
        self.factor.valueChanged.connect(self.on_changed)
        self.on_changed()

    def on_choose(self) -> None:
        """Let the user choose a folder; nothing happens when the dialog is cancelled."""
        if path := QFileDialog.getExistingDirectory(self, self.tr("Save pictures in"), self.folder.text()):
            self.folder.setText(path)

    def on_changed(self) -> None:
        """Say how many files there will be and how many are there already, and allow Save where there is something to save."""
        answer = self.answer()
        total, there = self._in_the_way(answer) if answer.folder and answer.kinds else (0, 0)
        self.factor.setEnabled("amplified" in answer.kinds)
        words = self.tr("1 file.") if total == 1 else self.tr("{:,} files.").format(total)
        if there:
            fate = self.tr("replaced") if answer.replaces else self.tr("kept as they are")
            words = self.tr("{} There already: {:,}, which will be {}.").format(words, there, fate)
        self.note.setText(words if total else self.tr("Nothing is chosen to be saved."))
        self.replaces.setEnabled(there > 0)
        self._buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(total > 0)

    def answer(self) -> PicturesToSave:
        """Return what the dialog holds now."""
        kinds = tuple(key for key, box in self.boxes.items() if box.isChecked())
        return PicturesToSave(
            self.all_shown.isChecked(), kinds, self.factor.value(), self.folder.text().strip(),
            self.replaces.isChecked(),
        )  # fmt: skip


def ask_which_pictures(
    parent: QWidget,
    counts: tuple[int, int],
    kinds: tuple[tuple[str, str, bool], ...],
    folder: str,
    in_the_way: Callable[[PicturesToSave], tuple[int, int]],
) -> PicturesToSave | None:
    """Ask in a dialog over `parent` which pictures are to be saved, and return the answer; None when the user cancels.

    The arguments are those of SavePicturesDialog.
    """
    dialog = SavePicturesDialog(parent, counts, kinds, folder, in_the_way)
    return dialog.answer() if answer_of(dialog) else None
