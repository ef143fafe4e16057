"""Profiles are data, read strictly, and the runtime's catalogue is made from them."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from edge_vc_boards.board import Board, BoardError, board_names, load_board, load_boards
from edge_vc_boards.catalogue import catalogue, catalogue_path, write_catalogue

PI4 = (resources.files("edge_vc_boards") / "profiles" / "pi4.toml").read_text()


def test_the_promised_boards_are_there() -> None:
    assert set(board_names()) == {"pi3", "pi4", "pi5", "zero2", "nano", "orin"}
    for board in load_boards():
        assert load_board(board.name) == board
        assert board.defaults.precision == "int8"


def test_dot_products_are_where_the_cores_have_them() -> None:
    assert {board.name for board in load_boards() if board.cpu.dot_product} == {"pi5", "orin"}


@pytest.mark.parametrize(
    "model",
    [
        ("Raspberry Pi Zero 2 W Rev 1.0", "zero2"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "pi3"),
        ("Raspberry Pi 4 Model B Rev 1.5", "pi4"),
        ("Raspberry Pi 400 Rev 1.0", "pi4"),
        ("Raspberry Pi Compute Module 4 Rev 1.1", "pi4"),
        ("Raspberry Pi 5 Model B Rev 1.0", "pi5"),
        ("Raspberry Pi 500 Rev 1.0", "pi5"),
        ("NVIDIA Jetson Nano Developer Kit", "nano"),
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super", "orin"),
        ("NVIDIA Jetson AGX Orin Developer Kit", "orin"),
        ("Raspberry Pi 2 Model B Rev 1.1", None),
    ],
    ids=lambda pair: pair[0],
)
def test_a_model_string_names_one_board_at_most(model: tuple[str, str | None]) -> None:
    text, name = model
    found = [board.name for board in load_boards() if any(part in text for part in board.models)]
    assert found == ([name] if name else [])


def test_unknown_board_lists_the_known_ones() -> None:
    with pytest.raises(BoardError, match=r"no board 'pi44'; did you mean pi4\? known are nano, "):
        load_board("pi44")
    with pytest.raises(BoardError, match="no board '../pi4'"):
        load_board("../pi4")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("cores = 4", "cores = 4\ncolour = 1", "cpu.colour is not a known key"),
        ("cores = 4", "", "cpu.cores is missing"),
        ("cores = 4", 'cores = "4"', "cpu.cores is '4', it has to be"),
        ("cores = 4", "cores = 0", "cpu.cores has to be 1 to 64"),
        ("threads = 1", "threads = 5", "defaults.threads has to be 1 to cpu.cores"),
        ('engine = "litert"', 'engine = "cuda"', "defaults.engine is 'cuda'"),
        ('python = "3.11"', 'python = "2.7"', "system.python has to be like 3.11"),
        ('"Raspberry Pi 4 Model", ', "", "models has to be parts of full_model"),
        ("[cpu]", "[cpu", "line"),
    ],
    ids=lambda text: text[:24].replace("\n", " "),
)
def test_a_bad_profile_is_refused_in_one_line(old: str, new: str, complaint: str) -> None:
    assert old in PI4
    with pytest.raises(BoardError) as error:
        Board.from_toml(PI4.replace(old, new, 1))
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_the_runtime_carries_the_catalogue_of_these_profiles() -> None:
    assert catalogue_path().read_text() == catalogue(load_boards())
    entries = {entry["name"]: entry for entry in json.loads(catalogue_path().read_text())}
    assert entries["pi4"]["engine"] == "litert"
    assert "Raspberry Pi 4 Model" in entries["pi4"]["models"]


def test_writing_the_catalogue_leaves_only_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("runtime") / "boards.json"
    monkeypatch.setattr("edge_vc_boards.catalogue.catalogue_path", lambda: path)
    assert write_catalogue() == path
    assert [entry.name for entry in path.parent.iterdir()] == ["boards.json"]
    assert path.read_text() == catalogue(load_boards())
