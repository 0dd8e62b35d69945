"""All that the sections of a report are written from: the run, its counts, the names of things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capt_engine.formatting import budget, counted, norm_symbol
from capt_engine.metrics.tally import paired
from capt_engine.records import PairedTest
from capt_engine.runs.class_redaction import RunWithoutClasses, StandIns
from capt_engine.runs.counts import Counts, count
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.manifest import digest
from capt_engine.runs.redaction import Names
from capt_engine.runs.request_text import PLAIN, variant_name


@dataclass(frozen=True)
class ReportContext:
    """One run, finished or stopped: its files, the names to show for its things, and the counts of its rows."""

    run: FinishedRun
    names: Names
    counts: Counts

    @classmethod
    def of(
        cls, folder: Path, *, redact: bool = False, stand_ins: StandIns | None = None, number: int = 0
    ) -> ReportContext:
        """Read the run in the run folder `folder`, finished or stopped, and count the rows of its whole pictures.

        redact: show numbers instead of the names of files and folders. stand_ins: what stands for class names and hashes
        of pictures, shared by the runs of a report, None to show these. number: of this run among several in one report,
        0 where it is alone. Raises BadRequest where the folder holds no run, or not one whole picture.
        """
        run = FinishedRun.so_far(folder)
        if stand_ins is not None:
            run = RunWithoutClasses.from_run(run, stand_ins, number)
        names = Names(run, redact=redact or stand_ins is not None, number=number)
        request, first = run.request, next(iter(run.request.labels), "")
        counts = count(run.lines(), names, request.headline, first, is_matrix=bool(request.matrix))
        for one in run.summary.text_drift:
            counts.tally.drifts[names.text(one.prompts)] = (one.value, one.classes)
        return cls(run, names, counts)

    @property
    def prompts(self) -> list[str]:
        """Return the names of the sets of prompts that answered: A, A and B, or those of a matrix.

        They are as the report shows them, redacted where it is.
        """
        return self.counts.prompts

    @property
    def stopped(self) -> str:
        """Return a sentence that the run was stopped, and on how many pictures its figures rest; "" of one that has ended."""
        if self.run.is_over:
            return ""
        return (
            f"This run was stopped before its end: every figure is of the {counted(self.counts.n, 'picture')} done by "
            "then, which are the first in the run's order and not a draw from all."
        )

    @property
    def made(self) -> str:
        """Return when the run ended, or began if it was stopped, as ISO 8601 text."""
        return self.run.manifest.ended or self.run.manifest.started

    @property
    def is_labelled(self) -> bool:
        """Return True if the pictures came with labels; False if the model's own clean answer counts as right."""
        return "model" not in self.counts.label_sources

    @property
    def is_attacked(self) -> bool:
        """Return True if the run has rows of an attack; common corruptions are none."""
        return bool(self.counts.fared)

    @property
    def norm(self) -> str:
        """Return the norm that bounds the perturbations of the run: "linf" or "l2"."""
        return self.run.request.options.threat.norm

    @property
    def unusual(self) -> tuple[str, ...]:
        """Return a phrase for each point of the threat that a reader must know before any figure; empty for none.

        The points are transfer from a source model, perturbing the pictures' own pixels, and rounding to 8 bits.
        """
        request = self.run.request
        carried = (
            (f"transfer from {self.names.text(request.options.source_model)}",) if request.options.source_model else ()
        )
        return (*carried, *request.options.threat.unusual)

    @property
    def eps(self) -> float:
        """Return the budget ε that the report's verdict is about, pixels in [0, 1]."""
        return self.run.request.headline

    @property
    def eps_text(self) -> str:
        """Return the budget ε of the verdict as people write it, such as "4/255"."""
        return budget(self.eps, self.norm)

    @property
    def own(self) -> str:
        """Return the attacks' own budgets in words, such as the size of a patch, where no norm and ε bound them.

        It is "" where a norm and ε do.
        """
        return "; ".join(dict.fromkeys(one.budget for one in self.counts.fared.values() if one.budget))

    @property
    def budget(self) -> str:
        """Return the budget of the verdict in words, such as "L∞, ε = 4/255".

        For an attack with a budget of its own it is that, such as the size of a patch.
        """
        return self.own or f"{norm_symbol(self.norm)}, ε = {self.eps_text}"

    @property
    def state(self) -> str:
        """Return a word or two for the attacked pictures: "ε = 4/255", or "attacked" where no ε bounds the attack."""
        return "attacked" if self.own else f"ε = {self.eps_text}"

    @property
    def at(self) -> str:
        """Return the budget of the verdict as the end of a sentence, such as "at ε = 4/255".

        For an attack with a budget of its own it is, for example, "under a square patch over 5 % of the picture at a
        random place".
        """
        return f"under {self.own}" if self.own else f"at ε = {self.eps_text}"

    def cell(self, eps: float) -> str:
        """Return the budget `eps` as a table cell, such as "4/255"; a dash where no ε bounds the attack."""
        return "–" if self.own else budget(eps, self.norm)

    def who(self, prompts: str) -> str:
        """Return words for the set of prompts with the name `prompts`: "prompts NAME", or "plain CLIP" for "none".

        "A: " or "B: " stands before them where there are two sets.
        """
        lettered = len(self.prompts) == 2 and prompts in self.prompts
        letter = f"{'AB'[self.prompts.index(prompts)]}: " if lettered else ""
        name = variant_name(prompts)
        shared = [one for one in self.prompts if variant_name(one) == name]
        # files of one name in two folders are told apart by the folders
        return letter + (name if len(shared) < 2 else f"prompts {prompts}")

    def letter(self, prompts: str) -> str:
        """Return what `who` says of the set of prompts `prompts`, but "A" or "B" alone where there are two: for narrow columns."""
        return self.who(prompts).partition(": ")[0]

    def lettered(self, caption: str) -> str:
        """Return `caption` with what "A" and "B" stand for behind it, where there are two sets of prompts."""
        return f"{caption} ({'; '.join(map(self.who, self.prompts))})" if len(self.prompts) == 2 else caption

    def title(self) -> str:
        """Return the report's title in a line, such as "prompts NAME and plain CLIP on MODEL"."""
        model = self.names.text(self.run.request.options.model)
        state = "" if self.run.is_over else f", stopped after {counted(self.counts.n, 'picture')}"
        return f"{' and '.join(variant_name(one) for one in self.prompts) or PLAIN} on {model}{state}"

    def paired(self) -> tuple[PairedTest | None, PairedTest | None]:
        """Return McNemar's tests of A against B: (clean, attacked at the verdict's budget).

        Both are None where there are not two sets of prompts; each is None where there are no such pictures, and the
        clean one without labels.
        """
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
        """Return (ε, right, all) for each budget: the pictures right under every attack at that ε, and all attacked.

        prompts: the name of the set of prompts that answers.
        """
        return [(eps, *self.counts.robust(prompts, eps)) for eps in self.run.request.budgets]

    def identity(self) -> str:
        """Return the report's id: twelve hexadecimal digits that the same run always gives.

        It is a hash of the command line, versions, model, prompts, classes and rows, not of times or the folder that
        keeps the run.
        """
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
    """Return McNemar's test of A and B on the same pictures; None where `answers` is empty.

    answers: (A was right, B was right) for each picture.
    """
    return paired(answers) if answers else None
