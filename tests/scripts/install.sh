# shellcheck shell=bash
# Sourced by tests/run. Installs what the tests need and the machine lacks: Debian packages when root,
# otherwise it says what to install; Python tools into target/venv, which then leads PATH.

# Where the server programs of PostgreSQL are, which Debian keeps out of PATH; empty when there are none.
postgres_bindir() {
  local initdb
  for initdb in $(command -v initdb || true) /usr/lib/postgresql/*/bin/initdb; do
    [ -x "$initdb" ] && dirname "$initdb" && return
  done
}

# The Debian packages that are not there, one a line.
missing_packages() {
  command -v cc >/dev/null || echo build-essential
  command -v go >/dev/null || echo golang-go
  [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ] || echo golang-golang-x-mod-dev
  [ -n "$(postgres_bindir)" ] || echo postgresql
  compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || echo libfaketime
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

install_packages() {
  local missing
  missing=$(missing_packages | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "tests/run: missing: $missing" >&2
    echo "tests/run: next: sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing" >&2
    return 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# A virtual environment with the tools of every requirements.txt under tests/; made anew only when one changed.
install_python() {
  local venv="$PWD/target/venv" wanted
  local -a lists
  mapfile -t lists < <(find tests -maxdepth 2 -name requirements.txt | sort)
  wanted=$(sha256sum "${lists[@]}")
  if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${lists[@]/#/--requirement=}"
    echo "$wanted" >"$venv/installed"
  fi
  export PATH="$venv/bin:$PATH"
}
