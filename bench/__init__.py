"""Benchmarks: what jdgnn learns and how fast, measured by scripts whose results are committed."""
