"""The state of one tuning project: plain values, kept on disk after each change, so that nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated

import msgspec

from capt_engine.bundled_models import DEFAULT_MODEL
from capt_gui.settings import Natural, Real, Whole

DATA, SPLIT, METHOD, TUNE, RESULT = range(5)
"""The five steps, in order."""

IDLE, RUNNING, PAUSED, STOPPED, DONE = "idle", "running", "paused", "stopped", "done"
"""How far step 4 is; a project that is found as `running` or `paused` when the program starts was interrupted."""

_Step = Annotated[int, msgspec.Meta(ge=DATA, le=RESULT)]
_Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]


@dataclass(frozen=True)
class TuneState:
    """One project.

    step: the one in front; reached: the furthest that ever was. data: what was dropped or chosen. excluded, excluded_classes: left
    out in the wizard, files untouched.
    shots: pictures per class, None for all. settings: by name of a TuneRequest's field, over preset and method. test_eps (None: the
    training budget), test_steps: of the attack that measures, which is not the one that trains. run: one of the states above.
    epoch, epochs: how many are done of how many, for the words after an interruption.
    test_run: folder of the kept evaluation on the test share, "" before it. saved: the installed checkpoint's id, "" before.
    """

    data: tuple[str, ...] = ()
    step: _Step = DATA
    reached: _Step = DATA
    excluded: tuple[str, ...] = ()
    excluded_classes: tuple[str, ...] = ()
    own_parts: bool = False
    shots: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = 16
    val_share: _Share = 0.1
    test_share: _Share = 0.3
    seed: Natural = 0
    model: str = DEFAULT_MODEL
    template: str = ""
    method: str = "capt"
    preset: str = "quick"
    settings: tuple[tuple[str, bool | Whole | Real | str], ...] = ()
    test_eps: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    test_steps: Natural = 100
    run: Annotated[str, msgspec.Meta(pattern="^(idle|running|paused|stopped|done)$")] = IDLE
    epoch: Natural = 0
    epochs: Natural = 0
    test_run: str = ""
    name: str = ""
    notes: str = ""
    licence: str = ""
    saved: str = ""

    @property
    def title(self) -> str:
        """The project's name; without one, the name of the folder or file of its pictures; empty without either."""
        if self.name or not self.data:
            return self.name
        path = PurePath(self.data[0])
        return path.parent.name if len(self.data) > 1 else path.name

    @property
    def is_underway(self) -> bool:
        """True if tuning is running or paused; in a state just read from disk this means that it was interrupted."""
        return self.run in (RUNNING, PAUSED)
