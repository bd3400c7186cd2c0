#!/bin/sh
# Installs or upgrades Waakvlam from this folder, with no network; `--back` returns to the version before.
#
#   sudo sh install.sh [--root DIR] [--no-service]
#   sudo sh /opt/waakvlam/current/install.sh --back [--root DIR] [--no-service]
#
# --root DIR installs below DIR instead of /, for images and tests; it implies --no-service.
# The data stay where they are: /var/lib/waakvlam. Before an upgrade that changes the form of the journal a copy is kept.
set -eu
# Programs and configuration are for all to read, whatever the shell of who installs says.
umask 022

say() { printf '%s\n' "$*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

root= back=no service=yes
while [ $# -gt 0 ]; do
  case $1 in
    --root) [ $# -ge 2 ] || fail "--root needs a folder"; root=${2%/}; service=no; shift ;;
    --back) back=yes ;;
    --no-service) service=no ;;
    *) fail "unknown option $1; usage: sh install.sh [--back] [--root DIR] [--no-service]" ;;
  esac
  shift
done
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "needs root: sudo sh $0"

here=$(cd "$(dirname "$0")" && pwd)
opt=$root/opt/waakvlam
data=$root/var/lib/waakvlam
config=$root/etc/waakvlam

# The form of a journal (SQLite user_version), by the Node of $1: it may stand only in the log beside the file.
journal_version() {
  [ -f "$data/journal.db" ] || { echo 0; return; }
  "$1/bin/node" -e '
    const { DatabaseSync } = require("node:sqlite");
    const db = new DatabaseSync(process.argv[1]);
    console.log(db.prepare("PRAGMA user_version").get().user_version);
    db.close();' "$data/journal.db" || fail "the journal in $data cannot be read"
}
# Whatever ends this in the middle: the gateway that was running runs again.
stop_service() {
  [ "$service" = yes ] || return 0
  trap '[ $? = 0 ] || systemctl start waakvlam.service || true' EXIT
  trap 'exit 130' HUP INT TERM
  systemctl stop waakvlam.service 2>/dev/null || true
}
start_service() {
  [ "$service" = yes ] || return 0
  trap - EXIT
  systemctl daemon-reload
  systemctl enable waakvlam.service >/dev/null 2>&1
  systemctl start waakvlam.service || fail "the gateway did not start: journalctl -u waakvlam; back: sh $opt/current/install.sh --back"
}
# A link is replaced in one step: whenever the power goes, one of the two versions is there.
point() { ln -sfn "$2" "$opt/.$1" && mv -T "$opt/.$1" "$opt/$1"; }

# An image is written out by whoever makes it.
flush() { [ -n "$root" ] || sync -f "$1"; }

keep_copy() {
  kept=$data.before-$1
  need=$(du -sk "$data" | cut -f1)
  have=$(df -Pk "$(dirname "$data")" | awk 'NR == 2 { print $4 }')
  [ "$have" -gt $((need + need / 10 + 65536)) ] || fail "no room to keep a copy of the data ($need kB needed beside $data)"
  rm -rf "$kept.part" "$kept"
  cp -a --reflink=auto "$data" "$kept.part"
  flush "$kept.part"
  mv "$kept.part" "$kept"
  say "The data as they were are kept in $kept"
}

put_unit() {
  mkdir -p "$root/etc/systemd/system"
  cp "$1/waakvlam.service" "$root/etc/systemd/system/.waakvlam.service.new"
  flush "$root/etc/systemd/system"
  mv -T "$root/etc/systemd/system/.waakvlam.service.new" "$root/etc/systemd/system/waakvlam.service"
}

# While the data are changed for others the service does not start (ConditionPathExists in its unit): on an empty folder it would
# begin a journal of its own. Nothing is ever deleted; power lost in between is made good by the next --back.
swap_data() {
  kept=$1 aside=$2 n=1
  while [ -e "$aside" ]; do n=$((n + 1)); aside=$2.$n; done
  : >"$opt/.swapping"
  flush "$opt"
  [ ! -d "$data" ] || mv "$data" "$aside"
  mv "$kept" "$data"
  flush "$(dirname "$data")"
  say "The data from before the upgrade are back; the newer ones are in $aside"
  say "Devices are asked to send again what lies between"
  # What the gateway leaves after a restore: all devices are asked for all that they have.
  printf '{"version":1,"atMs":0,"resendFrom":{}}' >"$data/restored.json"
  chown --reference="$data" "$data/restored.json"
}

