"""Models, losses, gradients and optimizers, in code that is independent of the framework."""
