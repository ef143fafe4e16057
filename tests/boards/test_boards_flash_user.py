"""The account of the service, made by the real ``useradd`` on a copy of this machine's ``/etc``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from boards_flash import new_pair

import edge_vc_boards.flash
from edge_vc_boards.flash.signer_key import read_signer_key

SCRIPT = Path(edge_vc_boards.flash.__file__).parent / "scripts/user.sh"
_ON_A_COPY = """
mount --bind "$1" /etc
mount -t tmpfs tmpfs /var/lib
"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """A folder that stands for ``/etc``, with the accounts of this machine."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "useradd", "setpriv"))):
        pytest.skip("as root, with util-linux and passwd")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("may make no mount namespace here")
    copy = tmp_path / "etc"
    shutil.copytree("/etc", copy, symlinks=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        lines = (copy / name).read_text().splitlines()
        kept = [line for line in lines if not line.startswith(("edge-vc:", "audio:"))]
        audio = ["audio:x:29:"] * (name == "group") + ["audio:*::"] * (name == "gshadow")
        (copy / name).write_text("\n".join([*kept, *audio, ""]))
    return copy


def on_copy(etc: Path, script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script for which ``$1`` is ``/etc`` and ``$2`` makes and removes the account."""
    text = f"set -eu\n{_ON_A_COPY}{script}"
    command = ["unshare", "--mount", "sh", "-c", text, "test", str(etc), str(SCRIPT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_account_is_made_once_and_removed_with_its_state(etc: Path) -> None:
    done = on_copy(
        etc,
        'sh "$2" make; sh "$2" make; getent passwd edge-vc; id -nG edge-vc\n'
        'mkdir /var/lib/edge-vc; sh "$2" remove; ls /var/lib\n'
        "! getent passwd edge-vc; ! getent group edge-vc",
    )
    assert done.returncode == 0, done.stderr
    account, groups = done.stdout.splitlines()
    assert account.endswith(":Edge VC service:/var/lib/edge-vc:/usr/sbin/nologin")
    assert int(account.split(":")[2]) < 1000
    assert groups == "edge-vc audio"


def test_somebody_elses_account_of_that_name_stays(etc: Path) -> None:
    with (etc / "passwd").open("a") as file:
        file.write("edge-vc:x:4242:4242:Eve:/home/eve:/bin/sh\n")
    before = (etc / "passwd").read_bytes()
    done = on_copy(etc, 'mkdir /var/lib/edge-vc; sh "$2" make; sh "$2" remove; ls /var/lib')
    assert (done.returncode, done.stdout) == (0, "edge-vc\n"), done.stderr
    assert (etc / "passwd").read_bytes() == before


def test_the_account_can_check_a_signature_and_a_number_without_a_name_cannot(
    etc: Path, tmp_path: Path
) -> None:
    pair, folder = new_pair(tmp_path), etc / "edge-vc"
    folder.mkdir()
    (folder / "allowed_signers").write_text(f"{read_signer_key(pair.public).line}\n")
    (folder / "message").write_text("a release")
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-n", "edge-vc-bundle", "-f", str(pair.private)]
    subprocess.run([*sign, str(folder / "message")], capture_output=True, check=True)
    (folder / "message.sig").chmod(0o644)
    check = (
        "ssh-keygen -Y verify -n edge-vc-bundle -f /etc/edge-vc/allowed_signers "
        "-I ci@example.com -s /etc/edge-vc/message.sig </etc/edge-vc/message"
    )
    script = f'sh "$2" make; setpriv --reuid=$3 --regid=$4 --clear-groups {check}'
    named = on_copy(etc, script, "edge-vc", "edge-vc")
    assert 'Good "edge-vc-bundle" signature' in named.stdout, named.stderr
    number = on_copy(etc, script, "64321", "64321")
    assert number.returncode != 0
    assert "No user exists for uid 64321" in number.stderr
