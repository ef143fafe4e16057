"""Debian packages are unpacked as Debian's own tools would install their files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge_vc_boards.emulation.debian import unpack
from edge_vc_boards.emulation.error import EmulationError

pytestmark = pytest.mark.skipif(
    not shutil.which("dpkg-deb"), reason="dpkg-deb is missing: apt install dpkg"
)


def package(folder: Path, name: str) -> Path:
    """A package with one file in ``/lib`` and one in ``/usr/bin``."""
    tree = folder / name
    for place in ("lib", "usr/bin", "DEBIAN"):
        (tree / place).mkdir(parents=True)
    (tree / "lib" / name).write_text("library")
    (tree / "usr/bin" / name).write_text("program")
    (tree / "usr/bin" / name).chmod(0o755)
    fields = {"Package": name, "Version": "1", "Architecture": "all"}
    fields |= {"Maintainer": "A <a@example.com>", "Description": "empty"}
    text = "".join(f"{key}: {value}\n" for key, value in fields.items())
    (tree / "DEBIAN/control").write_text(text)
    made = folder / f"{name}.deb"
    command = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "usr/lib").mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    unpack([package(tmp_path, "one"), package(tmp_path, "two")], root)
    assert (root / "lib").is_symlink()
    assert sorted(path.name for path in (root / "usr/lib").iterdir()) == ["one", "two"]


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    unpack([package(tmp_path, "one")], tmp_path / "new" / "root")
    assert (tmp_path / "new/root/usr/bin/one").stat().st_mode & 0o777 == 0o755
    assert not (tmp_path / "new/root/DEBIAN").exists()


def test_what_is_no_package_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "no.deb").write_bytes(b"no package")
    with pytest.raises(EmulationError, match="dpkg-deb"):
        unpack([tmp_path / "no.deb"], tmp_path / "root")