go_back() {
  [ -L "$opt/previous" ] || fail "there is no version before this one"
  now=$(cat "$opt/current/VERSION") before=$(cat "$opt/previous/VERSION")
  kept=$data.before-$now
  stop_service
  found=$(journal_version "$opt/current")
  if [ -e "$opt/.swapping" ] && [ -d "$kept" ] || [ "$found" -gt "$(cat "$opt/previous/JOURNAL_VERSION")" ]; then
    [ -d "$kept" ] || fail "version $before cannot read these data, and $kept is not there"
    swap_data "$kept" "$data.of-$now"
  fi
  old=$(readlink "$opt/current")
  point current "$(readlink "$opt/previous")"
  point previous "$old"
  put_unit "$opt/current"
  flush "$opt"
  rm -f "$opt/.swapping"
  start_service
  say "Version $before is back (was $now)"
}

check_bundle() {
  [ -f "$here/SHA256SUMS" ] || fail "SHA256SUMS is missing: run install.sh from the bundle"
  (cd "$here" && sha256sum --quiet --strict -c SHA256SUMS) || fail "this bundle is damaged: copy it to the stick again"
}

make_user() {
  [ "$service" = yes ] || return 0
  id waakvlam >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir /var/lib/waakvlam --no-create-home --shell /usr/sbin/nologin waakvlam
}

install_release() {
  version=$(cat "$here/VERSION")
  mkdir -p "$opt/releases" "$config"
  chmod 755 "$opt" "$opt/releases" "$config"
  rm -rf "$opt/.new"
  cp -a "$here/app" "$opt/.new"
  for file in VERSION install.sh waakvlam waakvlam-device waakvlam.service; do cp "$here/$file" "$opt/.new/"; done
  chmod -R u+rwX,go+rX,go-w "$opt/.new"
  chmod 755 "$opt/.new/waakvlam" "$opt/.new/waakvlam-device" "$opt/.new/bin/node"
  [ "$(id -u)" != 0 ] || chown -R 0:0 "$opt/.new"
  # From here, and not from the stick: nothing may run on one that is mounted so.
  "$opt/.new/bin/node" --version >/dev/null 2>&1 || fail "this bundle is for another kind of machine ($(uname -m) here)"
  [ -f "$config/waakvlam.toml" ] || cp "$here/waakvlam.toml" "$config/waakvlam.toml"
  mkdir -p "$data" "$root/usr/local/bin"
  chmod 750 "$data"
  [ "$service" = no ] || chown waakvlam:waakvlam "$data"
  [ ! -e "$opt/.swapping" ] || fail "a way back was broken off: sh $opt/current/install.sh --back first"

  # The one in use is never moved: the same version again stands beside it.
  old=$(readlink "$opt/current" 2>/dev/null || true)
  release=releases/$version
  [ "$old" != "$release" ] || release=$release.again
  stop_service
  found=$(journal_version "$opt/.new") new=$(cat "$opt/.new/JOURNAL_VERSION")
  [ "$found" -le "$new" ] || fail "the data were written by a newer version than $version"
  [ "$found" = 0 ] || [ "$found" = "$new" ] || keep_copy "$version"
  rm -rf "${opt:?}/$release"
  mv "$opt/.new" "$opt/$release"
  put_unit "$opt/$release"
  flush "$opt"
  # The way back leads to another version, not to the same one.
  [ -z "$old" ] || [ "$(cat "$opt/$old/VERSION")" = "$version" ] || point previous "$old"
  point current "$release"
  ln -sfn /opt/waakvlam/current/waakvlam "$root/usr/local/bin/waakvlam"
  ln -sfn /opt/waakvlam/current/waakvlam-device "$root/usr/local/bin/waakvlam-device"
  # What is neither in use nor the way back goes.
  for dir in "$opt"/releases/*; do
    case releases/${dir##*/} in "$release" | "$(readlink "$opt/previous" 2>/dev/null)") ;; *) rm -rf "$dir" ;; esac
  done
  start_service
  say "Waakvlam $version is installed. Next: edit $config/waakvlam.toml, then, with files that the user waakvlam can read and write,"
  say "  waakvlam registry import FILE --credentials /var/lib/waakvlam/credentials.json"
  say "  waakvlam people add NAME --role admin --generate"
}

if [ "$back" = yes ]; then go_back; exit 0; fi
check_bundle
make_user
install_release
