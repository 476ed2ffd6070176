"""A slow, plain second opinion: the charter's rules in Python and NumPy, one object per node and per message."""
