"""The book's Module, DataModule and Trainer in MXNet."""

import sys

import numpy

from d2lrnn.book.mxnet import bases
from d2lrnn.book.mxnet.tensors import autograd, clip, gluon, nn, np
from d2lrnn.book.objects import HyperParameters

d2l = sys.modules[__package__]


class Module(bases.ModelPlots, nn.Block, HyperParameters):
    """The base class of models (section 3.2).

    Args:
        plot_train_per_epoch, plot_valid_per_epoch: how many points an epoch adds to the board.
    """

    def __init__(self, plot_train_per_epoch=2, plot_valid_per_epoch=1):
        """Take the settings, and a board to draw on."""
        super().__init__()
        self.save_hyperparameters()
        self.board = d2l.ProgressBoard()

    def loss(self, y_hat, y):
        """Return the mean loss of the outputs y_hat for the targets y; each model has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a method loss(self, y_hat, y)")

    def forward(self, X):
        """Return what the network ``net`` makes of X."""
        assert hasattr(self, "net"), "the model has neither a network net nor a method forward"
        return self.net(X)

    def training_step(self, batch):
        """Return the loss of a minibatch (inputs..., targets), and plot it."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=True)
        return l

    def validation_step(self, batch):
        """Plot the loss of a minibatch (inputs..., targets) that was held out."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("loss", l, train=False)

    def configure_optimizers(self):
        """Return what makes the updates: stochastic gradient descent at the rate ``lr``."""
        params = self.parameters()
        if isinstance(params, list):
            return d2l.SGD(params, self.lr)
        return gluon.Trainer(params, "sgd", {"learning_rate": self.lr})

    def parameters(self):
        """Return the Gluon parameters; where there are none, the arrays kept as attributes."""
        params = self.collect_params()
        if len(params.keys()):
            return params
        return [param for param in self.get_scratch_params() if param.grad is not None]

    def get_scratch_params(self):
        """Return the arrays that this model, and the models in it, keep as attributes.

        They come in the order of the attributes' names, as in the book; models in lists count too.
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
        """Move the arrays kept as attributes to a device."""
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray):
                setattr(self, name, value.as_in_ctx(device))
                getattr(self, name).attach_grad()
        for one in self._attributes():
            if isinstance(one, Module):
                one.set_scratch_params_device(device)

    def _number(self, value):
        return d2l.numpy(value)


class Loader(gluon.data.DataLoader):
    """Gluon's loader of minibatches, for rows of arrays: a minibatch's rows are taken at once."""

    def __iter__(self):
        """Yield the minibatches, as lists of arrays."""
        arrays = self._dataset._data
        for rows in self._batch_sampler:
            rows = numpy.asarray(rows)
            yield [np.array(array[rows], dtype=array.dtype) for array in arrays]


class DataModule(bases.DataLoaders):
    """The base class of data (section 3.2)."""

    def __init__(self, root="../data", num_workers=4):
        """Take the folder that files are looked for in, and the number of processes that read."""
        self.save_hyperparameters()

    def get_tensorloader(self, tensors, train, indices=slice(0, None)):
        """Return a loader of minibatches of the rows indices of the arrays; shuffled to train."""
        return load_array([tensor[indices] for tensor in tensors], self.batch_size, train)


def load_array(data_arrays, batch_size, is_train=True):
    """Return a loader of minibatches of the rows of the arrays; shuffled to train."""
    arrays = [a.asnumpy() if isinstance(a, np.ndarray) else a for a in data_arrays]
    return Loader(gluon.data.ArrayDataset(*arrays), batch_size, shuffle=is_train)


class Trainer(bases.TrainerBase):
    """Trains a model on data: epoch after epoch, step after step.

    Args:
        max_epochs: how often to go through the data.
        num_gpus: how many GPUs to use, if there are as many; one is enough for these chapters.
        gradient_clip_val: what the joint norm of the gradients is cut down to; 0 leaves it.
    """

    def prepare_model(self, model):
        """Tie the model to this trainer, on the device where it is to be trained."""
        super().prepare_model(model)
        if self.gpus:
            model.collect_params().reset_ctx(self.gpus[0])
            model.set_scratch_params_device(self.gpus[0])

    def fit_epoch(self):
        """Train for one epoch, and then look at what was held out."""
        for batch in self.train_dataloader:
            with autograd.record():
                loss = self.model.training_step(self.prepare_batch(batch))
            self._note(loss.sum())
            loss.backward()
            if self.gradient_clip_val > 0:
                self.clip_gradients(self.gradient_clip_val, self.model)
            self.optim.step(1)
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        for batch in self.val_dataloader:
            self.model.validation_step(self.prepare_batch(batch))
            self.val_batch_idx += 1

    def clip_gradients(self, grad_clip_val, model):
        """Scale the model's gradients, in place, to a joint norm of grad_clip_val at most."""
        params = model.parameters()
        if not isinstance(params, list):
            params = [p.data() for p in params.values() if p.grad_req != "null"]
        clip(params, grad_clip_val)


class SGD(HyperParameters):
    """Stochastic gradient descent (section 3.4)."""

    def __init__(self, params, lr):
        """Take the arrays to update and the learning rate."""
        self.save_hyperparameters()

    def step(self, _):
        """Update each array by its gradient; the argument is ignored, as Gluon's is not."""
        for param in self.params:
            param -= self.lr * param.grad
