"""Content encoders: networks that encode what is said, behind one protocol and one registry."""
