"""The result store beside a plan: rows of pictures that need no computing, and the cells of those that are computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from capt_engine.data.images import Photo
from capt_engine.evaluation.course import Asked, Course, Start, floats
from capt_engine.evaluation.plan import Plan, PlannedAttack
from capt_engine.evaluation.questions import Questions, questions_of
from capt_engine.records import Check, Picture, PictureRow, PictureSet, SignedPicture
from capt_engine.results import limits
from capt_engine.results.cells import (
    AttackedAnswer,
    AttackedPixels,
    Cell,
    ChecksMade,
    CleanAnswer,
    PhotoFacts,
    Pixels,
    SmallestBudget,
    decoded,
    encoded,
)
from capt_engine.results.keys import store_key, subject_of
from capt_engine.results.store import Question, ResultStore

C = TypeVar("C", bound=Cell)
Look = Callable[[], Picture]

# A larger clean picture is decoded again from its file, and a larger attacked one is not kept.
_LARGE_SEEN, _LARGE_ATTACKED = 1 << 20, 1 << 26
# So many fooled pictures of a run that shows none are kept, for one that does; they are the first to go.
_UNASKED = 2000


class KnownPicture:
    """The cells that are stored of one picture, for one label and target."""

    def __init__(self, plan: Plan, questions: Questions, store: ResultStore, asked: Asked) -> None:
        self._plan, self._questions, self._store = plan, questions, store
        targeted = plan.threat.targeted
        self._target = (plan.target if asked.target is None else asked.target) if targeted else None
        self._label = asked.label
        self.of_file = subject_of(asked.photo.sha256)
        self.of_label = subject_of(asked.photo.sha256, asked.label, self._target)
        seen = (questions.seen.digest,) if plan.with_pictures else ()
        self._found = store.find((self.of_file, self.of_label), (*questions.of_file, *questions.of_label, *seen))

    def photo(self, path: str) -> Photo | None:
        """Return the facts of the picture's file, which lies at `path` now; None where they are not stored."""
        facts = self._cell(self._questions.photo, self.of_file, PhotoFacts)
        if facts is None:
            return None
        no_pixels = np.empty((0, 0, 3), np.uint8)
        return Photo(path, self.of_file[:32].hex(), facts.width, facts.height, no_pixels, facts.notes)

    def seen(self) -> Picture | None:
        """Return the picture as the model sees it; None where it is not stored."""
        pixels = self._cell(self._questions.seen, self.of_file, Pixels)
        try:
            return None if pixels is None else pixels.picture()
        except ValueError:
            return None

    def starts(self) -> dict[str, Start] | None:
        """Return the clean answers by the ids of the variants; None where one is not stored."""
        found = {}
        for one in self._plan.variants:
            clean = self._clean(self._questions.clean[one.id], len(one.classifier.classes))
            if clean is None:
                return None
            found[one.id] = Start.of(clean.logits, self._label, self._target, clean.time_s)
        return found

    def frozen(self) -> tuple[str, float | None] | None:
        """Return the zero-shot model's answer and the picture's score; None where they are not stored.

        Of a table of corruptions they are known without a zero-shot model among those asked.
        """
        plan = self._plan
        if plan.is_table and all(one.classifier is not plan.frozen for one in plan.variants):
            return "", None
        clean = self._clean(self._questions.frozen, len(plan.frozen.classes))
        if clean is None:
            return None
        answer = "" if plan.is_table else plan.frozen.classes[int(np.argmax(floats(clean.logits)))]
        return answer, clean.ood_score

    def smallest(self, starts: dict[str, Start]) -> dict[str, float | None] | None:
        """Return the smallest budgets that break the picture, by the ids of the variants; None where one is not stored."""
        found: dict[str, float | None] = {}
        for name in self._questions.smallest:
            cell = self.smallest_of(name) if starts[name].is_open else SmallestBudget(None)
            if cell is None:
                return None
            found[name] = cell.eps
        return found

    def smallest_of(self, variant: str) -> SmallestBudget | None:
        """Return the smallest budget that breaks the picture for the variant of this id; None where it is not stored."""
        return self._cell(self._questions.smallest[variant], self.of_label, SmallestBudget)

    def row(self, course: Course, planned: PlannedAttack, at: int, pair: int, look: Look) -> PictureRow | None:
        """Return the row of a pair of models under an attack, with pictures where the run wants them; None where it is not stored.

        at: the place of `planned` in the plan. look: gives the picture as the model sees it.
        """
        judge, source = self._plan.pairs[pair]
        answer = self._cell(self._questions.attacked[judge.id, source.id, at], self.of_label, AttackedAnswer)
        k = len(judge.classifier.classes)
        if answer is None or len(answer.logits) != 4 * k or not 0 <= answer.label < k:
            return None
        row = course.row(planned, pair, answer, self.key(at, pair))
        if not self._plan.shows(row):
            return row
        question = self._questions.pixels["", source.id, at]
        found = self._store.find((self.of_label,), (question.digest,))
        pixels = decoded(found.get((self.of_label, question.digest), b""), AttackedPixels)
        try:
            return None if pixels is None else replace(row, pictures=pixels.beside(look()))
        except ValueError:
            return None

    def key(self, at: int, pair: int) -> str:
        """Return the text by which the answers of a pair of models under an attack are asked for at every ε."""
        judge, source = self._plan.pairs[pair]
        return store_key(self._questions.attacked[judge.id, source.id, at].series, self.of_label)

    def _clean(self, question: Question, k: int) -> CleanAnswer | None:
        clean = self._cell(question, self.of_file, CleanAnswer)
        return clean if clean is not None and len(clean.logits) == 4 * k else None

    def _cell(self, question: Question, subject: bytes, kind: type[C]) -> C | None:
        return decoded(self._found.get((subject, question.digest), b""), kind)


