"""Emulated boards: an arm64 root under QEMU with a board's CPU; counts instructions."""
