"""The script that installs a card's payload on first boot, retried until it succeeds."""

from __future__ import annotations

from importlib import resources

SCRIPT = "edge-vc-first-boot.sh"
PAYLOAD = "edge-vc-payload.tar"
CHECKSUM = "edge-vc-payload.sha256"
USER_SCRIPT = "service-user.sh"
"""In the payload: creates the service's account."""
AUDIO_SCRIPT = "audio.sh"
"""In the payload if sound cards are to be configured."""
LOG = "edge-vc-first-boot.log"
STATUS = "edge-vc-first-boot.status"
SSH_KEYS = "edge-vc-ssh-keys"
BOOT = "/boot/firmware"
"""Where Bookworm and Trixie mount the boot partition."""


def script_bytes(name: str) -> bytes:
    """Return the content of a script of this package."""
    folder = resources.files("edge_vc_boards") / "flash" / "image" / "scripts"
    return (folder / name).read_bytes()


def first_boot_files(payload_sha256: str) -> dict[str, bytes]:
    """Return the script and the payload's checksum by their file names on the card."""
    return {
        SCRIPT: script_bytes("first_boot.sh"),
        CHECKSUM: f"{payload_sha256}  {PAYLOAD}\n".encode(),
    }
