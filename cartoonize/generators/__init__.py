"""What weights there are, and what runs them."""
