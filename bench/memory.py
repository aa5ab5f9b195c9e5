"""Measures the peak memory of runs of many kinds, beside what `check` foretells of each, and prints the table of
docs/trust.md. Fails where the two differ by more than a factor 1.5 and 50 MB.

    python3 bench/memory.py target/release/twolayer [word of a row ...]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

FACTOR, SLACK = 1.5, 50.0

TARGET = 'committee = { units = 2, activation = "erf", output_scale = "1/k" }'


def experiment(
    engine, width, training, target=TARGET, activation='"erf"', network="", record="", view="", replicates=None, more=""
):
    count = f"replicates = {replicates}" if replicates else ""
    return f"""
[target]
{target}
[network]
width = {width}
activation = {activation}
{network}
[training]
{training}
[record]
{record}
[[view]]
engine = "{engine}"
{count}
{view}
{more}
"""


ONLINE = 'dimension = {d}\nlearning_rate = "{rate}/d"\n{length}'
FLOW = 'algorithm = "gradient-flow"\ndimension = "infinite"\ntime = '
SINGLE = 'hermite = [0, 1, 0.5, 0.2]'
SPHERE = 'algorithm = "gradient-flow"\ndimension = "infinite"\ngeometry = "spherical"\ntime = '
SCALED = 'second_layer = { init = "grid", train = true, rate_ratio = 1 }\nfirst_layer = "orthonormal"'


def online(d, length, rate="0.5"):
    return ONLINE.format(d=d, rate=rate, length=length)


ROWS = {
    "direct, fresh, batches of 2000": experiment(
        "direct", 16, online(10000, "steps = 20", rate="100") + "\nbatch = 2000", record="points = 3", replicates=2
    ),
    "direct, reused, n = 4d": experiment(
        "direct",
        8,
        'dimension = 2500\ndata = "reused"\nsamples = "4*d"\nbatch = "n"\nlearning_rate = "0.1"\nsteps = 4',
        replicates=2,
    ),
    "reduced, fresh, batches of 4000 used twice": experiment(
        "reduced", 8, online(100000, "steps = 3", rate="1000") + "\nbatch = 4000\nrepeats = 2", replicates=2
    ),
    "reduced, reused, n = 100 000": experiment(
        "reduced",
        4,
        'dimension = 50000\ndata = "reused"\nsamples = "2*d"\nbatch = "n"\nlearning_rate = "0.1"\nsteps = 8',
        replicates=2,
    ),
    "reduced, p = 256, all of Q, 8 replicates": experiment(
        "reduced", 256, online(1000, "steps = 100"), record='points = 100\nQ = "full"', replicates=8
    ),
    "reduced, p = 512, diagonal of Q, 8 replicates": experiment(
        "reduced", 512, online(2000, "steps = 100"), record='points = 100\nQ = "diagonal"', replicates=16
    ),
    "reduced, 20 000 replicates": experiment("reduced", 2, online(100, "time = 2"), replicates=20000),
    "reduced, 100 000 entries": experiment(
        "reduced", 4, online(1000, "steps = 100000"), record='points = 100000\nspacing = "linear"', replicates=2
    ),
    "direct, p = 2000": experiment("direct", 2000, online(4000, "steps = 20"), record="points = 3", replicates=2),
    "giant steps, p = 1000": experiment(
        "limit",
        1000,
        'dimension = 4000\nbatch = "2*d"\nlearning_rate = "p"\nsteps = 2',
        record='Q = "full"',
    ),
    "giant steps, relu, p = 300": experiment(
        "limit",
        300,
        'dimension = 4000\nbatch = "2*d"\nlearning_rate = "p"\nsteps = 2',
        target='expression = "tanh(z1 + z2)"',
        activation='"relu"',
    ),
    "dynamical mean-field theory": experiment(
        "limit",
        4,
        'dimension = 4000\ndata = "reused"\nsamples = "2*d"\nbatch = "n"\nlearning_rate = "0.5*p"\nsteps = 8',
        target='expression = "tanh(z1)"',
        activation='"tanh"',
    ),
    "ode, p = 4, 50 000 entries": experiment(
        "limit", 4, online(1000, "time = 20"), record='points = 50000\nspacing = "linear"'
    ),
    "ode, p = 300, erf": experiment("limit", 300, FLOW + "1", view='terms = "flow"'),
    "ode, p = 300, all of Q": experiment(
        "limit", 300, FLOW + "0.2", record='Q = "full"', view='terms = "flow"'
    ),
    "ode, p = 40, relu, stiff": experiment(
        "limit",
        40,
        FLOW + "1e7",
        target='committee = { units = 2, activation = "relu", output_scale = "1/k" }',
        activation='"relu"',
        network='second_layer = { init = "alternating", train = true, rate_ratio = 1e4 }',
        record="points = 20",
    ),
    "ode, all terms, tanh": experiment(
        "limit", 10, online(1000, "time = 0.2"), target='expression = "tanh(z1)*z2"', activation='"tanh"'
    ),
    "mean field, p = 400": experiment(
        "limit", 400, FLOW + "1", view='method = "mean-field"', record='Q = "full"'
    ),
    "single index, p = 400": experiment(
        "limit",
        400,
        SPHERE + "10",
        target=SINGLE,
        activation="{ hermite = [0, 1, 0.5, 0.2] }",
        network=SCALED,
        view='method = "single-index"',
    ),
    "single index, finite, p = 200": experiment(
        "limit",
        200,
        SPHERE + "2",
        target=SINGLE,
        activation="{ hermite = [0, 1, 0.5, 0.2] }",
        network=SCALED,
        view='method = "single-index-finite"',
    ),
    "sweep of 200 points": experiment(
        "reduced",
        2,
        online(100, "time = 0.1"),
        record="points = 5",
        replicates=2,
        more=f'[sweep]\n"training.dimension" = {list(range(100, 300))}',
    ),
}


def foretold(program, path):
    """Bytes, and how they are computed."""
    answer = subprocess.run([program, "check", path, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if answer.returncode:
        sys.exit(f"check: {answer.stderr}")
    whole = json.loads(answer.stdout)
    points = whole["sweep"]["points"] if "sweep" in whole else [whole]
    views = [view for point in points for view in point["views"]]
    return max(view["bytes"] for view in views), views[0]["method"]


def measured(program, path, out):
    """Bytes at the peak, and the exit code."""
    child = subprocess.Popen([program, "run", path, "--out", out, "--quiet", "--threads", "2"], stderr=subprocess.PIPE, text=True)
    told = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        sys.exit(f"run: exit {code}: {told}")
    return 1024 * usage.ru_maxrss, code, usage.ru_utime + usage.ru_stime


def main():
    program, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    wrong = 0
    print("| run | method | predicted | measured | |\n|---|---|---|---|---|")
    for name, text in ROWS.items():
        if words and not any(word in name for word in words):
            continue
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "experiment.toml"
            path.write_text(text)
            predicted, method = foretold(program, path)
            peak, code, seconds = measured(program, path, pathlib.Path(directory) / "out")
        predicted, peak = predicted / 1e6, peak / 1e6
        good = peak <= FACTOR * predicted + SLACK and predicted <= FACTOR * peak + SLACK
        wrong += not good
        word = "" if good else "no"
        print(f"| {name} | {method} | {predicted:.0f} MB | {peak:.0f} MB | {word} |", flush=True)
        print(f"{name}: exit {code}, {seconds:.0f} s of the processor", file=sys.stderr, flush=True)
    sys.exit(1 if wrong else 0)


main()
