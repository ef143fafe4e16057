"""The loss terms of the teacher's network, by name; `LossSettings` holds the weight of each."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.training.teacher.batches import TeacherBatch
from edge_vc.training.teacher.forward_pass import Figures, ForwardPass, LossModules, StepPart
from edge_vc.training.terms import Term, weighted_sum


def spectral(step: ForwardPass) -> Tensor:
    """Return the spectral distance of the paired crops from their recordings."""
    distance: Tensor = step.modules.spectral(step.output.audio[: step.paired], step.batch.truth)
    return distance


def invariance(step: ForwardPass) -> Tensor | None:
    """Return the distance between the contents of two augmented copies of the paired crops."""
    if step.batch.second is None:
        return None
    content = step.output.content[: step.paired].float()
    return content_distance(step.encode(step.batch.second), content)


def phones(step: ForwardPass) -> Tensor | None:
    """Return the cross-entropy of the phones that a linear classifier reads off the contents."""
    if step.modules.classifier is None:
        return None
    error, accuracy = step.modules.classifier.error(step.output.content, step.batch.phones)
    step.figures["phone_accuracy"] = accuracy
    return error


def adversarial(step: ForwardPass) -> Tensor | None:
    """Return the generator's least-squares loss (Mao et al. 2017)."""
    return step.generator_loss[0] if step.part.adversarial else None


def matching(step: ForwardPass) -> Tensor | None:
    """Return the feature matching loss of the target's paired crops (Larsen et al. 2016)."""
    return step.generator_loss[1] if step.part.adversarial else None


def consistency(step: ForwardPass) -> Tensor | None:
    """Return the distance between an unpaired crop's content and that of its conversion."""
    if not step.part.adversarial or len(step.output.audio) == step.paired:
        return None
    content = step.output.content[step.paired :].detach().float()
    return content_distance(step.encode_output(), content)


def content_distance(guess: Tensor, content: Tensor) -> Tensor:
    """Return L1 between contents ``[B, C, F]``, relative to the mean deviation of ``content``.

    Without that, a constant content would cost least.
    """
    mean = content.mean((0, 2), keepdim=True)
    deviation = (content - mean).abs().mean().clamp_min(1e-3)
    return (guess - content).abs().mean() / deviation


TERMS: dict[str, Term[ForwardPass]] = {
    "spectral": spectral,
    "invariance": invariance,
    "phones": phones,
    "adversarial": adversarial,
    "matching": matching,
    "consistency": consistency,
}
"""All terms; add a function here and its weight to `LossSettings`."""


class TeacherLosses:
    """The weighted sum of `TERMS` for a batch."""

    def __init__(self, modules: LossModules, terms: Mapping[str, Term[ForwardPass]] = TERMS):
        self.modules, self.terms = modules, terms

    def __call__(
        self, network: TeacherNetwork, batch: TeacherBatch, part: StepPart
    ) -> tuple[Tensor, Figures]:
        """Return the loss, a scalar, and its terms and metrics for the log.

        Where ``part`` says so, the discriminators' gradient is prepared as well.
        """
        with self.modules.devices.autocast():
            output = network(batch.log_mel, batch.f0, batch.mean_log_f0, batch.voice, batch.noise)
        step = ForwardPass(self.modules, network, batch, output, part)
        total, values = weighted_sum(self.terms, self.modules.settings, step)
        return total, values | step.figures
