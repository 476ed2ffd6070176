"""Sweeps: a grid of values, each combination with several seeds, and their results."""
