"""The book's Module, DataModule and Trainer in PyTorch, and the models of its first chapters."""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from d2lrnn.book.objects import HyperParameters, gradients_of
from d2lrnn.book.torch import bases
from d2lrnn.book.torch.basics import squared_loss

d2l = sys.modules[__package__]


class Module(bases.ModelPlots, nn.Module, HyperParameters):
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
        return torch.optim.SGD(self.parameters(), lr=self.lr)

    def apply_init(self, inputs, init=None):
        """Compute once, so that every layer knows its sizes; then let init draw the weights."""
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)

    def _number(self, value):
        return d2l.numpy(d2l.to(value, d2l.cpu()))


class Rows(torch.utils.data.TensorDataset):
    """Tensors of as many rows each, of which a minibatch takes many at once."""

    def __getitems__(self, indices):
        """Return those rows of each tensor."""
        chosen = torch.as_tensor(indices)
        return [tensor[chosen] for tensor in self.tensors]


def _as_it_is(batch):
    return batch


class DataModule(bases.DataLoaders):
    """The base class of data (section 3.2)."""

    def __init__(self, root="../data", num_workers=4):
        """Take the folder that files are looked for in, and the number of processes that read."""
        self.save_hyperparameters()

    def get_tensorloader(self, tensors, train, indices=slice(0, None)):
        """Return a loader of minibatches of the rows indices of the tensors; shuffled to train."""
        return load_array([tensor[indices] for tensor in tensors], self.batch_size, train)


def load_array(data_arrays, batch_size, is_train=True):
    """Return a loader of minibatches of the rows of the tensors; shuffled to train."""
    return torch.utils.data.DataLoader(
        Rows(*data_arrays), batch_size, shuffle=is_train, collate_fn=_as_it_is
    )


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
            model.to(self.gpus[0])

    def fit_epoch(self):
        """Train for one epoch, and then look at what was held out."""
        self.model.train()
        for batch in self.train_dataloader:
            loss = self.model.training_step(self.prepare_batch(batch))
            self._note(loss.detach())
            self.optim.zero_grad()
            with torch.no_grad():
                loss.backward()
                if self.gradient_clip_val > 0:
                    self.clip_gradients(self.gradient_clip_val, self.model)
                self.optim.step()
            self.train_batch_idx += 1
        if self.val_dataloader is None:
            return
        self.model.eval()
        for batch in self.val_dataloader:
            with torch.no_grad():
                self.model.validation_step(self.prepare_batch(batch))
            self.val_batch_idx += 1

    def clip_gradients(self, grad_clip_val, model):
        """Scale the model's gradients, in place, to a joint norm of grad_clip_val at most."""
        grads = gradients_of(model.parameters())
        norm = torch.sqrt(sum((grad**2).sum() for grad in grads))
        if norm > grad_clip_val:
            for grad in grads:
                grad *= grad_clip_val / norm


class SyntheticRegressionData(DataModule):
    """Inputs drawn at random, and targets that depend on them linearly (section 3.3)."""

    def __init__(self, w, b, noise=0.01, num_train=1000, num_val=1000, batch_size=32):
        """Draw X (n, len(w)) from N(0, 1) and y = X w + b + noise."""
        super().__init__()
        self.save_hyperparameters()
        n = num_train + num_val
        self.X = d2l.randn(n, len(w))
        column = d2l.reshape(w, (-1, 1))
        self.y = d2l.matmul(self.X, column) + b + d2l.randn(n, 1) * noise

    def get_dataloader(self, train):
        """Return the first num_train rows to train with, or the others."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, rows)


class SGD(HyperParameters):
    """Stochastic gradient descent (section 3.4)."""

    def __init__(self, params, lr):
        """Take the tensors to update and the learning rate."""
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


class LinearRegressionScratch(Module):
    """Linear regression from scratch (section 3.4)."""

    def __init__(self, num_inputs, lr, sigma=0.01):
        """Draw the weights (num_inputs, 1) from N(0, sigma²)."""
        super().__init__()
        self.save_hyperparameters()
        self.w = d2l.normal(0, sigma, (num_inputs, 1), requires_grad=True)
        self.b = d2l.zeros(1, requires_grad=True)

    def forward(self, X):
        """Return X w + b."""
        return d2l.matmul(X, self.w) + self.b

    def loss(self, y_hat, y):
        """Return the mean of half the squared errors."""
        return d2l.reduce_mean(squared_loss(y_hat, y))

    def configure_optimizers(self):
        """Return what makes the updates."""
        return d2l.SGD([self.w, self.b], self.lr)


class LinearRegression(Module):
    """Linear regression with PyTorch's own layer (section 3.5)."""

    def __init__(self, lr):
        """Make the layer; PyTorch itself draws its first values, at the first input."""
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.LazyLinear(1)

    def loss(self, y_hat, y):
        """Return the mean squared error."""
        return F.mse_loss(y_hat, y)

    def get_w_b(self):
        """Return the weights and the bias."""
        return self.net.weight.data, self.net.bias.data


class Classifier(Module):
    """The base class of models that choose one of several classes (section 4.3)."""

    def validation_step(self, batch):
        """Plot loss and accuracy of a minibatch (inputs..., targets) that was held out."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    def accuracy(self, Y_hat, Y, averaged=True):
        """Return the share of rows whose largest output is the target's, or each row's 0 or 1."""
        rows = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        chosen = d2l.astype(d2l.argmax(rows, axis=1), Y.dtype)
        right = d2l.astype(chosen == d2l.reshape(Y, -1), d2l.float32)
        return d2l.reduce_mean(right) if averaged else right

    def loss(self, Y_hat, Y, averaged=True):
        """Return the mean cross-entropy of outputs (..., q) for targets (...), or each row's."""
        reduction = "mean" if averaged else "none"
        rows = d2l.reshape(Y_hat, (-1, Y_hat.shape[-1]))
        return F.cross_entropy(rows, d2l.reshape(Y, (-1,)), reduction=reduction)

    def layer_summary(self, X_shape):
        """Print the shape of what each layer of ``net`` makes of an input of that shape."""
        X = d2l.randn(*X_shape)
        for layer in self.net:
            X = layer(X)
            print(f"{type(layer).__name__} output shape:\t", X.shape)


class SoftmaxRegression(Classifier):
    """Softmax regression (section 4.5)."""

    def __init__(self, num_outputs, lr):
        """Make the layer, of as many outputs as there are classes."""
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))
