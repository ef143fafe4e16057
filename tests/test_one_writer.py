"""No module writes an output by itself: `edge_vc_runtime.files.writing` does, for all of them."""

from __future__ import annotations

import ast
import re

from test_architecture import modules

OWN = {
    "edge_vc.compress.pipeline.run_folder": "an empty lock file",
    "edge_vc.compress.stages.labels": "links into a stage's folder, synced when it is whole",
    "edge_vc.labelling.job": "by the label folder's own write_text",
    "edge_vc.evaluate.metrics.asr": "dictionaries in a temporary folder",
    "edge_vc.labelling.folder": "the journal, appended and synced, and an empty lock file",
    "edge_vc.prepare.evaluation": "recordings linked into a corpus; its table is the writer's",
    "edge_vc.serve.upload": "an upload in a temporary folder",
    "edge_vc.teachers.command": "a command's streams in a temporary folder",
    "edge_vc.training.checkpoint": "a log that is appended to, its last line may be torn",
    "edge_vc_boards.emulation.debian": "inside a root that is renamed when it is whole",
    "edge_vc_boards.emulation.fake_proc": "a made-up /proc in a temporary folder",
    "edge_vc_boards.emulation.root": "a root that is renamed when it is whole; a lock file",
    "edge_vc_boards.emulation.root_content": "inside a root that is renamed when it is whole",
    "edge_vc_boards.flash.app.app_file": "into a part of the writer",
    "edge_vc_boards.flash.app.entry": "unpacks with the standard library alone, then renames",
    "edge_vc_boards.flash.image.fat": "files for mtools in a temporary folder",
    "edge_vc_boards.flash.image.image_copy": "into a part of the writer, with holes",
    "edge_vc_boards.flash.image.payload": "an archive in a scratch folder",
    "edge_vc_boards.flash.signer_key": "a list of signers in a temporary folder",
    "edge_vc_boards.reports": "a report in a temporary folder",
    "edge_vc_boards.testing.fake_board": "a made-up board in a test's folder",
    "edge_vc_boards.testing.fake_ssh": "a made-up board in a test's folder",
    "edge_vc_boards.wheels.collect": "in a scratch folder, renamed when it is whole",
    "edge_vc_boards.wheels.pyaudio_wheel": "in a temporary folder",
    "edge_vc_export.bundle.archive": "into a part of the writer",
    "edge_vc_export.signing.keys": "a pair of keys, linked to its names, never replaced",
    "edge_vc_boards.emulation.run": "a lock and a made-up /proc in a temporary folder",
    "edge_vc_boards.flash.ssh": "the folder of a connection's socket",
    "edge_vc_runtime.audio.encoders": "into a part of the writer",
    "edge_vc_runtime.devices.library_noise": "a file in memory",
    "edge_vc_export.signing.signer": "a manifest in a temporary folder",
    "edge_vc_runtime.bundle.signature": "a signature in a temporary folder",
    "edge_vc_runtime.devices.callback_thread": "a thread's name in /proc",
    "edge_vc_runtime.devices.virtual_microphone": "a private cookie file of a sound server",
    "edge_vc_runtime.files.durable": "the renaming of the writer",
    "edge_vc_runtime.files.writing": "the writer",
    "edge_vc_runtime.install.disk": "the installation's own, ordered changes",
    "edge_vc_runtime.taps.__main__": "subtitles, valid at any moment",
}
"""Modules that may write, and why."""


_MODE = re.compile(r"(?=.*[wax+])[rwaxbt+]{1,3}")


def writes(module: str) -> bool:
    """Whether a module opens a file to write, or renames one."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Call) and _writes(node) for node in ast.walk(tree))


def _writes(call: ast.Call) -> bool:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    owner = getattr(getattr(call.func, "value", None), "id", "")
    if method in ("write_text", "write_bytes", "mkdtemp"):
        return True
    if owner == "os" and method in ("rename", "replace", "link"):
        return True
    name = method or getattr(call.func, "id", "")
    if name not in ("open", "FileIO", "save_file"):
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    texts = [str(each.value) for each in given if isinstance(each, ast.Constant)]
    return name == "save_file" or any(_MODE.fullmatch(text) for text in texts)


def test_only_the_writer_writes() -> None:
    """Use `write_whole` or `replacing`, or say in `OWN` why not."""
    assert sorted(module for module in modules() if writes(module) and module not in OWN) == []
