"""Speech corpora: reading them, making one, and deriving training pairs."""
