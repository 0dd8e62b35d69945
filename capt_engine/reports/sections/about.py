"""Sections on what was done: the data, the models, the attacks, what it cannot say, how to repeat it, and the words used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from capt_engine.attacks import ATTACKS
from capt_engine.data.class_lists import listing_of
from capt_engine.formatting import budget, counted, moment, norm_symbol, short
from capt_engine.formatting import memory as in_memory
from capt_engine.model.checkpoints import sentence_by
from capt_engine.model.lpips import NETS
from capt_engine.records import (
    OTHER_MODEL,
    PERTURBED,
    ROUNDINGS,
    AttackSpec,
    EvaluateRequest,
    ThreatModel,
    unknown_sentences,
)
from capt_engine.reports.document import Block, Column, Facts, Grid, Paragraph, numbers, texts
from capt_engine.reports.sections.context import ReportContext
from capt_engine.reports.sections.corruption import NOBODY
from capt_engine.runs.manifest_records import AboutPrompts, Manifest
from capt_engine.runs.request_text import variant_name
from capt_engine.runs.segments import described, segments_of, unlike

NOT_COVERED = (
    "Not covered: patches and stickers, physical changes (light, angle, printing), changes of the class names or the text, "
    "poisoned training data, and pictures from elsewhere than those measured."
)
_PERTURBED = {PERTURBED[0]: "model input", PERTURBED[1]: "original size"}
_ROUNDED = {
    ROUNDINGS[0]: "not rounded (what 8 bits do is measured beside it)",
    ROUNDINGS[1]: "rounded to 8 bits before the verdict, and the attack knows it",
}
_MACHINE = {
    "os": "Operating system",
    "processor": "Processor",
    "device": "Device",
    "device_name": "Name of the device",
    "precision": "Precision",
    "threads": "Threads",
    "driver": "Driver",
    "cudnn": "cuDNN",
    "attention": "Attention kernels",
}
_FAILED_SHOWN = 50
_SOURCES = {
    "folder": "the names of the class folders",
    "csv": "the labels of a list",
    "split file": "a split file",
    "benchmark": "the benchmark's own labels",
    "model": "the model's own clean prediction",
}


def data(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Data": the pictures of the run in `context`, their labels, and those that could not be used.

    A table lists each unusable picture with the reason; how many there are of each class stands in the section "Classes".
    """
    run, counts, names = context.run, context.counts, context.names
    request = run.request
    facts = [
        ("Data", ", ".join(names.text(place) for place in request.places)),
        ("Pictures", f"{counts.n:,}"),
        ("Could not be used", f"{len(run.summary.failed):,}"),
        ("Labels", ", ".join(_SOURCES.get(name, name) for name in counts.label_sources)),
        ("Classes", asked_about(run.manifest.classes)),
        ("SHA-256 of the list of pictures", short(run.manifest.pictures.sha256)),
        ("SHA-256 of class names and template", short(run.manifest.classes_sha256)),
        ("Template", _templates(context)),
    ]
    if isinstance(request, EvaluateRequest):
        limit = f"at most {request.limit}, evenly over the classes, drawn by seed {request.options.seed}"
        facts += [("Part", request.split or "the only one, or test"), ("Taken", limit if request.limit else "all")]
        facts += [("Shard", f"{request.shard[0]} of {request.shard[1]}")] if request.shard[1] > 1 else []
    blocks: list[Block] = [Facts(tuple(facts))]
    if not context.is_labelled:
        blocks.append(Paragraph(OWN_ANSWERS, "limit"))
    if run.summary.failed:
        rows = tuple((names.picture(one.path), names.remark(one.path, one.message)) for one in run.summary.failed)
        total = len(rows) if len(rows) > _FAILED_SHOWN else None
        blocks.append(Grid("Pictures that could not be used", texts("Picture", "Why"), rows[:_FAILED_SHOWN], total))
    return tuple(blocks)


OWN_ANSWERS = (
    "Nobody labelled these pictures: the model's own clean prediction counts as the right answer. Every accuracy here is how often the "
    "model keeps its own answer, right or wrong, and says nothing about whether that answer is true."
)


