"""The wheel of ``edge-vc-runtime``, packed from the package in use."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import edge_vc_runtime
from edge_vc_boards.board import BoardError
from edge_vc_boards.wheels.wheel_file import WheelName, write_wheel
from edge_vc_runtime import __version__

_PROJECT = "edge_vc_runtime"
_DESCRIPTIONS = ("METADATA", "entry_points.txt", "licenses/LICENSE")


def write_runtime_wheel(folder: Path) -> Path:
    """Write the runtime's wheel into ``folder``; needs no build tool and no network.

    Raises `BoardError` if the package is not installed as a distribution, or in another version.
    """
    name = WheelName(_PROJECT, __version__, "py3-none-any")
    try:
        installed = distribution("edge-vc-runtime")
    except PackageNotFoundError as error:
        raise BoardError("edge-vc-runtime is not installed: pip install ./runtimes") from error
    if installed.version != __version__:
        raise BoardError(
            f"edge-vc-runtime is installed as {installed.version}, its code is {__version__}: "
            "install it again"
        )
    texts = {each: installed.read_text(each) for each in _DESCRIPTIONS}
    files = {f"{name.info}/{each}": text.encode() for each, text in texts.items() if text}
    package = Path(edge_vc_runtime.__file__).parent
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files[f"{_PROJECT}/{path.relative_to(package).as_posix()}"] = path.read_bytes()
    return write_wheel(folder, name, files)
