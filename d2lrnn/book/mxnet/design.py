"""Module, DataModule and Trainer in MXNet (section 3.2)."""

import sys

from d2lrnn.book.mxnet import bases
from d2lrnn.book.mxnet.basics import clip
from d2lrnn.book.objects import HyperParameters
from d2lrnn.mxnet.framework import autograd, mxnet, np

d2l = sys.modules[__package__]


class Module(bases.Module, mxnet.gluon.Block):
    """The base class of models (section 3.2)."""

    def parameters(self):
        """Return the Gluon parameters; if there are none, the arrays that are attributes."""
        params = self.collect_params()
        if len(params.keys()):
            return params
        return [param for param in self.get_scratch_params() if param.grad is not None]

    def get_scratch_params(self):
        """Return the arrays that are attributes of this model, and of the models in it.

        Their order is that of the names of the attributes, as in the book. Models in lists count.
        """
        params = {}
        for one in self._attributes():
            if isinstance(one, np.ndarray):
                params[id(one)] = one
            elif isinstance(one, Module):
                params.update((id(param), param) for param in one.get_scratch_params())
        return list(params.values())

    def _attributes(self):
        for _, value in sorted(vars(self).items()):
            yield from value if isinstance(value, (list, tuple)) else [value]

    def set_scratch_params_device(self, device):
        """Move the arrays that are attributes to a device."""
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray):
                setattr(self, name, value.as_in_ctx(device))
                getattr(self, name).attach_grad()
        for one in self._attributes():
            if isinstance(one, Module):
                one.set_scratch_params_device(device)


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
            model.collect_params().reset_ctx(self.gpus[0])
            model.set_scratch_params_device(self.gpus[0])

    def _set_mode(self, training):
        pass  # in Gluon, dropout depends on whether the computation is recorded

    def _train_batch(self, batch):
        with autograd.record():
            loss = self.model.training_step(batch)
        self._note(loss.sum())
        loss.backward()
        if self.gradient_clip_val > 0:
            self.clip_gradients(self.gradient_clip_val, self.model)
        self.optim.step(1)

    def clip_gradients(self, grad_clip_val, model):
        """Scale the model's gradients, in place, to a joint norm of at most grad_clip_val."""
        params = model.parameters()
        if not isinstance(params, list):
            params = [p.data() for p in params.values() if p.grad_req != "null"]
        clip(params, grad_clip_val)


class SGD(HyperParameters):
    """Stochastic gradient descent (section 3.4)."""

    def __init__(self, params, lr):
        """Store the arrays to update and the learning rate."""
        self.save_hyperparameters()

    def step(self, _):
        """Update each array by its gradient; the argument, a batch size in Gluon, is ignored."""
        for param in self.params:
            param -= self.lr * param.grad
