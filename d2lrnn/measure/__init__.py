"""Looking at a net, trained or training: agreement, speed, memory, gradients."""
