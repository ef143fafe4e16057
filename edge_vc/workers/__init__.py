"""Parallel work: one progress protocol, one scheduler, pools of processes or Ray actors."""
