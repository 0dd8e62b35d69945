"""Rows of a kept run, as far as whoever counts right answers needs them."""

from __future__ import annotations

from dataclasses import dataclass

from capt_engine.records.analysis import PictureRow
from capt_engine.records.events import JobEvent

SAVINGS = ("png", "jpeg95", "jpeg75", "resize")
"""Ways of saving an attacked picture after which it is asked again, by the end of the row's `survives_…`."""


@dataclass(frozen=True, slots=True)
class CountedRow:
    """One picture × attack × budget × prompts, without its pictures and without the confidence in each class.

    label, clean_pred, adv_pred: names of classes; adv_pred is "" where nothing was attacked. attack: what the run calls it, "" for none.
    success, skipped, metrics: as in PictureRow. survives: (way of saving, does the attacked picture still fool the model), for those
    ways of SAVINGS that were tried.
    """

    path: str
    prompts: str
    label: str
    clean_pred: str
    attack: str = ""
    eps: float = 0.0
    adv_pred: str = ""
    success: bool | None = None
    skipped: str = ""
    metrics: tuple[tuple[str, float], ...] = ()
    survives: tuple[tuple[str, bool], ...] = ()

    @classmethod
    def of(cls, row: PictureRow) -> CountedRow:
        """Return what is counted of `row`, a whole row of a run."""
        attacked = row.attacked
        return cls(
            path=row.path,
            prompts=row.prompt_id,
            label=row.label,
            clean_pred=row.classes[row.clean.winner],
            attack=row.attacked_by,
            eps=row.threat.eps,
            adv_pred=row.classes[attacked.winner] if attacked is not None else "",
            success=row.success,
            skipped=row.skipped,
            metrics=row.metrics,
            survives=tuple((way, held) for way in SAVINGS if (held := getattr(row, f"survives_{way}")) is not None),
        )


@dataclass(frozen=True)
class RowsTakenUp(JobEvent):
    """A resumed run goes on from rows that its folder has, all of pictures that are finished; they come before any new row.

    Many come in several events, of which the first has `begins`. classes: the class names of the run.
    """

    classes: tuple[str, ...]
    rows: tuple[CountedRow, ...]
    begins: bool = True
