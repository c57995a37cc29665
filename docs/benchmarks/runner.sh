#!/usr/bin/env bash
# Nothing changed: Slipway against turbo's native binary and just's cached recipes, on one tree of
# 5,000 files of 2 KB and 8 tasks that read 625 of them each, in one run. Then cold: 8 tasks with
# needs, on two jobs, against the shortest time that any schedule could reach.
#
#   docs/benchmarks/runner.sh [FOLDER]
#
# Needs hyperfine, python3, npm (for turbo) and pip (for just); writes only into FOLDER, a new
# temporary folder when none is given. Builds `xtask` as `cargo xtask` does, in the dev profile.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
cd "$folder"

cargo build --quiet --package xtask --manifest-path "$repository/Cargo.toml"
xtask=$(cargo metadata --format-version 1 --no-deps --manifest-path "$repository/Cargo.toml" |
  python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')/debug/xtask

[ -x tools/node_modules/.bin/turbo ] || npm install --silent --no-fund --no-audit --prefix tools turbo
turbo=$(find tools/node_modules/@turbo -path '*/bin/turbo' -type f | head -n 1)
turbo=$PWD/$turbo
[ -x tools/venv/bin/just ] || { python3 -m venv tools/venv && tools/venv/bin/pip install --quiet rust-just; }
just=$PWD/tools/venv/bin/just

python3 - <<'PY'
import json, os, random
random.seed(1)
tasks = [f"task{n}" for n in range(8)]
os.makedirs("tree", exist_ok=True)
os.chdir("tree")
for task in tasks:
    for n in range(625):
        path = f"src/{task}/{n // 50}/file{n}.js"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            with open(path, "w") as out:
                out.write("".join(random.choice("abcdefghij \n") for _ in range(2048)))

def write(path, text):
    with open(path, "w") as out:
        out.write(text)

write(".gitignore", "/target\n/.turbo\n/.justcache\nnode_modules\n")
write("xtask.toml", '[project]\nname = "bench"\n\n[steps.audit]\nwhen = "never"\n' + "".join(
    f'\n[steps.{task}]\nrun = "cat src/{task}/*/*.js | wc -c"\ninputs = ["src/{task}/**"]\n' for task in tasks))
write("package.json", json.dumps({
    "name": "bench", "private": True, "packageManager": "npm@10.0.0",
    "scripts": {task: f"cat src/{task}/*/*.js | wc -c" for task in tasks}}, indent=2))
write("package-lock.json", json.dumps({"name": "bench", "lockfileVersion": 3, "packages": {"": {"name": "bench"}}}))
write("turbo.json", json.dumps({"tasks": {
    task: {"inputs": [f"src/{task}/**"], "outputs": []} for task in tasks}}, indent=2))
write("justfile", "set unstable\nset lists\n\nall: " + " ".join(tasks) + "\n" + "".join(
    f'\n[script]\n[cache(inputs = split(`find src/{task} -type f`, "\\n"))]\n{task}:\n  cat src/{task}/*/*.js | wc -c\n'
    for task in tasks))
PY
cd tree
[ -d .git ] || { git init --quiet . && git add -A && git -c user.name=b -c user.email=b@localhost commit --quiet -m bench; }

export TURBO_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1
turbo_run="$turbo run $(printf 'task%s ' 0 1 2 3 4 5 6 7) --no-daemon --no-update-notifier"
hyperfine --shell=none --warmup 3 --runs 30 --export-json ../runner.json \
  --command-name "xtask ci" "$xtask ci" \
  --command-name "turbo run" "$turbo_run" \
  --command-name "just" "$just all" >/dev/null 2>&1
python3 - <<'PY'
import json
results = json.load(open("../runner.json"))["results"]
cpu = {r["command"]: (r["user"] + r["system"]) * 1000 for r in results}
for r in results:
    name = r["command"]
    print(f"{name:10} wall {r['median'] * 1000:6.1f} ms   CPU {cpu[name]:6.1f} ms   "
          f"xtask/{name}: {cpu['xtask ci'] / cpu[name]:.2f} of its CPU")
PY

# Cold. Each task waits for its time without using a core, so that what is measured is the runner.
cd ..
mkdir -p cold && cd cold
python3 - <<'PY'
tasks = {  # name: (seconds, needs)
    "fmt": (0.2, []), "lint": (1.0, []), "build": (1.2, []), "test": (1.6, []),
    "audit": (0.3, []), "smoke": (0.2, ["build"]), "e2e": (0.9, ["build"]), "budget": (0.8, ["build"])}
with open("xtask.toml", "w") as out:
    out.write('[project]\nname = "cold"\n\n[steps.audit]\nwhen = "never"\n')
    for name, (seconds, needs) in tasks.items():
        needs = ", ".join(f'"my-{need}"' for need in needs)
        out.write(f'\n[steps.my-{name}]\nrun = "sleep {seconds}"\nneeds = [{needs}]\n')
longest = {}
for name, (seconds, needs) in tasks.items():
    longest[name] = seconds + max([longest[need] for need in needs], default=0)
bound = max(max(longest.values()), sum(seconds for seconds, _ in tasks.values()) / 2)
open("../bound", "w").write(str(bound))
PY
"$xtask" ci --jobs 2 --force >/dev/null 2>&1   # durations are remembered from here on
hyperfine --shell=none --runs 5 --export-json ../cold.json "$xtask ci --jobs 2 --force" >/dev/null 2>&1
python3 - <<'PY'
import json
wall = json.load(open("../cold.json"))["results"][0]["median"]
bound = float(open("../bound").read())
print(f"cold       wall {wall:6.2f} s    no schedule can be shorter than {bound:.2f} s: {wall / bound:.3f} of it")
PY
