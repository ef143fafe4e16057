"""A layer for rpi-image-gen, to include the bundle in custom images."""

from __future__ import annotations

from pathlib import Path

from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.payload import Payload, write_payload
from edge_vc_runtime import __version__
from edge_vc_runtime.files.durable import rename, sync_file
from edge_vc_runtime.files.part_folder import scratch_folder
from edge_vc_runtime.files.writing import write_whole

_FOLDER = "edge-vc"
_LAYER = """\
# METABEGIN
# X-Env-Layer-Name: edge-vc
# X-Env-Layer-Version: {version}
# X-Env-Layer-Category: app
# X-Env-Layer-Desc: Edge VC voice conversion. Wheels and bundle are installed on the first boot,
#  without a network, and run as edge-vc.service.
# METAEND
---
mmdebstrap:
  packages:
    - python3
    - python3-venv
    - libasound2-plugins
    - openssh-client
  customize-hooks:
    - mkdir -p "$1/usr/lib/edge-vc"
    - cp {folder}/* "$1/usr/lib/edge-vc/"
    - chroot "$1" sh /usr/lib/edge-vc/edge-vc-first-boot.sh enable
"""


def write_layer(folder: Path, payload: Payload) -> list[Path]:
    """Write ``layer/edge-vc.yaml`` and the files that it copies; return their paths.

    The folder is the argument of ``rpi-image-gen build -S``. Raises `CardError`.
    """
    layer = folder / "layer" / "edge-vc.yaml"
    try:
        layer.parent.mkdir(parents=True, exist_ok=True)
        (folder / _FOLDER).mkdir(exist_ok=True)
        written = []
        with scratch_folder(folder) as scratch:
            for each, data in sorted(write_payload(payload, scratch).items()):
                path = folder / _FOLDER / each
                if isinstance(data, bytes):
                    write_whole(path, data)
                else:
                    sync_file(data)
                    rename(data, path)
                written.append(path)
        write_whole(layer, _LAYER.format(version=__version__, folder=_FOLDER))
    except OSError as error:
        raise CardError(f"--layer {folder}: {error.strerror or error}") from error
    return [layer, *written]
