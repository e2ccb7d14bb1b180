#!/usr/bin/env bash
# Opens the status page in headless Chromium, which it installs by apt-get where there is none.
# page.sh [FOLDER]: screenshots go to the folder.
# MAAS_PAGE_CACHE: a folder that keeps the Python environment between runs (target/page by default).
set -euo pipefail
folder="${1:+$(realpath -m "$1")}"
cd "$(dirname "$0")/../../.."

target="${CARGO_TARGET_DIR:-target}"
cache="${MAAS_PAGE_CACHE:-$target/page}"
if [ ! -x "$cache/bin/python" ] || ! "$cache/bin/python" -c "import playwright, prometheus_client" 2>/dev/null; then
    mkdir -p "$cache"
    python3 -m venv "$cache"
    "$cache/bin/pip" install --quiet playwright prometheus-client
fi
CHROMIUM="${CHROMIUM:-$(command -v chromium || command -v google-chrome || true)}"
if [ -z "$CHROMIUM" ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium fonts-dejavu-core >/dev/null
    CHROMIUM="$(command -v chromium)"
fi
export CHROMIUM

# As the tests build it, so that nothing is built twice.
cargo build --quiet --locked --workspace --examples
scratch="$(mktemp -d)"
mkfifo "$scratch/stdin"
"$target/debug/examples/serve_linear" <"$scratch/stdin" >"$scratch/url" &
server=$!
exec 9>"$scratch/stdin"
trap 'kill "$server" 2>/dev/null || true; rm -rf "$scratch"' EXIT

for _ in $(seq 100); do
    url="$(cat "$scratch/url")"
    [ -n "$url" ] && break
    sleep 0.1
done

"$cache/bin/python" crates/maas-server/tests/page.py "$url" ${folder:+"$folder"}

# The server ends with its standard input, in order.
exec 9>&-
wait "$server"
