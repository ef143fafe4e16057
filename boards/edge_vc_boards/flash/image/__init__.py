"""An SD card for a Raspberry Pi: a stock image with a bundle, a user and a network."""
