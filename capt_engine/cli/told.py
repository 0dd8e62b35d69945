"""What a terminal says of rows and summaries, in words or as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from capt_engine.records import AnalyzeResult, FailedPicture, PairedTest, PictureRow, ThreatModel


def print_json(event: str, value: dict[str, object]) -> None:
    """One JSON object on a line of its own."""
    print(json.dumps({"event": event, **value}, allow_nan=False))


def print_row(row: PictureRow | FailedPicture, *, as_json: bool) -> None:
    """One picture's outcome."""
    from capt_engine.reports.table import cells

    if as_json and isinstance(row, FailedPicture):
        print_json("failure", {"path": row.path, "message": row.message, "hint": row.hint})
    elif as_json:
        assert isinstance(row, PictureRow)
        print_json("row", dict(cells(row)))
    elif isinstance(row, FailedPicture):
        print(f"{_shown(row.path)}: {row.message} {row.hint}".rstrip())
    else:
        print(_line(row))


def closing(result: AnalyzeResult, run_dir: str | None) -> str:
    """The summary in sentences."""
    labelled = result.label_source != "model"
    lines = [
        f"{result.n} pictures, {result.n_failed} not usable, {result.wall_s:.1f} s on {result.device}, model {result.model}."
    ]
    compared = result.compared.other if result.compared else None
    for name, one in (("A", result), ("B", compared)) if compared else (("", result),):
        if one is not None:
            lines += _sentences(one, f"{name} ({_name(one.prompts)}): " if name else "", labelled=labelled)
    if result.compared is not None:
        tests = (("clean", result.compared.clean), ("attacked", result.compared.robust))
        lines += [_paired(words, test) for words, test in tests if test is not None]
    if result.robust_accuracy is not None:
        lines.append(
            "Robust accuracy is an upper bound: another attack may find more."
            if labelled
            else "There are no labels: this is agreement with the model's own clean prediction, an upper bound under this attack."
        )
    if run_dir:
        lines.append(f"Rows, summary and attacked pictures: {run_dir}")
    return "\n".join(lines)


def percent(share: float | None, interval: tuple[float, float] | None) -> str:
    """A share with its interval."""
    if share is None or interval is None:
        return "not measured"
    return f"{share:.1%} (95 % interval {interval[0]:.1%} to {interval[1]:.1%})"


def eps_text(threat: ThreatModel, eps: float | None = None) -> str:
    """A budget as people write it."""
    value = threat.eps if eps is None else eps
    return f"{value * 255:g}/255" if threat.norm == "linf" else f"{value:g}"


def _sentences(result: AnalyzeResult, who: str, *, labelled: bool) -> list[str]:
    lines = []
    if labelled:
        lines.append(f"{who}{percent(result.clean_accuracy, result.clean_interval)} right when clean.")
    if result.robust_accuracy is not None:
        threat = result.threat_model
        names = ", ".join(attack.name for attack in result.attacks)
        verb = "right" if labelled else "keep the model's own answer"
        lines.append(
            f"{who}{percent(result.robust_accuracy, result.robust_interval)} {verb} under {names} "
            f"({threat.norm}, ε = {eps_text(threat)}, {threat.goal}, {threat.knowledge})."
        )
        for point in result.curve:
            share = percent(point.robust_accuracy, (point.low, point.high))
            lines.append(f"    ε = {eps_text(threat, point.eps)}: {share}")
    return lines


def _paired(words: str, test: PairedTest) -> str:
    return (
        f"B minus A, {words}: {test.difference * 100:+.1f} points (95 % interval {test.low * 100:+.1f} to {test.high * 100:+.1f}); "
        f"only B right {test.only_b}, only A right {test.only_a} of {test.n}; McNemar's exact p = {test.p_value:.2g}."
    )


def _name(prompts: str) -> str:
    """Prompts by their name, without the folders a file lies in."""
    return _shown(Path(prompts).stem if prompts.endswith(".safetensors") else prompts)


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _line(row: PictureRow) -> str:
    best = row.clean.winner
    text = f"{_shown(row.path)}: {row.classes[best]} {row.clean.probabilities[best]:.0%}"
    if row.label_source != "model" and row.classes[best] != row.label:
        text += f" (wrong: {row.label})"
    if row.prompt_id != "none" or row.aimed_at not in ("", row.prompt_id):
        text = f"[{_name(row.prompt_id)}] {text}"
    if row.attacked is None:
        return text
    after = row.attacked.winner
    verdict = "held" if row.success is False else "fooled" if row.success else "was wrong before"
    if row.success and not row.survives_png:
        verdict += ", but not after saving as PNG"
    elif row.success and not row.survives_jpeg95:
        verdict += ", but not after saving as JPEG 95"
    return f"{text} → {row.classes[after]} {row.attacked.probabilities[after]:.0%}  ({verdict})"
