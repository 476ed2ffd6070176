"""The documentation, and what it is built with."""
