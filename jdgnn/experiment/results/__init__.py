"""Finished runs, read back, and compared."""
