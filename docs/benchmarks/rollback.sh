#!/usr/bin/env bash
# How long a rollback takes: from the start of the command to the end of the last answer of the release
# that is left, under constant requests on loopback.
#
#   docs/benchmarks/rollback.sh [FOLDER]
#
# ROUNDS (default 100): promotions of a second release, each rolled back. Needs python3 and git; writes
# only into FOLDER, a new temporary folder when none is given, and ends the edge that it starts. The tools
# are built as `cargo xtask` builds them, in the dev profile.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
cargo build --quiet --workspace --bin xtask-build --bin xtask-promote --bin xtask-rollback \
  --bin xtask-edge --manifest-path "$repository/Cargo.toml"
target=$(cargo metadata --format-version 1 --no-deps --manifest-path "$repository/Cargo.toml" |
  python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
cd "$folder"

TOOLS=$target/debug ROUNDS=${ROUNDS:-100} python3 - <<'PY'
import http.client, json, os, socket, statistics, subprocess, threading, time

tools, rounds = os.environ["TOOLS"], int(os.environ["ROUNDS"])

def tool(name, *arguments):
    done = subprocess.run([f"{tools}/xtask-{name}", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
os.makedirs("public", exist_ok=True)
with open("xtask.toml", "w") as out:
    out.write('[project]\nname = "bench"\n\n[build]\nsite = "public"\n\n[environments.production]\n'
              f'store = "store"\nlisten = "127.0.0.1:{port}"\nevidence = []\nallow-uncommitted = true\n')
ids = []
for number in (1, 2):
    with open("public/index.html", "w") as out:
        out.write(f"<!doctype html><title>{number}</title>" + "x" * 1000)
    tool("build")
    newest = sorted(os.scandir("target/xtask/releases"), key=lambda entry: entry.stat().st_mtime_ns)
    ids.append([entry.name for entry in newest if entry.is_dir() and not entry.name.startswith(".")][-1])
tool("promote", ids[0])

# Requests over connections that are kept, one after another on each: when each answer ended, and whose.
answers, failed, is_over = [], [], threading.Event()
def visit():
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while not is_over.is_set():
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failed.append(answer.status)
            answers.append((time.monotonic(), answer.headers["x-slipway-release"]))
        except OSError as error:
            failed.append(error)
            connection = http.client.HTTPConnection("127.0.0.1", port)
        time.sleep(0.001)

visitors = [threading.Thread(target=visit) for _ in range(4)]
for visitor in visitors:
    visitor.start()
commands, lasts, writes = [], [], []
for _ in range(rounds):
    tool("promote", ids[1])
    answers.clear()
    time.sleep(0.05)
    began = time.monotonic()
    done = json.loads(tool("rollback", "--env", "production", "--format", "json"))
    commands.append(time.monotonic() - began)
    time.sleep(0.1)
    late = [at - began for at, release in answers if release == ids[1] and at >= began]
    lasts.append(max(late, default=0.0))
    assert answers[-1][1] == ids[0], "the release before is not served"
is_over.set()
for visitor in visitors:
    visitor.join()
tool("edge", "--env", "production", "--stop")

def show(name, times):
    times = sorted(time * 1000 for time in times)
    rank = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    print(f"{name:45} p50 {rank(0.5):6.1f} ms   p99 {rank(0.99):6.1f} ms   max {times[-1]:6.1f} ms")

print(f"{rounds} rollbacks, {len(failed)} failed requests")
show("command to the last answer of what is left", lasts)
show("command to its end, edges looked at", commands)
assert not failed, failed[:5]
PY
