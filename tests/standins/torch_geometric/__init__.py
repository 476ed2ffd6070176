"""Has of PyTorch Geometric what examples import, where it is not installed."""
