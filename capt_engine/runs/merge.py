"""The parts of one run, computed apart, as one run folder."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from capt_engine.checks.from_rows import checked, rows_first
from capt_engine.errors import BadRequest
from capt_engine.files import copy, new_folder, write_atomic
from capt_engine.metrics.tally import Tally
from capt_engine.records import AnalyzeResult, EvaluateRequest, MinimalEps
from capt_engine.runs import fooled_pictures, kept_pictures, reader
from capt_engine.runs.command_line import command_of
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.manifest import FORMAT, as_json
from capt_engine.runs.manifest_records import Segment
from capt_engine.runs.reader import ATTACKED, EXAMPLES, MANIFEST, ROWS
from capt_engine.runs.run_folder import close_run, refuse_unless_free
from capt_engine.runs.segments import as_plain, devices, segments_of, unlike
from capt_engine.runs.table import csv_writer, summary, trial

# What may differ between the parts of one run.
_FREE = (
    "shard", "keep", "resume", "skip", "batch_size", "with_pictures", "checks", "device", "precision",
    "deterministic", "keep_pictures",
)  # fmt: skip
_SAME = ("model", "source_model", "prompts_sha256", "lpips", "classes_sha256", "label_source", "plugins")


def merge(folders: Sequence[Path], out: Path) -> AnalyzeResult:
    """Join the finished shards (parts of one evaluation) in `folders` into a new run folder `out`.

    Return the result counted over all of them. Raises BadRequest where the folders are not each part of one run exactly
    once, or `out` is not new or empty; CannotWrite where the disk refuses. The parts stay as they are, and a failure
    leaves nothing behind.
    """
    runs = [FinishedRun.of(folder) for folder in folders]
    first = _whole(runs)
    refuse_unless_free(out, resume=False)
    options = dataclasses.replace(first.options, keep=str(out), resume=False)
    request = dataclasses.replace(first, shard=(1, 1), skip=(), options=options)
    # In the order of the parts, which take turns.
    runs.sort(key=lambda run: _shard(run)[0])
    manifest = {
        **runs[0].manifest.as_written,
        "format": FORMAT,
        "request": dataclasses.asdict(request),
        "command": command_of(request),
        "segments": as_plain(_segments(runs)),
        "started": min(run.manifest.started for run in runs),
        "ended": "",
    }
    with new_folder(out) as folder:
        (folder / ATTACKED).mkdir()
        write_atomic(folder / MANIFEST, as_json(manifest))
        with (folder / ROWS).open("w", newline="", encoding="utf-8") as file:
            writer = csv_writer(file, header=True)
            for lines in itertools.chain.from_iterable(itertools.zip_longest(*map(_pictures, runs), fillvalue=())):
                writer.writerows(lines)
        _copy_pictures(runs, folder)
        result = _counted(runs, request)
        failed = [dataclasses.asdict(one) for run in runs for one in run.summary.failed]
        close_run(folder, {**summary(result, request.options.seed, str(out)), "failed": failed})
    return result


def _whole(runs: Sequence[FinishedRun]) -> EvaluateRequest:
    first = runs[0]
    if len(runs) < 2:
        raise BadRequest("One run alone needs no merging.", "Name all the parts that --shard i/N made.")
    for run in runs:
        if not isinstance(run.request, EvaluateRequest):
            raise BadRequest(f"{str(run.folder)!r} is an analysis, which has no parts.", "Name runs of capt evaluate.")
        old = first.request.settings
        for name, value in run.request.settings.items():
            if name not in _FREE and value != old[name]:
                raise BadRequest(
                    f"{str(run.folder)!r} was made with another {name.replace('_', ' ')} than {str(first.folder)!r}: "
                    f"{value!r}, not {old[name]!r}.",
                    "Only parts of the same evaluation can be joined.",
                )
        if _versions(run) != _versions(first) or any(
            getattr(run.manifest, name) != getattr(first.manifest, name) for name in _SAME
        ):
            raise BadRequest(
                f"{str(run.folder)!r} was made by other weights, prompts, classes, versions or plug-ins than {str(first.folder)!r}.",
                "Only parts of the same evaluation can be joined.",
            )
    parts = [_shard(run) for run in runs]
    # As many as there are, never as many as a file says: that may be any number.
    if sorted(parts) != [(i, len(parts)) for i in range(1, len(parts) + 1)]:
        there = ", ".join(f"{i}/{n}" for i, n in parts)
        raise BadRequest(f"The parts {there} do not make up one run.", "Name each part i/N once, from 1/N to N/N.")
    assert isinstance(first.request, EvaluateRequest)
    return first.request


def _versions(run: FinishedRun) -> dict[str, str]:
    """The versions of a part, without the system it ran on: that is said, as its device is, and no reason to refuse it."""
    return {name: version for name, version in run.manifest.versions.items() if name != "platform"}


def _segments(runs: Sequence[FinishedRun]) -> list[Segment]:
    return [one for run in runs for one in segments_of(run.manifest, "/".join(map(str, _shard(run))))]


def _shard(run: FinishedRun) -> tuple[int, int]:
    assert isinstance(run.request, EvaluateRequest)
    return run.request.shard


def _pictures(run: FinishedRun) -> Iterator[list[dict[str, str]]]:
    return (list(lines) for _, lines in itertools.groupby(run.lines(), key=lambda line: line["path"]))


def _copy_pictures(runs: Sequence[FinishedRun], out: Path) -> None:
    kept = kept_pictures.chosen_of(one for run in runs for one in kept_pictures.read(run.folder))
    if kept:
        for name, run in itertools.product(sorted(kept_pictures.files_of(kept)), runs):
            if (picture := reader.example(run.folder, name)) is not None:
                copy(picture, out / EXAMPLES / name)
        kept_pictures.write(out, kept)
    fooled = [(i, file) for i, run in enumerate(runs, 1) for file in reader.attacked(run.folder)]
    options = runs[0].request.options
    wanted = fooled_pictures.chosen_of((file for _, file in fooled), options.keep_pictures, options.seed)
    for i, file in fooled:
        if file in wanted:
            copy(file, out / ATTACKED / f"{i}_{file.name}")


def _counted(runs: Sequence[FinishedRun], request: EvaluateRequest) -> AnalyzeResult:
    """The figures of all rows; times are added up, as on one machine, and of memory the most counts."""
    first, threat = runs[0].summary, request.options.threat
    segments = _segments(runs)
    # A part that was gone on with elsewhere has said so of its own rows.
    said = {"", *(unlike(segments_of(run.manifest)) for run in runs)}
    notes = [note for run in runs for note in run.summary.notes if note not in said]
    wall_s = sum(run.summary.wall_s for run in runs)
    n = sum(run.summary.n for run in runs)
    blank = AnalyzeResult(
        n=n,
        n_failed=sum(run.summary.n_failed for run in runs),
        label_source=first.label_source,
        clean_accuracy=None,
        clean_interval=None,
        robust_accuracy=None,
        robust_interval=None,
        attacks=(),
        consistency=(),
        # A request cannot say what the attacker knew.
        threat_model=dataclasses.replace(threat, eps=request.headline, knowledge=first.threat_model.knowledge),
        model=first.model,
        prompts=first.prompts,
        device=devices(segments) or first.device,
        wall_s=wall_s,
        images_per_s=n / wall_s if wall_s else 0.0,
        model_sha256=first.model_sha256,
        prompts_sha256=first.prompts_sha256,
        suite=request.suite,
        classes=len(runs[0].manifest.classes),
        text_drift=first.text_drift,
        notes=tuple(dict.fromkeys([*notes, *filter(None, [unlike(segments)])])),
        unknown_words=first.unknown_words,
        memory_bytes=max(run.summary.memory_bytes for run in runs),
        minimal_eps=MinimalEps(0, 0, None, None, None, request.minimal_eps) if request.minimal_eps else None,
    )
    tally = Tally(trial(line) for run in runs for line in run.lines())
    result = checked(tally, tally.scored(blank, request.options.compare))
    # What each part asked the model again: one failure anywhere is a failure of the whole.
    return dataclasses.replace(result, checks=rows_first(result.checks, *(run.summary.checks for run in runs)))