def models(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Models": the model and prompts of the run in `context`, with hashes, versions and machine."""
    run, names = context.run, context.names
    facts: list[tuple[str, str]] = [
        ("Model", names.text(run.request.options.model)),
        ("SHA-256 of its weights", run.manifest.model.sha256 or run.summary.model_sha256 or "not recorded"),
    ]
    if lpips := run.manifest.lpips:
        net = lpips.get("net", "not recorded")
        label = NETS[net].label if net in NETS else net
        sha256 = lpips.get("sha256") or "not recorded"
        facts += [("LPIPS measured with", label), ("SHA-256 of the LPIPS weights", sha256)]
    machine = asdict(run.manifest.machine)
    switches = machine.pop("deterministic")
    facts += ((name, version) for name, version in run.manifest.versions.items() if version != machine["os"])
    facts += [(f"Plug-in {one.name}", f"{one.package} {one.version}") for one in run.manifest.plugins]
    facts += [(_MACHINE.get(name, name), str(value)) for name, value in machine.items() if value]
    if memory := run.summary.memory_bytes:
        of = "the GPU" if machine["device"] == "cuda" else "the whole process"
        facts.append((f"Peak memory of {of}", f"{in_memory(memory)}"))
    if flags := ", ".join(f"{name} {value}" for name, value in switches.items()):
        facts.append(("Settings of torch", flags))
    segments = segments_of(run.manifest)
    if unlike(segments):
        facts += [("Computed in segments", described(one, segments)) for one in segments]
    blocks: list[Block] = [Facts(tuple(facts))]
    for one in run.manifest.prompts:
        if one.document:
            facts_of = _prompts_facts(names.text(one.id), one.sha256, one.document)
            blocks.append(Facts((*facts_of, ("Asked in the sentence", _sentence(one.document, _template(context))))))
    return tuple(blocks)


def _prompts_facts(name: str, sha256: str, document: AboutPrompts) -> tuple[tuple[str, str], ...]:
    settings = ", ".join(f"{key} {value}" for key, value in document.settings.items())
    n = document.figures.get("parameters")
    return (
        ("Prompts", name),
        ("SHA-256 of the file", sha256),
        ("Method", document.method),
        ("Tuned for weights", short(document.backbone.sha256)),
        ("Tuned on", tuned_on(document.classes)),
        ("Learned values", f"{n:,}" if isinstance(n, int) else "not recorded"),
        ("Fingerprint of the training pictures", short(document.data)),
        ("Settings", settings or "not recorded"),
        ("Licence", document.licence or "not stated"),
    )


def asked_about(classes: Sequence[str]) -> str:
    """Return the number of classes that answers were chosen among, with the name of a list that ships: "130 (everyday)".

    classes: their names, in order; empty where a run did not record them.
    """
    listing = listing_of(classes)
    return f"{len(classes):,}{f' ({listing})' if listing else ''}" if classes else "not recorded"


def tuned_on(classes: Sequence[str]) -> str:
    """Return words for the classes that prompts were tuned on: "10 classes", or that the file names none.

    classes: their names, empty where a file of another program does not say.
    """
    return counted(len(classes), "class", "classes") if classes else "classes that the file does not name"


def unknown_words(context: ReportContext) -> tuple[Block, ...]:
    """Return a paragraph on the words of class names and template that the model was never trained on; none where it knows all."""
    said = unknown_sentences(context.run.summary.unknown_words)
    return (Paragraph(" ".join(said), "limit"),) if said else ()


def _template(context: ReportContext) -> str:
    return context.run.manifest.template or context.run.request.options.template


def _sentence(document: AboutPrompts, template: str) -> str:
    """The sentence that some prompts were asked in; imported ones may keep their own, whatever the run's template."""
    return sentence_by(document.settings.get("sentence"), document.template, template) or "the model's own"


def _templates(context: ReportContext) -> str:
    """The run's template, and beside it the sentence of each set of prompts that keeps another."""
    template = _template(context)
    kept = [
        (one.id, sentence)
        for one in context.run.manifest.prompts
        if one.document and (sentence := _sentence(one.document, template)) != template
    ]
    if kept and len(kept) == len(context.run.manifest.prompts):
        sentences = [f"{sentence} (kept by {variant_name(context.names.text(name))})" for name, sentence in kept]
    else:
        others = [f"{variant_name(context.names.text(name))} keep their own: {sentence}" for name, sentence in kept]
        sentences = [template or "the model's own", *others]
    return "; ".join(sentences)


def attacks(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Attacks": a table of the attacks of the run in `context`, with settings, time and pictures.

    It says of how many pictures the answer was wrong already. Without an attack a sentence says so.
    """
    if context.counts.tally.is_corrupted:
        return (Paragraph(NOBODY),)
    if not context.is_attacked:
        return (Paragraph("No attack was run: only clean predictions were measured."),)
    request = context.run.request
    by_name = dict(zip(request.labels, request.all_attacks, strict=True))
    rows = tuple(
        (
            context.who(prompts),
            attack,
            one.budget or budget(eps, context.norm),
            _setting(by_name.get(attack), "loss"),
            one.steps,
            _setting(by_name.get(attack), "step_size"),
            one.restarts,
            f"{one.seconds:.1f}",
            f"{one.n - one.open} of {one.n}",
            f"{one.skipped:,}",
        )
        for (prompts, attack, eps), one in context.counts.fared.items()
    )
    columns = (
        *texts("Measured", "Attack", "Budget" if context.own else "ε", "Loss"),
        *numbers("Steps"),
        *texts("Step size"),
        *numbers("Restarts", "Seconds"),
        Column("Nothing to take", "right"),
        *numbers("Left out"),
    )
    return (
        Grid("Attacks and their settings", columns, rows),
        Paragraph(
            "Nothing to take: pictures whose clean answer was wrong already, or that already showed the target. They count as lost in "
            "the robust accuracy and are left out of the success rate. Left out: lost before, so this attack was not run on them. "
            "Seconds include measuring.",
            "note",
        ),
        *(Paragraph(note, "note") for note in context.names.notes(context.run.summary.notes)),
    )


def _setting(spec: AttackSpec | None, name: str) -> str:
    if spec is None or spec.name not in ATTACKS.names():
        return "–"
    value = dict(spec.values).get(name, getattr(ATTACKS[spec.name], name, "–"))
    if name == "step_size" and isinstance(value, int | float):
        return budget(value) if value else "automatic"
    return str(value)


def not_covered(context: ReportContext) -> str:
    """Return the sentence "Not covered: …" with the threats that the run in `context` did not try."""
    done = {spec.name for spec in context.run.request.all_attacks}
    parts = [
        *(["patches and stickers"] if "patch" not in done else ["stickers made for no picture in particular"]),
        *(["turned and shifted pictures"] if context.own and "spatial" not in done else []),
        "physical changes (light, angle, printing)",
        "changes of the class names or the text",
        "poisoned training data",
    ]
    small = "changes too small to see, " if context.own or context.counts.tally.is_corrupted else ""
    return f"Not covered: {small}{', '.join(parts)}, and pictures from elsewhere than those measured."


def _done(context: ReportContext) -> str:
    cells = [cell for table in context.counts.tally.corruptions()[:1] for cell in table.cells]
    kinds, severities = len({one.kind for one in cells}), sorted({one.severity for one in cells})
    at = ", ".join(map(str, severities))
    return f"{counted(kinds, 'kind')} of common corruption at {'severities' if len(severities) > 1 else 'severity'} {at} of 5"


def threat(context: ReportContext) -> Facts:
    """Return the threat model of the run in `context` in names and values: the attacker's goal, knowledge and budget.

    For common corruptions, where nobody attacks, it says what was done to the pictures.
    """
    wanted = context.run.request.options.threat
    pixels = _PERTURBED.get(wanted.perturb, wanted.perturb)
    if context.counts.tally.is_corrupted:
        return Facts((("Goal", "none: nobody attacks"), ("What was done", _done(context)), ("Applied to", pixels)))
    aims = {
        "each": "each set of prompts was attacked on itself",
        "a": "both were shown what was computed on A",
        "b": "both were shown what was computed on B",
    }
    clipped = "" if context.own else ", clipped"
    rounded = _ROUNDED.get(wanted.rounding, wanted.rounding)
    kinds = sorted({one.knowledge for one in context.counts.fared.values() if one.knowledge}) or [wanted.knowledge]
    options = context.run.request.options
    if options.source_model:
        on = context.names.text(options.source_model)
        knows = f"every attack was computed on {variant_name(OTHER_MODEL + on)} and shown to those that are asked (transfer)"
    else:
        knows = ", ".join(kinds) + (f"; {aims.get(options.aim, '')}" if len(context.prompts) == 2 else "")
    return Facts(
        (
            ("Goal", _goal(wanted)),
            ("Knowledge", knows),
            ("Budget", context.own or f"{norm_symbol(context.norm)}, ε = {context.eps_text} ({context.eps:.6g})"),
            ("Applied to", f"{pixels}, pixels in [0, 1]{clipped}; {rounded}"),
            ("Not covered", not_covered(context).removeprefix("Not covered: ")),
        )
    )


def _goal(wanted: ThreatModel) -> str:
    if wanted.target_column:
        return f"of each picture the answer whose index stands in the column “{wanted.target_column}” of the list"
    return "any wrong answer" if wanted.target is None else f"the answer “{wanted.target}”"


def limits(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Limits": a paragraph on what the figures of the run in `context` cannot say."""
    names = ", ".join(dict.fromkeys(attack for _, attack, _ in context.counts.fared)) or "none"
    within = context.own or f"{norm_symbol(context.norm)}, ε up to {context.eps_text}"
    bound = (
        f"These figures are an upper bound on robustness under the attacks listed ({names}; {within}; {context.counts.n:,} pictures): "
        "a stronger or another attack may find more."
        if context.is_attacked
        else NOBODY
        if context.counts.tally.is_corrupted
        else "No attack was run, so nothing here speaks of robustness."
    )
    text = (
        f"{bound} {not_covered(context)} "
        "Intervals say how far a share could be off by the choice of pictures alone; they say nothing about other sources of error."
    )
    return (Paragraph(text if context.is_labelled else f"{text} {OWN_ANSWERS}", "limit"),)


def repeat(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "How to repeat": the command of the run in `context`, its times and seeds, and a hash.

    The hash is the SHA-256 of its rows without times and paths.
    """
    manifest = context.run.manifest
    blocks: list[Block] = [
        Paragraph("The same run again, with every difference printed (the manifest is attached to this report):"),
        Facts((("Repeat", "capt run manifest.json"), ("The command", context.names.command(context.run)))),
        Paragraph(_repeatable(manifest), "note"),
    ]
    if context.names.redact or manifest.redacted:
        redacted = (
            "Class names and the hashes of pictures were redacted too: only the run folder's own manifest repeats the run."
            if manifest.redacted_classes
            else "Names were redacted: say where the pictures are with --data; they are found by their SHA-256."
        )
        blocks.append(Paragraph(redacted, "note"))
    started, ended = (moment(text) if text else "not recorded" for text in (manifest.started, manifest.ended))
    seeds = ", ".join(str(seed) for seed in manifest.seeds or [context.run.request.options.seed])
    blocks.append(
        Facts((("Started", started), ("Ended", ended), ("Seeds", seeds), ("SHA-256 of the rows", context.counts.marks)))
    )
    return tuple(blocks)


def _repeatable(manifest: Manifest) -> str:
    """Which of two runs of this command are the same rows: more on a CPU than on a GPU, or in bf16."""
    segments = segments_of(manifest)
    machine = manifest.machine
    if said := unlike(segments):
        return said
    if machine.device == "cpu" and machine.precision in ("", "fp32"):
        return SAME_ROWS
    where = " in ".join(filter(None, (machine.device_name or machine.device, machine.precision)))
    return f"{SAME_DRAWS} This run was computed on {where}." if where else SAME_DRAWS


SAME_ROWS = (
    "On the same kind of CPU, in fp32 and with the same versions, the command gives the same rows bit for bit; where torch multiplies with "
    "Intel's MKL, in any batch. On a GPU or in bf16 it need not."
)
SAME_DRAWS = (
    "The draws are the same on every device. The rows need not be: on a GPU, or in bf16, the last bits of a logit depend on the batch and "
    "on the kernels chosen, and an attack can make another picture of that."
)


GLOSSARY = (
    ("Accuracy", "The share of pictures that were answered with their label."),
    (
        "Cumulative accuracy",
        "The share of all pictures that are right under this attack and under all attacks before it.",
    ),
    (
        "Robust accuracy",
        "The share that is still right under every attack of a budget: the worst case picture by picture.",
    ),
    ("ε (budget)", "How far an attack may change a picture; 4/255 means four of 255 brightness steps for every value."),
    ("L∞, L2", "How a change is measured: by its largest value, or by its length over all values."),
    ("White-box", "The attacker knows the model and follows its gradient."),
    ("Restart", "The attack begins again from another random point, and the best try counts."),
    ("Success rate", "Of the pictures with a right answer, the share whose answer the attack took."),
    ("Margin", "The label's logit minus the best other one; below zero the label has lost."),
    ("Margin shift", "By how much an attack changed the margin; the lower, the more it took."),
    (
        "Interval",
        "A Wilson 95 % interval: where the share would lie for endlessly many such pictures, with 95 % confidence.",
    ),
    (
        "McNemar's test",
        "Whether two models, asked about the same pictures, disagree more often in one direction than chance would.",
    ),
    ("ECE", "Expected calibration error: how far confidence and accuracy lie apart on average."),
    ("Survives saving", "The attacked picture still fools the model after it was saved to a file and read again."),
    ("SHA-256", "A fingerprint of a file: two files with the same one are the same."),
)


def glossary(context: object) -> tuple[Block, ...]:
    """Return the section "Glossary": one sentence for each term, the same for every report; `context` is not used."""
    del context
    return (Facts(GLOSSARY),)
