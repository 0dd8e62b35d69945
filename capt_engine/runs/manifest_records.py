"""The manifest and the summary of a kept run as records; what an older version did not write keeps its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from capt_engine.reading import fitted, read_json
from capt_engine.records import Check, FailedPicture, TextDrift, ThreatModel, UnknownWord


@dataclass(frozen=True)
class Hashed:
    """A thing by its SHA-256: a model or prompts, which have an id, or a list of pictures or rows."""

    id: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class PluginVersion:
    """A plug-in that added attacks or metrics, and the package that it came from."""

    name: str = ""
    package: str = ""
    version: str = ""


@dataclass(frozen=True)
class Machine:
    """The machine that a run was made on.

    driver, cudnn: versions of an accelerator's. attention: the kernels that torch may take for it. deterministic: torch's switches on
    which bits depend.
    """

    os: str = ""
    processor: str = ""
    device: str = ""
    device_name: str = ""
    precision: str = ""
    threads: int = 0
    driver: str = ""
    cudnn: str = ""
    attention: str = ""
    deterministic: dict[str, bool | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Segment:
    """The rows of a run that were computed in one go: from `first_row` on, counted from 0 in the run or in its part `shard` ("i/N")."""

    started: str = ""
    first_row: int = 0
    shard: str = ""
    machine: Machine = Machine()
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AboutPrompts:
    """The part of a prompts file's document that a report shows."""

    method: str = ""
    backbone: Hashed = Hashed()
    template: str = ""
    classes: tuple[str, ...] = ()
    settings: dict[str, object] = field(default_factory=dict)
    data: str = ""
    figures: dict[str, object] = field(default_factory=dict)
    licence: str = ""


@dataclass(frozen=True)
class PromptsUsed(Hashed):
    """Prompts that a run measured; plain text has neither a SHA-256 nor a document."""

    document: AboutPrompts | None = None


@dataclass(frozen=True)
class _Written:
    """A JSON object on disk. as_written: all of it, unknown keys too, for those who write it again."""

    as_written: dict[str, object] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, plain: Mapping[str, object], called: str = "") -> Self:
        """Convert a parsed JSON object, named `called` in a message; raises BadRequest where a part has the wrong type."""
        found = fitted({**plain, "as_written": {}}, cls, called=called or f"The {cls.__name__.lower()}")
        return replace(found, as_written=dict(plain))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file; raises BadRequest where it holds no such object."""
        return cls.of(read_json(path, dict[str, object], finite=True), repr(str(path)))


@dataclass(frozen=True)
class Manifest(_Written):
    """The manifest of a run. request: as it stands, for `request_text.from_json`. pictures, rows: empty until the run has ended.

    machine, versions: those that it began with; segments: what it was computed on, where it was gone on with or merged.
    """

    OLD_NAMES: ClassVar[Mapping[str, str]] = {"crafted_on": "source_model"}

    kind: Literal["", "analyze", "evaluate"] = ""
    request: dict[str, object] = field(default_factory=dict)
    command: str = ""
    started_in: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    plugins: tuple[PluginVersion, ...] = ()
    machine: Machine = Machine()
    segments: tuple[Segment, ...] = ()
    seeds: tuple[int, ...] = ()
    model: Hashed = Hashed()
    source_model: Hashed | None = None
    prompts: tuple[PromptsUsed, ...] = ()
    lpips: dict[str, str] | None = None
    classes: tuple[str, ...] = ()
    template: str = ""
    classes_sha256: str = ""
    label_source: str = ""
    started: str = ""
    ended: str = ""
    pictures: Hashed = Hashed()
    rows: Hashed = Hashed()
    redacted: bool = False
    redacted_classes: bool = False

    @property
    def prompts_sha256(self) -> list[str]:
        """The SHA-256 of each set of prompts, "" of plain text."""
        return [one.sha256 for one in self.prompts]


@dataclass(frozen=True)
class Summary(_Written):
    """The part of a run's summary that its rows do not say; figures are counted from the rows."""

    n: int = 0
    n_failed: int = 0
    label_source: str = ""
    threat_model: ThreatModel = field(default_factory=ThreatModel)
    model: str = ""
    prompts: str = ""
    device: str = ""
    wall_s: float = 0.0
    model_sha256: str = ""
    prompts_sha256: str = ""
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    text_drift: tuple[TextDrift, ...] = ()
    memory_bytes: int = 0
    failed: tuple[FailedPicture, ...] = ()
    unknown_words: tuple[UnknownWord, ...] = ()
