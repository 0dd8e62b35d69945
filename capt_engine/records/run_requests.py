"""Requests for an analysis and an evaluation, and the options that both take."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import field, fields, replace
from typing import ClassVar, Self

from capt_engine.bundled_models import DEFAULT_MODEL
from capt_engine.frozen import dataclass
from capt_engine.records.catalogue import NO_PROMPTS, ParamValue
from capt_engine.records.requests import Request
from capt_engine.records.suites import PGD, AttackSpec, labels, narrowed, suite
from capt_engine.records.threat import USUAL_THREAT, ThreatModel

CHECK_LEVELS = ("off", "cheap", "full")
"""Levels of an evaluation's checks on itself: none; the cheap ones; all, which costs several attacks on up to 100 pictures."""

PICTURES_KEPT = ("none", "some", "all")
"""The fooled pictures of which a kept run has PNG files, beside the few that its report shows: none, at most 1,000, all."""

PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
"""Precisions of the image tower: float32; with TF32 inside on NVIDIA's GPUs since Ampere; half precision in either form."""

LPIPS_NETS = ("alex", "vgg")
"""The networks that LPIPS can be measured with, where their weights are installed; the first is the cheap one, and the authors' choice."""


@dataclass(frozen=True)
class RunOptions:
    """Options of every run over pictures, whether they are labelled or not.

    prompts (A): an installed checkpoint, a file, or None for plain text. compare (B): a second one on the same pictures, NO_PROMPTS
    for plain text; None compares with nothing. aim: the prompts that attacks are computed on, one of AIMS. source_model: the id of a
    model with plain text on which attacks are computed instead (transfer), "" for none. classes: empty means the model's own suggestion,
    as does an empty template. class_folders: for each name of `classes` the folder, or label, that has that name; empty where they
    are found by name or in order. batch_size: pictures per forward pass, 0 lets the engine choose. lpips: also measure LPIPS with this
    network, one of LPIPS_NETS; "" does not. with_pictures: rows carry the clean and the attacked picture. keep: a folder in which the
    engine keeps the run (rows, pictures, manifest, summary), "" keeps nothing; resume: go on with the run that was kept there.
    cache: look answers up in the result store, and store those that are computed. precision: one of PRECISIONS. deterministic: compute
    with algorithms that give the same bits each time. keep_pictures: the fooled pictures of which the kept run has PNG files, one of
    PICTURES_KEPT.
    """

    model: str = DEFAULT_MODEL
    prompts: str | None = None
    compare: str | None = None
    aim: str = "each"
    source_model: str = ""
    classes: tuple[str, ...] = ()
    template: str = ""
    threat: ThreatModel = USUAL_THREAT
    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"
    batch_size: int = 0
    lpips: str = ""
    with_pictures: bool = False
    keep: str = ""
    resume: bool = False
    class_folders: tuple[str, ...] = ()
    cache: bool = True
    deterministic: bool = False
    keep_pictures: str = "some"


