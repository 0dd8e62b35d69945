"""Two attacks that must not be taken for each other: the one that trains, and the one that measures."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from capt_engine.formatting import budget
from capt_gui.theme import Theme
from capt_gui.view_models.tune import tune_text
from capt_gui.view_models.tune.method_model import MethodModel
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picker import Picker

_ICON = 20
_SAME = "same"
_BUDGETS = (0.5, 1, 2, 4, 8)
_STEPS = (10, 20, 50, 100, 200)


class AttackBoxes(QWidget):
    """The attack used for training and the one used for measuring, side by side; only the second is chosen here."""

    def __init__(self, theme: Theme, method: MethodModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._method = method
        self.training = text(role="strong")
        self.measuring = text(role="strong")
        self._budget = Picker(self.tr("Budget of the measuring attack"))
        self._steps = Picker(self.tr("Steps of the measuring attack"))
        self._lay_out()
        self._budget.picked.connect(self.on_budget_picked)
        self._steps.picked.connect(self.on_steps_picked)
        method.changed.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the attack used for training and the one used for measuring, as they are chosen now."""
        method = self._method
        steps, size = method.value("attack_steps"), method.value("attack_step_size")
        self.training.setText(
            tune_text.attack(
                method.eps,
                int(steps) if isinstance(steps, int | float) else None,
                float(size) if isinstance(size, float | int) and size else None,
            )
        )
        chosen = method.project.state
        self.measuring.setText(tune_text.attack(method.test_eps, chosen.test_steps))
        budgets = sorted({k / 255 for k in _BUDGETS} | ({chosen.test_eps} if chosen.test_eps is not None else set()))
        same = self.tr("{} (same)").format(budget(method.eps, "linf"))
        entries = [(same, _SAME, self.tr("What the prompts were trained against, but with a stronger attack."))]
        entries += [(budget(eps, "linf"), repr(eps), "") for eps in budgets]
        self._budget.set_entries(entries, _SAME if chosen.test_eps is None else repr(chosen.test_eps))
        counts = sorted({*_STEPS, chosen.test_steps})
        self._steps.set_entries(
            [(self.tr("{} steps").format(count), str(count), "") for count in counts], str(chosen.test_steps)
        )

    def on_budget_picked(self, key: str) -> None:
        """Take `key`, a number in [0, 1] as text or "same" for that of training, as the budget ε of the measuring attack."""
        self._method.project.change(test_eps=None if key == _SAME else float(key))

    def on_steps_picked(self, key: str) -> None:
        """Take `key`, a whole number as text, as the number of steps of the measuring attack."""
        self._method.project.change(test_steps=int(key))

    def _lay_out(self) -> None:
        controls = QHBoxLayout()
        fill(controls, (named(self.tr("Budget ε"), self._budget), 3), (named(self.tr("Effort"), self._steps), 2))
        training = self._box(
            "training",
            Symbol(self._theme, _ICON, "tune", "attacked"),
            self.tr("Attack used for training"),
            self.training,
            self.tr(
                "Cheap on purpose: every picture meets it again in every epoch. The preset sets it; Expert changes it."
            ),
        )
        measuring = self._box(
            "measuring",
            Symbol(self._theme, _ICON, "evaluate", "clean"),
            self.tr("Attack used for measuring"),
            self.measuring,
            self.tr("Stronger on purpose: prompts can learn to withstand a weak attack without being robust."),
            controls,
        )
        fill(QHBoxLayout(self), (training, 1), (measuring, 1), spacing=12)

    def _box(self, kind: str, symbol: Symbol, title: str, attack: QLabel, why: str, *below: QHBoxLayout) -> QFrame:
        box = QFrame()
        box.setProperty("attackBox", kind)
        box.setAccessibleName(title)
        symbol.setFixedSize(QSize(_ICON, _ICON))
        head = fill(QHBoxLayout(), (symbol, 0, Qt.AlignmentFlag.AlignVCenter), (text(title, "muted"), 1))
        about = (head, attack, text(why, "caption"))
        fill(QVBoxLayout(box), *about, *below, (None, 1), spacing=6, margins=(14, 12, 14, 12))
        return box
