"""Experiments: configuration, run directory, command line and closing tables."""
