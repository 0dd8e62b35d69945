"""Jobs in plain sentences: what a request asks for, as the list of jobs says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from capt_engine import records as r
from capt_gui.translate import spoken, tr


def sentence(request: r.Request, attack_label: Callable[[str], str]) -> str:
    """Return what `request` asks for in a few words, such as "Analyse 12 pictures with PGD".

    attack_label: gives the label of an attack by its name. A request of another kind is told by the name of its class.
    """
    match request:
        case r.AnalyzeRequest(paths=paths, attack=attack):
            subject = _pictures(paths)
            if attack is None:
                return tr("Analyse {}, clean only").format(subject)
            return tr("Analyse {} with {}").format(subject, attack_label(attack.name))
        case r.EvaluateRequest():
            return _evaluation(request, attack_label)
        case r.CompareRequest():
            return tr("Rank variants on the same pictures")
        case r.TuneRequest(data=data):
            return tr("Tune on “{}”").format(_name(data))
        case r.ForecastRequest():
            return tr("Try three steps of tuning")
        case r.SaveTunedRequest(name=name):
            return tr("Save the tuned prompts “{}”").format(name)
        case r.ScanRequest(data=data):
            return tr("Look through “{}”").format(_name(data[0]) if data else "")
        case r.PreviewRequest(paths=paths):
            return tr("Look for pictures in {}").format(_pictures(paths))
        case r.ReportRequest(preview=True):
            return tr("Draw the pages of the report")
        case r.ReportRequest(out=out):
            return tr("Write {}").format(_name(out))
        case r.DownloadRequest(model=model):
            return tr("Download {}").format(model)
        case r.ImportModelRequest():
            return tr("Import a model")
        case r.ImportPromptsRequest():
            return tr("Import prompts")
        case r.VerifyRequest(name=name):
            return tr("Verify {}").format(name)
        case r.RemoveRequest(name=name):
            return tr("Remove {}").format(name)
        case r.PutBackRequest(name=name):
            return tr("Put {} back").format(name)
        case r.SaliencyRequest():
            return tr("Look at what the answer rests on")
        case r.ReplayRequest():
            return tr("Replay an attack step by step")
        case r.ToyWorldRequest():
            return tr("Draw pictures of the toy world")
        case r.SanityRequest(model=model):
            return tr("Try {} on a few pictures").format(model)
    return type(request).__name__


def _evaluation(request: r.EvaluateRequest, attack_label: Callable[[str], str]) -> str:
    suite = next((spoken(one.label) for one in r.SUITES if one.name == request.suite), "")
    tests = suite or ", ".join(attack_label(one.name) for one in request.attacks)
    if not tests:
        return tr("Evaluate “{}”, clean only").format(_name(request.data))
    return tr("Evaluate “{}” with {}").format(_name(request.data), tests)


def _pictures(paths: tuple[str, ...]) -> str:
    if len(paths) == 1:
        return _name(paths[0])
    return tr("{} pictures").format(f"{len(paths):,}")


def _name(path: str) -> str:
    return PurePath(path).name or path
