#!/bin/sh
# Speed: the peer's loop and ours in turn; ratios asserted, figures written to docs/speed.md. Under two minutes once
# everything is built.
set -eu
cd "$(dirname "$0")/.."
python=target/bench-venv/bin/python
[ -x "$python" ] || python3 -m venv target/bench-venv
"$python" -c 'import numpy' 2>/dev/null || "$python" -m pip install --quiet --disable-pip-version-check numpy
cargo bench --package twolayer --bench speed --no-run
exec "$python" bench/run.py
