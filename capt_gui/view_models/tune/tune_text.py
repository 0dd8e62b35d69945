"""The words of the tuning wizard: durations, sizes, attacks, the verdict of a run, and what to try when it did not help."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from capt_engine.formatting import budget
from capt_engine.formatting import memory as in_memory
from capt_engine.records import AnalyzeResult, DeviceInfo, PairedTest, TuneForecast
from capt_gui.view_models import formatting


def machine(device: DeviceInfo) -> str:
    """The device as the status bar names it."""
    return formatting.memory(device)


def duration(seconds: float) -> str:
    """Return "about 40 seconds", "about 12 minutes", "about 3.5 hours"."""
    if seconds < 1:
        return _tr("less than a second")
    if seconds < 90:
        return _tr("about {} seconds").format(max(round(seconds), 2))
    if seconds < 5400:
        return _tr("about {} minutes").format(max(round(seconds / 60), 2))
    return _tr("about {} hours").format(f"{seconds / 3600:.1f}")


def size(n_bytes: int) -> str:
    """Return "610 MiB", "2.9 GiB"."""
    return in_memory(n_bytes)


def forecast(found: TuneForecast) -> str:
    """Return "About 12 minutes, 640 MB of memory"."""
    text = duration(found.seconds)
    return _tr("{}, {} of memory").format(text[:1].upper() + text[1:], size(found.memory_bytes))


def forecast_details(found: TuneForecast, where: str) -> str:
    """The device, the number of steps, and how many numbers are learned."""
    return " · ".join(
        part
        for part in (
            where,
            _tr("{} steps of {} pictures").format(f"{found.steps:,}", found.batch_size),
            _tr("{} learned numbers").format(f"{found.parameters:,}"),
            _tr("measured by a dry run"),
        )
        if part
    )


def attack(eps: float, steps: int | None, step_size: float | None = None) -> str:
    """Return "PGD, 3 steps within ε = 1/255"."""
    if eps <= 0:
        return _tr("none (ε = 0)")
    count = "" if steps is None else _tr("{} steps ").format(steps) if steps != 1 else _tr("1 step ")
    text = _tr("PGD, {}within ε = {}").format(count, budget(eps, "linf"))
    if step_size:
        text += _tr(", {} each").format(budget(step_size, "linf"))
    return text


def headline(result: AnalyzeResult) -> tuple[str, str]:
    """The verdict in words, then the figures it rests on."""
    compared = result.compared
    if compared is None:
        return _tr("There is nothing to compare with."), ""
    robust, clean = formatting.effect(compared.robust), formatting.effect(compared.clean)
    return _verdict(robust, clean, result.n), _figures(result, compared.other)


def _verdict(robust: str, clean: str, n: int) -> str:
    if robust == "better" and clean == "worse":
        return _tr("It helped against attacks, and cost clean accuracy.")
    if robust == "better" and clean == "better":
        return _tr("It helped: more pictures are right, clean and under attack.")
    if robust == "better":
        return _tr("It helped: more pictures hold under attack.")
    if robust == "worse":
        return _tr("It did not help: fewer pictures hold under attack than before.")
    if clean == "better":
        return _tr("It helped on clean pictures; under attack no difference can be told.")
    if clean == "worse":
        return _tr("It did not help: clean accuracy fell, and under attack no difference can be told.")
    return _tr("No difference can be told from {} pictures.").format(n)


def _figures(before: AnalyzeResult, after: AnalyzeResult) -> str:
    eps = formatting.threat(before.threat_model)
    parts = []
    if before.robust_accuracy is not None:
        parts.append(
            _tr("Under attack at {}: {} of {} pictures held; plain text kept {}.").format(
                eps,
                formatting.share(after.robust_accuracy, after.robust_interval),
                before.n,
                formatting.share(before.robust_accuracy, before.robust_interval),
            )
        )
    if before.clean_accuracy is not None:
        parts.append(
            _tr("Clean: {} right; plain text {}.").format(
                formatting.share(after.clean_accuracy, after.clean_interval),
                formatting.share(before.clean_accuracy, before.clean_interval),
            )
        )
    return " ".join(parts)


def paired(test: PairedTest | None, what: str) -> str:
    """A paired test as a sentence; `what` begins it ("Under attack")."""
    return formatting.paired(test, what, _tr("with plain text"), _tr("with the tuned prompts"))


def advice(result: AnalyzeResult, shots: int | None) -> tuple[str, ...]:
    """Advice where it did not help, the likeliest first; none where it did. shots: training pictures of each class, None for all."""
    compared = result.compared
    if compared is None:
        return ()
    robust, clean = formatting.effect(compared.robust), formatting.effect(compared.clean)
    if robust == "better" and clean != "worse":
        return ()
    tips = []
    if robust == "better" and clean == "worse":
        tips.append(_tr("A smaller training budget ε (Expert, step 3) gives up less clean accuracy."))
        return tuple(tips)
    if result.n < 100:
        tips.append(
            _tr("Give the test more pictures: with {} of them only large differences can be told.").format(result.n)
        )
    floor = _near_zero(result, compared.other)
    if floor:
        tips.append(
            _tr(
                "Nearly nothing holds at this budget, before or after: prompts alone move little there. Measure at a smaller ε, or tune"
            )
            + " "
            + _tr("a model that was trained to be robust.")
        )
    if shots is not None:
        text = _tr("More pictures per class than {} (step 2), if there are: prompts that saw more are steadier.")
        tips.append(text.format(shots))
    tips.append(_tr("More epochs, or the next larger preset (step 3)."))
    if robust == "worse":
        tips.append(_tr("A lower learning rate, or a larger λ, which holds the prompts closer to the original model."))
    return tuple(tips)


def _near_zero(before: AnalyzeResult, after: AnalyzeResult) -> bool:
    values = (before.robust_accuracy, after.robust_accuracy)
    return all(value is not None and value < 0.03 for value in values)


def _tr(text: str) -> str:
    return QCoreApplication.translate("tuning", text)
