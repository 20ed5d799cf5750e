# Recipes of everyday work; `just` lists them.

default:
    @just --list

# What a change is tried with while it is written: compiles the program and every test, runs none.
check:
    cargo check --all-targets --features full

# The tests, all of them or those whose name holds a word.
test word="":
    cargo test --features full {{word}}

# Lints and format, as the full check has them.
lint:
    cargo fmt --check
    cargo clippy --all-targets --features full -- -D warnings

# The committed samples, screened, with a page to look at.
samples:
    cargo run --release -- screen datasets/samples --report report.html

# Everything that a clean checkout is checked with.
all:
    .ci/run

# What a check costs here, beside plain decoders, in short.
speed:
    cargo bench --features simulation --bench check -- short

# Licences and known faults of what is compiled in.
deny:
    cargo deny check

# Whether vendor/rten is the published crate with vendor/rten.patch and nothing else.
vendored:
    vendor/update --check

# The table of detectors for src/detectors/README.md.
detectors:
    cargo run --release -- explain --format markdown

# A static program with everything, in a tarball, and a Debian package.
release:
    .ci/release
