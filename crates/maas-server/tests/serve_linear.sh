# To be sourced at the root of the workspace: starts `serve_linear`, as the tests build it, so that nothing is built twice.
# `url` is where it is, `locked_url` where a key is wanted, `end_server` ends it in order; `scratch` is a folder until then.
target="${CARGO_TARGET_DIR:-target}"
cargo build --quiet --locked --workspace --examples
scratch="$(mktemp -d)"
mkfifo "$scratch/stdin"
"$target/debug/examples/serve_linear" <"$scratch/stdin" >"$scratch/url" &
server=$!
exec 9>"$scratch/stdin"
trap 'kill "$server" 2>/dev/null || true; rm -rf "$scratch"' EXIT

for _ in $(seq 100); do
    { read -r url && read -r locked_url; } <"$scratch/url" && break
    sleep 0.1
done

# The server ends with its standard input.
end_server() {
    exec 9>&-
    wait "$server"
}
