"""The simple view of Explore: a question, a picture before and after, one sentence, one button."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from capt_engine.records import SignedScale
from capt_gui.images import to_image
from capt_gui.plain_text import plain_label
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.explore import simple_look
from capt_gui.view_models.explore.simple_look import SimpleLook
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.columns import centred
from capt_gui.widgets.drop_area import DropArea
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.image_pane import ImagePane, PaneView
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_WIDTH = 1320
# margins and signs between the pictures
_BESIDE = 130


class SimpleView(QWidget):
    """Draws a `SimpleLook`; `full_clicked()`: the user wants to see everything."""

    full_clicked = Signal()

    def __init__(self, desk: Desk, look: SimpleLook, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._look = look
        self.full = TextButton(desk.theme, self.tr("Show everything"), "table", look="link")
        self.full.setAccessibleDescription(self.tr("Comparison, classes, every setting, and the other pages"))
        self.zone = DropArea(
            desk.theme,
            "pictures",
            self.tr("Drop a picture here"),
            self.tr("The model says what it sees. Then try to fool it."),
            self.tr("The picture stays on this computer."),
        )
        tip = self.tr("Choose a picture file from a dialog")
        self.open = self.zone.add_button("picture", self.tr("Choose a picture…"), tip, primary=True)
        tip = self.tr("Rendered shapes and a small model that knows them")
        self.sample = self.zone.add_button("samples", self.tr("Take a sample"), tip)
        self.title, self.sentence = text(role="title"), text(role="muted")
        for label in (self.title, self.sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # room for the longest of the sentences, so that nothing jumps when an answer comes
        self.sentence.setMinimumHeight(3 * self.sentence.fontMetrics().lineSpacing() + 4)
        self.button = TextButton(desk.theme, "", "", look="primary")
        self.button.setMinimumWidth(240)
        self.about = ElidedLabel()
        self.about.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._view = PaneView(self)
        arriving = self.tr("Your picture appears here.")
        self.panes = tuple(
            ImagePane(desk.theme, self._view, words, shows_values=number == 1)
            for number, words in enumerate((arriving, "", ""))
        )
        self._captions = tuple(ElidedLabel(text_role="muted") for _ in range(3))
        self._wants_focus = False
        self._parts: list[QWidget] = []
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_empty())
        self._stack.addWidget(self._make_result())
        top = fill(QHBoxLayout(), (None, 1), self.full, margins=(12, 8, 12, 0))
        fill(QVBoxLayout(self), top, (self._stack, 1), spacing=0)
        self.button.clicked.connect(look.press)
        self.full.clicked.connect(self.full_clicked)
        self.sample.clicked.connect(look.take_sample)
        look.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known of the picture, and the one thing to do next."""
        look = self._look
        state = look.state
        was_empty = self._stack.currentIndex() == 0
        self._stack.setCurrentIndex(int(state != simple_look.EMPTY))
        if was_empty and state != simple_look.EMPTY and self.isVisible():
            # whoever chose a picture goes on with the one button, as soon as it can be pressed
            self._wants_focus = True
        self.title.setText(look.title)
        self.sentence.setText(look.sentence)
        self.button.setText(look.button)
        self.button.setAccessibleName(look.button)
        self.button.setEnabled(state != simple_look.WAITING)
        if self._wants_focus and self.button.isEnabled():
            self._wants_focus = False
            self.button.setFocus(Qt.FocusReason.OtherFocusReason)
        revealed = state in (simple_look.FOOLED, simple_look.HELD)
        for part in self._parts:
            part.setVisible(revealed)
        self._fit()
        pictures, model = look.pictures, self._desk.model.info
        self._view.set_size(*((pictures.seen.width, pictures.seen.height) if pictures else (0, 0)))
        seen = to_image(pictures.seen) if pictures else None
        change = pictures.perturbation if pictures and revealed else None
        self.panes[0].set_image(seen)
        self.panes[1].set_image(to_image(SignedScale(change.scale).draw(change)) if change is not None else None)
        self.panes[2].set_image(to_image(pictures.adversarial) if pictures and revealed else None)
        for caption, words in zip(self._captions, look.captions, strict=True):
            caption.set_text(words)
        row = look.row
        known = self._desk.model.asked(row.model_id, row.classes) if row is not None else ""
        self.about.set_text(known or (model.label if model else ""))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep three pictures as high as wide."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        many = not self._parts[0].isHidden()
        high = max(160, (min(self.width(), _WIDTH) - _BESIDE) // 3) if many else 16777215
        for pane in self.panes:
            pane.setMaximumHeight(high)

    def _make_empty(self) -> QWidget:
        question = text(self.tr("Can a picture fool the machine?"), "title")
        question.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.zone.setMinimumSize(420, 280)
        body = QWidget()
        fill(QVBoxLayout(body), (None, 1), question, 8, (self.zone, 4), (None, 1), spacing=12, margins=24)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(centred(body, 680, 100))
        return area

    def _make_result(self) -> QWidget:
        row = QHBoxLayout()
        row.setSpacing(10)
        names = (
            self.tr("The picture that the model is asked about"),
            self.tr("What the attack added, made visible"),
            self.tr("The picture with that added"),
        )
        for number, (pane, caption, name) in enumerate(zip(self.panes, self._captions, names, strict=True)):
            pane.setAccessibleName(name)
            caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            if number:
                sign = plain_label("+" if number == 1 else "=")
                sign.setProperty("textRole", "title")
                sign.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
                row.addWidget(sign)
                self._parts.append(sign)
            box = QWidget()
            # three stand as high as wide, in the middle; one alone takes all the room
            fill(QVBoxLayout(box), (None, 1), (pane, 1000), caption, (None, 1), spacing=6)
            row.addWidget(box, 1)
            if number:
                self._parts.append(box)
        body = QWidget()
        button = fill(QHBoxLayout(), (None, 1), self.button, (None, 1))
        fill(
            QVBoxLayout(body), self.title, self.sentence, 4, (row, 1), 8, button, 2, self.about, spacing=6,
            margins=(24, 4, 24, 16),
        )  # fmt: skip
        return centred(body, _WIDTH, 100)
