"""The clean picture, the perturbation and the adversarial picture, side by side and linked."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from capt_engine.formatting import budget, over_255, signed, unbroken, whole_percent
from capt_engine.records import Picture, PictureSet, SignedPicture, SignedScale
from capt_gui.images import to_image
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.image_pane import ImagePane, PaneView
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.segments import Segments
from capt_gui.widgets.signed_bar import SignedBar

_ENDS = (1, 2, 4, 8, 16, 64)
_FIGURE_SPACE = "\u2007"


class ImageTriptych(QWidget):
    """Three linked panes with one zoom, one place and one pixel read-out.

    side_picked: the user wants to see the attack on "a" or "b", where each has its own.
    """

    side_picked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seen: Picture | None = None
        self._set: PictureSet | None = None
        self._view = PaneView(self)
        self._panes = (
            ImagePane(theme, self._view, self.tr("Choose a picture to see it as the model does.")),
            ImagePane(theme, self._view, self.tr("What an attack adds appears here.")),
            ImagePane(theme, self._view, self.tr("The attacked picture appears here.")),
        )
        self.titles = tuple(ElidedLabel(text_role="muted") for _ in range(3))
        self.side_switch = Segments(
            theme,
            self.tr("Attack shown"),
            [
                ("a", self.tr("A"), self.tr("Show the picture that was made to fool A")),
                ("b", self.tr("B"), self.tr("Show the picture that was made to fool B")),
            ],
        )
        self.side_switch.setMinimumWidth(84)
        self.side_switch.hide()
        self.side_switch.picked.connect(self.side_picked)
        self.facts = (ElidedLabel(), ElidedLabel())
        self.scale_bar = SignedBar(theme)
        self._zoom = text(role="caption", wrap=False)
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._zoom.setMinimumWidth(self._zoom.fontMetrics().horizontalAdvance("6400 %") + 4)
        self._ends = QComboBox()
        self._ends.addItem(self.tr("Auto"), 0)
        for end in _ENDS:
            self._ends.addItem(f"±{budget(end / 255)}", end)
        self._ends.setAccessibleName(self.tr("Scale of the perturbation"))
        tip = self.tr(
            "The change that has the full colour. Auto: the budget, or the largest change where no budget bounds each value."
        )
        set_tooltip(self._ends, tip)
        self._ends.currentIndexChanged.connect(self._on_scale_changed)
        self._buttons = []
        for icon, tip, action in (
            ("zoom-out", self.tr("Smaller (−)"), self.zoom_out),
            ("zoom-in", self.tr("Larger (+)"), self.zoom_in),
            ("zoom-fit", self.tr("Whole picture (0)"), self._view.set_fit),
            ("zoom-one", self.tr("Pixel for pixel (1)"), self.zoom_to_pixels),
        ):
            button = IconButton(theme, icon, tip)
            button.clicked.connect(action)
            self._buttons.append(button)
        self._readout = ElidedLabel()
        self._arrange()
        self._view.changed.connect(self._on_view_changed)
        self._view.cursor_changed.connect(self._on_cursor_changed)
        self._refresh()

    def set_pictures(self, pictures: PictureSet | None) -> None:
        """Show clean picture, perturbation and adversarial picture of an analysis; None shows the empty state."""
        self._set = pictures
        self._seen = pictures.seen if pictures is not None else None
        self._refresh()

    def set_seen(self, picture: Picture | None) -> None:
        """Show only the picture that the model is given, as before an attack; None shows the empty state."""
        self._set, self._seen = None, picture
        self._refresh()

    def set_side(self, side: str, *, both: bool = False) -> None:
        """Tell in the title which of two compared models, "a" or "b", the shown attack was computed on; "" names none.

        both: also show the switch between the attacks on A and on B.
        """
        self.side_switch.setVisible(both)
        self.side_switch.set_choice(side)
        name = self.tr("Adversarial")
        self.titles[2].setText(self.tr("Adversarial, aimed at {}").format(side.upper()) if side else name)

    def scale(self) -> SignedScale:
        """Return the scale that the perturbation is drawn on: the one chosen or, on "Auto", that of its own units."""
        chosen = int(self._ends.currentData() or 0)
        own = self._set.perturbation.scale if self._set is not None else 0.0
        return SignedScale(chosen / 255 or own)

    def set_whole(self, whole: bool) -> None:
        """Title the clean picture as one at its original size (True), or at the model's input size (False)."""
        name = self.tr("The picture itself") if whole else self.tr("What the model sees")
        tip = self.tr("The picture after resizing and cropping to the size the model takes in.")
        if whole:
            tip = self.tr("The picture at its own size, whose pixels the attack changes; the model resizes it inside.")
        self.titles[0].setText(name)
        set_tooltip(self.titles[0], tip)
        self._panes[0].setAccessibleName(name)
        self._panes[0].setAccessibleDescription(tip)

    def readout(self) -> str:
        """Return the line with place and values of the pixel pointed at, a hint where none is, "" without a picture."""
        return self._readout.text().replace(_FIGURE_SPACE, "")

    def zoom_in(self) -> None:
        """Enlarge all three pictures by a quarter."""
        self._panes[0].zoom_by(1.25)

    def zoom_out(self) -> None:
        """Shrink all three pictures by a fifth."""
        self._panes[0].zoom_by(0.8)

    def zoom_to_fit(self) -> None:
        """Show the whole of all three pictures."""
        self._view.set_fit()

    def zoom_to_pixels(self) -> None:
        """Zoom all three pictures so that a picture pixel takes one screen pixel."""
        self._panes[0].zoom_by(1 / (self.devicePixelRatioF() * self._panes[0].zoom()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the zoom in per cent anew, as the zoom that fits changes with the room."""
        super().resizeEvent(event)
        self._on_view_changed()

    def _arrange(self) -> None:
        scale = text(self.tr("Scale"), "caption", wrap=False)
        scale.setBuddy(self._ends)
        top = fill(QHBoxLayout(), self.side_switch, (None, 1), scale, 4, self._ends, 8, self._zoom, spacing=4)
        for button in self._buttons:
            top.addWidget(button)
        columns = fill(QHBoxLayout(), spacing=12)
        tips = (
            "",
            self.tr(
                "What the attack added, the mean of red, green and blue: orange is brighter than before, blue is darker."
            ),
            self.tr("The picture with the perturbation added: to the eye nearly the same, to the model often not."),
        )
        names = ("", self.tr("Perturbation"), self.tr("Adversarial"))
        below = (self.facts[0], self.scale_bar, self.facts[1])
        for title, pane, under, name, tip in zip(self.titles, self._panes, below, names, tips, strict=True):
            title.setText(name)
            set_tooltip(title, tip)
            pane.setAccessibleName(name)
            pane.setAccessibleDescription(tip)
            columns.addLayout(fill(QVBoxLayout(), title, (pane, 1), under, spacing=6), 1)
        self.set_whole(False)
        fill(QVBoxLayout(self), top, (columns, 1), self._readout, spacing=10)

    def _refresh(self) -> None:
        seen, pictures = self._seen, self._set
        self._view.set_size(seen.width if seen else 0, seen.height if seen else 0)
        self._panes[0].set_image(to_image(seen) if seen else None)
        self._panes[2].set_image(to_image(pictures.adversarial) if pictures else None)
        for button in self._buttons:
            button.setEnabled(seen is not None)
        self._ends.setEnabled(pictures is not None)
        facts = [
            self.tr("{} × {} pixels").format(seen.width, seen.height) if seen is not None else "",
            self.tr("largest change {}").format(over_255(_largest_change(pictures.perturbation))) if pictures else "",
        ]
        for label, fact in zip(self.facts, facts, strict=True):
            label.set_text(fact)
        self.setAccessibleName(self.tr("What the model sees, the perturbation and the adversarial picture"))
        self.setAccessibleDescription(" · ".join(fact for fact in facts if fact) or self.tr("No picture yet"))
        self._on_scale_changed()
        self._on_cursor_changed()
        self._on_view_changed()

    def _on_scale_changed(self) -> None:
        if self._set is None:
            self._panes[1].set_image(None)
            self.scale_bar.set_scale(None)
            return
        scale = self.scale()
        self._panes[1].set_image(to_image(scale.draw(self._set.perturbation)))
        self.scale_bar.set_scale(scale)

    def _on_view_changed(self) -> None:
        zoom = self._panes[0].zoom() * self.devicePixelRatioF()
        self._zoom.setText(unbroken(whole_percent(zoom)) if self._seen is not None else "")

    def _on_cursor_changed(self) -> None:
        if self._seen is None or self._view.cursor is None:
            hint = self.tr("Point at a pixel to read it. Wheel or + and − zoom, drag moves, double-click enlarges.")
            self._readout.set_text(hint if self._seen is not None else "")
            return
        x, y = self._view.cursor
        start = 3 * (y * self._seen.width + x)
        parts = [
            self.tr("x {}, y {}").format(_padded(x), _padded(y)),
            self.tr("seen {}").format(_three(self._seen.rgb, start)),
        ]
        if self._set is not None:
            change = self._set.perturbation
            values = (change.values[start + channel] for channel in range(3))
            shifts = " ".join(signed(_from_byte(value) / 127 * change.scale * 255) for value in values)
            parts.append(self.tr("change {} (/255)").format(shifts))
            parts.append(self.tr("adversarial {}").format(_three(self._set.adversarial.rgb, start)))
        self._readout.set_text("  ·  ".join(parts))


def _padded(value: int) -> str:
    """At least three figures wide, so that the line does not jump while the mouse moves."""
    return str(value).rjust(3, _FIGURE_SPACE)


def _three(rgb: bytes, start: int) -> str:
    return " ".join(_padded(value) for value in rgb[start : start + 3])


def _from_byte(value: int) -> int:
    """A byte read as signed."""
    return value - 256 if value > 127 else value


def _largest_change(change: SignedPicture) -> float:
    return max((abs(_from_byte(value)) for value in set(change.values)), default=0) / 127 * change.scale
