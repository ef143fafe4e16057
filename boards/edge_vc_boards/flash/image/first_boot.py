"""The script that installs what a card carries, on its first boot and until it has worked."""

from __future__ import annotations

from importlib import resources

SCRIPT = "edge-vc-first-boot.sh"
PAYLOAD = "edge-vc-payload.tar"
CHECKSUM = "edge-vc-payload.sha256"
USER_SCRIPT = "service-user.sh"
"""In the payload: makes the account in which the service runs."""
AUDIO_SCRIPT = "audio.sh"
"""In the payload, where sound cards are to be set up."""
LOG = "edge-vc-first-boot.log"
STATUS = "edge-vc-first-boot.status"
SSH_KEYS = "edge-vc-ssh-keys"
BOOT = "/boot/firmware"
"""Where Bookworm and Trixie mount the boot partition."""


def script_bytes(name: str) -> bytes:
    """Return a script of the package."""
    folder = resources.files("edge_vc_boards") / "flash" / "image" / "scripts"
    return (folder / name).read_bytes()


def first_boot_files(payload_sha256: str) -> dict[str, bytes]:
    """Return the script and the checksum of the payload, by their names on the card."""
    return {
        SCRIPT: script_bytes("first_boot.sh"),
        CHECKSUM: f"{payload_sha256}  {PAYLOAD}\n".encode(),
    }
