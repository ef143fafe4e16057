"""Speech corpora: reading them, synthesising one, and deriving training pairs."""
