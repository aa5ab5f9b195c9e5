"""Runs the peer's loop and ours in turn, writes docs/speed.md, and fails where a ratio is not what is promised.

Absolute figures depend on the machine and on what else it does: they are quoted. Ratios of two measurements of the same
round are asserted.
"""

import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import textwrap

ROUNDS = 5
ROOT = pathlib.Path(__file__).resolve().parent.parent
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}


def output(*command):
    environment = os.environ | ONE_THREAD
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def peer():
    return {"numpy": float(output(sys.executable, "bench/numpy_sgd.py"))}


def ours():
    lines = output("cargo", "bench", "--quiet", "--package", "twolayer", "--bench", "speed", "--", "--json")
    works = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return {work["work"]: work["median"] for work in works}


def measure():
    """Rounds of figures by the name of the work."""
    rounds = []
    for i in range(ROUNDS):
        rounds.append(peer() | ours())
        print(f"round {i + 1} of {ROUNDS}: " + ", ".join(f"{k} {v:.4g}" for k, v in rounds[-1].items()), flush=True)
    return rounds


def median(rounds, work):
    return statistics.median(figures[work] for figures in rounds)


class Ratio:
    """A quotient of two works, taken within each round."""

    def __init__(self, rounds, above, below):
        self.values = [figures[above] / figures[below] for figures in rounds]
        self.median = statistics.median(self.values)

    def __str__(self):
        return f"{self.median:.3g} ({min(self.values):.3g}–{max(self.values):.3g})"


def rate(steps):
    return f"{steps / 1e6:.2f} M steps/s" if steps >= 1e6 else f"{steps / 1e3:.1f} k steps/s"


def figure(met):
    return "met" if met else "**not met**"


def claim(holds):
    return "holds" if holds else "**FAILS**"


def machine():
    name = platform.processor() or platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = names[0] if names else name
    return f"{name}, {os.cpu_count()} cores"


