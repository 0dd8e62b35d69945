"""Models that can be fetched: what is offered, what is here, what was ever downloaded, and how a download goes."""

from __future__ import annotations

from capt_engine.frozen import dataclass
from capt_engine.records.requests import Request, Result

STATES = ("bundled", "installed", "partial", "absent")
COMFORT = ("comfortable", "slow", "too large")


@dataclass(frozen=True)
class OfferedModel:
    """One model of the curated list, and how it stands with this machine.

    bytes: what has to be fetched, None where only the server knows; estimated: `bytes` is four times the parameters. revision: the commit,
    or "main" where none is known beforehand. sha256: "" where it is not public. state: one of STATES; have_bytes: of a partial download.
    comfort: one of COMFORT, from this machine's memory and device; needs_bytes: memory that an attack takes, 0 where it was not measured.
    page: where a person reads about it; files: the addresses to fetch on another computer. base: of an image tower that is fetched by hand
    and then imported, the model that it was tuned from; "" for all that can be downloaded.
    """

    id: str
    label: str
    purpose: str
    licence: str
    parameters: int
    size: int
    activation: str
    figure: str
    repo: str = ""
    revision: str = ""
    bytes: int | None = None
    estimated: bool = False
    sha256: str = ""
    robust: bool = False
    state: str = "absent"
    have_bytes: int = 0
    comfort: str = "comfortable"
    needs_bytes: int = 0
    folder: str = ""
    page: str = ""
    files: tuple[str, ...] = ()
    base: str = ""


@dataclass(frozen=True)
class ListModelsRequest(Request):
    """A request for the list of models: bundled, offered, installed; touches no network."""


@dataclass(frozen=True)
class ModelsListed(Result):
    """The offered models, those installed from elsewhere (ids), free space where models are kept, and whether the network is locked."""

    offered: tuple[OfferedModel, ...]
    others: tuple[str, ...]
    folder: str
    free_bytes: int
    offline: bool
    offline_reason: str = ""


@dataclass(frozen=True)
class DownloadRequest(Request):
    """Fetch a model, which the user has asked for by name: an id of the offered ones, or `hf-hub:owner/name`."""

    model: str


@dataclass(frozen=True)
class DownloadResult(Result):
    """A model that is verified and installed; `reused` bytes were here already (an earlier part, or the Hugging Face cache)."""

    model: str
    folder: str
    bytes: int
    reused: int
    sha256: str
    commit: str
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LedgerRequest(Request):
    """A request for the list of everything that was ever downloaded."""


@dataclass(frozen=True)
class LedgerEntry:
    """One file that was fetched over the network: what it belongs to, from where, bytes, SHA-256, when (ISO 8601), and how it ended."""

    model: str
    url: str
    bytes: int
    sha256: str
    when: str
    ended: str


@dataclass(frozen=True)
class Ledger(Result):
    """The list of all downloads ever made, newest first."""

    entries: tuple[LedgerEntry, ...]


@dataclass(frozen=True)
class InstalledItem:
    """A model (kind "model") or a prompt checkpoint ("prompts") on this machine, by its name."""

    kind: str
    name: str


@dataclass(frozen=True)
class VerifyRequest(InstalledItem, Request):
    """Compare the files of an installed model or prompt checkpoint with the hashes that they were installed with."""


@dataclass(frozen=True)
class Verified(InstalledItem, Result):
    """The answer to VerifyRequest: all of so many files have the SHA-256 that they were installed with."""

    n_files: int


@dataclass(frozen=True)
class RemoveRequest(InstalledItem, Request):
    """Move an installed model (kind "model") or a prompt checkpoint of the user's own ("prompts") to the trash."""


@dataclass(frozen=True)
class Removed(InstalledItem, Result):
    """The answer to RemoveRequest: the model or checkpoint is in the trash.

    emptied: a sentence on what left the trash for good meanwhile, "" for nothing. is_kept: the trash still holds it.
    """

    emptied: str = ""
    is_kept: bool = True


@dataclass(frozen=True)
class PutBackRequest(InstalledItem, Request):
    """Bring a removed model or prompt checkpoint back from the trash."""


@dataclass(frozen=True)
class PutBack(InstalledItem, Result):
    """The answer to PutBackRequest: the model or checkpoint is installed again."""


@dataclass(frozen=True)
class OfflineRequest(Request):
    """Forbid every use of the network from now on, or allow it again."""

    locked: bool


@dataclass(frozen=True)
class OfflineSet(Result):
    """The state of the network lock after it was set."""

    locked: bool
