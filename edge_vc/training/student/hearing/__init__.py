"""What a student hears of its training recordings: as they are, in noise, in other voices."""
