"""A live voice, hop by hop: cards, rings, the thread that converts; and recordings the same way."""
