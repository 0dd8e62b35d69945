"""The answers to the chosen picture at several budgets ε: those that are known, and more of them around the flip while there is time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.records import (
    AnalyzeRequest,
    Failure,
    PictureRow,
    PictureSet,
    RowsReady,
    StoredAnswer,
    StoredAnswers,
    StoredAnswersRequest,
    StoredPictures,
    StoredPicturesRequest,
)
from capt_gui.bridge import Bridge
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.margins import margin, next_budget, smallest_flip
from capt_gui.view_models.one_job import OneJob

_KEPT = 200
_ROUNDS = 8
_IDLE_MS = 1200
_LARGEST = 1_000_000
"""Pixels of a picture whose large versions are kept at several budgets."""

Rows = tuple[PictureRow, ...]
Subject = tuple[str, AnalyzeRequest]


class MarginCurve(OneJob):
    """The margins of one picture by budget, for A and, where two are compared, for B. `changed`: more is known, or another picture.

    What the store of results knows is there at once. More is found in short analyses of one picture, which the store keeps too. That
    work begins when `set_wanted(True)` was called and nothing else is under way, and ends when another picture is shown.
    """

    changed = Signal()

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._known: OrderedDict[Subject, dict[float, Rows]] = OrderedDict()
        # by store key and budget, as rows whose pictures come when they are looked at
        self._stored: dict[str, dict[float, PictureRow]] = {}
        self._pictures_asked: set[tuple[str, float]] = set()
        self._failed: dict[Subject, Failure] = {}
        self._rounds: dict[Subject, int] = {}
        self._subject: Subject | None = None
        self._item: Item | None = None
        self._most = 1.0
        self._eps = 0.0
        self._is_wanted, self._is_busy = False, False
        self._pause = QTimer(self, singleShot=True, interval=_IDLE_MS)
        self._pause.timeout.connect(self.on_idle)

    def show(self, item: Item | None, most: float) -> None:
        """Take the picture that is shown; work on another one ends. most: the largest budget of the norm."""
        subject = _subject_of(item)
        self._item, self._most = item, most
        is_new = subject != self._subject
        if is_new:
            self._abandon()
            self._forget_pictures()
            self._subject = subject
        if subject is not None and item is not None and item.row is not None:
            rows = tuple(row for row in (item.row, item.other) if row is not None)
            there = self._known.setdefault(subject, {})
            self._known.move_to_end(subject)
            is_new = is_new or item.row.threat.eps not in there
            there.setdefault(item.row.threat.eps, rows)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            if is_new:
                self._ask_store(rows)
        self._wait()
        if is_new:
            self.changed.emit()

    def set_wanted(self, wanted: bool) -> None:
        """Say whether somebody looks at the curve: without that no work is begun."""
        self._is_wanted = wanted
        if wanted:
            self._wait()
        else:
            self.pause()

    def set_busy(self, busy: bool) -> None:
        """Say whether the engine has other work for this page, which comes first."""
        self._is_busy = busy
        if busy:
            self.pause()
        else:
            self._wait()

    def pause(self) -> None:
        """End the work under way and begin no other, until something changes."""
        self._pause.stop()
        self._abandon()
        self.changed.emit()

    def go_on(self) -> None:
        """Look closer at once, as somebody asked for it, also where enough rounds were made."""
        if self._subject is not None:
            self._rounds[self._subject] = 0
            self._failed.pop(self._subject, None)
        self.on_idle()

    @property
    def failure(self) -> Failure | None:
        """Why the last look failed; None where it did not."""
        return None if self._subject is None else self._failed.get(self._subject)

    @property
    def eps_now(self) -> float:
        """The budget that is being tried; 0 while none is."""
        return self._eps if self.is_running else 0.0

    def margins(self, side: str) -> dict[float, float]:
        """Return the margin by budget of the answers of `side`, "a" or "b", in ascending order; ε = 0 is the clean picture."""
        rows = self._rows(side)
        if not rows:
            return {}
        first = next(iter(rows.values()))
        found = {0.0: margin(first, first.clean)}
        for eps, row in rows.items():
            if row.attacked is not None:
                found[eps] = margin(row, row.attacked)
        return dict(sorted(found.items()))

    def flip(self, side: str) -> tuple[float, float] | None:
        """Return the largest budget below the flip that held, and the smallest that flips the answer of `side`; None for no flip."""
        return smallest_flip(self.margins(side))

    def nearest(self, eps: float) -> Rows:
        """Return the rows of A, and of B where there is one, at the known budget nearest to `eps`; none where that is the analysis' own.

        Their large pictures may come a moment later, and then `changed` is emitted.
        """
        if self._item is None or self._item.row is None or self._subject is None:
            return ()
        sides = [self._rows(side) for side in ("ab" if self._item.other is not None else "a")]
        own = self._item.row.threat.eps
        budgets = [one for one in sides[0] if one == own or all(_can_be_drawn(rows.get(one)) for rows in sides)]
        best = min(budgets, key=lambda one: (abs(one - eps), one), default=own)
        if best == own:
            return ()
        found = tuple(rows[best] for rows in sides)
        for row in found:
            self._ask_pictures(row)
        return found

    def pictures(self, rows: Rows, side: str) -> PictureSet | None:
        """Return the pictures of the attack on `side`, "a" or "b", among rows that `nearest` gave."""
        return rows[-1 if side == "b" else 0].pictures if rows else None

    def on_idle(self) -> None:
        """Try the next budget, if there is one to try and nothing else is under way."""
        self._pause.stop()
        subject = self._subject
        if subject is None or self.is_running or self._is_busy or subject in self._failed:
            return
        if self._rounds.get(subject, 0) >= _ROUNDS:
            return
        sides = ("a", "b") if len(next(iter(self._known[subject].values()), ())) == 2 else ("a",)
        wanted = (next_budget(self.margins(side), self._most) for side in sides)
        eps = next((one for one in wanted if one is not None), None)
        if eps is None:
            return
        self._rounds[subject] = self._rounds.get(subject, 0) + 1
        self._eps = _rounded(eps)
        if self._eps in self._known[subject]:
            return
        path, run = subject
        options = replace(run.options, threat=replace(run.options.threat, eps=self._eps), with_pictures=self._is_small)
        self._run(
            replace(run, paths=(path,), options=options),
            news=self.on_rows,
            finished=self.on_finished,
            failed=self.on_failed,
        )
        self.changed.emit()

    def on_rows(self, event: RowsReady) -> None:
        """Keep the rows of the budget that was tried."""
        rows = tuple(row for row in event.rows if isinstance(row, PictureRow))
        if rows and self._subject is not None:
            self._known[self._subject][self._eps] = rows

    def on_finished(self) -> None:
        """Emit `changed`, and try the next budget as long as somebody looks."""
        self.changed.emit()
        if self._is_wanted:
            self.on_idle()

    def on_failed(self, failure: Failure) -> None:
        """Keep why the look failed, and emit `changed`."""
        if self._subject is not None:
            self._failed[self._subject] = failure
        self.changed.emit()

    def on_answers(self, found: StoredAnswers) -> None:
        """Take what the store knows of a picture shown before or now."""
        rows = self._stored.get(found.store_key)
        like = self._row_of(found.store_key)
        if rows is None or like is None:
            return
        rows |= {one.eps: _answered(like, one) for one in found.answers if one.eps > 0}
        self.changed.emit()

    def on_pictures(self, found: StoredPictures) -> None:
        """Take the large pictures of one budget."""
        row = next((rows[found.eps] for rows in map(self._rows, "ab") if self._is_of(rows.get(found.eps), found)), None)
        if row is not None and found.pictures is not None:
            self._stored.setdefault(found.store_key, {})[found.eps] = replace(row, pictures=found.pictures)
            self.changed.emit()

    @staticmethod
    def _is_of(row: PictureRow | None, found: StoredPictures) -> bool:
        return row is not None and row.store_key == found.store_key

    def _ask_store(self, rows: Rows) -> None:
        for row in rows:
            if row.store_key and row.store_key not in self._stored:
                self._stored[row.store_key] = {}
                self._bridge.run(StoredAnswersRequest(row.store_key), finished=self.on_answers)

    def _ask_pictures(self, row: PictureRow) -> None:
        key = (row.store_key, row.threat.eps)
        if row.pictures is None and row.store_key and key not in self._pictures_asked:
            self._pictures_asked.add(key)
            self._bridge.run(StoredPicturesRequest(*key), finished=self.on_pictures)

    def _row_of(self, key: str) -> PictureRow | None:
        rows = () if self._item is None else (self._item.row, self._item.other)
        return next((row for row in rows if row is not None and row.store_key == key), None)

    @property
    def _is_small(self) -> bool:
        row = self._item.row if self._item is not None else None
        return row is not None and (row.threat.perturb == "input" or row.width * row.height <= _LARGEST)

    def _rows(self, side: str) -> dict[float, PictureRow]:
        there = self._known.get(self._subject, {}) if self._subject is not None else {}
        place = 1 if side == "b" else 0
        rows = {eps: rows[place] for eps, rows in there.items() if place < len(rows)}
        first = next(iter(rows.values()), None)
        stored = self._stored.get(first.store_key, {}) if first is not None and first.store_key else {}
        return stored | {eps: row for eps, row in rows.items() if row.pictures is not None or eps not in stored}

    def _forget_pictures(self) -> None:
        """The large pictures of a picture that is left are not kept; its margins are, and the store is asked anew."""
        self._stored.clear()
        self._pictures_asked.clear()
        there = self._known.get(self._subject) if self._subject is not None else None
        if there is not None:
            for eps, rows in there.items():
                there[eps] = tuple(replace(row, pictures=None) for row in rows)

    def _wait(self) -> None:
        if self._is_wanted and not self._is_busy and self._subject is not None:
            self._pause.start()


def _can_be_drawn(row: PictureRow | None) -> bool:
    """True if the large pictures of a row are there, or can be asked for."""
    return row is not None and (row.pictures is not None or bool(row.store_key))


def _answered(row: PictureRow, found: StoredAnswer) -> PictureRow:
    """The row of the same question at another budget, as far as the store tells it."""
    return replace(
        row,
        attacked=found.verdict,
        success=found.success,
        threat=replace(row.threat, eps=found.eps),
        metrics=(),
        survives_png=None,
        survives_jpeg95=None,
        survives_jpeg75=None,
        survives_resize=None,
        minimal_eps=None,
        pictures=None,
    )


def _subject_of(item: Item | None) -> Subject | None:
    """A picture and the analysis that it was attacked in, whatever its budget; None where there is no budget to vary."""
    if item is None or item.row is None or item.request is None or item.failure is not None or item.pending:
        return None
    row = item.row
    if row.attacked is None or row.threat.budget or row.threat.eps <= 0:
        return None
    options = item.request.options
    return item.path, replace(item.request, options=replace(options, threat=replace(options.threat, eps=0.0), keep=""))


def _rounded(eps: float) -> float:
    """A budget that reads well: of whole hundredths of 1/255, or with four digits."""
    k = round(eps * 255, 2)
    return k / 255 if k >= 0.1 and eps <= 1 else float(f"{eps:.4g}")
