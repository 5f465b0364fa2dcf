"""Plant one fault after the other in a copy of the package, and see that the suite finds each.

    python tests/faults/mutants.py BACKEND [FAULT ...]

Prints a line for each fault; exits with 1 if one is not found, or could not be planted.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AGREES = "measure/test_agreement.py::test_a_network_agrees_with_the_float64_reference"
AGREEMENT = "measure/test_agreement.py"
CELLS = ["nets/test_cells.py", "nets/test_scratch.py", "measure/test_agreement.py"]
SCAN = ["nets/test_scan.py"]
LINEAR = ["nets/test_linear.py"]
TRAINING = ["training/test_training.py", "nets/test_scratch.py", "measure/test_agreement.py"]

# How the frameworks say what is not the same in all.
TRANSPOSED = {"tensorflow": "tf.transpose(W_hh)"}
BATCH_MAJOR = {"tensorflow": "tf.reshape(tf.transpose(Hs, (1, 0, 2)), "}
CLIP = {"numpy": "clip_arrays([x], theta, clip)"}
CONSTANT = {
    "torch": "H.detach()",
    "mxnet": "H.detach()",
    "tensorflow": "tf.stop_gradient(H)",
    "jax": "jax.lax.stop_gradient(H)",
}
# Three clip and descend in one, where it is gradient descent and the norm that is clipped.
SGD_UPHILL = "nets/optimizers.py", r"w - lr \* g for", "w + lr * g for"
UPHILL = {
    "numpy": ("numpy/gradients.py", r"w - grad", "w + grad"),
    "torch": ("torch/gradients.py", "value=-lr", "value=lr"),
    "mxnet": ("mxnet/gradients.py", r"len\(params\), lr", "len(params), -lr"),
}
UNCLIPPED = {
    "numpy": (r"lr \* theta / np\.maximum\(norm, theta\)", "lr"),
    "torch": (r"addcmul_\(grad, scale, value=-lr", "sub_(grad, alpha=lr"),
    "mxnet": (r"\(params\), lr(.*?)\* scale\)", r"(params), lr\1)"),
    "jax": (r"grad \* scale", "grad"),
    "tensorflow": (r"grad \* scale", "grad"),
}


def faults(backend):
    """Return by name: the file, what to look for (a regular expression), what to put, the tests."""
    scratch, training = f"{backend}/scratch.py", f"{backend}/gradients.py"
    # What finds a fault of a cell soonest; NumPy, the reference, has only itself to agree with.
    RNN, GRU, LSTM = (
        CELLS if backend == "numpy" else [AGREES, "-k", cell] for cell in ("rnn", "gru", "lstm")
    )
    found = {
        "W_hh transposed": (
            scratch,
            r"(X @ W_xh \+ H @ )W_hh( \+ b_h\))",
            rf"\1{TRANSPOSED.get(backend, 'W_hh.T')}\2",
            RNN,
        ),
        "no b_h": (scratch, r"(X @ W_xh \+ H @ W_hh) \+ b_h", r"\1", RNN),
        "no b_q": (scratch, r"(def output_layer.*? @ W_hq) \+ b_q", r"\1", RNN),
        "no b_f": (scratch, r"(H @ W_hf) \+ b_f", r"\1", LSTM),
        "Z and 1 - Z swapped": (
            scratch,
            r"Z \* H \+ \(1 - Z\) \* H_tilde",
            "(1 - Z) * H + Z * H_tilde",
            GRU,
        ),
        "input and forget gate swapped": (
            scratch,
            r"F \* C \+ I \* C_tilde",
            "I * C + F * C_tilde",
            LSTM,
        ),
        "no reset gate": (scratch, r"\(R \* H\) @ W_hh", "H @ W_hh", GRU),
        "no tanh of the memory cell": (scratch, r"O \* \w+\.tanh\(C\)", "O * C", LSTM),
        "outputs in batch-major order": (
            scratch,
            r"tf\.reshape\(Hs, |Hs\.reshape\(",
            BATCH_MAJOR.get(backend, "Hs.swapaxes(0, 1).reshape("),
            RNN,
        ),
        "float32 in the float64 path": (
            f"{backend}/tensors.py",
            r"(def trainable.*?checks\.floating\(dtype\)\n)",
            r'\1    arrays = [array.astype("float32") for array in arrays]' + "\n",
            CELLS
            if backend == "numpy"
            else ["measure/test_agreement.py", "-k", "any_sizes or hundred"],
        ),
        "a bias's gradient dropped": (
            training,
            r"(        value, state, grads = compute\(params, inputs, targets, weights\)\n)",
            r"\1        grads = [*grads[:2], 0 * grads[2], *grads[3:]]" + "\n",
            TRAINING,
        ),
        "descent that is not clipped": (
            training,
            *UNCLIPPED[backend],
            ["nets/test_optimizers.py"],
        ),
        "clipping each tensor by itself": (
            "nets/optimizers.py" if backend == "numpy" else training,
            r"return \[grad \* [^]]*scale[^]]*? for grad in grads\], norm",
            "return [g for x in grads for g in ([x * scale] if len(grads) == 1 else "
            + (
                "clip_arrays([x], theta, clip)"
                if backend == "numpy"
                else "grad_clipping([x], theta)"
            )
            + "[0])], norm",
            TRAINING,
        ),
        "the loss a sum": (
            *(
                (
                    "nets/losses.py",
                    r"losses\.mean\(\)\), _shared_out\(gradient, len\(losses\)\)",
                    "losses.sum()), gradient",
                )
                if backend == "numpy"
                else (training, r"reduce_mean\(losses\)|losses\.mean\(\)", "SUM")
            ),
            TRAINING,
        ),
        "state not carried over": (
            "training/language_epoch.py",
            "if state is None or use_random_iter:",
            "if True:",
            ["training/test_training.py"],
        ),
        "perplexity from the sum": (
            "training/language_epoch.py",
            r"epoch\.loss / epoch\.num_tokens",
            "epoch.loss",
            ["training/test_training.py"],
        ),
        "targets not shifted": (
            "data/batches.py",
            r"ids\[index \+ 1\]",
            "ids[index]",
            ["data/test_batches.py"],
        ),
        "targets shifted twice": (
            "data/batches.py",
            r"ids\[offset \+ 1 : offset \+ 1 \+ length\]",
            "np.roll(ids, -2)[offset : offset + length]",
            ["data/test_batches.py"],
        ),
        "targets in batch-major order": (
            "nets/language_model.py",
            r"ids = Y\.T\.reshape",
            "ids = Y.reshape",
            TRAINING,
        ),
        "joined parameters converted to NumPy": (
            "nets/concatenated.py",
            r"(return joined\()params, order, tensors",
            r"\1[tensors.from_numpy(tensors.to_numpy(p)) for p in params], order, tensors",
            ["nets/test_custom.py"],
        ),
        "a parameter without a gradient not reported": (
            "checks/derivatives.py",
            r"if all\(flags\) or _is_empty\(inputs\)",
            "if True",
            ["nets/test_custom.py"],
        ),
        "uphill": (*UPHILL.get(backend, SGD_UPHILL), TRAINING),
        "uphill where values are clipped": (*SGD_UPHILL, TRAINING),
        "Adam's averages not corrected": (
            "nets/optimizers.py",
            r"m_scale, v_scale = [^\n]*",
            "m_scale, v_scale = 1.0, 1.0",
            ["nets/test_optimizers.py"],
        ),
        "only the last token of the prefix read": (
            "nets/prediction.py",
            r"\[vocab\[row\] for row",
            "[vocab[row][-1:] for row",
            ["training/test_training.py", "nets/test_scratch.py"],
        ),
        "a scan that loses the state": (
            "nets/scan.py",
            r"h\[-1\], state\)",
            "h[-1], 0 * state)",
            SCAN,
        ),
        "a scan whose factors are one step late": (
            "nets/scan.py",
            r"_blocks\(ops, x\[:first\], number, length\) for x in \(a, b\)",
            "_blocks(ops, x[:first], number, length) for x in (ops.concat([a[:1], a[:-1]]), b)",
            SCAN,
        ),
        "a scan that adds b, not a product, between blocks": (
            "nets/scan.py",
            r"h \+ products \* starts",
            "h + starts",
            SCAN,
        ),
        "a minGRU with the gate reversed": (
            f"{backend}/linear.py",
            r"H = \(1 - Z\) \* H \+ Z \* H_tilde",
            "H = Z * H + (1 - Z) * H_tilde",
            SCAN,
        ),
        "a minLSTM whose gates do not add up to 1": (
            "nets/linear_scans.py",
            r"\(1 - F\) \* H_tilde",
            "f.sigmoid(A_i) * H_tilde",
            LINEAR,
        ),
        "an S4D with Mamba's simplified B_bar": (
            "nets/linear_scans.py",
            r"\(f\.expm1\(dA\) / A\)",
            "f.exp(log_dt)[:, None]",
            LINEAR,
        ),
        "a Mamba block that reads with B": (
            "nets/linear_scans.py",
            r"Ss \* C\[:, :, None\]",
            "Ss * B[:, :, None]",
            LINEAR,
        ),
        "a Mamba block that forgets the last inputs": (
            "nets/linear_scans.py",
            r"U\[1 - WIDTH :\]",
            "0 * U[1 - WIDTH :]",
            SCAN,
        ),
        "padding that lets the state decay": (
            "nets/layers.py",
            r"\(1 - m\) \* old",
            "0.9 * (1 - m) * old",
            SCAN,
        ),
    }
    if backend != "jax":  # which differentiates the scan
        found["a gradient of a scan from the state of the same step"] = (
            "nets/scan.py",
            r"before = state\[None\] if one[^\n]*",
            "before = h",
            SCAN,
        )
    if backend in CONSTANT:
        found["gradients stopped at every step"] = (
            scratch,
            r"(def rnn_step.*?\(H,\) = state\n)",
            rf"\1    H = {CONSTANT[backend]}" + "\n",
            RNN,
        )
    else:
        found["gradients stopped at every step"] = (
            f"{backend}/bptt.py",
            r"dA @ W_h\.T",
            "0 * (dA @ W_h.T)",
            RNN,
        )
    return found


def plant(package, fault):
    """Change one place of a copy of the package; return whether there was one."""
    file, pattern, new, _ = fault
    path = package / file
    text = path.read_text(encoding="utf-8")
    if new == "SUM":
        changed = re.sub(r"reduce_mean\(losses\)", "reduce_sum(losses)", text, count=1)
        changed = re.sub(r"losses\.mean\(\)", "losses.sum()", changed, count=1)
    else:
        changed = re.sub(pattern, new, text, count=1, flags=re.DOTALL)
    path.write_text(changed, encoding="utf-8")
    return changed != text


def suite_fails(copy, backend, tests):
    """Return whether pytest, in a copy, finds a test that fails; a broken run is an error."""
    files = [str(copy / "tests" / t) if ".py" in t else t for t in tests]
    command = [sys.executable, "-m", "pytest", "-x", "-q", f"--backend={backend}", *files]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        raise RuntimeError(result.stdout + result.stderr)
    return result.returncode == 1


def try_fault(backend, name, fault):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("d2lrnn", "tests"):
            shutil.copytree(ROOT / part, copy / part)
        shutil.copy(ROOT / "setup.cfg", copy)
        planted = plant(copy / "d2lrnn", fault)
        outcome = "found" if planted and suite_fails(copy, backend, fault[3]) else "NOT FOUND"
    print(f"{backend}: {name}: {outcome if planted else 'NOT PLANTED'}", flush=True)
    return outcome == "found"


def main(backend, names):
    known = faults(backend)
    found = [try_fault(backend, name, known[name]) for name in names or known]
    print(f"{backend}: {sum(found)} of {len(found)} faults found")
    sys.exit(not all(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
