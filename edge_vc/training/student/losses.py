"""The loss terms of distillation, by name; `DistillSettings` holds the weight of each."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from edge_vc.training.student.forward_pass import DistillPass
from edge_vc.training.student.pitch import pitch_error
from edge_vc.training.student.settings import WEIGHTS, Weight, distill_settings
from edge_vc.training.terms import Term

FEATURE_MATCHING = 2.0
"""Weight of feature matching relative to the adversarial loss, as in HiFi-GAN."""


def stft(step: DistillPass) -> Tensor:
    """Return the multi-resolution STFT loss: log magnitudes and spectral convergence."""
    return step.spectral_distances[0]


def mel(step: DistillPass) -> Tensor:
    """Return the L1 distance between log-mel spectra."""
    return step.spectral_distances[1]


def waveform(step: DistillPass) -> Tensor:
    """Return the L1 distance between waveforms."""
    return (step.audio - step.target).abs().mean()


def pitch(step: DistillPass) -> Tensor | None:
    """Return the L1 distance between log F0, in nats, where the teacher is voiced."""
    if step.prediction.log_f0 is None:
        return None
    return pitch_error(step.prediction.log_f0, step.batch, step.warm)


def voicing(step: DistillPass) -> Tensor | None:
    """Return the cross-entropy of the voicing decision."""
    if step.prediction.voicing is None:
        return None
    mine, teachers = step.prediction.voicing, step.batch.voiced
    return binary_cross_entropy_with_logits(mine[..., step.warm :], teachers[..., step.warm :])


def feature(step: DistillPass) -> Tensor | None:
    """Return the L1 distance between log filters, the harmonic one where the teacher is voiced."""
    if step.batch.bands is None or step.prediction.log_f0 is None:
        return None
    distance = (step.prediction.bands[:, :, :2] - step.batch.bands)[..., step.warm :].abs()
    voiced = step.batch.voiced[..., step.warm :]
    return (distance[:, :, :1] * voiced).mean() + distance[:, :, 1:].mean()


def contents(step: DistillPass) -> Tensor | None:
    """Return the error of predicting the teacher's contents from the trunk's features."""
    if step.reader is None or step.batch.contents is None:
        return None
    told = step.batch.contents[..., step.warm :]
    features, voice = step.prediction.features[..., step.warm :], step.batch.inputs.get("voice")
    loss: Tensor = step.reader(features, told, voice)
    return loss


def words(step: DistillPass) -> Tensor | None:
    """Return the distance from the teacher's output and the source in a phone recogniser."""
    if step.recogniser is None or step.batch.source is None:
        return None
    source = step.batch.source[:, -step.audio.shape[1] :]
    return step.recogniser(step.audio, step.target, source)


def adversarial(step: DistillPass) -> Tensor | None:
    """Train the discriminators; return the adversarial loss with feature matching."""
    if step.adversarial is None:
        return None
    (adv_loss, fm_loss), disc_loss = step.adversarial.train_step(
        step.audio, step.target, step.asked
    )
    step.log["disc_loss"] = disc_loss
    step.log["adv_loss"], step.log["fm_loss"] = adv_loss.detach(), fm_loss.detach()
    return adv_loss + FEATURE_MATCHING * fm_loss


TERMS: dict[str, Term[DistillPass]] = {
    "stft": stft,
    "mel": mel,
    "waveform": waveform,
    "pitch": pitch,
    "voicing": voicing,
    "feature": feature,
    "contents": contents,
    "words": words,
    "adversarial": adversarial,
}
"""All terms; add a function here and its weight to `DistillSettings`."""


SOUNDLESS = ("contents", "pitch", "voicing", "feature")
"""Terms that need no waveform from the student."""


def register_loss(
    name: str, term: Term[DistillPass], *, weight: float = 0.0, highest: float = 1_000.0
) -> None:
    """Add a loss term from outside the package, with its weight as key ``name`` of ``[distill]``.

    ``weight`` is the default; a recipe may give 0 to ``highest``. Recipes that are read from now on
    have the key; the term's value is in the training log under its name. Raises `ValueError` for a
    name that is not an identifier or is already used.
    """
    if not name.isidentifier():
        raise ValueError(f"loss term {name!r}: not usable as a key of [distill]")
    if hasattr(distill_settings(), name) or name in TERMS:
        raise ValueError(f"loss term {name!r}: [distill] has a key of that name already")
    TERMS[name], WEIGHTS[name] = term, Weight(weight, highest)


def unregister_loss(name: str) -> None:
    """Undo `register_loss`; raises `KeyError` for a term that it did not add."""
    del WEIGHTS[name]
    del TERMS[name]
