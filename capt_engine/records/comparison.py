"""Several variants on the same labelled pictures: the request, and the table with the best first."""

from __future__ import annotations

from capt_engine.frozen import dataclass
from capt_engine.records.analysis import PairedTest
from capt_engine.records.requests import Request, Result
from capt_engine.records.run_requests import EvaluateRequest
from capt_engine.records.threat import ThreatModel

MOST_VARIANTS = 6
"""So many variants stand in one comparison: more tests than these against one best leave little to be told."""


@dataclass(frozen=True)
class CompareRequest(Request):
    """Evaluate several variants on the same pictures, one after the other, and rank them.

    evaluations: one for each variant, alike but for the model, its prompts and the folder that the run is kept in. Where one is to be
    resumed (`resume` of its options), a finished run in its folder is read, a stopped one goes on, and without a run it begins.
    """

    evaluations: tuple[EvaluateRequest, ...]


@dataclass(frozen=True)
class RankedVariant:
    """One variant among others, the best of which comes first.

    n: pictures; clean, robust: how many of them are right when clean and under every attack (None: nobody attacked), with the shares'
    Wilson 95 % intervals. seconds: of computing, for one picture. versus: the paired test of the best (A) and this one (B), None for the
    best itself; p_holm: its p, corrected for the number of variants. lost: the pictures that the best has right and this one has not;
    repaired: those that this one has right and the best has not. run: its run folder, "" where it was not kept.
    """

    model: str
    prompts: str
    n: int
    clean: int
    clean_interval: tuple[float, float] | None
    robust: int | None
    robust_interval: tuple[float, float] | None
    seconds: float
    versus: PairedTest | None = None
    p_holm: float | None = None
    lost: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    run: str = ""

    @property
    def clean_accuracy(self) -> float:
        """Return the share of pictures that are right when clean, in [0, 1]."""
        return self.clean / self.n if self.n else 0.0

    @property
    def robust_accuracy(self) -> float | None:
        """Return the share of pictures that are right under every attack, in [0, 1]; None where nobody attacked."""
        return None if self.robust is None or not self.n else self.robust / self.n

    @property
    def gap(self) -> float | None:
        """Return the clean accuracy minus the robust one, in [−1, 1]; None where nobody attacked."""
        return None if self.robust_accuracy is None else self.clean_accuracy - self.robust_accuracy


@dataclass(frozen=True)
class CompareResult(Result):
    """The variants, the best first, under one threat model; attacks: their labels. n_failed: pictures that could not be used.

    notes: what a reader must know of the figures, in sentences.
    """

    variants: tuple[RankedVariant, ...]
    threat_model: ThreatModel
    attacks: tuple[str, ...] = ()
    n_failed: int = 0
    notes: tuple[str, ...] = ()
    wall_s: float = 0.0
    device: str = ""
