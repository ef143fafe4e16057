"""Profiles are data, read strictly, and the runtime's catalogue is made from them."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from edge_vc_boards.board import BoardError
from edge_vc_boards.catalogue import catalogue, catalogue_path, write_catalogue
from edge_vc_boards.profile import read_profile
from edge_vc_boards.profile_folder import (
    board_names,
    load_board,
    load_boards,
    own_folder,
    shipped_boards,
)

PI4 = (resources.files("edge_vc_boards") / "profiles" / "pi4.toml").read_text()


def test_the_promised_boards_are_there() -> None:
    pis, jetsons = {"zero2", "pi3", "pi4", "pi5"}, {"nano", "orin-nano", "orin-nx", "agx-orin"}
    assert set(board_names()) == pis | jetsons | {"generic-arm64", "x86-64"}
    for board in load_boards():
        assert load_board(board.name) == board
        assert board.defaults.precision == "int8"


def test_dot_products_are_where_the_cores_have_them() -> None:
    with_them = {board.name for board in load_boards() if board.cpu and board.cpu.dot_product}
    assert with_them == {"pi5", "orin-nano", "orin-nx", "agx-orin"}


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
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super", "orin-nano"),
        ("NVIDIA Jetson AGX Orin Developer Kit", "agx-orin"),
        ("NVIDIA Jetson Orin NX Engineering Reference Developer Kit", "orin-nx"),
        ("Raspberry Pi 2 Model B Rev 1.1", None),
    ],
    ids=lambda pair: pair[0],
)
def test_a_model_string_names_one_board_at_most(model: tuple[str, str | None]) -> None:
    text, name = model
    found = [board.name for board in load_boards() if any(part in text for part in board.models)]
    assert found == ([name] if name else [])


def test_unknown_board_lists_the_known_ones() -> None:
    with pytest.raises(BoardError, match=r"no board 'pi44'; did you mean pi4\? known are agx-"):
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
        ('python = "3.11"', 'python = "2.7"', "systems.python has to be like 3.11"),
        ('key = "trixie"', 'key = "bookworm"', "systems has to be at least one, each with a key"),
        ('title = "', 'title = "\\u001b[31m', "title has to be 300 printable characters at most"),
        ('title = "', f'title = "{"x" * 300}', "title has to be 300 printable characters at most"),
        ("threads = 1", f"threads = {'[' * 3000}", "nested too deeply"),
        ("threads = 1", f"x = [{'1,' * 65}]", "defaults.x has more than 64 entries"),
        ('temperature = "/sys', 'temperature = "/etc', "sensors has to be paths in /sys or /proc"),
        ('temperature = "/sys', 'temperature = "/sys/..', "sensors has to be paths in /sys or"),
        ('tools = ["vc', 'tools = ["rm -rf /;vc', "sensors.tools has to be names of commands"),
        ("[sources]", "[source]", "source is not a known key"),
        ('"Raspberry Pi 4 Model"', '"Pi"', "models has to be parts of full_model"),
        ('"Raspberry Pi 4 Model", ', "", "models has to be parts of full_model"),
        ("[cpu]", "[cpu", "line"),
    ],
    ids=lambda text: text[:24].replace("\n", " "),
)
def test_a_bad_profile_is_refused_in_one_line(old: str, new: str, complaint: str) -> None:
    assert old in PI4
    with pytest.raises(BoardError) as error:
        read_profile(PI4.replace(old, new, 1))
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_the_runtime_carries_the_catalogue_of_these_profiles() -> None:
    assert catalogue_path().read_text() == catalogue(shipped_boards()), "run: make boards"
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
    assert path.read_text() == catalogue(shipped_boards())


def test_every_figure_has_a_source() -> None:
    for board in shipped_boards():
        stated = {source.of for source in board.sources}
        wanted = {"systems", "sensors", "defaults"}
        wanted |= {"models"} if board.models else set()
        wanted |= {"cpu", "cpu.features"} if board.cpu else set()
        wanted |= {"cpu.memcpy_mb_per_s"} if board.cpu and board.cpu.memcpy_mb_per_s else set()
        assert stated == wanted, board.name
        assert all(len(source.title) > 10 for source in board.sources)


def test_systems_are_those_of_the_boards() -> None:
    pythons = {
        board.name: {system.key: system.python for system in board.systems}
        for board in shipped_boards()
    }
    for pi in ("zero2", "pi3", "pi4", "pi5"):
        assert pythons[pi] == {"bookworm": "3.11", "trixie": "3.13"}
    for orin in ("orin-nano", "orin-nx", "agx-orin"):
        assert pythons[orin] == {"jetpack6": "3.10", "jetpack7": "3.12"}
        assert [system.tegra_release for system in load_board(orin).systems] == ["R36", "R39"]
        assert load_board(orin).system_named("jetpack7").cuda == "13"
    assert pythons["nano"] == {"jetpack4": "3.6"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of profiles."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own_folder().mkdir(parents=True)
    return own_folder()


def test_a_user_s_own_board_is_known(own: Path) -> None:
    (own / "radxa.toml").write_text(PI4.replace('name = "pi4"', 'name = "radxa"', 1))
    (own / "notes.txt").write_text("no profile")
    assert {"radxa", "pi4"} <= set(board_names())
    assert load_board("radxa").cpu == load_board("pi4").cpu
    assert "radxa" not in catalogue(shipped_boards())


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("pi4", PI4, "a board of this name ships; rename"),
        ("mine", PI4, "name is 'pi4', it has to be that of the file"),
        ("mine", "x" * 70_000, "is longer than 65536 characters"),
        ("mine", b"\xff", "is not UTF-8 text"),
        ("mine", None, "is not a file"),
    ],
    ids=["shipped", "other name", "large", "binary", "folder"],
)
def test_a_user_s_bad_profile_is_one_line(
    name: str, text: str | bytes | None, complaint: str, own: Path
) -> None:
    path = own / f"{name}.toml"
    if text is None:
        path.mkdir()
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BoardError) as error:
        load_board(name)
    assert complaint in str(error.value)
    assert f"{name}.toml: " in str(error.value)
    assert "\n" not in str(error.value)