def table(rounds):
    """Rows of the table, and the sentences of the claims that fail."""
    numpy, direct = median(rounds, "numpy"), median(rounds, "direct")
    small, large = median(rounds, "reduced-1e3"), median(rounds, "reduced-1e6")
    ode, engine = median(rounds, "ode-integration"), median(rounds, "ode-engine")
    expression, risk = median(rounds, "expression"), median(rounds, "risk-kernel")
    stored, revealed, paths = (median(rounds, key) for key in ("direct-stored", "reduced-stored", "dmft"))
    faster, level = Ratio(rounds, "direct", "numpy"), Ratio(rounds, "reduced-1e6", "reduced-1e3")
    reduced_faster = Ratio(rounds, "reduced-1e3", "numpy")
    giant, exact, products = (median(rounds, f"giant-{key}") for key in ("direct", "reduced", "products"))
    overhead = Ratio(rounds, "giant-direct", "giant-products")
    noise, ridges, regression = median(rounds, "wide-noise"), median(rounds, "ridge"), Ratio(rounds, "ridge", "ridge-gram")
    order, learning, finite = (median(rounds, key) for key in ("canonical-order", "learning-times", "finite-flow"))
    square_field, wide, square, tanh = (
        median(rounds, key) for key in ("mean-field", "ode-p100", "ode-square", "ode-tanh")
    )
    claims = {
        f"direct is at least 6 times the NumPy loop: {faster}": faster.median >= 6,
        f"a giant step takes at most 1.2 times its own two products: {overhead}": overhead.median <= 1.2,
        f"ridge at ten values takes at most 2.5 times the product that forms its Gram matrix: {regression}":
            regression.median <= 2.5,
        f"reduced at d = 10⁶ is within 30 % of reduced at d = 10³: {level}": 0.7 <= level.median <= 1.3,
    }
    asserted = list(claims.values())
    sgd = "one-pass SGD, batch 1, erf, p = 4, k = 2"
    multi = "six steps on n = 3d stored samples, p = k = 2, every step recorded"
    elsewhere = "elsewhere¹: 33–42 k (NumPy), 34 k (C++ nn2pp), 17.7 k (PyTorch), 4.2 k (package of arXiv 2302.05882)"
    extrapolated = f"NumPy ≲ {numpy / 1e3:.0f} steps/s (cost ∝ d, extrapolated from d = 1000)"
    equation = "erf ODE, all terms, p = 4, k = 2, γ/p = 1, t ≤ 100"
    peers = "elsewhere¹: 1.04 s (Cython code of arXiv 2302.05882, Euler, error 10⁻⁴), 56 ms (SciPy LSODA, rtol 10⁻⁶)"
    rows = [
        (f"{sgd}, d = 1000: direct", f"NumPy, same run: {rate(numpy)}; {elsewhere}", "≥ 6 × the NumPy loop", rate(direct),
         f"{faster} × NumPy", claim(asserted[0])),
        ("", "", "≥ 250 k steps/s", rate(direct), "", figure(direct >= 250e3)),
        (f"{sgd}, d = 10³: reduced", "the same", "≥ 2 M steps/s", rate(small), f"{reduced_faster} × NumPy",
         figure(small >= 2e6)),
        (f"{sgd}, d = 10⁶: reduced", extrapolated, "≥ 2 M steps/s", rate(large), "", figure(large >= 2e6)),
        ("", "", "within 30 % of d = 10³", rate(large), f"{level} × d = 10³", claim(asserted[3])),
        (f"{multi}, d = 2000: direct", "elsewhere¹: .89 s (NumPy code of arXiv 2402.03220)", "≤ 100 ms", f"{stored:.0f} ms",
         f"{890 / stored:.0f} × NumPy¹", figure(stored <= 100)),
        ("the same at d = 10⁶, n = 3·10⁶: reduced", "(none can)", "≤ 1.5 s", f"{revealed / 1e3:.2f} s", "",
         figure(revealed <= 1500)),
        ("the same in the limit, 10⁶ paths, error stated", "elsewhere¹: 10.3 s (arXiv 2402.03220)", "≤ 500 ms",
         f"{paths:.0f} ms", f"{10300 / paths:.0f} × that¹", figure(paths <= 500)),
        ("giant step, p = 1024, d = n_b = 4096: direct, one step, one thread, no risk",
         "elsewhere¹: 16.5 s for 6 steps (notebook of arXiv 2305.18270)", "≤ 1.2 × its two products",
         f"{giant:.2f} s", f"{overhead} × the products, {products:.2f} s", claim(asserted[1])),
        ("the same: reduced, six steps", "", "≤ 1.5 s", f"{exact:.2f} s", f"{16.5 / exact:.1f} × that¹", figure(exact <= 1.5)),
        ("N of ReLU, p = 1024, f ≢ 0, with its error", "sampled: 15 s, known to 2·10⁻²", "≤ 2 s", f"{noise:.2f} s", "",
         figure(noise <= 2)),
        ("ridge, p = 1024, n₂ = 4096, ten values, one thread", "", "≤ 2.5 × the product that forms its Gram matrix",
         f"{ridges:.2f} s", f"{regression} × the product", claim(asserted[2])),
        (f"{equation}: one integration, rtol 10⁻⁸", peers, "≤ 3 ms", f"{ode:.2f} ms", f"{56 / ode:.0f} × LSODA¹",
         figure(ode <= 3)),
        ("the same, with a second integration that measures the error", "", "", f"{engine:.2f} ms", "", ""),
        ("gallery `time-scales/canonical-order`, t ≤ 5, its three ε, rtol 10⁻⁸ and the looser integration for its error",
         "elsewhere¹: .06 + 3.1 + 75 s (SciPy LSODA, rtol 10⁻⁸)", "≤ 2 s", f"{order:.2f} s", f"{78.2 / order:.0f} × LSODA¹",
         figure(order <= 2)),
        ("`time-scales/learning-times`, t ≤ 3, ε = 10⁻² … 10⁻⁷, m = 60 … 3000, the same", "", "≤ 60 s", f"{learning:.1f} s", "",
         figure(learning <= 60)),
        ("exact flow of m = 41 neurons, ε = 10⁻⁵, t ≤ 3, the same", "the general ODE, elsewhere¹: 100 s", "≤ 2 s",
         f"{finite:.2f} s", f"{100 / finite:.0f} × that¹", figure(finite <= 2)),
        ("x² mean-field ODE, p = 5000, k = 2, d = 5, t ≤ 100, rtol 10⁻⁸, with its error", "elsewhere¹: 17 s (Euler)",
         "≤ 200 ms", f"{square_field:.0f} ms", f"{17000 / square_field:.0f} × that¹", figure(square_field <= 200)),
        ("erf ODE, all terms, p = 100, k = 2, γ/p = ¼, t ≤ 100 at 10⁻³, with its error", "", "≤ 6 s",
         f"{wide / 1e3:.2f} s", "", figure(wide <= 6000)),
        ("square ODE, all terms, p = 8, k = 4, t ≤ 20, rtol 10⁻⁸, with its error", "elsewhere¹: .1 s (NumPy)", "≤ 20 ms",
         f"{square:.1f} ms", f"{100 / square:.0f} × NumPy¹", figure(square <= 20)),
        ("tanh ODE, all terms, p = k = 2, t ≤ 100 at 10⁻⁴, with its error", "", "≤ 250 ms", f"{tanh:.0f} ms", "",
         figure(tanh <= 250)),
        ("target `tanh(z1 + z2^3 - 3*z2)`, compiled", "", "≤ 8 ns per sample", f"{expression:.1f} ns", "",
         figure(expression <= 8)),
        ("population risk in closed form, erf, p = 4, k = 2", "", "", f"{risk:.0f} ns", "", ""),
    ]
    return rows, [sentence for sentence, holds in claims.items() if not holds]


def document(rows, load):
    """The page; `load` is what the machine did beside it."""
    introduction = (
        f"Written by `make bench` on {datetime.date.today()}: {machine()}. Rows of stored samples, the limit's paths and the "
        "reduced giant step share all cores in one run, the others have one thread. Each figure is the "
        f"median of {ROUNDS} rounds in which the NumPy loop ([numpy_sgd.py](../bench/numpy_sgd.py)) and ours "
        "([speed.rs](../crates/twolayer/benches/speed.rs)) take turns; a ratio is the median (least–most) of the rounds' "
        "own ratios. Ratios are asserted: `make bench` fails where one fails. Absolute figures are quoted, since they "
        f"depend on the machine and on what else it does: the load average was {load:.1f} when this began."
    )
    lines = ["# Speed", "", *textwrap.wrap(introduction, 120, break_long_words=False, break_on_hyphens=False), ""]
    lines += ["| work | public code | required | ours | ratio | verdict |", "|---|---|---|---|---|---|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += ["", "¹ Measured at another time on a comparable machine, not in this run.", ""]
    return "\n".join(lines)


def main():
    load = os.getloadavg()[0]
    rows, failures = table(measure())
    text = document(rows, load)
    (ROOT / "docs" / "speed.md").write_text(text, encoding="utf-8")
    print("\n" + text)
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
