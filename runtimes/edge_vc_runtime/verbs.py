"""The verbs of the board command; the host command shows the same texts."""

from __future__ import annotations

VERBS = {
    "run": "Convert a live voice, a recording, or raw audio on stdin, with a bundle.",
    "profile": "Measure a bundle's time per hop and memory here.",
    "inspect": "Verify a bundle and print its manifest.",
    "verify": "Verify a bundle's signature and print the signer.",
    "validate": "Replay the golden recording here and compare, with figures.",
    "devices": "List microphones and loudspeakers; remember which to use.",
    "choose": "Measure which engine is fastest here; save the result.",
    "report": "Show a saved profile or live run.",
    "install": "Install a bundle on this board; roll back if it fails.",
    "installed": "List the installed releases.",
    "rollback": "Make the previous release current again.",
    "uninstall": "Remove every installed release.",
    "unit": "Print the systemd unit that runs the current release.",
    "control": "Change the voice of a live run, or show its status.",
    "measure-latency": "Measure the real delay from output to input with a chirp.",
}
"""Each verb's name and one line of help."""
EXIT_CODES = {
    "run": "0 done, 1 a live recording ended early (full disk), 2 bad input, "
    "129 terminal closed, 130 Ctrl-C, 141 broken pipe, 143 terminated",
    "profile": "0 done, 2 bad input, 3 a deadline was missed with --fail-on-miss, 130 Ctrl-C",
    "inspect": "0 done, 1 --check found a difference, 2 bad bundle",
    "verify": "0 signed by an allowed signer, 1 not, 2 bad bundle or list of signers",
    "validate": "0 within the tolerances, 1 not, 2 bad input or nothing to replay, 130 Ctrl-C",
    "devices": "0 done, 1 no device there, 2 bad input, 130 Ctrl-C",
    "choose": "0 done, 2 bad input, 130 Ctrl-C",
    "report": "0 done, 2 not a report",
    "install": "0 current now or already, 1 rolled back, 2 refused or not writable",
    "installed": "0 done, 2 nothing is installed",
    "rollback": "0 done, 1 its health check failed, 2 nothing to go back to",
    "uninstall": "0 done, 2 nothing is installed",
    "unit": "0 done, 2 a path, a name or an argument of run that a unit cannot contain",
    "control": "0 done, 2 no run there, or bad input",
    "measure-latency": "0 measured, 1 the signal was not found, 2 bad input, 130 Ctrl-C",
}
"""Each verb's exit codes, as listed by its help."""