class Known:
    """The result store beside one plan. n_rows: how many rows needed no attack so far, as their answers were stored.

    unasked: how many pictures are kept of a run that shows none.
    """

    def __init__(self, plan: Plan, questions: Questions, store: ResultStore, unasked: int = _UNASKED) -> None:
        self._plan, self.questions, self._store = plan, questions, store
        self._waiting: list[tuple[Question, bytes, bytes]] = []
        self._waiting_unasked: list[tuple[Question, bytes, bytes]] = []
        self._unasked = unasked
        self.n_rows = 0

    @property
    def note(self) -> str:
        """Return the store's sentences on what went wrong or was removed, "" for nothing."""
        return self._store.note

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Store what waits, and close the store."""
        self.flush()
        self._store.close()

    def picture(self, asked: Asked) -> KnownPicture:
        """Look up a picture and return what is stored of it."""
        return KnownPicture(self._plan, self.questions, self._store, asked)

    def rows(self, asked: Asked, look: Look, path: str | None = None) -> list[PictureRow] | None:
        """Return all rows of a picture, the same as computed ones; None where one of them has to be computed.

        asked: the picture. look: gives it as the model sees it; may raise BadImage. path: of the file whose facts are to be
        looked up too; None where `asked` has them.
        """
        plan, picture = self._plan, self.picture(asked)
        photo = asked.photo if path is None else picture.photo(path)
        starts, frozen = picture.starts(), picture.frozen()
        if photo is None or starts is None or frozen is None or (smallest := picture.smallest(starts)) is None:
            return None
        seen: list[Picture] = []

        def looked() -> Picture:
            if not seen:
                seen.append(picture.seen() or look())
            return seen[0]

        course = Course(plan, replace(asked, photo=photo), starts, *frozen, smallest)
        if not plan.planned_attacks:
            course.rows += course.clean_rows(unchanged(looked()) if plan.with_pictures else None)
        for at, planned in enumerate(plan.planned_attacks):
            course.begin(planned)
            for pair in range(len(plan.pairs)):
                is_open = course.is_open(pair)
                row = picture.row(course, planned, at, pair, looked) if is_open else course.row(planned, pair, None)
                if row is None:
                    return None
                course.take(planned, pair, row)
        self.n_rows += len(course.rows)
        return course.rows

    def keep(self, question: Question, subject: bytes, cell: Cell, *, unasked: bool = False) -> None:
        """Take a cell that is to be stored with the next `flush`; `unasked`: nobody has wanted it yet, so that it goes first."""
        (self._waiting_unasked if unasked else self._waiting).append((question, subject, encoded(cell)))

    def takes_unasked(self, n_values: int) -> bool:
        """Return True if a picture of so many values is kept though the run shows none."""
        return self._unasked > 0 and n_values <= _LARGE_SEEN

    def keep_pictures(
        self, picture: KnownPicture, source: str, at: int, pictures: PictureSet, *, unasked: bool = False
    ) -> None:
        """Take the pictures of an attack on the model `source`, where they are small enough to be stored.

        picture: what is stored of the picture. at: the place of the attack in the plan. unasked: the run shows none.
        """
        self._unasked -= unasked
        if len(pictures.seen.rgb) <= _LARGE_SEEN:
            self.keep(self.questions.seen, picture.of_file, Pixels.of(pictures.seen), unasked=unasked)
        if len(pictures.adversarial.rgb) <= _LARGE_ATTACKED:
            question = self.questions.pixels["", source, at]
            self.keep(question, picture.of_label, AttackedPixels.of(pictures), unasked=unasked)

    def flush(self) -> None:
        """Store what waits, all at once."""
        waiting, self._waiting = self._waiting, []
        unasked, self._waiting_unasked = self._waiting_unasked, []
        self._store.put(waiting, unasked)

    def checks(self, variant: str, subject: bytes) -> tuple[Check, ...] | None:
        """Return the results of the checks of one variant on some pictures, None where they have to be made.

        variant: its id. subject: stands for the pictures, see `checks_subject`.
        """
        question = self.questions.checks.get(variant)
        if question is None:
            return None
        found = self._store.find((subject,), (question.digest,))
        cell = decoded(found.get((subject, question.digest), b""), ChecksMade)
        return None if cell is None else cell.checks

    def keep_checks(self, variant: str, subject: bytes, checks: Iterable[Check]) -> None:
        """Store the results of the checks of one variant on some pictures."""
        if (question := self.questions.checks.get(variant)) is not None:
            self.keep(question, subject, ChecksMade(tuple(checks)))
            self.flush()


def known_of(plan: Plan, *, wanted: bool = True, may_change: bool = False) -> Known | None:
    """Return the result store beside `plan`; None where it is turned off, or where the models of the plan have no identity.

    wanted: False for a run that is to compute everything. may_change: the models are in the hands of a program that may
    change them.
    """
    if not wanted or limits.is_off():
        return None
    questions = questions_of(plan, may_change=may_change)
    # From Python nobody asks for pictures.
    return None if questions is None else Known(plan, questions, ResultStore(), 0 if may_change else _UNASKED)


def unchanged(seen: Picture) -> PictureSet:
    """Return the pictures of a run without an attack: the clean one, and no perturbation."""
    return PictureSet(seen, SignedPicture(seen.width, seen.height, 1.0, bytes(len(seen.rgb))), seen)
