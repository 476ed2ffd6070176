"""The emulation: state, tick, run and history. The only package that imports both learning and protocol."""
