# make demo · make test · make bench · make gallery · make docs · make fuzz · make memory

CARGO ?= cargo
WASM := wasm32-unknown-unknown

.PHONY: demo test check wasm bench gallery docs fuzz memory

# One experiment, seen three ways: the figure, the arrays, the report and the answer.
demo:
	$(CARGO) build --release --package twolayer-cli
	./target/release/twolayer run gallery/odes/high-dimensional.toml --overwrite

# Of the dependencies the build of `make demo` serves; our own crates are built once more, with what it leaves out: checks of
# overflow, and debug_assert.
test: check wasm
	CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true TWOLAYER_CHECKED=1 \
		$(CARGO) test --release --workspace

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- --deny warnings

# The library, the reader of its file and the drawings build for the browser. Where the target cannot be had, say so loudly.
wasm:
	@if rustup target list --installed 2>/dev/null | grep -q $(WASM) || rustup target add $(WASM); then \
		$(CARGO) check --release --target $(WASM) --package twolayer --package twolayer-file && \
		$(CARGO) check --release --target $(WASM) --package twolayer-plot --no-default-features && \
		$(CARGO) check --release --target $(WASM) --package twolayer-view; \
	else \
		echo "*** SKIPPED: the wasm check, because the target $(WASM) cannot be installed here ***"; \
	fi

# Ours beside the peer's loop, in one run; writes docs/speed.md.
bench:
	./bench/run.sh

# A million damaged inputs, with progress; the short form is part of `make test`. TWOLAYER_FUZZ_FROM takes other seeds.
fuzz:
	TWOLAYER_FUZZ=1000000 $(CARGO) test --release --workspace --test fuzz

# The table of docs/trust.md: predicted memory beside the measured peak.
memory:
	$(CARGO) build --release --workspace --bins
	python3 bench/memory.py target/release/twolayer

# Runs every experiment of the gallery and writes docs/gallery-results.md.
gallery:
	TWOLAYER_GALLERY_RESULTS=$(CURDIR)/docs/gallery-results.md \
		$(CARGO) test --release --package twolayer-lab --test gallery -- --nocapture

# The docs as a book, in target/book.
docs:
	@command -v mdbook >/dev/null || $(CARGO) install mdbook --locked
	@test -x target/docs/bin/python || { python3 -m venv target/docs && target/docs/bin/pip install --quiet latex2mathml==3.81.1; }
	PATH="$$HOME/.cargo/bin:$$PATH" mdbook build docs
