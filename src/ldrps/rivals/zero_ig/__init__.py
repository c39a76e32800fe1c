"""ZERO-IG (Shi et al., CVPR 2024): light and noise of a dark picture, learned of the one picture."""
