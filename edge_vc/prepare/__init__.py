"""From a folder of any recordings to a corpus that training can use."""
