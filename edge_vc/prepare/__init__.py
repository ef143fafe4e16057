"""Turn a folder of arbitrary recordings into a training corpus."""
