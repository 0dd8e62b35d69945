"""Engines without torch: one that does only what a test tells it, and one that acts like the real one in believable time."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import acted_closer as closer
import acted_data as data
import acted_reports as reports
import acted_tuning as tuning
import offers
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from capt_engine import records as r

SHAPES = ("sphere", "cube", "cone", "torus", "cylinder", "pyramid", "capsule", "ring", "star", "cross", "helix", "knot")
PHOTO_CLASSES = (
    "bull mastiff",
    "forklift",
    "caldron",
    "thresher",
    "jeep",
    "drum",
    "loafer",
    "prayer rug",
    "bald eagle",
)

EVERYDAY, IMAGENET = ("dog", "cat", "car"), tuple(f"class {number}" for number in range(1000))

PGD = r.AttackInfo(
    "pgd",
    "PGD",
    "Climbs the loss in small steps and stays inside the budget.",
    (
        r.ParamInfo("steps", "Steps", "int", 10, 1, 1000, help="How often the picture is changed."),
        r.ParamInfo("step_size", "Step size", "float", 1 / 255, 0.0, 64 / 255, "/255", help="How far each step goes."),
        r.ParamInfo("restarts", "Restarts", "int", 1, 1, 50, help="How often it starts anew; the worst is kept."),
        r.ParamInfo("random_start", "Random start", "bool", True, help="Begin anywhere in the ball."),
        r.ParamInfo("loss", "Loss", "choice", "ce", choices=("ce", "margin"), help="What is climbed."),
    ),
)
METRICS = (
    r.MetricInfo("agreement", "Agreement", "", 0.0, 1.0, True, "1 when both verdicts name the same class."),
    r.MetricInfo("confidence_change", "Confidence change", "", -1.0, 1.0, None, "How the winner's probability moved."),
    r.MetricInfo("margin", "Margin", "", None, None, True, "Distance of the winner's logit from the next best."),
    r.MetricInfo("js", "JS divergence", "nats", 0.0, 0.6931, False, "How different the two verdicts are."),
    r.MetricInfo("cosine", "Embedding cosine", "", -1.0, 1.0, True, "How alike the model finds both pictures."),
    r.MetricInfo("linf", "Largest change", "/255", 0.0, 1.0, None, "The largest change of any pixel value."),
    r.MetricInfo(
        "psnr", "PSNR", "dB", 0.0, None, True, "How small the change is to a meter; above 40 dB is hard to see."
    ),
    r.MetricInfo("ssim", "SSIM", "", -1.0, 1.0, True, "How alike both pictures are in structure."),
)
CATALOGUE = r.Catalogue(
    attacks=(PGD,),
    norms=(
        r.NormInfo("linf", "L∞", "Every pixel value may change by at most ε.", 4 / 255, 32 / 255),
        r.NormInfo("l2", "L2", "The whole change has at most length ε.", 0.5, 8.0),
    ),
    metrics=METRICS,
    models=(
        r.ModelInfo(
            "demo",
            "Demo CLIP (toy world)",
            "A tiny CLIP that ships with the app and works offline.",
            SHAPES,
            "a render of a {}.",
            "Demo model: knows only the toy world. Not for conclusions.",
        ),
        r.ModelInfo("photos", "ViT-B/32", "Open CLIP, 224 px.", PHOTO_CLASSES, "a photo of a {}."),
    ),
    prompts=(),
    methods=tuning.METHODS,
    presets=tuning.PRESETS,
    tuning=tuning.TUNING,
    class_lists=(
        r.ClassList("everyday", "Everyday words", "Broad words.", "3 everyday words", EVERYDAY),
        r.ClassList("imagenet", "ImageNet", "All of ImageNet.", "ImageNet's 1,000 names", IMAGENET),
    ),
)
READY = r.EngineReady(CATALOGUE, r.DeviceInfo("cpu", "CPU, 2 cores", None, "No GPU was found, so attacks take longer."))
# what the window finds once prompts have been tuned
PROMPTS = (
    r.PromptsInfo(
        "my-mugs", "Mugs, 4 shots", "Tuned here on my mugs.", "demo", "maple", ("mug", "cup", "jug"), "my {}."
    ),
    r.PromptsInfo("toy-apt", "APT, 16 shots", "Text prompts for the toy world.", "demo", "apt", SHAPES, bundled=True),
    r.PromptsInfo("toy-capt", "CAPT, 16 shots", "Prompts for the toy world.", "demo", "capt", SHAPES, bundled=True),
    r.PromptsInfo("street-capt", "Street, CAPT", "For photographs.", "photos", "capt", ("car", "bus"), bundled=True),
)
TWO_SIDES = replace(READY, catalogue=replace(CATALOGUE, prompts=PROMPTS))


class FakeEngine:
    """Notes what is asked of it; a test calls `emit` with the events that should follow."""

    def __init__(self, on_event: Callable[[r.Event], None]) -> None:
        self.emit = on_event
        self.requests: list[r.Request] = []
        self.cancelled: list[r.JobId] = []
        self.stopped: list[r.JobId] = []
        self.paused: list[r.JobId] = []
        self.resumed: list[r.JobId] = []
        self.closed = False

    def submit(self, request: r.Request) -> r.JobId:
        """Number the request."""
        self.requests.append(request)
        return r.JobId(len(self.requests))

    def cancel(self, job: r.JobId) -> None:
        """Note the wish."""
        self.cancelled.append(job)

    def stop(self, job: r.JobId) -> None:
        """Note the wish."""
        self.stopped.append(job)

    def pause(self, job: r.JobId) -> None:
        """Note the wish."""
        self.paused.append(job)

    def resume(self, job: r.JobId) -> None:
        """Note the wish."""
        self.resumed.append(job)

    def close(self, timeout_s: float = 10.0) -> bool:  # noqa: ARG002  # the door's own signature
        """Note the end."""
        self.closed = True
        return True


class ActingEngine:
    """Acts like the engine on a thread of its own: real previews, invented verdicts, noise for perturbations."""

    def __init__(
        self,
        on_event: Callable[[r.Event], None],
        *,
        pace_s: float = 0.0,
        start_s: float = 0.0,
        ready: r.EngineReady = READY,
        runs: tuple[r.KeptRun, ...] = (),
    ) -> None:
        self._emit = on_event
        self._runs, self._trash = list(runs), list[r.KeptRun]()
        # whether the tuned prompts that are evaluated here are better than plain text
        self.helps = True
        self._ready = ready
        self.pace_s = pace_s
        self._start_s = start_s
        self._work: queue.Queue[tuple[r.JobId, r.Request] | None] = queue.Queue()
        self._cancelled: set[r.JobId] = set()
        self._stopped: set[r.JobId] = set()
        self._paused: set[r.JobId] = set()
        self._count = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="acting-engine", daemon=True)
        self._thread.start()

    def submit(self, request: r.Request) -> r.JobId:
        """Queue a request."""
        self._count += 1
        self._work.put((r.JobId(self._count), request))
        return r.JobId(self._count)

    def cancel(self, job: r.JobId) -> None:
        """Stop a job at its next picture."""
        self._cancelled.add(job)

    def stop(self, job: r.JobId) -> None:
        """End a tuning run with what it has."""
        self._stopped.add(job)

    def pause(self, job: r.JobId) -> None:
        """Let a tuning run wait."""
        self._paused.add(job)

    def resume(self, job: r.JobId) -> None:
        """Let it go on."""
        self._paused.discard(job)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Stop and join."""
        self._closing = True
        self._work.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        for note in ("Loading torch", "Loading open_clip", "Loading the demo model"):
            self._emit(r.EngineNote(note))
            self._sleep(self._start_s / 3)
        self._emit(self._ready)
        while (entry := self._work.get()) is not None and not self._closing:
            job, request = entry
            if job in self._cancelled:
                self._emit(r.JobCancelled(job))
                continue
            self._emit(r.JobStarted(job))
            result = self._do(job, request)
            stopped = job in self._cancelled or self._closing
            self._emit(r.JobCancelled(job) if stopped or result is None else r.JobFinished(job, result))

    def _do(self, job: r.JobId, request: r.Request) -> r.Result | None:
        if isinstance(request, r.PreviewRequest):
            return self._preview(job, request)
        if isinstance(request, r.CheckClassesRequest):
            names = request.classes
            repeated = tuple(i for i, name in enumerate(names) if name in names[:i])
            return r.ClassesChecked(tuple(5 + len(name.split()) for name in names), 32, (), repeated)
        if isinstance(request, r.CheckWordsRequest):
            names = tuple(name for name in request.classes if "capybara" in name)
            return r.WordsChecked((r.UnknownWord("capybara", 4159, names, ("capra",)),) if names else ())
        if isinstance(request, reports.CHANGES):
            return reports.changed(self._runs, self._trash, request)
        if isinstance(request, r.ReportRequest):
            return self._report(job, request)
        if isinstance(request, r.ScanRequest):
            return self._scan(job, request)
        if isinstance(request, r.SplitRequest):
            return data.split(request)
        if isinstance(request, r.ForecastRequest):
            self._sleep(self.pace_s)
            return tuning.forecast(request.request)
        if isinstance(request, r.TuneRequest):
            return self._tune(job, request)
        if isinstance(request, r.EvaluateRequest):
            return self._evaluate(job, request)
        if isinstance(request, r.SaveTunedRequest):
            info = r.PromptsInfo("tuned-here", request.name, "Tuned here.", "demo", "capt", tuning.CLASSES, "a {}.")
            return r.TunedSaved(info, (request.folder or "tuned-here.safetensors",), tuning.COMMAND)
        if isinstance(request, r.DescribePromptsRequest):
            return r.PromptsDescribed(r.PromptsInfo(request.file, Path(request.file).stem, request.file, "demo"))
        if isinstance(request, r.ListModelsRequest):
            return offers.LISTED
        if isinstance(request, r.SaliencyRequest):
            self._sleep(self.pace_s)
            return closer.saliency(request)
        if isinstance(request, r.ReplayRequest):
            row = analyse(request.run.paths[0], request.run)
            steps = closer.steps(request, row.pictures if isinstance(row, r.PictureRow) else None)
            self._emit(r.ReplayStepsReady(job, steps))
            return r.ReplayResult(len(steps), len(steps) - 1)
        assert isinstance(request, r.AnalyzeRequest)
        result = self._analyze(job, request)
        if request.options.keep and result is not None:
            self._runs.insert(0, reports.kept_analysis(request))
        return result

    def _scan(self, job: r.JobId, request: r.ScanRequest) -> r.ScanResult | None:
        result = data.scan(request)
        for number in range(result.listed):
            self._emit(r.JobProgress(job, number, result.listed, "Reading pictures", None))
            self._sleep(self.pace_s)
            if job in self._cancelled or self._closing:
                return None
        return result

    def _tune(self, job: r.JobId, request: r.TuneRequest) -> r.TuneResult | None:
        epochs, total = 0, (request.epochs or 10) * tuning.STEPS
        for number, news in enumerate(tuning.news(request)):
            self._emit(r.JobProgress(job, min(number, total), total, "tuning", (total - number) * self.pace_s))
            if job in self._paused:
                self._emit(r.JobPaused(job))
                while job in self._paused - self._cancelled - self._stopped and not self._closing:
                    time.sleep(0.005)
                self._emit(r.JobContinued(job))
            if job in self._cancelled or self._closing:
                return None
            self._emit(r.TuneNewsReady(job, news))
            epochs = max([epochs, *(one.epoch for one in news if isinstance(one, r.TuneEpoch))])
            if job in self._stopped and epochs:
                break
            self._sleep(self.pace_s)
        return tuning.tuned(request, epochs)

    def _evaluate(self, job: r.JobId, request: r.EvaluateRequest) -> r.AnalyzeResult | None:
        for done in range(tuning.N_TEST // 10):
            self._emit(r.JobProgress(job, done * 10, tuning.N_TEST, f"Attacking picture {done * 10 + 1}", None))
            self._sleep(self.pace_s)
            if job in self._cancelled or self._closing:
                return None
        return tuning.evaluated(request, helped=self.helps)

    def _report(self, job: r.JobId, request: r.ReportRequest) -> r.ReportResult | None:
        if not request.preview:
            self._sleep(self.pace_s)
            return reports.written(request)
        pages = list(reports.drawn(request))
        for number, page in enumerate(pages):
            self._emit(r.JobProgress(job, number, len(pages), f"Drawing page {number + 1} of {len(pages)}", None))
            self._sleep(self.pace_s)
            if job in self._cancelled or self._closing:
                return None
            self._emit(r.PagesReady(job, number, len(pages), (page,)))
        return r.ReportResult(request.out, 0, len(pages), reports.SECTIONS)

    def _preview(self, job: r.JobId, request: r.PreviewRequest) -> r.PreviewResult:
        found = [file for path in request.paths for file in _walk(Path(path))]
        self._emit(r.PicturesFound(job, tuple(str(file) for file in found)))
        failed = 0
        for file in found:
            self._sleep(self.pace_s / 10)
            image = _open(file, request.size)
            if image is None:
                failed += 1
                refusal = r.FailedPicture(
                    str(file), "This file is not a picture we can read.", "Save it as PNG or JPEG."
                )
                self._emit(r.PreviewsReady(job, (refusal,)))
            else:
                preview = r.Preview(str(file), 500, 375, _picture(image))
                self._emit(r.PreviewsReady(job, (preview,)))
        return r.PreviewResult(len(found), failed)

    def _analyze(self, job: r.JobId, request: r.AnalyzeRequest) -> r.AnalyzeResult | None:
        total = len(request.paths)
        for done, path in enumerate(request.paths):
            left = (total - done) * self.pace_s
            self._emit(r.JobProgress(job, done, total, f"Attacking picture {done + 1} of {total}", left or None))
            self._sleep(self.pace_s)
            if job in self._cancelled or self._closing:
                return None
            self._emit(r.RowsReady(job, analyse_both(path, request)))
        return summary(request)

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._closing:
            time.sleep(min(0.01, seconds))


def summary(request: r.AnalyzeRequest) -> r.AnalyzeResult:
    """An invented end of a job."""
    alone = r.AnalyzeResult(
        len(request.paths), 0, "model", 1.0, None, 0.31, (0.2, 0.45), (r.AttackSummary("pgd", 0.31, 0.31, 0.69, 1.0),),
        (("agreement", 0.31),), request.options.threat, request.options.model, request.options.prompts or r.NO_PROMPTS, "cpu", 1.0, 8.0,
    )  # fmt: skip
    if request.options.compare is None:
        return alone
    other = replace(alone, robust_accuracy=0.57, robust_interval=(0.43, 0.70), prompts=request.options.compare)
    return replace(alone, compared=r.Comparison(other, None, r.PairedTest(2, 15, 50, 0.26, 0.1, 0.4, 0.0023)))


def analyse_both(path: str, request: r.AnalyzeRequest, size: int = 224) -> tuple[r.PictureRow | r.FailedPicture, ...]:
    """A row for A, and where two are compared one for B: harder to fool, and easier to withstand when A was aimed at."""
    a = analyse(path, request, size)
    if request.options.compare is None or isinstance(a, r.FailedPicture):
        return (a,)
    weaker = replace(
        request,
        options=replace(
            request.options,
            seed=request.options.seed + 7,
            threat=replace(request.options.threat, eps=request.options.threat.eps * 0.4),
        ),
    )
    b = analyse(path, weaker, size)
    assert isinstance(b, r.PictureRow)
    ids = (request.options.prompts or r.NO_PROMPTS, request.options.compare)
    aims = {"each": ids, "a": (ids[0], ids[0]), "b": (ids[1], ids[1])}[request.options.aim]
    b = replace(b, threat=request.options.threat, seed=request.options.seed, prompt_id=ids[1], aimed_at=aims[1])
    a = replace(a, prompt_id=ids[0], aimed_at=aims[0])
    if request.options.aim != "each":
        b = replace(b, pictures=a.pictures)
    known = {True: "white-box", False: f"transfer from {aims[0]}"}
    a, b = (replace(row, threat=replace(row.threat, knowledge=known[row.aimed_at == row.prompt_id])) for row in (a, b))
    return a, b


def analyse(path: str, request: r.AnalyzeRequest, size: int = 224) -> r.PictureRow | r.FailedPicture:
    """An invented row for one picture: the same picture and request give the same row."""
    image = _open(Path(path), size, crop=True)
    if image is None:
        return r.FailedPicture(path, "This file is not a picture we can read.", "Save it as PNG or JPEG.")
    model = next(info for info in CATALOGUE.models if info.id == request.options.model)
    classes = request.options.classes or model.classes
    rng = random.Random(f"{Path(path).name} {request.options.seed}")
    clean = verdict([rng.gauss(12, 2) for _ in classes], rng.randrange(len(classes)), 7)
    flipped = rng.random() < request.options.threat.eps * 255 / 6
    winner = rng.randrange(len(classes)) if flipped else clean.winner
    attacked = verdict([logit + rng.gauss(0, 1.5) for logit in clean.logits], winner, 5)
    success = attacked.winner != clean.winner
    values = (
        1.0 - success,
        attacked.probabilities[clean.winner] - max(clean.probabilities),
        2.4 - 3.1 * success + rng.random(),
        0.31 * rng.random(),
        0.62 + 0.3 * rng.random(),
        4 / 255,
        38.2,
        0.951,
    )
    return r.PictureRow(
        path, "0" * 64, image.width(), image.height(), classes[clean.winner], "model", tuple(classes), clean,
        attacked if request.attack else None, request.attack, 10, 1, request.options.threat, request.options.seed,
        success if request.attack else None, tuple(zip((info.name for info in METRICS), values, strict=True)),
        success, False, 0.4, request.options.model, r.NO_PROMPTS,
        pictures(image, request.options.threat.eps, rng) if request.options.with_pictures else None,
    )  # fmt: skip


def verdict(logits: list[float], winner: int, lead: float) -> r.Verdict:
    """A verdict with a clear winner."""
    import math

    logits[winner] = max(logits) + lead / 3
    weights = [math.exp(logit - max(logits)) for logit in logits]
    return r.Verdict(tuple(logits), tuple(weight / sum(weights) for weight in weights))


def make_row(path: str, *, success: bool | None = True, with_pictures: bool = True, classes: int = 3) -> r.PictureRow:
    """A small row."""
    names = tuple(f"class {number}" for number in range(classes))
    clean = verdict([0.0] * classes, 0, 9)
    attacked = verdict([0.0] * classes, 1 if success else 0, 6)
    pictures = r.PictureSet(picture(), r.SignedPicture(8, 6, 4 / 255, bytes(144)), picture(value=130))
    return r.PictureRow(
        path, "", 8, 6, names[0], "model", names, clean, None if success is None else attacked,
        None if success is None else r.AttackSpec(), 10, 1, r.ThreatModel(), 0, success, (), None, None, 0.1, "demo", "",
        pictures if with_pictures else None,
    )  # fmt: skip


def pictures(image: QImage, eps: float, rng: random.Random) -> r.PictureSet:
    """A picture with signed noise of the budget's size."""
    seen = _picture(image)
    noise = bytes(rng.choice((127, 129, 0)) for _ in range(4096)) * (len(seen.rgb) // 4096 + 1)
    noise = noise[: len(seen.rgb)]
    step = round(eps * 255)
    moved = bytes(
        min(255, max(0, value + (step if n == 127 else -step if n == 129 else 0)))
        for value, n in zip(seen.rgb, noise, strict=True)
    )
    return r.PictureSet(
        seen, r.SignedPicture(seen.width, seen.height, eps, noise), r.Picture(seen.width, seen.height, moved)
    )


def picture(width: int = 8, height: int = 6, value: int = 128) -> r.Picture:
    """One flat grey picture."""
    return r.Picture(width, height, bytes([value]) * (width * height * 3))


def _walk(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _open(path: Path, size: int, crop: bool = False) -> QImage | None:
    if path.suffix.lower() not in {".png", ".jpg", ".jpeg", ".bmp", ".gif"}:
        return None
    image = QImage(str(path))
    if image.isNull():
        return None
    mode = Qt.AspectRatioMode.KeepAspectRatioByExpanding if crop else Qt.AspectRatioMode.KeepAspectRatio
    image = image.scaled(size, size, mode, Qt.TransformationMode.SmoothTransformation)
    if crop:
        image = image.copy((image.width() - size) // 2, (image.height() - size) // 2, size, size)
    return image.convertToFormat(QImage.Format.Format_RGB888)


def _picture(image: QImage) -> r.Picture:
    lines = [bytes(image.constScanLine(y))[: image.width() * 3] for y in range(image.height())]
    return r.Picture(image.width(), image.height(), b"".join(lines))
