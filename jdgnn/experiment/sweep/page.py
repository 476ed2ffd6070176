"""stub"""
from jdgnn.experiment.sweep.results import Results
def write_page(results: Results) -> None:
    """Stub."""
