"""Module, DataModule and Trainer in PyTorch (section 3.2)."""

import sys

import torch
from torch import nn

from d2lrnn.book.objects import HyperParameters
from d2lrnn.book.torch import bases
from d2lrnn.book.torch.basics import clip

d2l = sys.modules[__package__]


class Module(bases.Module, nn.Module):
    """The base class of models (section 3.2)."""

    def apply_init(self, inputs, init=None):
        """Compute the outputs once, so that layers get their sizes; then initialize by init."""
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)

    def _number(self, value):
        return d2l.numpy(d2l.to(value, d2l.cpu()))


class DataModule(bases.DataModule):
    """The base class of data (section 3.2)."""

    def __init__(self, root="../data", num_workers=4):
        """Store the folder that contains the files, and a number of processes, which is ignored."""
        self.save_hyperparameters()


class Trainer(bases.Trainer):
    """Train a model on data: epoch after epoch, step after step."""

    def prepare_model(self, model):
        """Connect the model to this trainer, on the device of the training."""
        super().prepare_model(model)
        if self.gpus:
            model.to(self.gpus[0])

    def _set_mode(self, training):
        self.model.train() if training else self.model.eval()

    def _train_batch(self, batch):
        loss = self.model.training_step(batch)
        self._note(loss.detach())
        self.optim.zero_grad()
        with torch.no_grad():
            loss.backward()
            if self.gradient_clip_val > 0:
                self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step()

    def _validate_batch(self, batch):
        with torch.no_grad():
            self.model.validation_step(batch)

    def clip_gradients(self, grad_clip_val, model):
        """Scale the model's gradients, in place, to a joint norm of at most grad_clip_val."""
        clip(model.parameters(), grad_clip_val)


class SGD(HyperParameters):
    """Stochastic gradient descent (section 3.4)."""

    def __init__(self, params, lr):
        """Store the tensors to update and the learning rate."""
        self.save_hyperparameters()

    def step(self):
        """Update each tensor by its gradient."""
        for param in self.params:
            param -= self.lr * param.grad

    def zero_grad(self):
        """Set the gradients to zero."""
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()
