"""Keys are made safely, and a signature changes nothing but itself."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.assets import bundle_path
from edge_vc.cli import app
from edge_vc_export.signing.keys import keys_folder, list_keys, new_key, read_key
from edge_vc_export.signing.signer import KeySigner, SigningError, sign_bundle
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.bundle.signature import SignerList, verify_signature

BUNDLE = bundle_path("kathleen-nano")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("config") / "keys"
    return new_key(folder, "mine", "me@example.com", passphrase=False).path


def invoke(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_a_key_is_its_owner_s_alone(key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in key.parent.iterdir()) == ["mine", "mine.pub"]


@pytest.mark.parametrize(
    ("taken", "said"),
    [("new", "new: is there without its public half"), ("new.pub", r"new\.pub: is there already")],
)
def test_nothing_is_overwritten(taken: str, said: str, tmp_path: Path) -> None:
    (tmp_path / taken).write_text("mine")
    with pytest.raises(SigningError, match=said):
        new_key(tmp_path, "new", "me", passphrase=False)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(taken, "mine")]


def test_a_name_that_was_taken_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def late(source: Path, target: Path) -> None:
        target.write_text("theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(SigningError, match="is there already"):
        new_key(tmp_path, "new", "me", passphrase=False)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("new", "theirs")]


@pytest.mark.parametrize("name", ["../up", "", "a b", "-rf", ".hidden"])
def test_a_name_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(SigningError, match="it has to match"):
        new_key(tmp_path, name, "me", passphrase=False)
    with pytest.raises(SigningError, match="identity is"):
        new_key(tmp_path, "ok", 'x" ssh-rsa', passphrase=False)


def test_signing_changes_nothing_but_the_signature(key: Path, tmp_path: Path) -> None:
    before = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
    once = sign_bundle(BUNDLE, KeySigner(key), tmp_path / "once.evc")
    twice = sign_bundle(once, KeySigner(key), tmp_path / "twice.evc")
    assert hashlib.sha256(BUNDLE.read_bytes()).hexdigest() == before
    assert once.read_bytes() == twice.read_bytes()
    old, new = read_bundle(BUNDLE), read_bundle(once)
    assert list(new.members)[:2] == ["manifest.json", "manifest.sig"]
    assert [name for name in new.members if name != "manifest.sig"] == list(old.members)
    assert new.content == old.content
    assert all(new.read(name) == old.read(name) for name in old.manifest.files)
    allowed = tmp_path / "allowed"
    allowed.write_text(read_key(key).signer_line())
    assert new.signature is not None
    assert verify_signature(new.content, new.signature, SignerList(allowed)).principal == (
        "me@example.com"
    )


def test_a_key_in_an_agent_signs(
    key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = Path("/tmp") / f"evc-agent-{os.getpid()}"  # a socket's path has to be short
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if socket.exists():
                break
            time.sleep(0.02)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", str(key)], check=True)
        public = tmp_path / "public.pub"
        public.write_text(Path(f"{key}.pub").read_text())
        made = sign_bundle(BUNDLE, KeySigner(public), tmp_path / "agent.evc")
    finally:
        agent.terminate()
        agent.wait()
        socket.unlink(missing_ok=True)
    assert made.read_bytes() == sign_bundle(BUNDLE, KeySigner(key), tmp_path / "x").read_bytes()


def test_what_cannot_sign_is_one_line(key: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no key")
    (tmp_path / "text").chmod(0o600)
    for given, complaint in (
        (tmp_path / "text", "ssh-keygen: "),
        (tmp_path / "none", "no such key"),
    ):
        with pytest.raises(SigningError, match=complaint) as error:
            sign_bundle(BUNDLE, KeySigner(given), tmp_path / "out.evc")
        assert "\n" not in str(error.value)
    (tmp_path / "bad.evc").write_bytes(b"no bundle")
    with pytest.raises(BundleError):
        sign_bundle(tmp_path / "bad.evc", KeySigner(key))
    assert not (tmp_path / "out.evc").exists()


def test_from_a_key_to_a_verified_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    options = ["--no-passphrase", "--identity", "ci@example.com", "--until", "2090-12-31"]
    code, line, error = invoke("keys", "new", "ci", *options)
    assert code == 0
    assert "keep it secret" in error
    assert line.startswith(
        'ci@example.com namespaces="edge-vc-bundle",valid-before="20901231235959"'
    )
    signers = tmp_path / "allowed_signers"
    signers.write_text(line)
    assert [each.identity for each in list_keys(keys_folder())] == ["ci@example.com"]
    code, listed, _ = invoke("keys", "list")
    assert listed.split()[:3] == ["ci", "ed25519", "256"]
    assert invoke("keys", "list", "--allowed-signers")[1].startswith("ci@example.com namespaces=")

    copy = tmp_path / "copy.evc"
    copy.write_bytes(BUNDLE.read_bytes())
    assert invoke("sign", str(copy), "--key", "ci")[0] == 0
    assert invoke("verify", str(copy), "--allowed-signers", str(signers))[0] == 0
    assert invoke("verify", str(BUNDLE), "--allowed-signers", str(signers))[0] == 1
    code, _, error = invoke("keys", "new", "ci", "--no-passphrase")
    assert (code, error.count("\n")) == (2, 1)
    assert "ci: is there already" in error
