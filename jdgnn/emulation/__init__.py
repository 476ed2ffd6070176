"""The emulation: state, tick, run and history; the only place that sees both learning and protocol."""
