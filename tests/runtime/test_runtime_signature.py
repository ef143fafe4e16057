"""Who may sign, checked by the machine's own OpenSSH before any graph reaches a library."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from runtime_bundles import mini_contents
from runtime_signing import Key, make_key, mini_manifest, write_signed

from edge_vc_runtime.bundle.envelope import SIGNATURE_LIMIT, read_envelope
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.bundle.signature import (
    SignatureError,
    SignerList,
    SignerListError,
    verify_signature,
)
from edge_vc_runtime.cli import main
from edge_vc_runtime.session import Session
from edge_vc_runtime.trust import TrustPolicy, check_trust, machine_policy

SUMMER_2026 = 1_782_000_000.0


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_key(tmp_path_factory.mktemp("keys") / "mine")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_key(tmp_path_factory.mktemp("keys") / "other")


def test_an_allowed_signer_is_named(key: Key, tmp_path: Path) -> None:
    bundle = read_bundle(write_signed(tmp_path / "b.evc", key.sign(mini_manifest())))
    signers = SignerList(key.allowed(tmp_path / "signers", options='namespaces="edge-vc-bundle"'))
    assert bundle.signature is not None
    who = verify_signature(bundle.content, bundle.signature, signers)
    assert who.principal == "me@example.com"
    assert who.fingerprint == read_envelope(bundle.signature).fingerprint
    assert who.fingerprint.startswith("SHA256:")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ('valid-before="20260101"', "whose key has expired (valid-before 2026-01-01T00:00:00"),
        ('valid-after="20270101"', "whose key is not yet valid (valid-after 2027-01-01T00:00:00"),
        ('namespaces="git"', "does not allow to sign bundles"),
    ],
    ids=["expired", "not yet", "other namespace"],
)
def test_limits_of_a_signer_count(options: str, complaint: str, key: Key, tmp_path: Path) -> None:
    content = mini_manifest()
    signers = SignerList(key.allowed(tmp_path / "signers", options=options))
    with pytest.raises(SignatureError) as error:
        verify_signature(content, key.sign(content), signers, at=SUMMER_2026)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_time_within_the_limits_is_good(key: Key, tmp_path: Path) -> None:
    content = mini_manifest()
    limits = 'valid-after="20260101",valid-before="20270101"'
    signers = SignerList(key.allowed(tmp_path / "signers", options=limits))
    assert verify_signature(content, key.sign(content), signers, at=SUMMER_2026)


def test_a_clock_in_1970_does_not_revive_a_key(
    key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = mini_manifest()
    expired = key.allowed(tmp_path / "signers", options='valid-before="20200101"')
    os.utime(expired, (SUMMER_2026, SUMMER_2026))
    good = key.allowed(tmp_path / "good", options='valid-after="20260101"')
    os.utime(good, (SUMMER_2026, SUMMER_2026))
    monkeypatch.setattr(time, "time", lambda: 12.0)
    with pytest.raises(SignatureError, match="has expired"):
        verify_signature(content, key.sign(content), SignerList(expired))
    assert verify_signature(content, key.sign(content), SignerList(good))
    os.utime(expired, (12.0, 12.0))  # written by the same clock
    with pytest.raises(SignatureError, match="has expired"):
        verify_signature(content, key.sign(content), SignerList(expired))


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_the_time_zone_does_not_matter(
    zone: str, key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        day = time.strftime("%Y%m%d%H%M%S", time.localtime(SUMMER_2026 + 60))
        signers = SignerList(key.allowed(tmp_path / "s", options=f'valid-before="{day}"'))
        content = mini_manifest()
        assert verify_signature(content, key.sign(content), signers, at=SUMMER_2026)
        with pytest.raises(SignatureError, match="has expired"):
            verify_signature(content, key.sign(content), signers, at=SUMMER_2026 + 120)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_strangers_revoked_keys_and_changes_are_told_apart(
    key: Key, other: Key, tmp_path: Path
) -> None:
    content, mine = mini_manifest(), SignerList(key.allowed(tmp_path / "signers"))
    revoked = tmp_path / "revoked"
    revoked.write_text(key.public + "\n")
    fewer = replace(mine, revoked=revoked)
    cases = {
        "which is not in": (content, other.sign(content), mine),
        "a revoked key of 'me@example.com'": (content, key.sign(content), fewer),
        "does not fit the manifest": (content + b" ", key.sign(content), mine),
        "namespace 'git', it has to be edge-vc-bundle": (content, key.sign(content, "git"), mine),
    }
    for complaint, (data, signature, signers) in cases.items():
        with pytest.raises(SignatureError) as error:
            verify_signature(data, signature, signers)
        assert complaint in str(error.value)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"garbage",
        b"-----BEGIN SSH SIGNATURE-----\n!!!!\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAf////8=\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\n" + b"A" * SIGNATURE_LIMIT,
        "-----BEGIN SSH SIGNATURE-----\n\xe9\n-----END SSH SIGNATURE-----\n".encode(),
    ],
    ids=["empty", "garbage", "no base64", "length beyond the end", "large", "not ascii"],
)
def test_what_is_no_signature_is_one_line(signature: bytes, key: Key, tmp_path: Path) -> None:
    signers = SignerList(key.allowed(tmp_path / "signers"))
    with pytest.raises(BundleError, match=r"^manifest.sig is (not an armoured|a damaged)"):
        verify_signature(mini_manifest(), signature, signers)


def test_a_list_that_cannot_be_read_is_not_an_empty_one(key: Key, tmp_path: Path) -> None:
    content = mini_manifest()
    signature = key.sign(content)
    for signers in (
        SignerList(tmp_path / "none"),
        SignerList(key.allowed(tmp_path / "signers"), tmp_path / "none"),
    ):
        with pytest.raises(SignerListError, match="none: No such file"):
            verify_signature(content, signature, signers)


def test_without_openssh_the_package_is_named(
    key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = mini_manifest()
    signature, signers = key.sign(content), SignerList(key.allowed(tmp_path / "signers"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SignerListError, match="apt install openssh-client"):
        verify_signature(content, signature, signers)


def machine(root: Path, key: Key | None = None, policy: str | None = None) -> Path:
    folder = root / "etc" / "edge-vc"
    folder.mkdir(parents=True)
    if key is not None:
        key.allowed(folder / "allowed_signers")
    if policy is not None:
        (folder / "trust.json").write_text(policy)
    return folder


def test_the_machine_s_folder_comes_before_the_user_s(key: Key, tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert machine_policy(tmp_path / "root", home) == TrustPolicy()
    mine = tmp_path / "config" / "edge-vc"
    mine.mkdir(parents=True)
    key.allowed(mine / "allowed_signers")
    assert machine_policy(tmp_path / "root", home).source == str(mine)
    folder = machine(tmp_path / "root", key)
    policy = machine_policy(tmp_path / "root", home)
    assert policy == TrustPolicy(SignerList(folder / "allowed_signers"), "refuse", str(folder))
    (folder / "revoked_keys").write_text("")
    (folder / "trust.json").write_text('{"unsigned": "allow"}')
    policy = machine_policy(tmp_path / "root", home)
    listed = SignerList(folder / "allowed_signers", folder / "revoked_keys")
    assert policy == TrustPolicy(listed, "allow", str(folder))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"unsigned": "maybe"}', '{"unsigned": "allow", "x": 1}']
)
def test_a_policy_that_cannot_be_read_refuses(text: str, tmp_path: Path) -> None:
    machine(tmp_path, policy=text)
    with pytest.raises(BundleError, match=r"trust.json: "):
        machine_policy(tmp_path, {})


def test_a_signature_is_wanted_where_signers_are_listed(
    key: Key, other: Key, tmp_path: Path
) -> None:
    folder = machine(tmp_path, key)
    plain = read_bundle(write_signed(tmp_path / "plain.evc", None))
    good = read_bundle(write_signed(tmp_path / "good.evc", key.sign(mini_manifest())))
    bad = read_bundle(write_signed(tmp_path / "bad.evc", other.sign(mini_manifest())))
    policy = machine_policy(tmp_path, {})
    signer = check_trust(good, policy)
    assert signer is not None
    assert signer.principal == "me@example.com"
    with pytest.raises(
        SignatureError, match=r"plain.evc: is not signed and .* edge-vc sign .*trust.json"
    ):
        check_trust(plain, policy)
    lenient = replace(policy, unsigned="allow")
    assert check_trust(plain, lenient) is None
    for each in (policy, lenient):
        with pytest.raises(SignatureError, match=r"bad.evc: signed with SHA256"):
            check_trust(bad, each)
    (folder / "allowed_signers").unlink()
    (folder / "trust.json").write_text('{"unsigned": "refuse"}')
    for each_bundle in (plain, good):
        with pytest.raises(SignatureError):
            check_trust(each_bundle, machine_policy(tmp_path, {}))


@pytest.mark.parametrize("verb", ["run", "profile", "inspect", "choose"])
def test_no_library_sees_a_graph_that_nobody_signed(
    verb: str, key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def load(*_: object) -> None:
        raise AssertionError("a library was asked for")

    folder = tmp_path / "config" / "edge-vc"
    folder.mkdir(parents=True)
    key.allowed(folder / "allowed_signers")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("edge_vc_runtime.engines.selection.load_engine", load)
    path = write_signed(tmp_path / "plain.evc", None)
    files = [str(tmp_path / "in.wav"), str(tmp_path / "out.wav")] if verb == "run" else []
    assert main([verb, str(path), *files]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "plain.evc: is not signed" in error


def test_a_signed_bundle_opens_where_its_signer_is_listed(
    key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "edge-vc"
    folder.mkdir()
    key.allowed(folder / "allowed_signers")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = write_signed(tmp_path / "good.evc", key.sign(mini_manifest()))
    assert Session.open(path).hop == 160
    assert main(["inspect", str(path)]) == 0
    assert "  signed by me@example.com with SHA256:" in capsys.readouterr().out


def test_verify_has_an_exit_code_for_each_outcome(
    key: Key, other: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = mini_manifest()
    signers = ["--allowed-signers", str(key.allowed(tmp_path / "signers"))]
    good = write_signed(tmp_path / "good.evc", key.sign(content))
    assert main(["verify", str(good), *signers]) == 0
    assert "good.evc: signed by me@example.com with SHA256:" in capsys.readouterr().out
    revoked = tmp_path / "revoked"
    revoked.write_text(key.public)
    manifest = replace(mini_contents()[0], version="0.1.1")
    cases = {
        "is not signed": (write_signed(tmp_path / "plain.evc", None), 1),
        "which is not in": (write_signed(tmp_path / "other.evc", other.sign(content)), 1),
        "does not fit": (write_signed(tmp_path / "new.evc", key.sign(content), manifest), 1),
        "not an armoured": (write_signed(tmp_path / "text.evc", b"text"), 1),
        "No such file": (tmp_path / "none.evc", 2),
    }
    for complaint, (path, code) in cases.items():
        assert main(["verify", str(path), *signers]) == code, complaint
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert complaint in said.err
    assert main(["verify", str(good), *signers, "--revoked", str(revoked)]) == 1
    assert "a revoked key" in capsys.readouterr().err
    assert main(["verify", str(good), "--allowed-signers", str(tmp_path / "none")]) == 2
    assert main(["verify", str(good)]) == 2
    assert "give --allowed-signers FILE" in capsys.readouterr().err
