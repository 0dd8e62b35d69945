"""All that the sections of a report are written from: the run, its counts, the names of things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capt_engine.formatting import budget
from capt_engine.metrics.tally import paired
from capt_engine.records import PairedTest
from capt_engine.runs.counts import Counts, count
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.manifest import digest
from capt_engine.runs.redaction import Names
from capt_engine.runs.request_text import PLAIN, variant_name


@dataclass(frozen=True)
class ReportContext:
    """One finished run: its files, the names to show for its things, and the counts of its rows."""

    run: FinishedRun
    names: Names
    counts: Counts

    @classmethod
    def of(cls, folder: Path, *, redact: bool = False, number: int = 0) -> ReportContext:
        """Read a run's folder and count its rows; redact, number: as in `Names`. Raises BadRequest where it holds no finished run."""
        run = FinishedRun.of(folder)
        names = Names(run, redact=redact, number=number)
        request, first = run.request, next(iter(run.request.labels), "")
        counts = count(run.lines(), names, request.headline, first, is_matrix=bool(request.matrix))
        for one in run.summary.text_drift:
            counts.tally.drifts[names.text(one.prompts)] = (one.value, one.classes)
        return cls(run, names, counts)

    @property
    def prompts(self) -> list[str]:
        """A's id, and B's where there is one, as the report calls them."""
        return self.counts.prompts

    @property
    def is_labelled(self) -> bool:
        """True where the pictures came with labels; else the model's own clean answer counts as right."""
        return "model" not in self.counts.label_sources

    @property
    def is_attacked(self) -> bool:
        """True where an attack was run."""
        return bool(self.counts.fared)

    @property
    def norm(self) -> str:
        """The norm of the budget."""
        return self.run.request.options.threat.norm

    @property
    def unusual(self) -> tuple[str, ...]:
        """Everything unusual about the threat that a reader has to know before any figure: transfer, other pixels, rounding."""
        request = self.run.request
        carried = (
            (f"transfer from {self.names.text(request.options.source_model)}",) if request.options.source_model else ()
        )
        return (*carried, *request.options.threat.unusual)

    @property
    def eps(self) -> float:
        """The budget that verdicts are about."""
        return self.run.request.headline

    @property
    def eps_text(self) -> str:
        """That budget as people write it."""
        return budget(self.eps, self.norm)

    @property
    def own(self) -> str:
        """In words what the attacks may do where no ball binds them, and norm and ε say nothing; "" where one does."""
        return "; ".join(dict.fromkeys(one.budget for one in self.counts.fared.values() if one.budget))

    @property
    def budget(self) -> str:
        """The budget that verdicts are about: a norm and an ε, or the attack's own budget in words."""
        return self.own or f"{self.norm}, ε = {self.eps_text}"

    @property
    def state(self) -> str:
        """Attacked pictures in a word or two: "ε = 4/255", or of a budget in words no more than that there was one."""
        return "attacked" if self.own else f"ε = {self.eps_text}"

    @property
    def at(self) -> str:
        """The budget as the end of a sentence: "at ε = 4/255", "under a square patch over 5 % of the picture at a random place"."""
        return f"under {self.own}" if self.own else f"at ε = {self.eps_text}"

    def cell(self, eps: float) -> str:
        """A budget in a table whose title tells it where it is no ε."""
        return "–" if self.own else budget(eps, self.norm)

    def who(self, prompts: str) -> str:
        """The name of some prompts, with the letter A or B before it where there are two."""
        letter = f"{'AB'[self.prompts.index(prompts)]}: " if len(self.prompts) == 2 else ""
        return letter + variant_name(prompts)

    def title(self) -> str:
        """The report's title, in a line."""
        model = self.names.text(self.run.request.options.model)
        return f"{' and '.join(variant_name(one) for one in self.prompts) or PLAIN} on {model}"

    def paired(self) -> tuple[PairedTest | None, PairedTest | None]:
        """A against B, clean and at the largest budget; None where there is nothing to compare."""
        if len(self.prompts) != 2:
            return None, None
        a, b = (self.counts.pictures[one] for one in self.prompts)
        both = [(a[key], b[key]) for key in a if key in b]
        clean = [(x.clean, y.clean) for x, y in both]
        attacked = [
            (x.robust[self.eps], y.robust[self.eps]) for x, y in both if self.eps in x.robust and self.eps in y.robust
        ]
        return tested(clean) if self.is_labelled else None, tested(attacked)

    def curve(self, prompts: str) -> list[tuple[float, int, int]]:
        """Each budget with the number of pictures that are right under every attack at it, and of how many."""
        return [(eps, *self.counts.robust(prompts, eps)) for eps in self.run.request.budgets]

    def identity(self) -> str:
        """The report's id: from what was asked, of what, and what came out, without any time or place. The same run gives the same."""
        manifest = self.run.manifest
        return digest(
            [
                manifest.command,
                str(manifest.versions),
                str(manifest.as_written.get("model", "")),
                str(manifest.prompts_sha256),
                manifest.classes_sha256,
                self.counts.marks,
            ]
        )[:12]


def tested(answers: list[tuple[bool, bool]]) -> PairedTest | None:
    """McNemar's test, or None for no pictures."""
    return paired(answers) if answers else None
