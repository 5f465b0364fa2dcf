"""A net and a file: one step each from the one to the other."""
