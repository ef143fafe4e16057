"""Boards without boards: an arm64 root under QEMU that reports a board's CPU and counts instructions."""
