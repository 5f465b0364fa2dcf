"""Every name of d2l 0.17 that the chapters use exists, with the book's arguments."""

import inspect

import pytest

NO_DEVICE = {"tensorflow": "strategy"}
ANIMATOR = (
    "xlabel=None ylabel=None legend=None xlim=None ylim=None xscale='linear' yscale='linear' "
    "fmts=('-', 'm--', 'g-.', 'r:')"
)
SIGNATURES = {
    "Accumulator": "n",
    "Animator": f"{ANIMATOR} nrows=1 ncols=1 figsize=(3.5, 2.5)",
    "Decoder": "**kwargs",
    "Encoder": "**kwargs",
    "EncoderDecoder": "encoder decoder **kwargs",
    "RNNModel": "rnn_layer vocab_size **kwargs",
    "Seq2SeqEncoder": "vocab_size embed_size num_hiddens num_layers dropout=0 **kwargs",
    "SeqDataLoader": "batch_size num_steps use_random_iter max_tokens",
    "Timer": "",
    "Vocab": "tokens=None min_freq=0 reserved_tokens=None",
    "accuracy": "y_hat y",
    "bleu": "pred_seq label_seq k",
    "build_array_nmt": "lines vocab num_steps",
    "count_corpus": "tokens",
    "download": "name cache_dir='../data'",
    "download_all": "",
    "download_extract": "name folder=None",
    "evaluate_accuracy": "net data_iter",
    "evaluate_loss": "net data_iter loss",
    "load_array": "data_arrays batch_size is_train=True",
    "load_corpus_time_machine": "max_tokens=-1",
    "load_data_nmt": "batch_size num_steps num_examples=600",
    "load_data_time_machine": "batch_size num_steps use_random_iter=False max_tokens=10000",
    "plot": f"X Y=None {ANIMATOR} figsize=(3.5, 2.5) axes=None",
    "preprocess_nmt": "text",
    "read_data_nmt": "",
    "read_time_machine": "",
    "seq_data_iter_random": "corpus batch_size num_steps",
    "seq_data_iter_sequential": "corpus batch_size num_steps",
    "set_axes": "axes xlabel ylabel xlim ylim xscale yscale legend",
    "set_figsize": "figsize=(3.5, 2.5)",
    "show_list_len_pair_hist": "legend xlabel ylabel xlist ylist",
    "tokenize": "lines token='word'",
    "tokenize_nmt": "text num_examples=None",
    "train_seq2seq": "net data_iter lr num_epochs tgt_vocab device",
    "truncate_pad": "line num_steps padding_token",
    "try_all_gpus": "",
    "try_gpu": "i=0",
    "use_svg_display": "",
}
OF_DEVICES = {
    "MaskedSoftmaxCELoss": None,
    "RNNModelScratch": "vocab_size num_hiddens device get_params init_state forward_fn",
    "grad_clipping": "net theta",
    "predict_ch8": "prefix num_preds net vocab device",
    "predict_seq2seq": "net src_sentence src_vocab tgt_vocab num_steps device "
    "save_attention_weights=False",
    "sgd": "params lr batch_size",
    "train_ch8": "net train_iter vocab lr num_epochs device use_random_iter=False",
    "train_epoch_ch8": "net train_iter loss updater device use_random_iter",
}
OF_TENSORFLOW = {
    "MaskedSoftmaxCELoss": "valid_len",
    "RNNModelScratch": "vocab_size num_hiddens init_state forward_fn get_params",
    "grad_clipping": "grads theta",
    "predict_ch8": "prefix num_preds net vocab",
    "predict_seq2seq": "net src_sentence src_vocab tgt_vocab num_steps "
    "save_attention_weights=False",
    "sgd": "params grads lr batch_size",
    "train_ch8": "net train_iter vocab lr num_epochs strategy use_random_iter=False",
    "train_epoch_ch8": "net train_iter loss updater use_random_iter",
}
ALIASES = (
    "abs arange argmax astype concat cos cosh exp eye float32 int32 linspace matmul meshgrid "
    "normal numpy ones rand reduce_sum reshape sin sinh size stack tanh tensor transpose zeros"
)


def arguments(function):
    """Return a signature as names and defaults, without types."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
    ]
    return " ".join(str(parameter) for parameter in parameters)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_name_accepts_the_arguments_of_the_book(d2l, name):
    assert arguments(getattr(d2l, name)) == SIGNATURES[name]


@pytest.mark.parametrize("name", OF_TENSORFLOW)
def test_a_name_accepts_the_arguments_of_the_book_in_this_framework(d2l, backend, name):
    expected = (OF_TENSORFLOW if backend == "tensorflow" else OF_DEVICES)[name]
    assert expected is None or arguments(getattr(d2l, name)) == expected


@pytest.mark.parametrize("name", ALIASES.split())
def test_an_alias_exists(d2l, name):
    assert callable(getattr(d2l, name)) or name in ("float32", "int32")


def test_an_alias_is_the_function_of_the_framework(d2l):
    A = d2l.reshape(d2l.arange(6, dtype=d2l.float32), (2, 3))
    product = d2l.matmul(A, d2l.transpose(A))
    assert d2l.numpy(product).tolist() == [[5, 14], [14, 50]]
    assert (d2l.size(A), int(d2l.reduce_sum(A)), int(d2l.argmax(product[1]))) == (6, 15, 1)
    assert d2l.numpy(d2l.astype(A, d2l.int32)).dtype == "int32"
    assert d2l.numpy(d2l.concat((A, A), 0)).shape == (4, 3)


def test_the_modules_that_cells_use_through_d2l_exist(d2l):
    assert d2l.math.pi > 3
    assert d2l.np.zeros(2).shape == (2,)
    assert d2l.plt.get_backend()


@pytest.mark.parametrize("name", ["Encoder", "Decoder", "EncoderDecoder", "RNNModel"])
def test_a_class_is_one_of_the_frameworks_modules(d2l, backend, name):
    base = d2l.tf.keras.layers.Layer if backend == "tensorflow" else d2l.nn_Module
    assert issubclass(getattr(d2l, name), base)
