"""Programs as a compiler made them for a GPU, read without having one: bytes, kernels, copies and memory of a tick."""
