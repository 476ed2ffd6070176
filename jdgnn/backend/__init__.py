"""Array operations over rows and edges, by the machine that they run on: in plain JAX, or by compiled CPU kernels."""
