"""Whether two revisions of jdgnn compute the same bits: `python -m bench.same_bits --against REV`."""
