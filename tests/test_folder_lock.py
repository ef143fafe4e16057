"""Two processes do not work in one folder: the second one is told, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_host_verbs import invoke

from edge_vc.settings.folder_lock import FolderInUseError, only_process

VERBS = {
    "prepare": ["none", "-o"],
    "train student": ["--corpus", "none", "--steps", "1", "--out"],
    "train teacher": ["--target", ".", "--consent", "Ours.", "--steps", "1", "--out"],
    "train contents": ["--corpus", "none", "--steps", "1", "--out"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_the_second_process_is_one_line(verb: str, tmp_path: Path) -> None:
    with only_process(tmp_path / "out"):
        done = invoke(verb, *VERBS[verb], str(tmp_path / "out"))
        assert done.exit_code == 2
        assert "another process works in this folder" in done.stderr
        assert done.stderr.count("\n") == 1
        assert not list((tmp_path / "out").iterdir())


def test_the_folder_is_free_afterwards_and_gone_if_it_is_empty(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_process(tmp_path / "out"):
        _ = 1 / 0
    assert not (tmp_path / "out").exists()
    (tmp_path / "there").mkdir()
    for _ in range(2):
        with only_process(tmp_path / "there"), pytest.raises(FolderInUseError):
            only_process(tmp_path / "there").__enter__()
    assert (tmp_path / "there").is_dir()
