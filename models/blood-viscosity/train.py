"""Trains model.onnx and writes manifest.json beside it. Run by hand:

    python -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python train.py

The ONNX file is the source of truth: another machine may train slightly other weights, so commit both files together
and raise `version` when they change.

Physics (viscosity in mPa.s, shear rate g in 1/s, haematocrit H as a fraction, temperature in degrees Celsius):
  blood     eta(g) = e + (z - e) * (1 + (3.313 g)^2)^((0.3568 - 1) / 2)
            with e = 3.45 and z = 56 at H = 0.45 and 37 C (Carreau fit of Cho and Kensey, Biorheology 28, 1991),
            e grows as exp(2.35 (H - 0.45)) (plasma of 1.2 mPa.s at H = 0), z as exp(7 (H - 0.45))
  anything  is scaled by exp(1800 (1/T - 1/310.15)), T in kelvin, about 2 % a degree near 37 C
"""

import hashlib
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime

HERE = pathlib.Path(__file__).parent
POINTS = 20
CLASSES = ["normal", "hyperviscous", "hypoviscous", "newtonian", "clogged"]
rng = np.random.default_rng(20261123)


def blood(rate, haematocrit, scale):
    e = 3.45 * np.exp(2.35 * (haematocrit - 0.45)) * scale
    z = 56.0 * np.exp(7.0 * (haematocrit - 0.45)) * scale
    return e + (z - e) * (1 + (3.313 * rate) ** 2) ** ((0.3568 - 1) / 2)


def warming(celsius):
    return np.exp(1800.0 * (1 / (celsius + 273.15) - 1 / 310.15))


def curves(n):
    low = 10 ** rng.uniform(0.0, 0.7, (n, 1))
    high = 10 ** rng.uniform(2.3, 3.0, (n, 1))
    steps = np.linspace(0, 1, POINTS)[None, :]
    rate = low ** (1 - steps) * high**steps * np.exp(rng.normal(0, 0.01, (n, POINTS)))
    rate.sort(axis=1)
    haematocrit = rng.uniform(0.2, 0.68, (n, 1))
    celsius = rng.uniform(15, 42, (n, 1))
    scale = np.exp(rng.normal(0, 0.08, (n, 1)))
    kind = rng.choice(3, n, p=[0.6, 0.2, 0.2])  # blood, newtonian, clogged
    newtonian = kind == 1
    fluid = 10 ** rng.uniform(-0.2, 2.6, (n, 1)) * np.ones((1, POINTS))
    at_37 = np.where(newtonian[:, None], fluid, blood(rate, haematocrit, scale))
    reference = np.where(newtonian, fluid[:, 0], blood(100.0, haematocrit, scale)[:, 0])
    eta = at_37 * warming(celsius)
    # A clog narrows the capillary part-way: from some point on the fluid seems thicker and the reading noisier.
    clogged = kind == 2
    start = rng.integers(1, POINTS - 2, n)
    factor = 10 ** rng.uniform(0.13, 0.7, n)
    step = np.arange(POINTS)[None, :] >= start[:, None]
    eta = np.where(clogged[:, None] & step, eta * factor[:, None], eta)
    noise = np.where(clogged[:, None] & step, 0.05, 0.012)
    eta = eta * np.exp(rng.normal(0, 1, eta.shape) * noise)
    label = np.where(reference > 6.0, 1, np.where(reference < 3.4, 2, 0))
    label = np.where(newtonian, 3, np.where(clogged, 4, label))
    x = np.concatenate([np.log10(rate), np.log10(eta), celsius, haematocrit * 100], axis=1)
    return x.astype(np.float32), np.log(reference).astype(np.float32), label


def train():
    x, y, label = curves(120_000)
    mean, deviation = x.mean(0), x.std(0)
    xs = (x - mean) / deviation
    shape = [x.shape[1], 64, 48]
    weights = [rng.normal(0, np.sqrt(2 / a), (a, b)) for a, b in zip(shape, shape[1:])]
    biases = [np.zeros(b) for b in shape[1:]]
    weights.append(rng.normal(0, 0.1, (shape[-1], 1 + len(CLASSES))))
    biases.append(np.zeros(1 + len(CLASSES)))
    parameters = weights + biases
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    step, epochs, batch = 0, 60, 512
    ym, yd = y.mean(), y.std()
    for epoch in range(epochs):
        order = rng.permutation(len(xs))
        rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs)) + 1e-5
        for at in range(0, len(xs), batch):
            pick = order[at : at + batch]
            a0 = xs[pick]
            z1 = a0 @ weights[0] + biases[0]
            a1 = np.maximum(z1, 0)
            z2 = a1 @ weights[1] + biases[1]
            a2 = np.maximum(z2, 0)
            out = a2 @ weights[2] + biases[2]
            # A clogged curve's viscosity is not asked for: what was clogged cannot be told.
            use = (label[pick] != 4)[:, None]
            gout = np.empty_like(out)
            gout[:, :1] = 8 * use * (out[:, :1] - ((y[pick] - ym) / yd)[:, None]) / len(pick)
            logits = out[:, 1:] - out[:, 1:].max(1, keepdims=True)
            soft = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
            soft[np.arange(len(pick)), label[pick]] -= 1
            gout[:, 1:] = soft / len(pick)
            g2 = (gout @ weights[2].T) * (z2 > 0)
            g1 = (g2 @ weights[1].T) * (z1 > 0)
            gradients = [a0.T @ g1, a1.T @ g2, a2.T @ gout, g1.sum(0), g2.sum(0), gout.sum(0)]
            step += 1
            for p, g, m, v in zip(parameters, gradients, first, second):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return mean, deviation, ym, yd, weights, biases


