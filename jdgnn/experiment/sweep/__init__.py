"""Sweeps: a grid of values, each combination with several seeds, and what comes of them all."""
