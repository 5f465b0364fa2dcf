"""Draw the figures of the README, each for light and for dark pages except the first.

``python notebooks/pictures/draw.py`` draws all of them in a few minutes, with the installed
backends; ``python notebooks/pictures/draw.py grammar digits`` draws these two. Each is
computed once, from seed 0, and drawn twice by the package's own functions.
"""

from __future__ import annotations

import pathlib
import sys

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot

from d2lrnn import backends, plot
from d2lrnn.measure import agreement as compare
from d2lrnn.measure import gradient_flow
from d2lrnn.plot.diagrams import HIDDEN, OUTPUT
from d2lrnn.plot.pen import GATE, Pen

FOLDER = pathlib.Path(__file__).parent
BACKGROUND = {"light": "#ffffff", "dark": "#0d1117"}  # those of the pages on GitHub
FOREGROUND = {"light": "#1f2328", "dark": "#e6edf3"}


def agreement():
    """Train a hundred steps in each installed backend; return a function that draws the losses."""
    losses = {
        name: compare.train(backends.load(name), "rnn", "float64") for name in backends.available()
    }
    bound = compare.bound("losses", "float64", 0)
    return lambda: plot.agreement(losses, bound)[0].figure


def gradients():
    """Survey the gradients of three cells; return a function that draws their norms."""
    found = gradient_flow.survey(backends.load("numpy"))
    return lambda: plot.gradient_flow(found)[0].figure


def grammar():
    """Train three cells on the grammar; return a function that draws their perplexity."""
    rnn, histories = backends.load("numpy"), {}
    for cell in ("rnn", "gru", "lstm"):
        loader, vocab = rnn.load_data_grammar(32, 35, seed=0)
        functions = *rnn.stack(cell)[:2], getattr(rnn, f"{cell}_fused")
        net = rnn.RNNModelScratch(len(vocab), 64, *functions, seed=0)
        histories[cell] = rnn.train_ch8(net, loader, vocab, lr=2, num_epochs=100, progress=False)
    return lambda: plot.perplexity(histories, plot.new_axes(11.0, 4.0)).figure


def digits():
    """Train a network to draw; return a function that shows what it draws for each label."""
    from d2lrnn.recipes import tasks

    outcome = tasks.drawing(backends.load("numpy"), seed=0)
    return lambda: outcome.draw()[0].figure


def way():
    """Return a function that draws the way of one minibatch through the package's folders."""
    return lambda: on_its_way().figure


def on_its_way():
    """Draw the folders in the order of the data, and the backends below the record they fill in."""
    pen = Pen(None, 25.6, 10.4)
    stages = {
        "data/": "text to ids,\nids to X, Y (n, T)",
        "nets/": "scores (T · n, V),\nloss, gradients, update",
        "training/": "minibatches to epochs,\nepochs to a History",
        "files/": "a net to one file,\nand back",
    }
    for number, (folder, work) in enumerate(stages.items()):
        x = 5.2 + 5.4 * number
        pen.box(x, 6.2, f"{folder}\n{work}", colour=GATE, width=4.6, height=2.0, size=0.8)
        if number:
            pen.path((x - 3.1, 6.2), (x - 2.3, 6.2))
    pen.text(1.1, 6.2, "a text", size=0.9)
    pen.path((2.0, 6.2), (2.9, 6.2))
    pen.box(
        21.4, 3.4, "plot/\na History to a picture", colour=GATE, width=4.6, height=1.5, size=0.8
    )
    pen.path((16.0, 5.2), (16.0, 3.4), (19.1, 3.4))
    pen.box(
        10.6,
        3.4,
        "Ops\none record, all that is asked",
        colour=HIDDEN,
        width=6.2,
        height=1.4,
        size=0.8,
    )
    pen.path((10.6, 4.1), (10.6, 5.2))
    for number, name in enumerate(("numpy/", "torch/", "tensorflow/", "jax/", "mxnet/")):
        x = 3.4 + 3.6 * number
        pen.box(x, 0.9, name, colour=OUTPUT, width=3.2, height=1.0, size=0.8)
        pen.path((x, 1.4), (x, 1.9), (10.6, 1.9), (10.6, 2.7), arrow=number == 0)
    above = "cli/   demo/   book/   notebooks: what a user touches, each built on all that is below"
    pen.box(13.3, 9.3, above, colour="#EEEEEE", width=20.8, height=1.1, size=0.8)
    for x in (5.2, 10.6, 16.0, 21.4):
        pen.path((x, 8.75), (x, 7.2))
    return pen.ax


PICTURES = {
    "way": way,
    "agreement": agreement,
    "gradients": gradients,
    "grammar": grammar,
    "digits": digits,
}


def coloured(figure, mode):
    """Give what is drawn in black the foreground's colour, in the lines and words of a figure."""
    black = matplotlib.colors.to_rgba("black")
    for artist in figure.findobj(lambda a: hasattr(a, "get_color")):
        if matplotlib.colors.to_rgba(artist.get_color()) == black:
            artist.set_color(FOREGROUND[mode])
    return figure


def settings(mode):
    """Return matplotlib's settings for light or for dark pages."""
    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    papers = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    colours = {key: FOREGROUND[mode] for key in inks} | {key: BACKGROUND[mode] for key in papers}
    return {**colours, "font.size": 13, "axes.titlesize": 14, "legend.fontsize": 10}


def draw(name):
    """Compute one picture and write it for both modes."""
    show = PICTURES[name]()
    if name == "way":  # dark lines on white, on any page
        show().savefig(FOLDER / "way.png", dpi=100, facecolor="white")
        return
    for mode in BACKGROUND:
        with matplotlib.rc_context(settings(mode)):
            figure = coloured(show(), mode)
            options = {"bbox_inches": "tight", "pad_inches": 0.15, "metadata": {"Software": None}}
            figure.savefig(FOLDER / f"{name}-{mode}.png", dpi=100, **options)
            pyplot.close(figure)


if __name__ == "__main__":
    backends.prepare()
    for name in sys.argv[1:] or PICTURES:
        draw(name)