def export(mean, deviation, ym, yd, weights, biases):
    f32 = lambda name, value: numpy_helper.from_array(np.asarray(value, np.float32), name)
    constants = [f32("mean", mean), f32("deviation", deviation), f32("ym", [ym]), f32("yd", [yd])]
    for i in range(3):
        constants += [f32(f"w{i}", weights[i]), f32(f"b{i}", biases[i])]
    constants += [numpy_helper.from_array(np.array([1, len(CLASSES)], np.int64), "parts")]
    n = helper.make_node
    nodes = [
        n("Sub", ["curve", "mean"], ["centred"]),
        n("Div", ["centred", "deviation"], ["a0"]),
        n("Gemm", ["a0", "w0", "b0"], ["z1"]), n("Relu", ["z1"], ["a1"]),
        n("Gemm", ["a1", "w1", "b1"], ["z2"]), n("Relu", ["z2"], ["a2"]),
        n("Gemm", ["a2", "w2", "b2"], ["out"]),
        n("Split", ["out", "parts"], ["scaled", "logits"], axis=1),
        n("Mul", ["scaled", "yd"], ["spread"]), n("Add", ["spread", "ym"], ["logarithm"]),
        n("Exp", ["logarithm"], ["viscosity"]),
        n("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    t = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "blood-viscosity",
        [t("curve", TensorProto.FLOAT, ["n", 2 * POINTS + 2])],
        [t("viscosity", TensorProto.FLOAT, ["n", 1]), t("probabilities", TensorProto.FLOAT, ["n", len(CLASSES)])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="coalmine")
    onnx.checker.check_model(model)
    onnx.save(model, HERE / "model.onnx")


def manifest():
    session = onnxruntime.InferenceSession(HERE / "model.onnx")
    x, y, label = curves(20_000)
    viscosity, probabilities = session.run(None, {"curve": x})
    told = probabilities.argmax(1)
    sound = label != 4
    error = np.abs(viscosity[:, 0] / np.exp(y) - 1)[sound]
    print("relative error of viscosity, median and 95th percentile:", np.quantile(error, [0.5, 0.95]))
    for index, name in enumerate(CLASSES):
        print(name, "recall", (told[label == index] == index).mean(), "precision", (label[told == index] == index).mean())
    sure = [int(np.flatnonzero((label == c) & (told == c) & (probabilities.max(1) > 0.99))[0]) for c in range(len(CLASSES))]
    vectors = [
        {"input": [float(v) for v in x[i]], "viscosity": float(viscosity[i, 0]), "class": CLASSES[label[i]]} for i in sure
    ]
    document = {
        "component": "coalmine.model.BloodViscosity",
        "version": "1.0.0",
        "file": "model.onnx",
        "sha256": hashlib.sha256((HERE / "model.onnx").read_bytes()).hexdigest(),
        "preprocessing": {
            "version": 1,
            "kind": "flow-curve",
            "points": POINTS,
            "channels": ["shear-rate", "apparent-viscosity", "temperature", "haematocrit"],
        },
        "input": {"name": "curve", "width": 2 * POINTS + 2,
                  "columns": "log10 of 20 shear rates (1/s, rising), log10 of their apparent viscosities (mPa.s), mean temperature (Cel), mean haematocrit (%)"},
        "outputs": {"viscosity": {"name": "viscosity", "unit": "mPa.s", "meaning": "apparent viscosity at 100/s and 37 Cel"},
                    "classes": {"name": "probabilities", "labels": CLASSES}},
        "testVectors": {"relativeTolerance": 1e-3, "vectors": vectors},
    }
    (HERE / "manifest.json").write_text(json.dumps(document, indent=2) + "\n")


def drift():
    """How inputs and outputs are distributed in training, for the manifest: tenths of 50,000 curves."""
    global rng
    rng = np.random.default_rng(20261127)
    x, _, _ = curves(50_000)
    viscosity, probabilities = onnxruntime.InferenceSession(HERE / "model.onnx").run(None, {"curve": x})

    def histogram(name, values):
        edges = np.unique(np.float32(np.quantile(values, np.linspace(0.1, 0.9, 9))))
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        return {"name": name, "edges": [float(e) for e in edges], "shares": [float(c / len(values)) for c in counts]}

    columns = {
        "log10 of the lowest shear rate": 0,
        "log10 of the highest shear rate": POINTS - 1,
        "log10 of the viscosity at the lowest rate": POINTS,
        "log10 of the viscosity at the highest rate": 2 * POINTS - 1,
        "temperature": 2 * POINTS,
        "haematocrit": 2 * POINTS + 1,
    }
    document = json.loads((HERE / "manifest.json").read_text())
    document["drift"] = {
        "inputs": [{**histogram(name, x[:, column]), "column": column} for name, column in columns.items()],
        "value": histogram("viscosity", viscosity[:, 0]),
        "probability": histogram("probability of the likeliest class", probabilities.max(1)),
    }
    (HERE / "manifest.json").write_text(json.dumps(document, indent=2) + "\n")


# `train.py drift` writes the histograms alone, of the model as it is.
if sys.argv[1:] != ["drift"]:
    export(*train())
    manifest()
drift()
