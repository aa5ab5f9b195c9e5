"""The peer: one-pass SGD at batch 1 as a competent NumPy user writes it, one thread.

f(x) = (1/p) sum_j erf(w_j.x / sqrt 2) learns g(x) = (1/k) sum_r erf(w*_r.x / sqrt 2), d = 1000, p = 4, k = 2, without
label noise. Each step draws x, takes its fields, and moves the weights in place; no array is allocated in the loop
that could be kept. Prints steps per second, the median of five repeats of at least one second.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import math
import statistics
import time

import numpy as np

D, P, K = 1000, 4, 2
RATE = 4.0 / D
BLOCK = 2_000


def orthonormal(rng, rows):
    return np.ascontiguousarray(np.linalg.qr(rng.standard_normal((D, rows)))[0].T)


def train(rng, layers, steps):
    """Rows of `layers`: the P students, then the K targets, so that one product gives all fields."""
    students = layers[:P]
    x, fields = np.empty(D), np.empty(P + K)
    outer, signal = np.empty((P, D)), np.empty((P, 1))
    root, slope = math.sqrt(0.5), math.sqrt(2.0 / math.pi)
    erf, exp = math.erf, math.exp
    for _ in range(steps):
        rng.standard_normal(out=x)
        np.dot(layers, x, out=fields)
        # Six numbers: Python floats are faster than any ufunc.
        h = fields.tolist()
        values = [erf(root * value) for value in h]
        error = sum(values[:P]) / P - sum(values[P:]) / K
        step = RATE / P * slope * error
        signal[:, 0] = [step * exp(-0.5 * value * value) for value in h[:P]]
        np.multiply(signal, x, out=outer)
        np.subtract(students, outer, out=students)


def risk(layers, rng):
    values = np.vectorize(math.erf)(layers @ rng.standard_normal((D, 4_000)) * math.sqrt(0.5))
    return 0.5 * np.mean((values[:P].mean(0) - values[P:].mean(0)) ** 2)


def main():
    rng = np.random.default_rng(0)
    layers = np.vstack([rng.standard_normal((P, D)) / math.sqrt(D), orthonormal(rng, K)])
    before = risk(layers, rng)
    rates = []
    for _ in range(5):
        steps, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < 1.0:
            train(rng, layers, BLOCK)
            steps += BLOCK
        rates.append(steps / elapsed)
    after = risk(layers, rng)
    assert after < 0.5 * before, f"it does not learn: {before} -> {after}"
    print(f"{statistics.median(rates):.0f}")


if __name__ == "__main__":
    main()
