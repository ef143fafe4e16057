from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from speech_toys import pair, pairs
from typer.testing import CliRunner

from edge_vc.audio.io import read_audio
from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.cli import app
from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.models.teacher.file import one_voice
from edge_vc.training.schedule import Budget, TrainingSession
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.loss_settings import LossSettings
from edge_vc.training.teacher.losses import content_distance
from edge_vc.training.teacher.run import chosen_settings, data_hash
from edge_vc.training.teacher.settings import TeacherSettings
from edge_vc.training.teacher.trainer import TeacherTraining

TINY = TeacherSettings(
    replace(TeacherConfig(), channels=16, bottleneck=8, encoder_blocks=1, decoder_blocks=1),
    InputSettings(mean_frames=40),
    LossSettings(adversarial_from=0.5, adversarial_frames=16, invariance=0.3, consistency=0.1),
    own=2,
    others=2,
    unpaired=2,
    frames=32,
    peak_rate=3e-3,
)


def training(folder: Path, settings: TeacherSettings = TINY) -> TeacherTraining:
    folder.mkdir(exist_ok=True)
    noises = NoiseBank.build([p.inputs[0] for p in pairs()])
    return TeacherTraining(settings, pairs(), ["me", "you"], noises, folder)


def weights(run: TeacherTraining) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in run.networks.network.state_dict().items()}


def changed(section: str, **values: object) -> TeacherSettings:
    return replace(TINY, **{section: replace(getattr(TINY, section), **values)})  # type: ignore[arg-type]


def test_a_run_logs_samples_and_finishes(tmp_path: Path) -> None:
    run = training(tmp_path)
    assert run.run(TrainingSession(Budget(steps=4)))
    row = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert row["step"] == 4
    assert {
        "discriminator",
        "adversarial",
        "matching",
        "invariance",
        "consistency",
        "norm",
    } <= row.keys()
    assert np.isfinite([row["loss"], row["validation"], row["natural"]]).all()
    assert len(read_audio(tmp_path / "samples" / "step-0000004.wav", 16000)) > 12800
    assert (tmp_path / "samples" / "step-0000004.png").stat().st_size > 1000


@pytest.mark.slow
def test_the_loss_falls(tmp_path: Path) -> None:
    run = training(tmp_path, changed("losses", adversarial_from=1.0))
    first = float(run._train_step(0.1)["spectral"])
    run.run(TrainingSession(Budget(steps=150)))
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert last["spectral"] < 0.6 * first


def test_a_cut_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = training(tmp_path / "whole")
    whole.run(TrainingSession(Budget(steps=4)))
    cut = training(tmp_path / "cut")
    assert not cut.run(TrainingSession(Budget(steps=4), max_minutes=0.0))
    again = training(tmp_path / "cut")
    # The session's clock ends after one step each; then the rest in one go.
    again.run(TrainingSession(Budget(steps=4)))
    assert again.step == 4
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(again)[name], value, msg=name, rtol=0, atol=0)
    for name, value in whole.networks.average.network.state_dict().items():
        torch.testing.assert_close(
            again.networks.average.network.state_dict()[name], value, msg=name
        )


def test_training_retrieves_from_what_the_network_says_now(tmp_path: Path) -> None:
    settings = replace(TINY, retrieve_from=40, renew_steps=3)
    cut = training(tmp_path / "cut", settings)
    assert not cut.networks.network.units.any()
    cut.run(TrainingSession(Budget(steps=4), max_minutes=0.0))
    first = cut.networks.network.units.clone()
    assert first.unique(dim=0).shape == (40, 8)
    assert cut.networks.network.training
    again = training(tmp_path / "cut", settings)
    again.run(TrainingSession(Budget(steps=4)))
    assert not torch.equal(again.networks.network.units, first)
    assert torch.equal(again.networks.average.network.units, again.networks.network.units)
    whole = training(tmp_path / "whole", settings)
    whole.run(TrainingSession(Budget(steps=4)))
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(again)[name], value, msg=name, rtol=0, atol=0)


def test_more_units_than_frames_are_refused(tmp_path: Path) -> None:
    run = training(tmp_path, replace(TINY, retrieve_from=4000))
    with pytest.raises(ValueError, match="4000 units of 320 frames"):
        run.run(TrainingSession(Budget(steps=1)))
    with pytest.raises(ValueError, match="renew_steps = 0"):
        replace(TINY, renew_steps=0)


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first = training(tmp_path)
    first.run(TrainingSession(Budget(steps=2)))
    second = training(tmp_path)
    assert second.run(TrainingSession(Budget(steps=2)))
    assert all(torch.equal(weights(first)[n], v) for n, v in weights(second).items())


