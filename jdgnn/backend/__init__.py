"""Array operations over rows and edges, by target: plain JAX or compiled CPU kernels."""
