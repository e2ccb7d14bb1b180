#!/usr/bin/env bash
# Asks our server by the protocol's official Python clients, over HTTP and gRPC, and by curl.
# MAAS_CLIENT_CACHE: a folder that keeps the Python environment between runs (target/official-clients by default).
set -euo pipefail
cd "$(dirname "$0")/../../../.."
here=crates/maas-server/tests/official_clients

cache="${MAAS_CLIENT_CACHE:-${CARGO_TARGET_DIR:-target}/official-clients}"
if [ ! -x "$cache/bin/python" ] || ! "$cache/bin/python" -c "import tritonclient.grpc, tritonclient.http, kserve" 2>/dev/null; then
    mkdir -p "$cache"
    python3 -m venv "$cache"
    "$cache/bin/pip" install --quiet "tritonclient[http,grpc]==2.73.0" "kserve==0.21.0"
fi

source crates/maas-server/tests/serve_linear.sh

for client in triton_http triton_grpc kserve_sdk; do
    "$cache/bin/python" "$here/$client.py" "$url"
done

answer="$(curl --silent --show-error --fail "$url/v2/models/linear/infer" \
    --data '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[[0,0,1]]}]}')"
[[ "$answer" == *'"data":[31.0]'* || "$answer" == *'"data":[31]'* ]] || { echo "curl: $answer" >&2; exit 1; }
status="$(curl --silent --output "$scratch/error" --write-out '%{http_code}' "$url/v2/models/beer")"
[[ "$status" == 404 && "$(cat "$scratch/error")" == '{"error":"no model is called `beer`"}' ]]
echo "curl is content"

end_server
