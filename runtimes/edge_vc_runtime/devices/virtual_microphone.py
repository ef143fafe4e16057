"""The converted voice as a microphone for other programs, on PulseAudio or PipeWire.

The audio loop plays into a null sink; its monitor is offered as a source with the chosen name.
PortAudio reaches the sink by an ALSA device that is defined in a configuration file of this
process.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from edge_vc_runtime.devices.error import DeviceBusyError, DeviceError
from edge_vc_runtime.devices.sound_system import explain_no_server
from edge_vc_runtime.message import one_line
from edge_vc_runtime.sysfs import read_text

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_ALSA_CONFIG = "/usr/share/alsa/alsa.conf"
_SECONDS = 10  # after which pactl is considered to hang
_PREFIX = "edge-vc-mic-"
_FILE = re.compile(rf"{_PREFIX}(\d{{1,10}})-\w+\.conf")


class VirtualMicrophone:
    """A source called ``name`` that exists while the block runs.

    Enter it before the back end lists its devices; the loop's output is the device named
    `output`. Leftovers of a killed run are removed first. Raises `DeviceError` for a name with
    anything but letters, digits, ``_`` and ``-``, without ``pactl``, and if no sound server
    responds; `DeviceBusyError` while another process offers that name.
    """

    def __init__(self, name: str, root: Path = Path("/")) -> None:
        if not _NAME.fullmatch(name):
            raise DeviceError(
                f"a microphone cannot be called {name!r:.60}; give a letter, then at most 39 "
                "letters, digits, - or _"
            )
        self.name = name
        self.output = f"edge_vc_{name}"
        """Name of the device to play to."""
        self._sink = f"{self.output}.{os.getpid()}"
        self._root = root
        self._modules: list[str] = []
        self._file: Path | None = None
        self._before: str | None = None

    def __enter__(self) -> VirtualMicrophone:
        try:
            self._remove_stale()
            self._remove_stale_files()
            self._load_sink()
            self._load(
                "module-remap-source", f"source_name={self.name}", f"master={self._sink}.monitor",
                "channels=2", "channel_map=front-left,front-right", "remix=no",
                f"source_properties=device.description={self.name}",
            )  # fmt: skip
            self._add_alsa_device()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the source, the sink and the ALSA device; may be called repeatedly."""
        while self._modules:
            try:
                _pactl("unload-module", self._modules.pop())
            except DeviceError:
                continue  # the server is gone, and the module with it
        if self._file is not None:
            self._file.unlink(missing_ok=True)
            self._file = None
            if self._before is None:
                os.environ.pop("ALSA_CONFIG_PATH", None)
            else:
                os.environ["ALSA_CONFIG_PATH"] = self._before

    def _load_sink(self) -> None:
        """Load a sink without rewinding: a rewind stalls PulseAudio's null sink for up to 2 s."""
        sink = (
            "module-null-sink", f"sink_name={self._sink}", "rate=48000", "channels=2",
            "channel_map=front-left,front-right",
            f"sink_properties=device.description={self.output}",
        )  # fmt: skip
        try:
            self._load(*sink, "norewinds=1")
        except DeviceError:  # a server that does not know this argument rejects all of them
            self._load(*sink)

    def _load(self, *arguments: str) -> None:
        number = _pactl("load-module", *arguments).strip()
        if not number.isdigit():
            raise DeviceError(f"pactl load-module {arguments[0]} answered {one_line(number)!r:.60}")
        self._modules.append(number)

    def _remove_stale(self) -> None:
        """Unload the modules of killed runs; those of running processes are not touched."""
        mine = re.compile(rf"sink_name={re.escape(self.output)}\.(\d+)(?:\s|$)")
        monitor = re.compile(rf"master={re.escape(self.output)}\.(\d+)\.monitor(?:\s|$)")
        stale = []
        for line in _pactl("list", "short", "modules").splitlines():
            number, _, rest = line.partition("\t")
            match = mine.search(rest) or monitor.search(rest)
            if match is None or not number.isdigit():
                continue
            owner = int(match[1])
            if owner != os.getpid() and read_text(self._root, f"proc/{owner}/comm"):
                raise DeviceBusyError(
                    f"process {owner} offers a microphone {self.name!r} already; stop it, or "
                    "choose another name"
                )
            stale.append(number)
        for number in reversed(stale):  # the source before the sink that it monitors
            _pactl("unload-module", number)
        if any(self.name == source for source in _sources()):
            raise DeviceBusyError(
                f"there is a microphone {self.name!r} already; choose another name"
            )

    def _remove_stale_files(self) -> None:
        """Remove the ALSA configurations of this user's killed runs."""
        for file in _folder().glob(f"{_PREFIX}*.conf"):
            owner = _FILE.fullmatch(file.name)
            if owner and not read_text(self._root, f"proc/{owner[1]}/comm"):
                with suppress(OSError):  # another user's, in a shared folder
                    file.unlink()

    def _add_alsa_device(self) -> None:
        """Define an ALSA device for the sink, in addition to the existing configuration.

        libasound reads the files in this variable each time that PortAudio starts.
        """
        prefix = f"{_PREFIX}{os.getpid()}-"
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=".conf", dir=_folder())
        self._file = Path(name)
        with open(handle, "w", encoding="ascii") as file:
            file.write(f'pcm.{self.output} {{ type pulse\n  device "{self._sink}" }}\n')
        self._before = os.environ.get("ALSA_CONFIG_PATH")
        os.environ["ALSA_CONFIG_PATH"] = f"{self._before or _ALSA_CONFIG}:{name}"


def _folder() -> Path:
    session = os.environ.get("XDG_RUNTIME_DIR", "")  # emptied when the user logs out
    return Path(session if os.path.isdir(session) else tempfile.gettempdir())


def _sources() -> list[str]:
    rows = (line.split("\t") for line in _pactl("list", "short", "sources").splitlines())
    return [row[1] for row in rows if len(row) > 1]


def _pactl(*arguments: str) -> str:
    environment = os.environ | {"LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["pactl", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=_SECONDS,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise DeviceError(
            "a virtual microphone needs pactl, which is not installed: apt install pulseaudio-utils"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise DeviceError(f"the sound server did not answer within {_SECONDS} s") from error
    if done.returncode:
        reason = one_line(done.stderr) or f"pactl ended with {done.returncode}"
        if "onnection" in reason:
            reason = explain_no_server() or f"the sound server does not answer: {reason}"
        raise DeviceError(f"no virtual microphone: {reason}")
    return done.stdout
