"""The command line: a file for each command, typed as typer reads it.

Commands import what they need when they are called: help and completion must not wait for it.
"""
