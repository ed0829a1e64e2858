# shellcheck shell=bash
# Sourced by tests/run after install.sh. A throw-away PostgreSQL that is as strict about durability as a real one:
# fsync and synchronous_commit on. Its default collation is a linguistic one on purpose, so that a query
# that relies on byte order without saying so fails here.

postgres_dir=
postgres_pid=

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd "$postgres_dir" && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# Starts a server on a free loopback port and exports PROBITY_TEST_POSTGRES, unless the caller brought one.
postgres_start() {
  [ -z "${PROBITY_TEST_POSTGRES:-}" ] || return 0
  local bin port
  bin=$(postgres_bindir)
  postgres_dir=$(mktemp -d "${TMPDIR:-/tmp}/probity-postgres.XXXXXX")
  if [ "$(id -u)" -eq 0 ]; then chown postgres: "$postgres_dir"; fi
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  as_postgres "$bin/initdb" --pgdata="$postgres_dir/data" --username=postgres --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US >/dev/null
  as_postgres "$bin/pg_ctl" start --silent --wait --pgdata="$postgres_dir/data" --log="$postgres_dir/log" \
    --options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='$postgres_dir' -c max_connections=200 -c fsync=on -c synchronous_commit=on" ||
    { cat "$postgres_dir/log" >&2; return 1; }
  postgres_pid=$(head -n 1 "$postgres_dir/data/postmaster.pid")
  export PROBITY_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
}

# Stops the server that postgres_start started, and no other.
postgres_stop() {
  if [ -n "$postgres_pid" ]; then
    kill -INT "$postgres_pid" 2>/dev/null || true
    for _ in $(seq 100); do
      kill -0 "$postgres_pid" 2>/dev/null || break
      sleep 0.1
    done
  fi
  if [ -n "$postgres_dir" ]; then rm -rf "$postgres_dir"; fi
}
