"""The loss terms of distillation: their values, their weights, and terms from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from test_training_distill import FLOAT, QUICK, example, student
from torch import Tensor
from typer.testing import CliRunner

from edge_vc.compress.cli import app
from edge_vc.compress.recipe import Recipe
from edge_vc.models.student.student import Prediction
from edge_vc.settings.field import RecipeError
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.student import losses
from edge_vc.training.student.batches import DistillBatch
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.forward_pass import DistillPass
from edge_vc.training.student.losses import TERMS, register_loss, unregister_loss
from edge_vc.training.student.settings import DistillSettings

WARM, FRAMES, HOP = 3, 20, 160


def step(*, driven: bool = True, started: bool = True) -> DistillPass:
    """A pass whose warm-up frames are wrong in everything, and the rest by known amounts."""
    torch.manual_seed(0)
    total = WARM + FRAMES
    f0 = torch.full((2, 1, 1, total), 100.0)
    voiced = torch.zeros(2, 1, 1, total)
    voiced[..., WARM : WARM + FRAMES // 2] = 1.0
    bands = torch.zeros(2, 4, 2, total)
    wrong = torch.zeros(total)
    wrong[:WARM] = 50.0
    target = 0.1 * torch.randn(2, FRAMES * HOP)
    prediction = Prediction(
        features=torch.zeros(2, 1, 1, total),
        bands=torch.cat([bands[:, :, :1] + 0.5, bands[:, :, 1:] + 0.25, bands[:, :, :1]], 2)
        + wrong,
        log_f0=f0.log() + 0.2 + wrong if driven else None,
        voicing=torch.zeros_like(voiced) + wrong if driven else None,
    )
    batch = DistillBatch(f0, f0, f0, voiced, bands, torch.zeros(2, total * HOP))
    adversarial = AdversarialLoss(1e-3) if started else None
    audio = (target + 0.03).requires_grad_()
    return DistillPass(batch, prediction, audio, target, WARM, SpectralLoss(), adversarial)


def test_every_term_has_its_weight() -> None:
    assert set(TERMS) <= {spec.name for spec in fields(DistillSettings)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("waveform", 0.03),
        ("pitch", 0.2),
        ("voicing", 0.6931),
        # Harmonic 0.5 in the voiced half of the frames, noise 0.25 in all.
        ("feature", 0.5 * 0.5 + 0.25),
    ],
)
def test_a_term_measures_what_it_says_after_the_warm_up(name: str, value: float) -> None:
    found = TERMS[name](step())
    assert found is not None
    assert float(found.detach()) == pytest.approx(value, rel=1e-3)


def test_the_spectral_terms_are_those_of_the_spectral_loss() -> None:
    now = step()
    for name, weights in {"stft": (1.0, 0.0), "mel": (0.0, 1.0)}.items():
        wanted = SpectralLoss(stft_weight=weights[0], mel_weight=weights[1])
        found = TERMS[name](now)
        assert found is not None
        torch.testing.assert_close(found, wanted(now.audio, now.target))


@pytest.mark.parametrize("name", ["pitch", "voicing", "feature"])
def test_a_head_without_a_source_has_no_source_terms(name: str) -> None:
    assert TERMS[name](step(driven=False)) is None


def test_the_adversarial_term_holds_feature_matching() -> None:
    now = step()
    value = TERMS["adversarial"](now)
    assert value is not None
    adv_loss, fm_loss = now.log["adv_loss"], now.log["fm_loss"]
    assert float(fm_loss) > 0.005
    assert float(value.detach()) == pytest.approx(float(adv_loss + 2 * fm_loss))
    assert now.adversarial is not None
    value.backward()
    found = now.audio.grad
    assert found is not None
    # The same gradient from the discriminators as they are now, both losses by hand.
    half = now.audio.detach()[:1].requires_grad_()
    real, fake = (now.adversarial.discriminators(x) for x in (now.target[:1], half))
    by_hand = losses_by_hand(real, fake)
    by_hand.backward()
    assert half.grad is not None
    torch.testing.assert_close(found[:1], half.grad, rtol=1e-3, atol=1e-7)
    assert not found[1:].any()


def losses_by_hand(real: list[list[Tensor]], fake: list[list[Tensor]]) -> Tensor:
    scores = torch.stack([((1 - maps[-1]) ** 2).mean() for maps in fake]).mean()
    distances = [
        (a.detach() - b).abs().mean() / a.detach().abs().mean()
        for mine, theirs in zip(real, fake, strict=True)
        for a, b in zip(mine[:-1], theirs[:-1], strict=True)
    ]
    return scores + 2 * torch.stack(distances).mean()


def test_the_adversarial_term_waits_for_its_start() -> None:
    assert TERMS["adversarial"](step(started=False)) is None


@pytest.fixture
def loudness() -> Iterator[str]:
    """A loss term from outside the package."""

    def term(now: DistillPass) -> Tensor:
        return (now.audio.square().mean() - now.target.square().mean()).abs()

    register_loss("loudness", term, weight=0.0, highest=50.0)
    yield "loudness"
    unregister_loss("loudness")


def test_a_term_from_outside_is_a_key_of_the_recipe(loudness: str) -> None:
    shown = CliRunner().invoke(app, ["quick", "--show"]).output
    assert Recipe.from_toml(shown).to_dict()["distill"][loudness] == 0.0
    given = Recipe.from_toml("[distill]\nloudness = 20").distill
    assert getattr(given, loudness) == 20.0
    with pytest.raises(RecipeError, match=r"distill\.loudness = 60.0: outside .* 0 to 50"):
        Recipe.from_toml("[distill]\nloudness = 60")


def test_a_term_from_outside_is_gone_when_taken_back(loudness: str) -> None:
    unregister_loss(loudness)
    with pytest.raises(RecipeError, match=r"distill\.loudness = 1: unknown key"):
        Recipe.from_toml("[distill]\nloudness = 1")
    register_loss(loudness, lambda now: None)


def test_a_term_from_outside_trains_the_student_and_is_logged(
    tmp_path: Path, loudness: str
) -> None:
    settings = Recipe.from_toml(
        "[distill]\nsteps = 3\nbatch = 2\nsegment_seconds = 0.32\nloudness = 50"
    ).distill
    weights, rows = {}, {}
    for weight in (0.0, 50.0):
        folder = tmp_path / str(weight)
        chosen = replace(settings, **{loudness: weight})
        trained = Distillation(student(), [example(seed=1)], chosen, folder, FLOAT).run()
        weights[weight] = list(trained.parameters())
        rows[weight] = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    assert loudness not in rows[0.0]
    assert rows[50.0][loudness] > 0
    pairs = zip(weights[0.0], weights[50.0], strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", ["mel", "steps", "max_mel_db", "not a key"])
def test_a_name_that_is_taken_or_no_key_is_refused(name: str) -> None:
    before = dict(losses.TERMS)
    with pytest.raises(ValueError, match=f"loss term '{name}'"):
        register_loss(name, lambda now: None)
    assert before == losses.TERMS


def test_the_loss_is_the_weighted_sum_of_what_is_logged(tmp_path: Path) -> None:
    settings = replace(QUICK, steps=2, adversarial=0.7, adversarial_from=0.0, waveform=2.0)
    Distillation(student(), [example(seed=1)], settings, tmp_path, FLOAT).run()
    row = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    total = sum(getattr(settings, name) * row[name] for name in TERMS if name in row)
    assert TERMS.keys() - row.keys() == {"contents", "words"}  # of weight 0
    assert row["loss"] == pytest.approx(total, rel=1e-3)
    assert row["adversarial"] == pytest.approx(row["adv_loss"] + 2 * row["fm_loss"], abs=3e-4)
