"""Saliency maps over the clean and the adversarial picture, side by side on one scale."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, QSizeF, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capt_engine.formatting import number, percent
from capt_engine.records import HeatScale, Picture, SaliencyResult, ValueMap
from capt_gui.images import rgb_image, to_image
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import tr
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.image_pane import ImagePane, PaneView
from capt_gui.widgets.layout import fill
from capt_gui.widgets.painting import LEFT, PaintedWidget, draw_text, line_height, rounded, text_width
from capt_gui.widgets.picker import Picker

_PATCHES = (8, 16, 32, 64)
_GAP = 8.0
_BAR = 7.0
_WIDEST = 220.0
# the share of a gradient's pixels that lie beyond the end of the colour scale
_CUT = 0.01


class SaliencyView(QWidget):
    """Controls, two pictures with maps over them, and the bar of their scale; values in, signals out.

    asked: method, score or patch was chosen, or a first look is wanted. cancel_clicked. shown: another result, or none, is shown.
    """

    asked = Signal()
    cancel_clicked = Signal()
    shown = Signal()

    def __init__(self, theme: Theme, view: PaneView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: SaliencyResult | None = None
        self._method = "gradient"
        self.method = Picker(self.tr("Saliency method"))
        self.method.set_entries(self._methods(), "gradient:margin")
        self.patch = Picker(self.tr("Patch size"))
        tip = self.tr("The side of the covered squares")
        self.patch.set_entries([(self.tr("{} px").format(side), str(side), tip) for side in _PATCHES], "16")
        self.part = Picker(self.tr("Map shown"))
        self.controls = QWidget()
        boxes = (self.method, self.patch, self.part)
        fill(QHBoxLayout(self.controls), *zip(boxes, (3, 2, 2), strict=True), spacing=4)
        for box in boxes:
            box.setMinimumContentsLength(5)
            box.setMaximumWidth(190)
        self.cancel = TextButton(theme, self.tr("Cancel"), "", look="link")
        self.again = TextButton(theme, self.tr("Compute"), "", look="link")
        self.state = ElidedLabel(text_role="muted")
        empty = self.tr("Choose a picture that was attacked.")
        self.panes = (ImagePane(theme, view, empty), ImagePane(theme, view, empty))
        self.titles = (ElidedLabel(text_role="muted"), ElidedLabel(text_role="muted"))
        self.bar = HeatBar(theme)
        self._clean: Picture | None = None
        self._attacked: Picture | None = None
        self._arrange()
        for box in (self.method, self.patch):
            box.picked.connect(self._on_chosen)
        self.part.picked.connect(self._draw)
        self.cancel.clicked.connect(self.cancel_clicked)
        self.again.clicked.connect(self.asked)
        self._show_controls()
        self.show_state("")

    def chosen(self) -> tuple[str, str, int]:
        """Return the chosen method, score and patch size, as a SaliencyRequest has them."""
        method, _, score = str(self.method.currentData()).partition(":")
        return method, score or "margin", int(self.patch.currentData())

    def set_pictures(self, clean: Picture | None, attacked: Picture | None) -> None:
        """Show these pictures without maps, until a result comes; None for none."""
        if (clean, attacked) != (self._clean, self._attacked):
            self._clean, self._attacked = clean, attacked
            self._result = None
        self._draw()

    def set_result(self, result: SaliencyResult | None, method: str) -> None:
        """Show the maps of a result of `method` over what the model saw; None shows the pictures without maps."""
        if (result, method) == (self._result, self._method):
            return
        before = str(self.part.currentData()) if method == self._method else ""
        self._result, self._method = result, method
        parts = self._parts()
        keys = [key for _, key, _ in parts]
        usual = keys[-1] if method == "drift" and keys else "0"
        self.part.set_entries(parts, before if before in keys else usual)
        self._show_controls()
        self._draw()
        self.shown.emit()

    def show_state(self, words: str, *, is_running: bool = False, can_begin: bool = False) -> None:
        """Show how far the work is, or why there is no map; a button cancels work that goes on, or begins it where it can be."""
        there = self._result is not None
        self.state.set_text(words)
        self.state.setVisible(not there)
        self.bar.setVisible(there)
        self.cancel.setVisible(is_running)
        self.again.setVisible(can_begin and not is_running and not there)

    def shown_size(self) -> tuple[int, int] | None:
        """Return width and height of what the model saw, in pixels; None while no result is shown."""
        return None if self._result is None else (self._result.pictures[0].width, self._result.pictures[0].height)

    def values_at(self, x: int, y: int) -> str:
        """Return the values of the maps at a pixel, in words; "" while none is shown."""
        maps = self._maps()
        size = self.shown_size()
        if size is None:
            return ""
        values = [None if one is None else _value_at(one, x, y, *size) for one in maps]
        if values[0] is None:
            return tr("drift {}").format(number(values[1] or 0.0))
        return tr("saliency clean {}, adversarial {}").format(number(values[0]), number(values[1] or 0.0))

    def _maps(self) -> tuple[ValueMap | None, ValueMap | None]:
        if self._result is None:
            return (None, None)
        place = self.part.currentIndex()
        found = [
            maps[place] if 0 <= place < len(maps) else None for maps in (self._result.clean, self._result.attacked)
        ]
        return found[0], found[1]

    def _scale(self) -> HeatScale:
        maps = [one for one in self._maps() if one is not None]
        signed = self._method == "occlusion" or (self._method == "gradient" and self.part.currentIndex() == 1)
        largest = max((one.largest for one in maps), default=0.0)
        if self._method != "gradient":
            return HeatScale(largest, signed)
        # a map of pixels has a few so much larger than the others that these would all be dark
        end = max((one.above(_CUT) for one in maps), default=0.0)
        return HeatScale(end, signed, is_cut=True) if 0 < end < largest else HeatScale(largest, signed)

    def _draw(self) -> None:
        result = self._result
        pictures = result.pictures if result is not None else (self._clean, self._attacked)
        maps, scale = self._maps(), self._scale()
        names = (self.tr("Clean"), self.tr("Adversarial"))
        for number_, (pane, title, picture, values) in enumerate(
            zip(self.panes, self.titles, pictures, maps, strict=True)
        ):
            image = to_image(picture) if picture is not None else None
            if image is not None and values is not None:
                image = image.convertToFormat(QImage.Format.Format_Grayscale8).convertToFormat(
                    QImage.Format.Format_RGB888
                )
            pane.set_image(image)
            pane.set_overlay(to_image(scale.draw(values)) if values is not None else None, _share(values, picture))
            answer = (
                f": {result.answers[number_][0]} {percent(result.answers[number_][1])}" if result is not None else ""
            )
            title.set_text(f"{names[number_]}{answer}")
            pane.setAccessibleName(self.tr("{} with its saliency map").format(names[number_]))
        self.bar.set_scale(scale if any(maps) else None, self._unit())

    def _unit(self) -> str:
        return {
            "gradient": self.tr("logits per unit of pixel"),
            "rollout": self.tr("share of the embedding"),
            "occlusion": self.tr("logits lost when covered"),
            "drift": self.tr("1 − cosine of clean and attacked token"),
        }[self._method]

    def _parts(self) -> list[tuple[str, str, str]]:
        if self._result is None:
            return []
        if self._method == "gradient":
            return [
                (self.tr("size"), "0", self.tr("|gradient| summed over the colours: how much each pixel matters")),
                (
                    self.tr("signed"),
                    "1",
                    self.tr(
                        "Sum over the colours with its sign. Orange: brighter speaks for the answer; blue: against it"
                    ),
                ),
            ]
        if self._method == "drift":
            n = len(self._result.attacked)
            tip = self.tr("The tokens behind this block of the image tower")
            return [(self.tr("block {} of {}").format(place + 1, n), str(place), tip) for place in range(n)]
        return [("", "0", "")]

    def _methods(self) -> list[tuple[str, str, str]]:
        gradient = self.tr("Input gradient (Simonyan et al. 2014): how fast {} changes with each pixel")
        covered = self.tr(
            "Occlusion (Zeiler & Fergus 2014): what {} loses when a square is covered with the mean colour"
        )
        margin = self.tr("the margin of the right answer over the best other one")
        answer = self.tr("the logit of the answer to each picture")
        rollout = self.tr(
            "Attention rollout (Abnar & Zuidema 2020): which patches the embedding was gathered from; ViT towers"
        )
        drift = self.tr("Drift of the tokens: which patches the model sees differently after the attack; ViT towers")
        return [
            (self.tr("Gradient"), "gradient:margin", gradient.format(margin)),
            (self.tr("Gradient of the answer"), "gradient:logit", gradient.format(answer)),
            (self.tr("Rollout"), "rollout", rollout),
            (self.tr("Occlusion"), "occlusion:margin", covered.format(margin)),
            (self.tr("Occlusion of the answer"), "occlusion:logit", covered.format(answer)),
            (self.tr("Drift"), "drift", drift),
        ]

    def _arrange(self) -> None:
        row = fill(QHBoxLayout(), spacing=12)
        for pane, title in zip(self.panes, self.titles, strict=True):
            row.addLayout(fill(QVBoxLayout(), title, (pane, 1), spacing=6), 1)
        below = fill(QHBoxLayout(), (self.bar, 1), (self.state, 1), self.again, self.cancel, spacing=6)
        fill(QVBoxLayout(self), (row, 1), below, spacing=6)

    def _show_controls(self) -> None:
        self.patch.setVisible(self.chosen()[0] == "occlusion")
        self.part.setVisible(self.part.count() > 1)

    def _on_chosen(self) -> None:
        self._show_controls()
        self.asked.emit()


class HeatBar(PaintedWidget):
    """The colours of a scale of saliency maps between the labels of its ends, with its unit; empty without a scale."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._scale: HeatScale | None = None
        self._unit = ""
        self.setAccessibleName(self.tr("Scale of the saliency maps"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_scale(self, scale: HeatScale | None, unit: str) -> None:
        """Show the bar of `scale`, whose values have this `unit` in words; None leaves the room empty."""
        self._scale, self._unit = scale, unit
        words = self.tr("from {} to {}, {}").format(*scale.labels, unit) if scale is not None else ""
        if scale is not None and scale.is_cut:
            cut = self.tr("The largest 1 % of the pixels have the last colour, so that the others can be told apart.")
            words = f"{words}. {cut}"
        self.setAccessibleDescription(words)
        set_tooltip(self, words)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels: as high as a line of small text."""
        return QSize(200, round(line_height(self._theme, "caption")))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels, at which the labels alone are left."""
        return QSize(0, self.sizeHint().height())

    def draw(self, painter: QPainter) -> None:
        """Paint the labels and the unit and, where there is room between them, the bar."""
        if self._scale is None:
            return
        theme = self._theme
        low, high = self._scale.labels
        high = f"{high} ({self._unit})"
        widths = [text_width(theme, "caption", label) for label in (low, high)]
        wanted = min(float(self.width()), sum(widths) + 2 * _GAP + _WIDEST)
        whole = QRectF((self.width() - wanted) / 2, 0, wanted, self.height())
        draw_text(painter, whole, low, theme, "caption", "text_muted", LEFT)
        bar = whole.adjusted(widths[0] + _GAP, 0, -widths[1] - _GAP, 0)
        if bar.width() < 2 * _BAR:
            bar.setWidth(2 * _BAR)
        draw_text(
            painter,
            QRectF(bar.right() + _GAP, 0, self.width() - bar.right() - _GAP, self.height()),
            high,
            theme,
            "caption",
            "text_muted",
            LEFT,
        )
        bar = QRectF(bar.left(), bar.center().y() - _BAR / 2, bar.width(), _BAR)
        colours = self._scale.colours
        painter.save()
        painter.setClipPath(rounded(bar, 3))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(bar, rgb_image(colours, len(colours) // 3, 1))
        painter.restore()


def _share(values: ValueMap | None, picture: Picture | None) -> QSizeF | None:
    """The size of the map as a multiple of the picture, as its last squares may be cut off."""
    if values is None or picture is None or not values.patch:
        return None
    return QSizeF(values.columns * values.patch / picture.width, values.rows * values.patch / picture.height)


def _value_at(values: ValueMap, x: int, y: int, width: int, height: int) -> float:
    wide, high = (values.patch, values.patch) if values.patch else (width / values.columns, height / values.rows)
    column, row = min(int(x / wide), values.columns - 1), min(int(y / high), values.rows - 1)
    return values.at(column, row)
