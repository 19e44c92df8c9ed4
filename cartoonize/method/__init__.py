"""The paper's maths on arrays; imports nothing of ours but errors."""
