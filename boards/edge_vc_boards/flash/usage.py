"""The text of ``edge-vc flash --help``."""

from __future__ import annotations

from edge_vc.command_line.verb import notes

HELP = """Put a bundle on a board, over SSH or on a card; it then runs as a service.

With --to it uses your own OpenSSH (~/.ssh/config, agent, known_hosts; host keys always checked) and
first checks the board: processor, 64-bit system, Python, glibc, disk, memory, model, Jetson Linux.
If something does not fit, one line says what to do, and nothing is changed. Then it sends wheels
and bundle, so that the board needs no network, makes a virtual environment in /opt/edge-vc,
verifies the bundle's signature there, replays its golden recording, makes it current atomically,
and has systemd run it. If the release or its service fails, the previous release is restored.

Only what is missing is sent: the same bundle again changes nothing, and after a lost connection the
same command resumes. --inventory takes many boards, in TOML or in Ansible's YAML: the first one
alone, as a canary, then several at a time; no board is started after one has failed.
--list, --rollback and --uninstall take it as well. With --root edge-vc everything
is in your home folder there: no root is needed, and no service is made. Arguments after -- are
those of the service's `run`.

--configure-audio, alone or with a bundle, loads the overlay of an I2S sound card on a Raspberry Pi
(config.txt, kept as config.txt.before-edge-vc) or gives a USB card a persistent name (udev), over
SSH, on a card, in a layer or with Ansible. It is only done on request; `none` or --uninstall
removes it.

With --image it makes a card for a Raspberry Pi from a stock 64-bit Raspberry Pi OS (.img or
.img.xz): user, SSH key, Wi-Fi, wheels and bundle go onto the boot partition of a copy, in the
format that the image's first boot reads. It is detected by the image's content; an unknown one is
rejected. The first boot installs without a network and leaves edge-vc-first-boot.log on that
partition. The password is prompted for, or read from --password-file or EDGE_VC_CARD_PASSWORD, the
passphrase from --wifi-file or EDGE_VC_WIFI_PASSPHRASE; only their hashes are written. It needs
mtools, e2fsprogs and openssl. With --layer it writes a layer for rpi-image-gen.

With --bundle-app it writes one executable file with runtime, wheels and bundle, for a Raspberry Pi
unless --board names another board: ./OUT there runs live, ./OUT --help lists its commands. It only
needs the board's Python 3, and unpacks itself into ~/.cache/edge-vc once.

With --ansible it writes a folder with an Ansible playbook that does the same installation, with its
wheels, and with --inventory the hosts.
"""
NOTES = notes(
    """
edge-vc flash kathleen.evc --to pi@raspberrypi.local --trust key.pub
edge-vc flash kathleen.evc --to pi@raspberrypi.local -- --input plughw:CARD=Mic,DEV=0
edge-vc flash kathleen.evc --to pi@10.0.0.7 --dry-run
edge-vc flash --to pi@raspberrypi.local --list
edge-vc flash --to pi@raspberrypi.local --rollback
edge-vc flash --to pi@raspberrypi.local --uninstall
edge-vc flash --to pi@raspberrypi.local --configure-audio hifiberry-dacplusadc
edge-vc flash kathleen.evc --inventory boards.toml --group kitchen --parallel 8
    boards.toml has tables like [hosts.left] with to = "pi@10.0.0.7", groups = ["kitchen"]
edge-vc flash --inventory hosts.yml --list
edge-vc flash kathleen.evc --image pi-os.img.xz --out card.img --trust key.pub
    --user ann --ssh-key ~/.ssh/id_ed25519.pub --wifi Home --wifi-country GB
edge-vc flash kathleen.evc --bundle-app kathleen-voice
edge-vc flash kathleen.evc --ansible play --inventory boards.toml --trust key.pub
""",
    "0 it runs, now or already; 1 the release failed there and the previous one was restored; 2 "
    "the board or the bundle is rejected, or the connection failed; 130 Ctrl-C",
)
