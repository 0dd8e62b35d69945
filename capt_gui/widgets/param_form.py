"""A form drawn from the description of an attack."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from capt_engine.records import ParamInfo, ParamValue
from capt_gui.plain_text import plain_label, set_tooltip
from capt_gui.theme import Theme, repolish
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.input import put_after
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import clear, fill
from capt_gui.widgets.param_editors import Field


class ParamForm(QWidget):
    """One labelled editor per setting; knows nothing of any attack but what `ParamInfo` says."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, sentences: bool = False) -> None:
        """sentences: what a setting means stands below it, not only in its tooltip."""
        super().__init__(parent)
        self._sentences = sentences
        self._fields: list[Field] = []
        self._labels: dict[str, QLabel] = {}
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(0, 1)
        self._none = text(self.tr("This attack has no further settings."), "muted", wrap=False)
        self._defaults = TextButton(theme, self.tr("Restore defaults"), "restore", look="link")
        self._defaults.setAccessibleName(self.tr("Restore the default settings"))
        self._defaults.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._defaults.clicked.connect(self._on_restore)
        fill(QVBoxLayout(self), self._grid, self._none, (self._defaults, 0, Qt.AlignmentFlag.AlignRight))
        self.set_params(())

    def set_params(self, infos: tuple[ParamInfo, ...]) -> None:
        """Rebuild the form with one editor for each of these settings, all at their defaults.

        If only defaults differ from those shown, the editors stay, and so do values that the user changed.
        """
        if [_shape(info) for info in infos] == [_shape(field.info) for field in self._fields] and infos:
            for field, info in zip(self._fields, infos, strict=True):
                untouched = field.value() == field.info.default
                field.info = info
                if untouched:
                    field.set_value(info.default)
            self._mark()
            return
        clear(self._grid)
        self._labels = {}
        self._fields = [Field(info, self._on_edited) for info in infos]
        for number, field in enumerate(self._fields):
            row = 2 * number
            if self._sentences and field.info.help:
                self._grid.addWidget(text(field.info.help, "caption"), row + 1, 0, 1, 2)
            if isinstance(field.editor, QCheckBox):
                self._grid.addWidget(field.editor, row, 0, 1, 2)
                continue
            label = plain_label(field.info.label)
            set_tooltip(label, field.info.help)
            label.setBuddy(field.editor)
            self._labels[field.info.name] = label
            field.editor.setMinimumWidth(132)
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(field.editor, row, 1)
        put_after(self, [field.editor for field in self._fields])
        self._none.setVisible(not infos)
        self._mark()

    def show_settings(self, infos: tuple[ParamInfo, ...], values: tuple[tuple[str, ParamValue], ...]) -> None:
        """Show these settings with these values, without emitting `changed`; settings not named get their defaults.

        A form that shows exactly this already is not touched, as somebody may be typing there.
        """
        if infos != tuple(field.info for field in self._fields):
            self.set_params(infos)
        if dict(values) != dict(self.values()):
            self.set_values(values)

    def values(self) -> tuple[tuple[str, ParamValue], ...]:
        """Return (name, value) pairs of the settings that differ from their defaults, in the unit of storage."""
        return tuple((field.info.name, field.value()) for field in self._fields if field.value() != field.info.default)

    def set_values(self, values: tuple[tuple[str, ParamValue], ...]) -> None:
        """Put (name, value) pairs into the form without emitting `changed`.

        Settings that are not named go back to their defaults.
        """
        given = dict(values)
        for field in self._fields:
            field.set_value(given.get(field.info.name, field.info.default))
        self._mark()

    def editor(self, name: str) -> QWidget:
        """Return the editor of the setting of this name; StopIteration for an unknown name."""
        return next(field.editor for field in self._fields if field.info.name == name)

    def _mark(self) -> None:
        """Settings that differ stand in bold."""
        differing = {name for name, _ in self.values()}
        for name, label in self._labels.items():
            role = "strong" if name in differing else ""
            if label.property("textRole") != role:
                label.setProperty("textRole", role)
                repolish(label)
        self._defaults.setVisible(bool(self._fields))
        self._defaults.setEnabled(bool(differing))

    def _on_edited(self) -> None:
        self._mark()
        self.changed.emit()

    def _on_restore(self) -> None:
        self.set_values(())
        self.changed.emit()


def _shape(info: ParamInfo) -> ParamInfo:
    """All that an editor is made of: everything but the default."""
    return replace(info, default=0)
