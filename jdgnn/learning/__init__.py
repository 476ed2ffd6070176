"""The computation of one node: layers, objectives, optimisers and the layer-wise local step."""
