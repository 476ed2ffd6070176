"""Configurations: read, checked, completed and proposed."""
