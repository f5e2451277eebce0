#!/bin/bash
# Installs what is missing, and nothing else: Debian packages named in tools/packages.txt, npm
# packages pinned in package-lock.json. When nothing is missing it only looks (0.1 s).
#
# Usage: tools/install.sh [run|test]     run: to build and serve; test: also to test (default)
set -euo pipefail
cd "$(dirname "$0")/.."

readonly group=${1:-test}
readonly policy=/usr/sbin/policy-rc.d
missing=()

say() { echo "install: $*" >&2; }
die() {
  say "FAILED: $1"
  say "Then run the same command again; what is installed already is not fetched twice."
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "packages are missing (${missing[*]}) and neither root nor sudo is at hand."
  fi
}

# The packages of `group` (group test includes run), minus those whose command exists already.
wanted_packages() {
  local section=run name unless
  while read -r name unless; do
    case $name in
      '' | '#'*) ;;
      '['*) section=${name//[\[\]]/} ;;
      *)
        if [ "$group" = run ] && [ "$section" != run ]; then continue; fi
        if [ -n "$unless" ] && command -v "$unless" >/dev/null; then continue; fi
        echo "$name"
        ;;
    esac
  done <tools/packages.txt
}

find_missing() {
  local wanted installed
  wanted=$(wanted_packages | sort)
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort)
  mapfile -t missing < <(comm -23 <(echo "$wanted") <(echo "$installed"))
}

# Debian starts a service as soon as it is installed. The mosquitto we test against must not sit
# on port 1883, which `nilo serve` wants: forbid starting until we end, and do not start it at boot.
apt_install() {
  local mosquitto_is_new=no
  [[ " ${missing[*]} " == *" mosquitto "* ]] && mosquitto_is_new=yes
  if [ ! -e $policy ]; then
    trap 'as_root rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  local outcome=0
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}" >&2 || outcome=$?
  if [ $mosquitto_is_new = yes ]; then
    as_root update-rc.d mosquitto disable >/dev/null 2>&1 || true  # of systemd's links, too
  fi
  return $outcome
}

install_debian() {
  command -v dpkg-query >/dev/null || die "this is not Debian; see tools/packages.txt for what is needed."
  find_missing
  [ ${#missing[@]} -gt 0 ] || return 0
  say "${#missing[@]} Debian packages are missing: ${missing[*]}"
  as_root apt-get update >&2 || die "apt-get update; is the network there, and /etc/apt/sources.list right?"
  local outcome=0
  apt_install || outcome=$?
  find_missing
  [ ${#missing[@]} = 0 ] || die "Debian packages not installed: ${missing[*]} (apt's reason is above)."
  [ $outcome = 0 ] || die "apt-get install ended with $outcome (its reason is above)."
}

# npm rewrites node_modules only when the lock changed. Nobody's install script is run.
install_npm() {
  local stamp=node_modules/.nilo-lock lock
  lock=$(sha256sum <package-lock.json)
  [ "$(cat $stamp 2>/dev/null)" != "$lock" ] || return 0
  say "npm packages: fetching what package-lock.json names"
  npm ci --ignore-scripts --no-audit --no-fund >&2 ||
    die "npm ci (its reason is above); is https://registry.npmjs.org reachable?"
  compgen -G 'node_modules/@duckdb/node-bindings-linux-*/libduckdb.so' >/dev/null ||
    die "npm brought no libduckdb.so for $(uname -m); supported are x86_64 and aarch64 with glibc."
  echo "$lock" >$stamp
}

case $group in
  run | test) ;;
  *) die "unknown group '$group'; say run or test." ;;
esac
install_debian
install_npm
