"""The ways in and out of the page: files, folders, the clipboard; and saving a picture."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from capt_engine.errors import CaptError
from capt_engine.files import write_atomic
from capt_engine.records import Picture
from capt_engine.session.originals import PASTED
from capt_gui.images import png_bytes, to_image
from capt_gui.panels.session_menu import is_session
from capt_gui.settings import Settings
from capt_gui.translate import spoken
from capt_gui.view_models.explore.analysis_model import AnalysisModel
from capt_gui.view_models.explore.sides import SUFFIX
from capt_gui.view_models.explore.tour import Tour
from capt_gui.widgets.drop_area import local_paths

_ENDINGS = "*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff *.ppm *.pgm *.avif *.heic *.heif *.jp2 *.tga"

# The kinds of picture files that other programs put on the clipboard, and the endings of their names.
_PASTED = {f"image/{name}": f".{name}" for name in ("png", "jpeg", "webp", "avif", "tiff", "gif", "bmp")}


class Intake(QObject):
    """Turns dropped, pasted and chosen files into paths, and saves pictures.

    problem(message, hint): what could not be done. checkpoint_found(path): a prompt checkpoint was dropped, not a picture.
    toys_left(model id): the toy world was on show, and another model is chosen again. session_found(path): a session was dropped.
    """

    problem = Signal(str, str)
    checkpoint_found = Signal(str)
    toys_left = Signal(str)
    session_found = Signal(str)

    def __init__(self, window: QWidget, analysis: AnalysisModel, tour: Tour, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._analysis = analysis
        self._tour = tour
        self._settings = settings
        self._pasted: Path | None = None

    def on_open_files(self) -> None:
        """Ask the user for picture files and add them to the gallery; do nothing when the dialog is cancelled."""
        kinds = f"{self.tr('Pictures')} ({_ENDINGS});;{self.tr('All files')} (*)"
        folder = self._settings.last_folder
        paths, _ = QFileDialog.getOpenFileNames(self._window, self.tr("Open pictures"), folder, kinds)
        if paths:
            self._settings.last_folder = str(Path(paths[0]).parent)
            self.take_paths(paths)

    def on_open_folder(self) -> None:
        """Ask the user for a folder and add its pictures to the gallery; do nothing when the dialog is cancelled."""
        path = QFileDialog.getExistingDirectory(
            self._window, self.tr("Open a folder of pictures"), self._settings.last_folder
        )
        if path:
            self._settings.last_folder = path
            self.take_paths([path])

    def take_paths(self, paths: list[str]) -> None:
        """Add pictures to the gallery, and emit the signal `checkpoint_found` with the path of a dropped prompts file.

        paths: pictures, folders of pictures, and prompts files (those that end in .safetensors); of several prompts
        files the last one in the list is emitted. A session among them is opened in place of all.

        The toy world, if that was on show, gives way to the model of before.
        """
        if session := next(filter(is_session, paths), ""):
            self.session_found.emit(session)
            return
        checkpoints = [path for path in paths if path.lower().endswith(SUFFIX)]
        pictures = [path for path in paths if path not in checkpoints]
        model = self._tour.leave() if pictures else ""
        self._analysis.drop(pictures)
        if model:
            self.toys_left.emit(model)
        if checkpoints:
            self.checkpoint_found.emit(checkpoints[-1])

    def take(self, mime: QMimeData) -> bool:
        """Add the files in `mime` (dropped or pasted), or else its picture without a file, to the gallery.

        Return False when there is neither, or when the picture could not be stored, which `problem` tells.
        """
        paths = local_paths(mime)
        if not paths and (mime.hasImage() or not _PASTED.keys().isdisjoint(mime.formats())):
            paths = self._keep_pasted(mime)
        self.take_paths(paths)
        return bool(paths)

    def save_picture(self, picture: Picture, name: str) -> None:
        """Ask the user for a file, suggesting `name`, and write `picture` there as PNG; emit `problem` where the disk refuses."""
        start = Path(self._settings.last_folder or Path.home()) / name
        path, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save adversarial picture"), str(start), "PNG (*.png)"
        )
        if path:
            try:
                write_png(to_image(picture), Path(path))
            except CaptError as error:
                self.problem.emit(spoken(error.message), spoken(error.hint))

    def clean_up(self) -> None:
        """Delete the temporary folder with the files that were made for pasted pictures, if there is one."""
        if self._pasted is not None:
            shutil.rmtree(self._pasted, ignore_errors=True)
            self._pasted = None

    def _keep_pasted(self, mime: QMimeData) -> list[str]:
        """A pasted picture has no file; the engine reads files, so it gets one in a folder of ours.

        Bytes of a picture file are kept as they are, since nothing but the engine's decoder is to see them.
        """
        form = next((one for one in mime.formats() if one in _PASTED), "")
        content = bytes(mime.data(form).data()) if form else b""
        image = QImage() if content else QImage(mime.imageData())
        if not content and image.isNull():
            return []
        try:
            if self._pasted is None:
                self._pasted = Path(tempfile.mkdtemp(prefix=PASTED))
            name = f"pasted-{len(list(self._pasted.iterdir())) + 1}"
            path = self._pasted / f"{name}{_PASTED[form] if content else '.png'}"
            if content:
                write_atomic(path, content)
            else:
                write_png(image, path)
        except (CaptError, OSError):
            self.problem.emit(
                self.tr("The pasted picture could not be kept."), self.tr("Save it as a file and drop that.")
            )
            return []
        return [str(path)]


def write_png(image: QImage, path: Path) -> None:
    """Write `image` as a PNG file to `path`, whole or not at all; raise CannotWrite where the disk refuses."""
    write_atomic(path, png_bytes(image))