def test_parts_of_a_step_add_up(tmp_path: Path) -> None:
    """Two halves give the gradient of the whole, but for what is relative to the batch."""
    plain = changed("losses", adversarial_from=1.0, invariance=0.0)
    whole, halves = training(tmp_path, plain), training(tmp_path, replace(plain, accumulate=2))
    one, two = (run._train_step(0.5) for run in (whole, halves))
    torch.testing.assert_close(one["loss"], two["loss"], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(one["norm"], two["norm"], rtol=1e-2, atol=1e-3)


def test_a_content_that_says_nothing_is_not_the_cheapest() -> None:
    torch.manual_seed(0)
    content = torch.randn(2, 8, 40)
    near = content + 0.1 * torch.randn_like(content)
    empty = 0.01 * content
    assert float(content_distance(near, content)) < 0.2
    assert float(content_distance(empty + 0.01 * torch.randn_like(empty), empty)) > 0.9
    torch.testing.assert_close(
        content_distance(0.01 * near, empty), content_distance(near, content)
    )


@pytest.mark.parametrize("term", ["adversarial", "matching", "invariance", "consistency"])
def test_every_term_can_be_switched(term: str, tmp_path: Path) -> None:
    moved = []
    for weight in (0.0, 2.0):
        run = training(tmp_path / str(weight), changed("losses", **{term: weight}))
        run._train_step(0.9)
        moved.append(weights(run))
    assert any(not torch.equal(moved[0][name], moved[1][name]) for name in moved[0])


def test_a_step_with_nothing_finite_changes_no_weight_to_nan(tmp_path: Path) -> None:
    run = training(tmp_path)
    for parameter in run.networks.network.parameters():
        parameter.grad = torch.full_like(parameter, float("nan"))
    run.networks.update()
    assert all(torch.isfinite(value).all() for value in weights(run).values())


def test_another_head_trains_as_well(tmp_path: Path) -> None:
    run = training(tmp_path, changed("network", head="istft"))
    assert run.run(TrainingSession(Budget(steps=2)))


def test_data_hash_sees_what_is_trained_on() -> None:
    first, held = pair("me", 0), pair("me", 1, held_out=True)
    assert data_hash([first]) == data_hash([first, held])
    for field in ("f0", "target", "inputs"):
        other = replace(first, **{field: getattr(first, field) + 1})
        assert data_hash([other]) != data_hash([first])


def test_any_setting_can_be_changed() -> None:
    chosen = chosen_settings("cpu", ["losses.adversarial=0", "own = 2"])
    assert chosen.losses.adversarial == 0.0
    assert chosen.own == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "1", "--set", "losses.adversary=0"], "did you mean adversarial"),
        (["--steps", "1", "--set", "own"], "not KEY=VALUE"),
        (["--steps", "1", "--recipe", "gup"], "did you mean gpu"),
        (["--steps", "1", "--minutes", "1"], "either steps or minutes"),
        (["--steps", "1"], "holds no part-"),
        (["--steps", "1", "--devices", "0"], "holds no part-"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    command = ["--pack", str(tmp_path), "--out", str(tmp_path / "out"), *arguments]
    done = CliRunner().invoke(app, ["train", "teacher", *command])
    assert done.exit_code == 2
    said = done.stderr
    assert said.startswith("edge-vc train teacher: error: ")
    assert message in said
    assert said.count("\n") == 1


def test_a_pack_becomes_weights_with_their_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_vc.training.teacher.dataset import Pack
    from edge_vc.training.teacher.dataset_pack import write_pack

    write_pack(Pack(tuple(pairs()), (), ()), tmp_path / "pack", "me")
    small = [f"network.{key}" for key in ("channels=16", "encoder_blocks=1", "decoder_blocks=1")]
    small += ["frames=32", "own=1", "others=1", "unpaired=1", "inputs.mean_frames=32"]
    small += ["units=16", "retrieve_from=16"]
    command = ["--pack", str(tmp_path / "pack"), "--out", str(tmp_path / "out"), "--target", "me"]
    command += ["--steps", "2", "--threads", "1", "--accelerator", "cpu"]
    for change in small:
        command += ["--set", change]
    done = CliRunner().invoke(app, ["train", "teacher", *command])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{tmp_path / 'out' / 'teacher.safetensors'}\n"
    facts = json.loads((tmp_path / "out" / "run.json").read_text())
    assert facts["finished"]
    assert facts["accelerator"] == "cpu"
    assert facts["steps"] == 2
    found = load_file(tmp_path / "out" / "teacher.safetensors")
    assert found["voice.weight"].shape == (1, 16)
    assert found["units"].shape == (16, 64)
    assert found["units"].unique(dim=0).shape[0] > 1
    clock = SimpleNamespace(monotonic=lambda: 100 * time.monotonic())
    monkeypatch.setattr("edge_vc.training.schedule.time", clock)
    command[command.index(str(tmp_path / "out"))] = str(tmp_path / "slow")
    assert CliRunner().invoke(app, ["train", "teacher", *command]).exit_code == 0
    first, slow = (tmp_path / name / "teacher.safetensors" for name in ("out", "slow"))
    assert slow.read_bytes() == first.read_bytes()


def test_a_new_run_can_begin_with_another_ones_weights(tmp_path: Path) -> None:
    first = training(tmp_path / "first")
    first.run(TrainingSession(Budget(steps=2)))
    start = one_voice(first.networks.average.network)
    noises = NoiseBank.build([p.inputs[0] for p in pairs()])
    (tmp_path / "next").mkdir()
    run = TeacherTraining(TINY, pairs(), ["me", "you"], noises, tmp_path / "next", start=start)
    begun, had = run.networks.network.state_dict(), start.state_dict()
    voices = begun.pop("voice.weight")
    assert torch.equal(voices[0], had.pop("voice.weight")[0])
    assert not torch.equal(voices[1], voices[0])
    assert all(torch.equal(begun[name], value) for name, value in had.items())
    other = changed("network", channels=32)
    with pytest.raises(ValueError, match="of another size than the recipe's"):
        TeacherTraining(other, pairs(), ["me", "you"], noises, tmp_path / "next", start=start)


def test_unpaired_rows_wait_for_the_discriminators(tmp_path: Path) -> None:
    run = training(tmp_path)
    for adversarial, unpaired in ((False, 0), (True, 2)):
        batch = run._draw(0, adversarial)
        assert len(batch.log_mel) - len(batch.truth) == unpaired
