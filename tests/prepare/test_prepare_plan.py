"""What is found, what is named as unusable, and where pieces will go."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.data.file_name import file_name
from edge_vc.data.utterance import COLUMNS
from edge_vc.prepare.plan import make_plan
from edge_vc.prepare.settings import PrepareError, PrepareSettings

SETTINGS = PrepareSettings()


def write(path: Path, rate: int = 16000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(1600), rate)


def test_a_folder_is_searched(tmp_path: Path) -> None:
    write(tmp_path / "anna" / "one.wav")
    write(tmp_path / "bert" / "deep" / "two.FLAC")
    write(tmp_path / ".hidden" / "three.wav")
    (tmp_path / "notes.txt").write_text("no audio")
    (tmp_path / "song.m4a").write_text("not ours")
    (tmp_path / "bad.wav").write_text("not audio")
    (tmp_path / "empty.wav").touch()
    plan = make_plan(tmp_path, SETTINGS, {})
    assert [task.source for task in plan.tasks] == ["anna/one.wav", "bert/deep/two.FLAC"]
    assert [task.utterance.speaker for task in plan.tasks] == ["anna", "deep"]
    assert {drop.source: drop.reason for drop in plan.drops} == {
        "bad.wav": "unreadable",
        "empty.wav": "empty",
        "song.m4a": "unreadable",
    }
    assert plan.seconds == pytest.approx(0.2)


def test_a_name_that_is_no_text_is_taken(tmp_path: Path) -> None:
    write(tmp_path / "fine.wav")
    with open(os.fsencode(tmp_path) + b"/\xff\xfe.wav", "wb") as file:
        file.write((tmp_path / "fine.wav").read_bytes())
    plan = make_plan(tmp_path, SETTINGS, {})
    assert [task.utterance.utt_id for task in plan.tasks] == ["fine", "\\udcff\\udcfe"]
    assert not plan.drops


def test_a_table_is_followed_and_its_faults_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    write(tmp_path / "unlisted.wav")
    rows = [
        "a.wav|a|anna|F|0.1|mine|target|CC0|hello",
        "a.wav|again|anna|F|0.1|mine|target|CC0|hello",
        "gone.wav|b|anna|F|0.1|mine|target|CC0|",
        "too|few|columns",
        "../out.wav|c|anna|F|0.1|mine|target|CC0|",
    ]
    (tmp_path / "metadata.csv").write_text("\n".join(["|".join(COLUMNS), *rows]))
    plan = make_plan(tmp_path, SETTINGS, {})
    (task,) = plan.tasks
    assert (task.utterance.text, task.stem) == ("hello", "train/anna/a")
    assert [(drop.source, drop.reason) for drop in plan.drops] == [
        ("gone.wav", "missing"),
        ("too", "bad line"),
        ("../out.wav", "bad line"),
    ]
    assert "line 4: gone.wav" in plan.drops[0].detail


def test_a_table_of_another_kind_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    (tmp_path / "metadata.csv").write_text("colour,shape\nred,round\n")
    with pytest.raises(PrepareError, match="line 1 is not the header"):
        make_plan(tmp_path, SETTINGS, {})
    (tmp_path / "metadata.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PrepareError, match="is not UTF-16"):
        make_plan(tmp_path, SETTINGS, {})


@pytest.mark.parametrize("folder", ["", "none"])
def test_nothing_to_prepare_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(PrepareError, match="no such folder|holds no recordings"):
        make_plan(tmp_path / folder, SETTINGS, {})


def test_equal_names_go_to_different_files(tmp_path: Path) -> None:
    for folder in ("x/anna", "y/anna", "y/ANNA"):
        write(tmp_path / folder / "one.wav")
    write(tmp_path / "x" / "anna" / "one.flac")
    stems = [task.stem for task in make_plan(tmp_path, SETTINGS, {}).tasks]
    assert len({stem.casefold() for stem in stems}) == 4


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Größe 声", "Größe 声"),
        ("a|b/c\nd", "a_b_c_d"),
        ("..", "_"),
        (".hidden", "_hidden"),
        ("", "_"),
        (" x ", "x"),
    ],
)
def test_names_are_safe(text: str, name: str) -> None:
    assert file_name(text) == name


def test_long_names_are_cut_and_stay_different() -> None:
    one, two = file_name("声" * 200 + "a"), file_name("声" * 200 + "b")
    assert one != two
    assert len(one.encode()) <= 120


def test_a_task_changes_with_the_file_and_the_settings(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    key = make_plan(tmp_path, SETTINGS, {}).tasks[0].key
    assert make_plan(tmp_path, SETTINGS, {}).tasks[0].key == key
    assert make_plan(tmp_path, PrepareSettings(level_db=-20), {}).tasks[0].key != key
    write(tmp_path / "a.wav", rate=8000)
    assert make_plan(tmp_path, SETTINGS, {}).tasks[0].key != key


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("audio_format", "mp3"),
        ("denoise", "magic"),
        ("level_db", 3.0),
        ("min_seconds", 20.0),
        ("max_clipped", 2.0),
        ("agreement", 0.5),
        ("validation", 0.9),
        ("variants", -1),
    ],
)
def test_bad_settings_are_named(name: str, value: object) -> None:
    with pytest.raises(PrepareError, match=f"{name} is {value!r}; give "):
        PrepareSettings(**{name: value})
