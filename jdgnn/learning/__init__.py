"""What one node computes: layers, objectives, optimisers and the layer-wise local step."""
