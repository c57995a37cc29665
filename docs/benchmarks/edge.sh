#!/usr/bin/env bash
# The edge against Debian's nginx, on the same files and the same upstream, on two cores, in one run:
# a static file of 1 KB, one of 100 KB, and a request that goes to the upstream. The rounds take turns;
# the medians are compared.
#
#   docs/benchmarks/edge.sh [FOLDER]
#
# ROUNDS (default 3) and SECONDS_EACH (default 5) say how long. Needs nginx, wrk, curl and python3 on
# two cores or more; writes only into FOLDER, a new temporary folder when none is given, and ends what
# it starts. Builds the edge as it runs in production, in the release profile.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# Started by root, nginx reads as another user, who may not enter a folder of mktemp's.
chmod a+rx "$folder"
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-5}
connections=64

cargo build --quiet --release --package edge --manifest-path "$repository/Cargo.toml"
cargo build --quiet --package release --manifest-path "$repository/Cargo.toml"
target=$(cargo metadata --format-version 1 --no-deps --manifest-path "$repository/Cargo.toml" |
  python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')

cd "$folder"
mkdir -p public nginx/logs upstream/logs
python3 - <<'PY'
import random
random.seed(1)
with open("public/index.html", "w") as out:
    out.write("<!doctype html><title>x</title>" + "".join(random.choice("abcdefghij ") for _ in range(1000)))
with open("public/large.bin", "wb") as out:
    out.write(random.randbytes(100 * 1024))
PY

# The upstream is the release's server, and nginx passes to the very same process.
cat >server <<SH
#!/bin/sh
cat >$folder/upstream/nginx.conf <<CONF
worker_processes 1;
daemon off;
pid $folder/upstream/nginx.pid;
error_log $folder/upstream/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000;
  server { listen \$LISTEN; location / { default_type text/plain; return 200 "hello from upstream\n"; } }
}
CONF
echo "\$LISTEN" >$folder/upstream/address
exec nginx -p $folder/upstream -c $folder/upstream/nginx.conf
SH
chmod +x server
cat >xtask.toml <<'TOML'
[project]
name = "bench"

[build]
site = "public"

[build.server]
path = "server"
ready = "/"

[headers]
x-content-type-options = "nosniff"
TOML
"$target/debug/xtask-build" >/dev/null

"$target/release/xtask-edge" >edge.json 2>edge.log &
edge=$!
trap 'kill $edge ${nginx:-} 2>/dev/null || true; wait' EXIT
until [ -s edge.json ]; do kill -0 $edge; sleep 0.1; done
edge_url=$(python3 -c 'import json; print(json.load(open("edge.json"))["listening"])')

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >nginx/nginx.conf <<CONF
worker_processes 2;
worker_rlimit_nofile 16384;
daemon off;
pid $folder/nginx/nginx.pid;
error_log $folder/nginx/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 10000;
  open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 60s;
  types { text/html html; application/octet-stream bin; }
  upstream server { server $(cat upstream/address); keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:$port;
    root $folder/public;
    add_header x-content-type-options nosniff always;
    location / {}
    location /api {
      proxy_pass http://server;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_set_header host \$host;
      proxy_set_header x-forwarded-for \$remote_addr;
      proxy_set_header x-forwarded-proto \$scheme;
      proxy_set_header x-request-id \$request_id;
    }
  }
}
CONF
nginx -p "$folder/nginx" -c "$folder/nginx/nginx.conf" &
nginx=$!
nginx_url=http://127.0.0.1:$port
for try in $(seq 50); do
  curl -sf -o /dev/null "$nginx_url/" && break
  [ "$try" -lt 50 ] || { echo "error: nginx does not answer: see $folder/nginx/error.log" >&2; exit 1; }
  kill -0 $nginx
  sleep 0.1
done

for path in / /large.bin /api; do
  cmp <(curl -sf "$edge_url$path") <(curl -sf "$nginx_url$path")
done

# Of these processes: memory (resident; in proportion where it is shared) in KB, and CPU time in ms.
usage() {
  python3 - "$@" <<'PY'
import os, sys
def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 // os.sysconf("SC_CLK_TCK")
def read(pid, name):
    rows = dict(line.split(":", 1) for line in open(f"/proc/{pid}/smaps_rollup") if ":" in line and "-" not in line.split(":")[0])
    return int(rows[name].split()[0])
pids = sys.argv[1:]
print(*(sum(values) for values in ([read(pid, "Rss") for pid in pids], [read(pid, "Pss") for pid in pids], [cpu(pid) for pid in pids])))
PY
}

: >results
for round in $(seq "$rounds"); do
  for path in / /large.bin /api; do
    for who in edge nginx; do
      url=${who}_url
      [ $who = edge ] && pids=$edge || pids="$nginx $(pgrep -P $nginx | tr '\n' ' ')"
      wrk -t 2 -c $connections -d 1s "${!url}$path" >/dev/null
      # shellcheck disable=SC2086
      before=$(usage $pids)
      wrk -t 2 -c $connections -d "${seconds}s" --latency "${!url}$path" >wrk.out
      # shellcheck disable=SC2086
      echo "$who $path $(awk '/Requests\/sec/ { print $2 } /^ +99%/ { print $2 } / requests in / { print $1 }' wrk.out | tr '\n' ' ')" \
        "$(usage $pids) ${before##* } $(grep -c 'Non-2xx\|Socket errors' wrk.out || true)" >>results
    done
  done
done

python3 - <<'PY'
from statistics import median
names = {"/": "static, 1 KB", "/large.bin": "static, 100 KB", "/api": "proxied"}
def ms(text):
    for unit, factor in (("us", 0.001), ("ms", 1.0), ("s", 1000.0)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
rows = {}
for line in open("results"):
    who, path, p99, requests, rate, rss, pss, cpu, before, errors = line.split()
    each = (int(cpu) - int(before)) * 1000 / int(requests)
    rows.setdefault((path, who), []).append((float(rate), ms(p99), each, int(rss) / 1024, int(pss) / 1024))
    assert errors == "0", line
print("medians; edge / nginx = ratio")
print("| | requests/s | p99 ms | CPU µs a request | RSS MB | PSS MB |")
print("|---|---|---|---|---|---|")
for path, name in names.items():
    edge, nginx = ([median(column) for column in zip(*rows[path, who])] for who in ("edge", "nginx"))
    cells = [f"{a:.{digits}f} / {b:.{digits}f} = **{a / b:.2f}**" for a, b, digits in zip(edge, nginx, (0, 2, 1, 1, 1))]
    print(f"| {name} | " + " | ".join(cells) + " |")
PY