@dataclass(frozen=True)
class RunRequest(Request, ABC):
    """A request that predicts and attacks pictures.

    A property that only an evaluation can set has a field of the same name there; here it has the value that leaves it out.
    """

    options: RunOptions = field(default=RunOptions(), kw_only=True)
    kind: ClassVar[str]

    @property
    def settings(self) -> dict[str, object]:
        """Return every setting of this request, and every setting among its `options`, as a dictionary by name."""
        every = ((record, one.name) for record in (self, self.options) for one in fields(record))
        return {name: getattr(record, name) for record, name in every if name != "options"}

    @property
    @abstractmethod
    def places(self) -> tuple[str, ...]:
        """Return where the pictures come from: paths of files and folders, or a data set's path or benchmark id."""

    @abstractmethod
    def repeated(self, place: str = "") -> Self:
        """Return a copy of the request that starts from the beginning.

        `place` is the path where the pictures or the data set lie now; "" keeps the path of the request.
        """

    @abstractmethod
    def renamed(self, name: Callable[[str], str]) -> Self:
        """Return a copy with another name for each picture source, model and prompt checkpoint of the request.

        `name` takes the old name or path and returns the new one.
        """

    @property
    @abstractmethod
    def all_attacks(self) -> tuple[AttackSpec, ...]:
        """Return every attack of the run with its settings, in the order in which they are run; empty for no attack."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Return one name for each attack, in order, as rows and figures show it.

        Settings are added, as in "pgd[steps=10]", where the same attack is run with several settings.
        """
        return labels(self.all_attacks)

    @property
    def shared_values(self) -> tuple[tuple[str, ParamValue], ...]:
        """Return (name, value) of settings for all attacks that know a setting of that name; empty for an analysis."""
        return ()

    @property
    def curve(self) -> tuple[float, ...]:
        """Return the budgets ε of the accuracy curve, pixels in [0, 1].

        It is empty where only the threat model's own budget is used.
        """
        return ()

    @property
    def until_chance(self) -> bool:
        """Return True if the accuracy curve goes on to budgets so large that no picture can stay right."""
        return False

    @property
    def matrix(self) -> tuple[str, ...]:
        """Return the names of several sets of prompts that are compared all with all; empty for no such matrix.

        Each set is attacked, and every set is asked about the pictures attacked on each.
        """
        return ()

    @property
    def minimal_eps(self) -> float:
        """Return the relative tolerance, such as 0.05, of the search for each picture's minimal ε; 0 for no search.

        The minimal ε is the smallest budget found that fools the model.
        """
        return 0.0

    @property
    def checks(self) -> str:
        """Return the level of the checks that the run makes on itself: "off", "cheap" or "full".

        "off" makes none, "cheap" the cheap ones, "full" all, which costs several attacks on up to 100 pictures.
        """
        return "off"

    @property
    def budgets(self) -> tuple[float, ...]:
        """Return every budget ε of the run, pixels in [0, 1], the smallest first.

        They are those of the curve, or the threat model's alone.
        """
        return tuple(sorted(set(self.curve or (self.options.threat.eps,))))

    @property
    def headline(self) -> float:
        """Return the budget ε that the run's verdict is about: the largest of the run.

        On a curve until chance it is the threat model's own budget, where that is among the budgets.
        """
        eps = self.options.threat.eps
        return eps if self.until_chance and eps in self.budgets else self.budgets[-1]

    @property
    def variants(self) -> tuple[str, ...]:
        """Return the names of the sets of prompts asked about each picture: A, A and B, or those of the matrix.

        A is the option `prompts`, B the option `compare`; "none" stands for plain text, without learned prompts.
        """
        some = (self.options.prompts,) if self.options.compare is None else (self.options.prompts, self.options.compare)
        return tuple(name or NO_PROMPTS for name in self.matrix or some)

    @property
    def pairs(self) -> int:
        """Return how many rows one attack at one budget gives of one picture: one for each set of prompts asked.

        In a matrix it is the square of that, as each set is asked about the picture attacked on every set.
        """
        return len(self.variants) ** 2 if self.matrix else len(self.variants)

    @property
    def rows_per_picture(self) -> int:
        """Return how many rows one picture gets in the table of the run: attacks × budgets × `pairs`.

        Without an attack it is one row for each set of prompts.
        """
        return len(self.all_attacks) * len(self.budgets) * self.pairs or len(self.variants)


@dataclass(frozen=True)
class AnalyzeRequest(RunRequest):
    """Predict, attack and compare unlabelled pictures.

    paths: files and folders (folders are walked). attack: None means clean predictions only.
    """

    paths: tuple[str, ...]
    attack: AttackSpec | None = PGD
    kind: ClassVar[str] = "analyze"

    @property
    def places(self) -> tuple[str, ...]:
        """Return the paths of the files and folders to analyse, as they were given."""
        return self.paths

    def repeated(self, place: str = "") -> Self:
        """Return a copy that analyses only the file or folder `place`; the request itself where `place` is ""."""
        return replace(self, paths=(place,)) if place else self

    def renamed(self, name: Callable[[str], str]) -> Self:
        """Return a copy in which every picture path, model and prompt checkpoint has another name.

        `name` takes the old name or path and returns the new one; the folder to keep the run in stays.
        """
        return replace(self, paths=tuple(map(name, self.paths)), options=_renamed(self.options, name))

    @property
    def all_attacks(self) -> tuple[AttackSpec, ...]:
        """Return the one attack in a tuple; an empty tuple where only clean predictions are asked for."""
        return () if self.attack is None else (self.attack,)


