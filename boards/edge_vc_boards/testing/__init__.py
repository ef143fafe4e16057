"""Fake boards for tests: an ``ssh`` that runs commands in a folder on this machine.

board = FakeBoard(tmp_path / "board", FakeBoardFacts(model="Raspberry Pi 4 Model B Rev 1.4"))
monkeypatch.setenv("PATH", board.path())
...                         # whatever calls ssh
assert board.commands()
"""

from edge_vc_boards.testing.fake_board import FakeBoard, FakeBoardFacts

__all__ = ["FakeBoard", "FakeBoardFacts"]
