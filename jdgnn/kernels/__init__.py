"""Compiled kernels for CPUs: what XLA cannot do in one pass over memory. Optional; see `library`."""
