"""Errors of making a card."""

from __future__ import annotations

from edge_vc_boards.flash.error import FlashError


class CardError(FlashError):
    """An image, a setting or a device that cannot be used; one line."""
