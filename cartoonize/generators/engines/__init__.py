"""What runs a generator, and on which device."""
