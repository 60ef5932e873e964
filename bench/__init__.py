"""Measurements of the built image, as ratios in one run; never pass or fail."""
