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

source crates/maas-server/tests/serve_linear.sh

"$cache/bin/python" crates/maas-server/tests/page.py "$url" "$locked_url" ${folder:+"$folder"}

end_server
