"""The segments of a run: the parts that were computed in one go, and whether all were computed on the same device and precision."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from capt_engine.runs.manifest_records import Machine, Manifest, Segment

DIFFER = (
    "Devices, precisions and versions round differently, and an attack can make another picture of that: whoever repeats the run on one of "
    "them need not get the same rows."
)


def segments_of(manifest: Manifest, shard: str = "") -> tuple[Segment, ...]:
    """Return the segments of a run; one where it was never gone on with, or an older version did not write them.

    shard: "i/N" for the segments of a part of a run; those of a merged run have theirs already.
    """
    found = manifest.segments or (Segment(manifest.started, 0, "", manifest.machine, manifest.versions),)
    return tuple(dataclasses.replace(one, shard=one.shard or shard) for one in found)


def continued(began: Manifest, now: Manifest, rows: int) -> list[dict[str, object]]:
    """Return the segments, as plain JSON values, of a run that began with `began` and is gone on with as `now`.

    rows: the number of rows that are there already; a segment that added none is left out.
    """
    kept = [one for one in segments_of(began) if one.first_row < rows]
    return as_plain([*kept, Segment(now.started, rows, "", now.machine, now.versions)])


def as_plain(segments: Sequence[Segment]) -> list[dict[str, object]]:
    """Return `segments` as the plain JSON values that stand in a manifest."""
    return [dataclasses.asdict(one) for one in segments]


def unlike(segments: Sequence[Segment]) -> str:
    """Return sentences that say which segments were computed on what; "" where all were computed alike."""
    if len({_place(one) for one in segments}) < 2:
        return ""
    return f"Not all rows were computed alike: {'; '.join(described(one, segments) for one in segments)}. {DIFFER}"


def devices(segments: Sequence[Segment]) -> str:
    """Return the kinds of devices that `segments` were computed on, each once, as in "cpu, cuda"."""
    return ", ".join(dict.fromkeys(one.machine.device for one in segments if one.machine.device))


def described(one: Segment, among: Sequence[Segment]) -> str:
    """Return a segment in words: which rows it has, and where they were computed, such as "part 1/2: cpu, fp32, torch 2.9.1".

    among: all segments of the run; rows are named where a run or a part has several.
    """
    where = [f"part {one.shard}"] if one.shard else []
    if sum(other.shard == one.shard for other in among) > 1:
        where.append(f"rows from {one.first_row + 1:,}")
    device, name, precision, torch = _place(one)
    what = ", ".join(filter(None, (f"{device} ({name})" if name else device, precision, torch)))
    return f"{', '.join(where)}: {what}" if where else what


def _place(one: Segment) -> tuple[str, str, str, str]:
    """Return all that rounding depends on: the kind of device, its name, the precision, torch."""
    machine: Machine = one.machine
    torch = one.versions.get("torch", "")
    name = machine.device_name or (machine.processor if machine.device in ("", "cpu") else "")
    return machine.device or "not recorded", name, machine.precision, f"torch {torch}" if torch else ""
