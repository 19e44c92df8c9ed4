"""Training: everything that imports TensorFlow."""
