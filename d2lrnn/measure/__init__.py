"""Measurements of nets: agreement of the backends, speed, memory, gradients, hidden states."""
