"""One setting of the Preferences dialog: its name, what it is for, its editor, and the way back to the usual value."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from capt_gui.theme import Theme
from capt_gui.view_models.preferences.model import Preferences
from capt_gui.view_models.preferences.table import CHOICE, FOLDER, SWITCH, Preference
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.input import inset, keep_wheel_for_focus
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picker import Picker

_EDITOR_WIDTH = 232


def ask_for_folder(parent: QWidget, title: str, start: str) -> str:
    """Open a dialog of this title that begins in the folder `start`; return the path of the folder chosen, "" if cancelled."""
    return QFileDialog.getExistingDirectory(parent, title, start)


class PreferenceRow(QWidget):
    """A setting drawn from its description; it follows the setting, whoever changes it."""

    def __init__(self, theme: Theme, model: Preferences, one: Preference) -> None:
        super().__init__()
        self.one = one
        self._model = model
        self._is_showing = False
        # a test answers in the dialog's place
        self.ask: Callable[[QWidget, str, str], str] = ask_for_folder
        self._label = text(one.label, wrap=False)
        self._note = text(role="caption")
        self.editor, self._show_value = self._make_editor()
        self._label.setBuddy(self.editor)
        self.editor.setAccessibleName(one.label)
        self.editor.setAccessibleDescription(one.help)
        self._back = IconButton(theme, "restore", self.tr("Back to the usual value"), "text_muted")
        self._back.setAccessibleName(self.tr("{}: back to the usual value").format(one.label))
        self._back.clicked.connect(self.on_back)
        policy = self._back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._back.setSizePolicy(policy)
        beside = fill(QHBoxLayout(), self.editor, self._back, spacing=4)
        words = fill(QVBoxLayout(), self._label, text(one.help, "caption"), self._note, spacing=2)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 6, 0, 6)
        grid.setHorizontalSpacing(24)
        grid.setColumnStretch(0, 1)
        grid.addLayout(words, 0, 0)
        grid.addLayout(beside, 0, 1, Qt.AlignmentFlag.AlignTop)
        model.changed.connect(self.on_changed)
        self.refresh()

    def on_changed(self, name: str) -> None:
        """Show the value again, if it is this setting whose `name` has changed."""
        if name == self.one.name:
            self.refresh()

    def refresh(self) -> None:
        """Show the present value, a way back if it is not the usual one, and that it holds from the next start on if so."""
        self._is_showing = True
        self._show_value()
        self._is_showing = False
        self._back.setVisible(not self._model.is_default(self.one))
        waits = self._model.waits(self.one)
        self._note.setText(self.tr("Holds from the next start of the program.") if waits else "")
        self._note.setVisible(waits)

    def on_back(self) -> None:
        """Take the usual value of the setting again."""
        self._model.set(self.one.name, self.one.default)
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_choose_folder(self) -> None:
        """Ask for a folder and take it as the value; nothing happens when the dialog is cancelled."""
        start = str(self._model.value(self.one.name)) or self.one.usual
        if path := self.ask(self, self.one.label, start):
            self._take("" if path == self.one.usual else path)

    def _take(self, value: object) -> None:
        if not self._is_showing:
            self._model.set(self.one.name, value)

    def _make_editor(self) -> tuple[QWidget, Callable[[], None]]:
        one = self.one
        if one.kind == CHOICE:
            return self._make_choice()
        if one.kind == SWITCH:
            box = QCheckBox(self.tr("On"))
            box.toggled.connect(self._take)
            return box, lambda: box.setChecked(bool(self._model.value(one.name)))
        if one.kind == FOLDER:
            return self._make_folder()
        return self._make_number()

    def _make_choice(self) -> tuple[QWidget, Callable[[], None]]:
        one = self.one
        values = {str(value): value for value, _ in one.choices}
        picker = Picker(one.label)
        picker.setFixedWidth(_EDITOR_WIDTH)
        picker.picked.connect(lambda key: self._take(values[key]))

        def show() -> None:
            value = str(self._model.value(one.name))
            unknown = [] if value in values else [(value, value, "")]
            picker.set_entries([(label, str(key), "") for key, label in one.choices] + unknown, value)

        return picker, show

    def _make_number(self) -> tuple[QWidget, Callable[[], None]]:
        one = self.one
        box = QDoubleSpinBox(decimals=one.decimals, minimum=one.low, maximum=one.high, singleStep=one.step)
        box.setLocale(QLocale.c())
        box.setSuffix(f"\u00a0{one.unit}" if one.unit else "")
        box.setSpecialValueText(one.zero)
        box.setKeyboardTracking(False)
        box.setFixedWidth(_EDITOR_WIDTH)
        keep_wheel_for_focus(box)
        inset(box)
        whole = isinstance(one.default, int)
        box.valueChanged.connect(lambda value: self._take(int(value) if whole else value))

        def show() -> None:
            value = self._model.value(one.name)
            box.setValue(float(value) if isinstance(value, int | float) else one.low)

        return box, show

    def _make_folder(self) -> tuple[QWidget, Callable[[], None]]:
        path = ElidedLabel(text_role="muted")
        button = QPushButton(self.tr("Choose…"))
        button.clicked.connect(self.on_choose_folder)
        box = QWidget()
        box.setFixedWidth(_EDITOR_WIDTH)
        box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        fill(QHBoxLayout(box), (path, 1), button)
        box.setFocusProxy(button)
        button.setAccessibleName(self.tr("{}: choose a folder").format(self.one.label))

        def show() -> None:
            path.set_text(str(self._model.value(self.one.name)) or self.one.usual)

        return box, show
