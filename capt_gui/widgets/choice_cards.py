"""A few choices as cards, each with a title, a sentence and what it costs; one of them is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QBoxLayout, QSizePolicy, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import KeyedButtons
from capt_gui.widgets.input import put_after
from capt_gui.widgets.layout import clear, fill
from capt_gui.widgets.painting import draw_focus_ring

_PAD = 14
_MARK = 18


@dataclass(frozen=True)
class Choice:
    """One card: the key it is known by, its title, a sentence, a muted line below it; `help` says it all, in the tooltip."""

    key: str
    title: str
    words: str
    cost: str = ""
    help: str = ""


class ChoiceCards(QWidget):
    """`picked(key)` only when the user chooses; one Tab stop, the arrow keys move inside."""

    picked = Signal(str)

    def __init__(self, theme: Theme, name: str, *, stacked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = name
        self._stacked = stacked
        self._cards: dict[str, ChoiceCard] = {}
        self._group = KeyedButtons(self)
        self.setAccessibleName(name)
        side = QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight
        self._row = fill(QBoxLayout(side, self), spacing=10)
        self._group.picked.connect(self.picked)

    def set_choices(self, choices: Sequence[Choice], key: str) -> None:
        """Offer these choices as cards and check the one with this `key`, without emitting `picked`.

        An unknown key, such as "", checks none.
        """
        if [choice.key for choice in choices] == list(self._cards):
            # in place: a card whose words change keeps the focus
            for choice in choices:
                self._cards[choice.key].set_choice(choice)
        else:
            for card in self._cards.values():
                self._group.removeButton(card)
            clear(self._row)
            self._cards = {choice.key: ChoiceCard(self._theme, choice, self._name) for choice in choices}
            for key_of_card, card in self._cards.items():
                self._group.add(key_of_card, card)
                self._row.addWidget(card, 0 if self._stacked else 1)
            put_after(self, self._cards.values())
        # without a taken card none is checked, and an exclusive group would not allow that
        self._group.setExclusive(False)
        for name, card in self._cards.items():
            card.setChecked(name == key)
            takes = name == key or (key not in self._cards and name == next(iter(self._cards)))
            card.setFocusPolicy(Qt.FocusPolicy.StrongFocus if takes else Qt.FocusPolicy.ClickFocus)
        self._group.setExclusive(True)

    def choice(self) -> str:
        """Return the key of the card that is taken, "" when none is."""
        return self._group.key()

    def focus_taken(self) -> None:
        """Give the keyboard focus to the card that is taken, or to the first where none is."""
        card = self._cards.get(self.choice()) or next(iter(self._cards.values()), None)
        if card is not None:
            card.setFocus(Qt.FocusReason.TabFocusReason)

    def card(self, key: str) -> ChoiceCard:
        """Return the card that shows the choice with this `key`; KeyError for an unknown key."""
        return self._cards[key]


class ChoiceCard(QAbstractButton):
    """One card, painted; its height follows its words."""

    def __init__(self, theme: Theme, choice: Choice, family: str) -> None:
        super().__init__()
        self._theme = theme
        self._family = family
        self._choice = choice
        self._describe()
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self.update)

    def set_choice(self, choice: Choice) -> None:
        """Show the title and the texts of another choice on this card."""
        if choice != self._choice:
            self._choice = choice
            self._describe()
            self.updateGeometry()
            self.update()

    def _describe(self) -> None:
        choice = self._choice
        self.setText(choice.title)
        set_tooltip(self, choice.help)
        self.setAccessibleName(f"{self._family}: {choice.title}")
        self.setAccessibleDescription(" ".join(part for part in (choice.help or choice.words, choice.cost) if part))

    def hasHeightForWidth(self) -> bool:
        """Return True, as the texts wrap and the height so depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height in pixels that the wrapped texts need at a `width` in pixels."""
        title, words, cost = self._rooms(width)
        return round(title.height() + words.height() + cost.height() + 2 * _PAD + (4 if words.height() else 0) + 6)

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels: a comfortable width, and as high as the texts need there."""
        return QSize(220, self.heightForWidth(220))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels: 130 wide, and as high as the texts need at the present width."""
        return QSize(130, self.heightForWidth(max(self.width(), 130)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the card: its background, the radio mark, the choice's texts, and a ring while it has the focus."""
        theme, taken = self._theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        ground = "accent_soft" if taken else "surface_raised" if self.underMouse() and self.isEnabled() else "surface"
        painter.setBrush(theme.color(ground))
        painter.setPen(QPen(theme.color("accent" if taken else "control"), 2 if taken else 1))
        painter.drawRoundedRect(card, 10, 10)
        title, words, cost = self._rooms(self.width())
        self._paint_mark(painter, title)
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        on = self.isEnabled()
        rows = (
            (title, self._choice.title, "strong", "text"),
            (words, self._choice.words, "body", "text"),
            (cost, self._choice.cost, "caption", "text_muted"),
        )
        for room, line, font, role in rows:
            painter.setFont(theme.font(font))
            painter.setPen(theme.color(role) if on else theme.mixed("text_muted", 0.6))
            painter.drawText(room, flags, line)
        if self.hasFocus():
            draw_focus_ring(painter, QRectF(self.rect()).adjusted(3, 3, -3, -3), theme, 7)

    def _paint_mark(self, painter: QPainter, title: QRectF) -> None:
        """A radio mark: what is taken is told by more than colour."""
        theme, taken = self._theme, self.isChecked()
        side = _MARK - 4
        ring = QRectF(title.left() - _MARK - 6, title.top() + (title.height() - side) / 2, side, side)
        painter.setPen(QPen(theme.color("accent" if taken else "control"), 1.5))
        painter.setBrush(theme.color("surface"))
        painter.drawEllipse(ring)
        if taken:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(ring.adjusted(3.5, 3.5, -3.5, -3.5))

    def _rooms(self, width: int) -> tuple[QRectF, QRectF, QRectF]:
        theme = self._theme
        left, top = float(_PAD + _MARK + 4), float(_PAD)
        room = max(width - left - _PAD, 40.0)
        rooms: list[QRectF] = []
        for line, font, gap in (
            (self._choice.title, "strong", 0),
            (self._choice.words, "body", 4),
            (self._choice.cost, "caption", 6),
        ):
            top += gap if line else 0
            flags = int((Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft).value)
            size = QFontMetricsF(theme.font(font)).boundingRect(QRectF(0, 0, room, 4000), flags, line)
            height = size.height() if line else 0.0
            rooms.append(QRectF(left, top, room, height))
            top += height
        return rooms[0], rooms[1], rooms[2]