@dataclass(frozen=True)
class EvaluateRequest(RunRequest):
    """Predict and attack labelled pictures, and count what stays right.

    data: class folders, a CSV with `path,label`, a split file of CoOp's, or the id of a benchmark under `data_root`. split: "" means the
    only one there is, else "test". attacks: each is run at each budget of `curve` (empty: at the threat's own); the worst of them counts.
    suite: the name of a suite, whose attacks are run before `attacks`; shared_values: settings for all attacks that know them; of
    an attack that stands there with several settings, those are run that have them. One attack may stand there several times with
    different settings. Several corruptions make a table: each is run on every picture, and there is no worst case over them.
    skip_broken: a picture that was wrong to begin with, or that an attack has broken at a budget, is not attacked again at that budget.
    until_chance: it is not attacked at larger budgets either, which makes a long curve cheap. matrix: several sets of prompts, each
    attacked and each judged on what was computed on every one of them; instead of prompts and compare.
    minimal_eps: also search the smallest budget that breaks each picture, to this relative tolerance; 0 does not. checks: one of
    CHECK_LEVELS. limit: at most so many pictures, drawn evenly over the classes by `seed`; 0 means all. shard: (i, N), the i-th of N
    parts, from 1. skip: paths that are done already. subsample_classes: among "all" classes, or the "base" or "new" half of them.
    """

    data: str
    split: str = ""
    data_root: str = ""
    attacks: tuple[AttackSpec, ...] = (PGD,)
    suite: str = ""
    shared_values: tuple[tuple[str, ParamValue], ...] = ()
    skip_broken: bool = False
    curve: tuple[float, ...] = ()
    until_chance: bool = False
    matrix: tuple[str, ...] = ()
    minimal_eps: float = 0.0
    checks: str = "cheap"
    limit: int = 0
    shard: tuple[int, int] = (1, 1)
    subsample_classes: str = "all"
    skip: tuple[str, ...] = ()
    kind: ClassVar[str] = "evaluate"

    @property
    def places(self) -> tuple[str, ...]:
        """Return the path or benchmark id of the data set, in a tuple of one."""
        return (self.data,)

    def repeated(self, place: str = "") -> Self:
        """Return a copy that evaluates every picture again, none being marked as done.

        `place` is the path where the data set lies now; "" keeps that of the request.
        """
        return replace(self, data=place or self.data, skip=())

    def renamed(self, name: Callable[[str], str]) -> Self:
        """Return a copy in which the data set, its root folder, the models and the prompt checkpoints have other names.

        `name` takes the old name or path and returns the new one; the folder to keep the run in stays.
        """
        return replace(
            self,
            data=name(self.data),
            data_root=name(self.data_root),
            matrix=tuple(map(name, self.matrix)),
            options=_renamed(self.options, name),
        )

    @property
    def all_attacks(self) -> tuple[AttackSpec, ...]:
        """Return the attacks of the suite, then those named besides, each with its settings.

        An attack of the suite that is named again without settings is not run twice. Of an attack listed with several
        settings, those that differ from `shared_values` are left out. Raises KeyError where the suite's name is
        unknown.
        """
        threat = self.options.threat
        first = suite(self.suite).of(threat.norm, targeted=threat.targeted) if self.suite else ()
        there = {one.name for one in first}
        more = (spec for spec in self.attacks if spec.name not in there or (spec.values and spec not in first))
        return narrowed((*first, *more), self.shared_values)


def _renamed(options: RunOptions, name: Callable[[str], str]) -> RunOptions:
    return replace(
        options,
        model=name(options.model),
        source_model=name(options.source_model),
        prompts=None if options.prompts is None else name(options.prompts),
        compare=None if options.compare is None else name(options.compare),
    )
