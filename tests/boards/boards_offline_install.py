"""Runs on an emulated board: a new virtual environment, filled by pip from a folder alone.

  python3 boards_offline_install.py FOLDER

FOLDER holds ``pip``, ``wheels`` and ``libasound.so.2``. Prints what could be imported, as JSON.
One process does it all: under QEMU's user emulation a program cannot start another one.
"""

import ctypes
import importlib
import json
import sys
import venv

NEW = "/tmp/venv"


def main(folder: str) -> int:
    venv.EnvBuilder(with_pip=False, symlinks=True).create(NEW)
    sys.path[:] = [path for path in sys.path if not path.startswith("/opt")]
    sys.path.insert(0, f"{folder}/pip")
    from pip._internal.cli.main import main as pip

    wheels = f"{folder}/wheels"
    options = ["--no-index", "--find-links", wheels, "--require-hashes", "--no-compile", "--quiet"]
    options += ["--prefix", NEW, "--ignore-installed", "--disable-pip-version-check"]
    options += ["--no-cache-dir", "--root-user-action=ignore"]
    code = pip(["install", *options, "-r", f"{wheels}/requirements.txt"])
    if code:
        return code
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    sys.path.insert(0, f"{NEW}/lib/python{version}/site-packages")
    ctypes.CDLL(f"{folder}/libasound.so.2", ctypes.RTLD_GLOBAL)
    names = ("numpy", "soxr", "ai_edge_litert.interpreter", "edge_vc_runtime", "pyaudio")
    places = {name: importlib.import_module(name).__file__ for name in names}
    pyaudio = importlib.import_module("pyaudio")
    audio = pyaudio.PyAudio()
    apis = [audio.get_host_api_info_by_index(n)["name"] for n in range(audio.get_host_api_count())]
    audio.terminate()
    text = pyaudio.get_portaudio_version_text()
    sys.stdout.write(json.dumps({"places": places, "portaudio": text, "apis": apis}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
