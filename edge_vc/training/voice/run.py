"""One session of training a voice: recordings, contents, training, weights."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from edge_vc.audio.noise_folder import NOISE_FOLDERS, noise_notices
from edge_vc.command_line.notices import name_lines
from edge_vc.command_line.steps import Steps, stderr_console
from edge_vc.models.content.registry import open_contents
from edge_vc.models.voice.file import save_voice
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.teachers.reading import VOICE_WEIGHTS
from edge_vc.training.denormals import flushed_denormals
from edge_vc.training.devices import DeviceSettings, open_devices
from edge_vc.training.schedule import Budget, TrainingSession
from edge_vc.training.tensorboard import open_board
from edge_vc.training.voice.features import ViewFeatures, cached_features
from edge_vc.training.voice.recordings import VoiceRecordings, read_recordings
from edge_vc.training.voice.settings import VoiceSettings, load_voice_settings
from edge_vc.training.voice.speaker_similarity import speaker_similarity
from edge_vc.training.voice.speech import VoiceSpeech
from edge_vc.training.voice.trainer import VoiceTraining
from edge_vc_runtime.files.writing import write_whole

MINUTES = 30.0
"""Budget if none is given."""
WEIGHTS = VOICE_WEIGHTS
"""File that a run leaves in its folder."""


@dataclass(frozen=True)
class VoiceRun:
    """Arguments of `edge-vc train teacher`."""

    target: Path
    """Folder of recordings of one voice."""
    out: Path
    """Run folder; a run already in it is resumed."""
    recipe: str = "whisper"
    changes: tuple[str, ...] = ()
    """Changes to the recipe, ``KEY=VALUE`` each."""
    consent: str = ""
    """How the owner of the voice agreed; stored in the weights."""
    noises: Path | None = None
    """Folder that contains ``noise`` and ``rir``."""
    steps: int | None = None
    minutes: float | None = None
    """Wall-clock budget of the whole run."""
    max_minutes: float | None = None
    """Wall-clock budget of this session; the next one resumes."""
    save_minutes: float = 3.0
    accelerator: str = "auto"
    precision: str = "auto"
    """Used on a GPU; CPU cores compute in float32, which is faster where bfloat16 is emulated."""
    threads: int = 1
    tensorboard: Path | None = None
    """Folder for TensorBoard's event files."""

    @property
    def budget(self) -> Budget:
        """Steps or minutes; half an hour if neither is given."""
        neither = self.steps is None and self.minutes is None
        return Budget(self.steps, MINUTES if neither else self.minutes)


@flushed_denormals()
def train_voice(args: VoiceRun) -> tuple[Path, dict[str, float]]:
    """Train one session; return the weights' path and the scores on held-out recordings.

    Raises `ValueError` with a one-line message for unusable input.
    """
    settings = load_voice_settings(args.recipe, args.changes)
    budget = args.budget
    board = open_board(args.tensorboard)
    torch.set_num_threads(args.threads)
    if not (args.out / "features").is_dir():
        open_contents(settings.contents)  # reports a missing package before the long work
    args.out.mkdir(parents=True, exist_ok=True)
    console = stderr_console()
    with Steps(console, "recordings") as steps:
        beds = [args.noises / name for name in NOISE_FOLDERS] if args.noises else []
        for folder in beds:
            name_lines(noise_notices(folder), steps.say)
        recordings = read_recordings(
            args.target,
            args.out / "recordings",
            settings.held_out,
            workers=args.threads,
            progress=steps.track,
            say=steps.say,
        )
        features = cached_features(
            recordings.files,
            args.out / "features",
            settings.contents,
            settings.views,
            args.noises,
            workers=args.threads,
            progress=steps.track,
        )
        settings = fitted(settings, features[0])
        speech = VoiceSpeech(recordings.pairs, features, settings, args.out, steps.track)
    on_gpu = args.accelerator != "cpu" and torch.cuda.is_available()
    precision = args.precision if on_gpu else "32"
    devices = open_devices(DeviceSettings(args.accelerator, 1, 1, precision))
    training = VoiceTraining(settings, speech, args.out, devices, board)

    def save(finished: bool = False) -> None:
        """Write the current weights; those of an unfinished run can convert too.

        The time taken is not stored in them: the same training gives the same bytes.
        """
        facts = _facts(args, settings, recordings, training, finished=finished)
        timed = facts | {"minutes": round(training.watch.seconds / 60, 1)}
        write_whole(args.out / "run.json", json.dumps(timed, indent=1))
        network = with_bank(training.average.network, speech, settings)
        save_voice(network, args.out / WEIGHTS, {"run": json.dumps(facts)})

    session = TrainingSession(budget, args.max_minutes, args.save_minutes)
    finished = training.run(session, save)
    save(finished)
    state = "finished" if finished else "not finished: run the same command again"
    console.print(f"step {training.step}, {state}", markup=False, highlight=False)
    network = training.average.network.cpu()
    near = speaker_similarity(network, training.validation, recordings.pairs) if finished else {}
    return args.out / WEIGHTS, training.scores | near


def fitted(settings: VoiceSettings, heard: ViewFeatures) -> VoiceSettings:
    """Return the settings with the content width and rate of the extracted features."""
    _, frames, width = heard.contents.shape
    network = settings.network
    rate = network.sample_rate // network.hop * frames // heard.loudness.shape[1]
    return replace(settings, network=replace(network, content_width=width, content_rate=rate))


def with_bank(network: VoiceNetwork, speech: VoiceSpeech, settings: VoiceSettings) -> VoiceNetwork:
    """Return the network with frames of the search bank as its units and the voice's mean pitch.

    At most ``kept_frames`` of them, evenly spaced. The network names the encoder to convert with.
    """
    bank = speech.bank
    frames = bank.frames[:: -(-len(bank.frames) // settings.kept_frames)]
    config = replace(
        network.config,
        contents=settings.converts_with or network.config.contents,
        units=len(frames),
        target_log_f0=round(speech.mean_log_f0, 4),
    )
    complete = VoiceNetwork(config)
    weights = network.state_dict() | {
        "units": torch.from_numpy(frames).float(),
        "unit_mean": bank.mean,
    }
    complete.load_state_dict(weights)
    return complete.eval().requires_grad_(False)


def _facts(
    args: VoiceRun,
    settings: VoiceSettings,
    recordings: VoiceRecordings,
    training: VoiceTraining,
    *,
    finished: bool,
) -> dict[str, object]:
    return {
        "settings": asdict(settings),
        "budget": asdict(args.budget),
        "consent": args.consent,
        "speech_seconds": round(recordings.seconds, 1),
        "recordings": len(recordings.files),
        "recorded_noises": args.noises is not None,
        "precision": training.devices.precision,
        "machine": platform.machine(),
        "steps": training.step,
        "finished": finished,
        "scores": training.scores,
    }
