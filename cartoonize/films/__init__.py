"""Whole films: frames drawn in order on several threads, segments, resuming, the result."""
