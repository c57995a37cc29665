#!/usr/bin/env bash
# Making a release of 2,000 files, 60 MB: the first time, with nothing changed, with one file and with
# 20 files changed; before as many releases are there as are kept (10), and after. CPU time of
# `xtask-build` and all that it starts, median of 7; wall time beside it.
#
#   docs/benchmarks/release.sh [FOLDER]
#
# Needs python3 and git; writes only into FOLDER, a new temporary folder when none is given. Builds
# `xtask-build` as `cargo xtask` does, in the dev profile. The first release takes a minute or two:
# brotli at its highest quality.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
cargo build --quiet --package release --bin xtask-build --manifest-path "$repository/Cargo.toml"
target=$(cargo metadata --format-version 1 --no-deps --manifest-path "$repository/Cargo.toml" |
  python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
build=$target/debug/xtask-build
[ -x "$build" ] || { echo "error: $build is not there"; exit 1; }
cd "$folder"

BUILD=$build python3 - <<'PY'
import os, random, shutil, statistics, subprocess, time

random.seed(1)
words = ["".join(random.choice("etaoinshrdlu") for _ in range(random.randint(2, 9))) for _ in range(4000)]

def write(path, contents):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(contents)

def page(number, size):
    lines = [f"<!doctype html><title>page {number}</title>"]
    while sum(map(len, lines)) < size:
        lines.append("<p>" + " ".join(random.choices(words, k=60)) + "</p>")
    return "\n".join(lines).encode()

# 1,400 pages, scripts and style sheets of 10 KB, 600 pictures of 77 KB: 60 MB.
if not os.path.exists("xtask.toml"):
    for number in range(1400):
        kind = ["html", "html", "js", "css"][number % 4]
        write(f"public/{number // 100}/file{number}.{kind}", page(number, 10_000))
    for number in range(600):
        write(f"public/pictures/{number // 100}/picture{number}.webp", random.randbytes(77_000))
    with open("xtask.toml", "w") as out:
        out.write('[project]\nname = "bench"\n\n[build]\nsite = "public"\n')
    with open(".gitignore", "w") as out:
        out.write("/target\n")
    git = ["git", "-c", "user.name=b", "-c", "user.email=b@localhost"]
    subprocess.run(["git", "init", "--quiet", "."], check=True)
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(git + ["commit", "--quiet", "-m", "bench"], check=True)

# Releases of an earlier run would be taken over.
shutil.rmtree("target", ignore_errors=True)

sizes = [os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk("public") for f in files]
print(f"{len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")

def build():
    start = time.monotonic()
    child = subprocess.Popen([os.environ["BUILD"]], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime, time.monotonic() - start

def show(name, times):
    cpu, wall = (statistics.median(column) for column in zip(*times))
    print(f"{name:34} CPU {cpu * 1000:8.1f} ms   wall {wall * 1000:8.1f} ms")

show("first", [build()])
build()
show("nothing changed", [build() for _ in range(7)])

# Another word in the same pages each time. One page alone, so that its share can be told.
def change(count, round):
    for number in range(count):
        path = f"public/{number * 4 // 100}/file{number * 4}.html"
        with open(path, "ab") as out:
            out.write(f"<p>round {round}</p>\n".encode())

def rounds(count):
    times = []
    for round in range(7):
        change(count, f"{count}-{round}-{time.time_ns()}")
        times.append(build())
    return times

show("1 file changed, fewer than 10 kept", rounds(1))
rounds(1)
show("1 file changed", rounds(1))
rounds(20)
show("20 files changed", rounds(20))
show("nothing changed", [build() for _ in range(7)])
load = " ".join(f"{load:.1f}" for load in os.getloadavg())
print(f"load of the machine in the last 1, 5 and 15 minutes: {load}")
PY
