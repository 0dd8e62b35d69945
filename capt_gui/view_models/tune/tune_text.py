"""The words of the tuning wizard: durations, sizes, attacks, the verdict of a run, and what to try when it did not help."""

from __future__ import annotations

from capt_engine.formatting import budget, measured_budget, memory
from capt_engine.records import AnalyzeResult, TuneForecast
from capt_gui.translate import tr
from capt_gui.view_models import formatting


def duration(seconds: float) -> str:
    """Return a time in words: "less than a second", "about 40 seconds", "about 12 minutes", "about 3.5 hours"."""
    if seconds < 1:
        return tr("less than a second")
    if seconds < 90:
        return tr("about {} seconds").format(max(round(seconds), 2))
    if seconds < 5400:
        return tr("about {} minutes").format(max(round(seconds / 60), 2))
    return tr("about {} hours").format(f"{seconds / 3600:.1f}")


def forecast(found: TuneForecast, test_s: float = 0.0) -> str:
    """Return the forecast time and peak memory of a tuning run, as "About 12 minutes, 640 MiB of memory".

    test_s: seconds of the test that follows, told behind them: "About 12 minutes, then about 3 minutes of tests, …".
    """
    text = duration(found.seconds)
    whole = text[:1].upper() + text[1:]
    if test_s >= 1:
        return tr("{}, then {} of tests, {} of memory").format(whole, duration(test_s), memory(found.memory_bytes))
    return tr("{}, {} of memory").format(whole, memory(found.memory_bytes))


def forecast_details(found: TuneForecast, where: str) -> str:
    """Return the details of a forecast: device, steps, batch size, and how many numbers are learned.

    where: the device in words, left out if "".
    """
    steps = tr("{:,} steps of {} pictures").format(found.steps, found.batch_size)
    learned = tr("{:,} learned numbers").format(found.parameters)
    return " · ".join((*([where] if where else []), steps, learned, tr("measured by a dry run")))


def attack(eps: float, steps: int | None, step_size: float | None = None) -> str:
    """Return "PGD, 3 steps within ε = 1/255" for an attack under L∞; "none (ε = 0)" for a budget of 0.

    eps, step_size: in pixel units [0, 1]. Steps and step size are left out if None.
    """
    if eps <= 0:
        return tr("none (ε = 0)")
    count = "" if steps is None else tr("{} steps ").format(steps) if steps != 1 else tr("1 step ")
    text = tr("PGD, {}within ε = {}").format(count, budget(eps, "linf"))
    if step_size:
        text += tr(", {} each").format(measured_budget(step_size))
    return text


def headline(result: AnalyzeResult) -> tuple[str, str]:
    """Return the verdict on the tuned prompts in words, and the figures that it rests on.

    result: the template alone (A) compared with the tuned prompts (B); without a comparison the figures are empty.
    """
    compared = result.compared
    if compared is None:
        return tr("There is nothing to compare with."), ""
    robust, clean = formatting.effect(compared.robust), formatting.effect(compared.clean)
    return _verdict(robust, clean, result.n), _figures(result, compared.other)


def _verdict(robust: str, clean: str, n: int) -> str:
    if robust == "better" and clean == "worse":
        return tr("It helped against attacks, and cost clean accuracy.")
    if robust == "better" and clean == "better":
        return tr("It helped: more pictures are right, clean and under attack.")
    if robust == "better":
        return tr("It helped: more pictures hold under attack.")
    if robust == "worse":
        return tr("It did not help: fewer pictures hold under attack than before.")
    if clean == "better":
        return tr("It helped on clean pictures; under attack no difference can be told.")
    if clean == "worse":
        return tr("It did not help: clean accuracy fell, and under attack no difference can be told.")
    return tr("No difference can be told from {} pictures.").format(n)


def _figures(before: AnalyzeResult, after: AnalyzeResult) -> str:
    parts = []
    if before.robust_accuracy is not None:
        kept = formatting.share(after.robust_accuracy, after.robust_interval)
        kept_before = formatting.share(before.robust_accuracy, before.robust_interval)
        text = tr("Under attack at {}: {} of {} pictures held; plain text kept {}.")
        parts.append(text.format(formatting.threat(before.threat_model), kept, before.n, kept_before))
    if before.clean_accuracy is not None:
        right = formatting.share(after.clean_accuracy, after.clean_interval)
        right_before = formatting.share(before.clean_accuracy, before.clean_interval)
        parts.append(tr("Clean: {} right; plain text {}.").format(right, right_before))
    return " ".join(parts)


def advice(result: AnalyzeResult, shots: int | None) -> tuple[str, ...]:
    """Return sentences with what to try next if tuning did not help, or cost clean accuracy; the likeliest first.

    Empty if it helped under attack at no such cost. result: the template alone compared with the tuned prompts. shots:
    training pictures of each class, None for all.
    """
    compared = result.compared
    if compared is None:
        return ()
    robust, clean = formatting.effect(compared.robust), formatting.effect(compared.clean)
    if robust == "better" and clean != "worse":
        return ()
    if robust == "better" and clean == "worse":
        return (tr("A smaller training budget ε (Expert, step 3) gives up less clean accuracy."),)
    tips = []
    if result.n < 100:
        text = tr("Give the test more pictures: with {} of them only large differences can be told.")
        tips.append(text.format(result.n))
    if all(value is not None and value < 0.03 for value in (result.robust_accuracy, compared.other.robust_accuracy)):
        text = tr("Nearly nothing holds at this budget, before or after: prompts alone move little there. {}")
        tips.append(text.format(tr("Measure at a smaller ε, or tune a model that was trained to be robust.")))
    if shots is not None:
        text = tr("More pictures per class than {} (step 2), if there are: prompts that saw more are steadier.")
        tips.append(text.format(shots))
    tips.append(tr("More epochs, or the next larger preset (step 3)."))
    if robust == "worse":
        tips.append(tr("A lower learning rate, or a larger λ, which holds the prompts closer to the original model."))
    return tuple(tips)
