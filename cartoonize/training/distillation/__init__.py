"""A small generator learns to draw what a large one draws."""
