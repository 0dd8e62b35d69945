"""Two runs of one request: every difference between them, in sentences. Times are no difference, nor is where a file lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from capt_engine.data.products import is_left_out
from capt_engine.runs import old_names
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.manifest_records import Manifest, Summary
from capt_engine.runs.segments import segments_of, unlike

_TIMES = ("wall_s", "images_per_s", "run_dir", "seconds", "memory_bytes")
_PLACES = ("model", "prompts", "failed")
# Made on some pictures only, which are others in a run that was done in parts; what the rows say is compared by the rows.
_SAMPLED = ("checks",)
# Of no result, or said elsewhere: by their SHA-256, or by which of A and B they are.
_NOT_COMPARED = ("time_s", "path", "model_id", "prompt_id", "aimed_at")


def differences(
    manifest: Manifest, summary: Summary | None, rows: Iterable[Mapping[str, str]] | None, new: FinishedRun
) -> Iterator[str]:
    """Yield a sentence for each difference between an earlier run and the run `new`; none where they are equal.

    manifest, summary, rows: of the earlier run, as read from its files; a summary or rows of None are not compared.
    Times, the places of files, results that lie beside the pictures and a run's checks on itself are no difference.
    """
    now = new.manifest
    for name, nothing in (("versions", {}), ("machine", {}), ("plugins", [])):
        yield from _values(name, manifest.as_written.get(name, nothing), now.as_written.get(name, nothing))
    if said := unlike(segments_of(manifest)):
        yield f"machine: {said}"
    for name, sha256 in _hashes(manifest).items():
        if sha256 and sha256 != _hashes(now)[name] and (name != "rows" or rows is None):
            yield f"SHA-256 of the {name}: {sha256} before, {_hashes(now)[name]} now."
    if rows is not None:
        yield from _rows(rows, new)
    if summary is not None:
        known = old_names.summary(summary.as_written)
        yield from _values("summary", _timeless(known), _timeless(new.summary.as_written))
        if (before := len(summary.failed)) != len(new.summary.failed):
            yield f"Pictures that could not be used: {before} before, {len(new.summary.failed)} now."


def _hashes(of: Manifest) -> dict[str, str]:
    return {
        "model": of.model.sha256,
        "source_model": of.source_model.sha256 if of.source_model else "",
        "classes": of.classes_sha256,
        "rows": of.rows.sha256,
        "pictures": of.pictures.sha256,
        "prompts": str(of.prompts_sha256),
        # Measured with other weights, LPIPS is another number.
        "LPIPS weights": (of.lpips or {}).get("sha256", "none"),
    }


def _rows(old: Iterable[Mapping[str, str]], new: FinishedRun) -> Iterator[str]:
    now = {key: line for key, line in _keyed(new.lines())}  # noqa: C416  # a dict of a stream of pairs
    for key, line in _keyed(old):
        other = now.pop(key, None)
        where = f"{line['path']} ({line['attack'] or 'clean'}{', ε = ' + line['eps'] if line['eps'] else ''}, {line['prompt_id']})"
        if other is None:
            yield f"{where}: there is no such row now."
            continue
        for name, value in line.items():
            # A column that only an older file has repeats another one.
            if name not in _NOT_COMPARED and name in other and other[name] != value:
                yield f"{where}: {name} was {value or 'empty'}, is {other[name] or 'empty'}."
    for line in now.values():
        yield f"{line['path']}: there was no such row before."


def _keyed(lines: Iterable[Mapping[str, str]]) -> Iterator[tuple[tuple[object, ...], Mapping[str, str]]]:
    """Rows by picture, label, attack, budget and whether it is A or B; equal pictures are told apart by their order."""
    prompts: list[str] = []
    seen: dict[tuple[object, ...], int] = {}
    for line in lines:
        if line["prompt_id"] not in prompts:
            prompts.append(line["prompt_id"])
        # A label that is the model's own answer is a result.
        label = "" if line["label_source"] == "model" else line["label"]
        key = (line["sha256"], label, line["attack"], line["eps"], prompts.index(line["prompt_id"]))
        seen[key] = seen.get(key, 0) + 1
        yield (*key, seen[key]), line


def _timeless(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _timeless(one) for name, one in value.items() if name not in (*_TIMES, *_PLACES, *_SAMPLED)}
    if isinstance(value, list | tuple):
        return [_timeless(one) for one in value if not (isinstance(one, str) and is_left_out(one))]
    return value


def _values(name: str, old: object, new: object) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _values(f"{name}, {key}", old.get(key, "nothing"), new.get(key, "nothing"))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True), 1):
            yield from _values(f"{name} {i}", a, b)
    elif old != new:
        yield f"{name}: {old} before, {new} now."
