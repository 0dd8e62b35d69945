"""Answers that are known already: requests to the result store, which wait for no model and no computation."""

from __future__ import annotations

from capt_engine.frozen import dataclass
from capt_engine.records.analysis import Verdict
from capt_engine.records.pictures import PictureSet
from capt_engine.records.requests import Request, Result


@dataclass(frozen=True)
class StoredAnswersRequest(Request):
    """Look up at which budgets ε the question of a row was ever answered, by its `store_key`; needs no model."""

    store_key: str


@dataclass(frozen=True)
class StoredAnswer:
    """The answer to one picture at one budget. eps: pixels in [0, 1], 0 for the clean picture.

    margin: the logit of the label minus the best other one, negative where the label has lost. success: the attack reached its goal; None
    where there was no right answer to turn. verdict: in the order of the row's classes. has_pictures: StoredPicturesRequest has them.
    """

    eps: float
    margin: float
    success: bool | None
    verdict: Verdict
    has_pictures: bool = False


@dataclass(frozen=True)
class StoredAnswers(Result):
    """All that is known of one picture under one attack, whatever ε: the clean answer, and those under attack, the smallest ε first.

    minimal_eps: the smallest budget that breaks the picture, where a run searched it; infinite where none was found.
    """

    store_key: str
    clean: StoredAnswer | None = None
    answers: tuple[StoredAnswer, ...] = ()
    minimal_eps: float | None = None


@dataclass(frozen=True)
class StoredPicturesRequest(Request):
    """Look up the clean and the attacked picture of a row's question at the budget `eps`, by its `store_key`; needs no model."""

    store_key: str
    eps: float


@dataclass(frozen=True)
class StoredPictures(Result):
    """The pictures that were asked for; None where they were not kept."""

    store_key: str
    eps: float
    pictures: PictureSet | None = None


@dataclass(frozen=True)
class StoreRequest(Request):
    """Tell what the result store holds, after what it is asked to remove.

    trim_to: remove what was not used for longest, until no more than so many bytes are taken; 0 removes everything, None nothing.
    unused_days: also remove all that was not used for so many days.
    """

    trim_to: int | None = None
    unused_days: float | None = None


@dataclass(frozen=True)
class StoredGroup:
    """The entries of one model and attack. model: its id where one here has these weights, else the first digits of their SHA-256.

    attack: "" for answers to clean pictures, and for what is about files alone. hits: how often entries were used again.
    """

    model: str
    attack: str
    entries: int
    n_bytes: int
    hits: int


@dataclass(frozen=True)
class StoreFacts(Result):
    """The state of the result store. n_bytes: on the disk; budget: the most it may take; note: what is wrong with it, "" for nothing.

    is_on: the program may use it. removed, removed_bytes: what the request removed.
    """

    folder: str
    is_on: bool
    entries: int
    n_bytes: int
    budget: int
    hits: int
    groups: tuple[StoredGroup, ...] = ()
    note: str = ""
    removed: int = 0
    removed_bytes: int = 0
