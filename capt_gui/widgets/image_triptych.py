"""The clean picture, the perturbation and the adversarial picture: linked, side by side or in one place."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from capt_engine.formatting import unbroken, whole_percent
from capt_engine.records import Picture, PictureSet, SignedScale
from capt_gui.images import to_image
from capt_gui.theme import Theme
from capt_gui.widgets import image_readout
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.image_compare import ComparePane
from capt_gui.widgets.image_pane import ImagePane, PaneView
from capt_gui.widgets.image_saliency import SaliencyView
from capt_gui.widgets.image_tools import DIFFERENCE, PANES, SALIENCY, ImageTools
from capt_gui.widgets.layout import fill
from capt_gui.widgets.signed_bar import SignedBar


class ImageTriptych(QWidget):
    """Linked views with one zoom, one place and one pixel read-out.

    side_picked: the user wants to see the attack on "a" or "b", where each has its own. mode_changed: another view was chosen, of
    image_tools. window_asked: the pictures are to fill the window, or to go back.
    """

    side_picked = Signal(str)
    mode_changed = Signal(str)
    window_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seen: Picture | None = None
        self._waiting: QImage | None = None
        self._tips = (
            "",
            self.tr(
                "What the attack added, the mean of red, green and blue: orange is brighter than before, blue is darker."
            ),
            self.tr("The picture with the perturbation added: to the eye nearly the same, to the model often not."),
        )
        self._set: PictureSet | None = None
        self._view = PaneView(self)
        first = self.tr("Choose a picture to see it as the model does.")
        change, attacked = self.tr("What an attack adds appears here."), self.tr("The attacked picture appears here.")
        self._empty = (first, change, attacked, first)
        self.panes = (
            ImagePane(theme, self._view, first),
            ImagePane(theme, self._view, change, shows_values=True),
            ImagePane(theme, self._view, attacked),
        )
        self.single = ComparePane(theme, self._view, first)
        self.saliency = SaliencyView(theme, self._view)
        self.titles = tuple(ElidedLabel(text_role="muted") for _ in range(3))
        self.facts = (ElidedLabel(), ElidedLabel())
        self.scale_bar, self.single_bar = SignedBar(theme), SignedBar(theme)
        self.single_facts = ElidedLabel()
        self.tools = ImageTools(theme, self.saliency.controls)
        self.side_switch = self.tools.side_switch
        self._readout = ElidedLabel()
        self._stack = QStackedWidget()
        self._arrange()
        self._connect()
        self._refresh()

    @property
    def mode(self) -> str:
        """The view that is shown: one of the names in image_tools."""
        return self.tools.modes.choice()

    def set_mode(self, mode: str) -> None:
        """Show the pictures side by side, in one place, or with saliency maps over them; `mode` is a name in image_tools."""
        self.tools.show_mode(mode)
        self._stack.setCurrentIndex(0 if mode == PANES else 2 if mode == SALIENCY else 1)
        if mode not in (PANES, SALIENCY):
            self.single.set_mode(mode)
        self.single_bar.setVisible(mode == DIFFERENCE)
        self._use_size()
        self._on_cursor_changed()
        self._on_view_changed()
        self.mode_changed.emit(mode)

    def set_pictures(self, pictures: PictureSet | None, *, drawing: bool = False) -> None:
        """Show clean picture, perturbation and adversarial picture of an analysis; None shows the empty state.

        drawing: without pictures, say that they are being drawn, in place of how they come.
        """
        for pane, words in zip((*self.panes, self.single), self._empty, strict=True):
            pane.set_empty_text(self.tr("Drawing…") if drawing else words)
        self._set, self._waiting = pictures, None
        self._seen = pictures.seen if pictures is not None else None
        self._refresh()

    def set_seen(self, picture: Picture | None) -> None:
        """Show only the picture that the model is given, as before an attack; None shows the empty state."""
        self._set, self._seen, self._waiting = None, picture, None
        self._refresh()

    def set_waiting(self, image: QImage | None) -> None:
        """Show `image`, the whole of a picture, while nobody knows yet what the model sees of it; None shows the empty state.

        Nothing changes where pictures are shown.
        """
        key, before = (None if one is None else one.cacheKey() for one in (image, self._waiting))
        if self._seen is not None or key == before:
            return
        self._waiting = image
        self.set_whole(False)
        if image is not None:
            tip = self.tr("The whole picture. What the model sees of it comes with its answer.")
            self.titles[0].set_text(self.tr("The picture itself"), self.tr("Clean"), tip)
            self.panes[0].setAccessibleDescription(tip)
        self._refresh()

    def set_side(self, side: str, *, both: bool = False) -> None:
        """Tell in the title which of two compared models, "a" or "b", the shown attack was computed on; "" names none.

        both: also show the switch between the attacks on A and on B.
        """
        self.side_switch.setVisible(both)
        self.side_switch.set_choice(side)
        name, whose = self.tr("Adversarial"), self.tr("Adversarial, aimed at {}").format(side.upper())
        short = self.tr("Adversarial ({})").format(side.upper())
        self.titles[2].set_text(*((whose, short) if side else (name, "")), tip=self._tips[2])

    def scale(self) -> SignedScale:
        """Return the scale that the perturbation is drawn on: the one chosen or, on "Auto", that of its own units."""
        chosen = int(self.tools.ends.currentData() or 0)
        own = self._set.perturbation.scale if self._set is not None else 0.0
        return SignedScale(chosen / 255 or own)

    def set_whole(self, whole: bool) -> None:
        """Title the clean picture as one at its original size (True), or at the model's input size (False)."""
        name = self.tr("The picture itself") if whole else self.tr("What the model sees")
        tip = self.tr("The picture after resizing and cropping to the size the model takes in.")
        if whole:
            tip = self.tr("The picture at its own size, whose pixels the attack changes; the model resizes it inside.")
        self.titles[0].set_text(name, self.tr("Clean"), tip)
        self.panes[0].setAccessibleName(name)
        self.panes[0].setAccessibleDescription(tip)

    def set_filling(self, filling: bool) -> None:
        """Show that the pictures fill the window (True), where they may be as high as there is room, or no longer do."""
        for pane in (*self.panes, self.single, *self.saliency.panes):
            pane.set_tall(filling)
        self.tools.show_filling(filling)

    def readout(self) -> str:
        """Return the line with place and values of the pixel pointed at, a hint where none is, "" without a picture."""
        return self._readout.text().replace(image_readout.FIGURE_SPACE, "")

    def zoom_in(self) -> None:
        """Enlarge all pictures by a quarter."""
        self._front.zoom_by(1.25)

    def zoom_out(self) -> None:
        """Shrink all pictures by a fifth."""
        self._front.zoom_by(0.8)

    def zoom_to_fit(self) -> None:
        """Show the whole of all pictures."""
        self._view.set_fit()

    def zoom_to_pixels(self) -> None:
        """Zoom all pictures so that a picture pixel takes one screen pixel."""
        self._front.zoom_by(1 / (self.devicePixelRatioF() * self._front.zoom()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the zoom in per cent anew, as the zoom that fits changes with the room."""
        super().resizeEvent(event)
        self._on_view_changed()

    @property
    def _front(self) -> ImagePane:
        """The pane whose zoom is told."""
        return {0: self.panes[0], 1: self.single, 2: self.saliency.panes[0]}[self._stack.currentIndex()]

    def _arrange(self) -> None:
        columns = QWidget()
        row = fill(QHBoxLayout(columns), spacing=12)
        names = ("", self.tr("Perturbation"), self.tr("Adversarial"))
        below = (self.facts[0], self.scale_bar, self.facts[1])
        for title, pane, under, name, tip in zip(self.titles, self.panes, below, names, self._tips, strict=True):
            title.set_text(name, tip=tip)
            pane.setAccessibleName(name)
            pane.setAccessibleDescription(tip)
            row.addLayout(fill(QVBoxLayout(), title, (pane, 1), under, spacing=6), 1)
        self.set_whole(False)
        one = QWidget()
        under_one = fill(QHBoxLayout(), (self.single_facts, 1), (self.single_bar, 1), spacing=8)
        fill(QVBoxLayout(one), (self.single, 1), under_one, spacing=6)
        for page in (columns, one, self.saliency):
            self._stack.addWidget(page)
        fill(QVBoxLayout(self), self.tools, (self._stack, 1), self._readout, spacing=8)

    def _connect(self) -> None:
        tools = self.tools
        tools.mode_picked.connect(self.set_mode)
        tools.side_picked.connect(self.side_picked)
        tools.scale_picked.connect(self._on_scale_changed)
        tools.held.connect(self.single.show_other)
        tools.zoom_picked.connect(self._on_zoom_picked)
        tools.window_clicked.connect(self.window_asked)
        for pane in (*self.panes, self.single, *self.saliency.panes):
            pane.window_asked.connect(self.window_asked)
        self.saliency.shown.connect(self._use_size)
        self._view.changed.connect(self._on_view_changed)
        self._view.cursor_changed.connect(self._on_cursor_changed)

    def _on_zoom_picked(self, name: str) -> None:
        {"out": self.zoom_out, "in": self.zoom_in, "fit": self.zoom_to_fit, "one": self.zoom_to_pixels}[name]()

    def _refresh(self) -> None:
        seen, pictures = self._seen, self._set
        self._use_size()
        clean, attacked = (to_image(one) if one else None for one in (seen, pictures.adversarial if pictures else None))
        clean = clean or self._waiting
        self.panes[0].set_image(clean)
        self.panes[2].set_image(attacked)
        self._images = (clean, attacked)
        self.saliency.set_pictures(seen, pictures.adversarial if pictures else None)
        self.tools.enable(seen=seen is not None, attacked=pictures is not None)
        facts = image_readout.facts(seen, pictures)
        brief = image_readout.facts(seen, pictures, brief=True)
        for label, fact, short in zip(self.facts, facts, brief, strict=True):
            label.set_text(fact, short)
        words = " · ".join(fact for fact in facts if fact)
        self.single_facts.set_text(words, " · ".join(fact for fact in brief if fact))
        self.setAccessibleName(self.tr("What the model sees, the perturbation and the adversarial picture"))
        self.setAccessibleDescription(words or self.tr("No picture yet"))
        self._on_scale_changed()
        self._on_cursor_changed()
        self._on_view_changed()

    def _use_size(self) -> None:
        """Zoom and cross-hair are over what is shown: the pictures, or what a model saw of them."""
        shown = self.saliency.shown_size() if self.mode == SALIENCY else None
        seen = self._seen
        waiting = (0, 0) if self._waiting is None else (self._waiting.width(), self._waiting.height())
        width, height = shown or ((seen.width, seen.height) if seen is not None else waiting)
        self._view.set_size(width, height)

    def _on_scale_changed(self) -> None:
        scale, difference = None, None
        if self._set is not None:
            scale = self.scale()
            difference = to_image(scale.draw(self._set.perturbation))
        self.panes[1].set_image(difference)
        self.single.set_images(*self._images, difference)
        for bar in (self.scale_bar, self.single_bar):
            bar.set_scale(scale)

    def _on_view_changed(self) -> None:
        zoom = self._front.zoom() * self.devicePixelRatioF()
        self.tools.zoom.setText(unbroken(whole_percent(zoom)) if self._seen is not None else "")

    def _on_cursor_changed(self) -> None:
        if self._seen is None or self._view.cursor is None:
            hint = self.tr(
                "Point at a pixel to read it. Wheel or + and − zoom, drag moves, a double click fills the window."
            )
            short = self.tr("Point at a pixel to read it; the wheel zooms.")
            self._readout.set_text(*((hint, short) if self._seen is not None else ("",)))
            return
        in_picture = (self._view.width, self._view.height) == (self._seen.width, self._seen.height)
        line = image_readout.pixel_line(self._view.cursor, self._seen, self._set) if in_picture else ""
        values = self.saliency.values_at(*self._view.cursor) if self.mode == SALIENCY else ""
        short = values or (image_readout.brief_line(self._view.cursor, self._seen, self._set) if line else "")
        self._readout.set_text("  ·  ".join(part for part in (line, values) if part), short)
