"""The models of the book's first chapters in MXNet: regression, and the base of classifiers."""

from d2lrnn.book.mxnet import tensors as d2l
from d2lrnn.book.mxnet.design import SGD, DataModule, Module
from d2lrnn.book.mxnet.tensors import gluon, init, nn, np


class SyntheticRegressionData(DataModule):
    """Inputs drawn at random, and targets that depend on them linearly (section 3.3)."""

    def __init__(self, w, b, noise=0.01, num_train=1000, num_val=1000, batch_size=32):
        """Draw X (n, len(w)) from N(0, 1) and y = X w + b + noise."""
        super().__init__()
        self.save_hyperparameters()
        n = num_train + num_val
        self.X = np.random.randn(n, len(w))
        self.y = np.dot(self.X, w.reshape(-1, 1)) + b + np.random.randn(n, 1) * noise

    def get_dataloader(self, train):
        """Return the first num_train rows to train with, or the others."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, rows)


class LinearRegressionScratch(Module):
    """Linear regression from scratch (section 3.4)."""

    def __init__(self, num_inputs, lr, sigma=0.01):
        """Draw the weights (num_inputs, 1) from N(0, sigma²)."""
        super().__init__()
        self.save_hyperparameters()
        self.w = np.random.normal(0, sigma, (num_inputs, 1))
        self.b = np.zeros(1)
        self.w.attach_grad()
        self.b.attach_grad()

    def forward(self, X):
        """Return X w + b."""
        return d2l.linreg(X, self.w, self.b)

    def loss(self, y_hat, y):
        """Return the mean of half the squared errors."""
        return d2l.squared_loss(y_hat, y).mean()

    def configure_optimizers(self):
        """Return what makes the updates."""
        return SGD([self.w, self.b], self.lr)


class LinearRegression(Module):
    """Linear regression with Gluon's own layer (section 3.5)."""

    def __init__(self, lr):
        """Make the layer, with weights drawn from N(0, 0.01²)."""
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Dense(1)
        self.net.initialize(init.Normal(sigma=0.01))

    def loss(self, y_hat, y):
        """Return the mean of half the squared errors."""
        return gluon.loss.L2Loss()(y_hat, y).mean()

    def configure_optimizers(self):
        """Return what makes the updates."""
        return gluon.Trainer(self.collect_params(), "sgd", {"learning_rate": self.lr})

    def get_w_b(self):
        """Return the weights and the bias."""
        return self.net.weight.data(), self.net.bias.data()


class Classifier(Module):
    """The base class of models that choose one of several classes (section 4.3)."""

    def validation_step(self, batch):
        """Plot loss and accuracy of a minibatch (inputs..., targets) that was held out."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    def accuracy(self, Y_hat, Y, averaged=True):
        """Return the share of rows whose largest output is the target's, or each row's 0 or 1."""
        chosen = Y_hat.reshape(-1, Y_hat.shape[-1]).argmax(axis=1).astype(Y.dtype)
        right = (chosen == Y.reshape(-1)).astype(np.float32)
        return right.mean() if averaged else right

    def loss(self, Y_hat, Y, averaged=True):
        """Return the mean cross-entropy of outputs (..., q) for targets (...), or each row's."""
        rows = Y_hat.reshape(-1, Y_hat.shape[-1])
        losses = gluon.loss.SoftmaxCrossEntropyLoss()(rows, Y.reshape(-1))
        return losses.mean() if averaged else losses

    def layer_summary(self, X_shape):
        """Print the shape of what each layer of ``net`` makes of an input of that shape."""
        X = np.random.randn(*X_shape)
        for layer in self.net:
            X = layer(X)
            print(f"{type(layer).__name__} output shape:\t", X.shape)


class SoftmaxRegression(Classifier):
    """Softmax regression (section 4.5)."""

    def __init__(self, num_outputs, lr):
        """Make the layer, of as many outputs as there are classes."""
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Dense(num_outputs)
        self.net.initialize()
