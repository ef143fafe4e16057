"""Content encoders: networks that hear what is said, behind one protocol and one registry."""
