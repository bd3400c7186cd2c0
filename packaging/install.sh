#!/bin/sh
# Installs or upgrades Waakvlam from this folder, with no network; `--back` returns to the version before.
#
#   sudo sh install.sh [--root DIR] [--no-service]
#   sudo sh /opt/waakvlam/current/install.sh --back [--root DIR] [--no-service]
#
# --root DIR installs below DIR instead of /, for images and tests; it implies --no-service.
# The data stay where they are: /var/lib/waakvlam. Before an upgrade that changes the form of the journal a copy is kept.
set -eu

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

# The form of a journal stands in its file, at byte 60, four bytes, most significant first (SQLite user_version).
journal_version() {
  [ -f "$1/journal.db" ] || { echo 0; return; }
  od -An -tu1 -j60 -N4 "$1/journal.db" | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'
}
stop_service() { [ "$service" = no ] || systemctl stop waakvlam.service 2>/dev/null || true; }
start_service() {
  [ "$service" = no ] && return
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

go_back() {
  [ -L "$opt/previous" ] || fail "there is no version before this one"
  now=$(cat "$opt/current/VERSION") before=$(cat "$opt/previous/VERSION")
  stop_service
  if [ "$(journal_version "$data")" -gt "$(cat "$opt/previous/JOURNAL_VERSION")" ]; then
    kept=$data.before-$now
    [ -d "$kept" ] || fail "version $before cannot read these data, and $kept is not there"
    rm -rf "$data.of-$now"
    mv "$data" "$data.of-$now"
    mv "$kept" "$data"
    say "Version $before cannot read the data of $now: those from before the upgrade are back, the newer ones are in $data.of-$now"
    say "Samples in between: devices send them again when asked (waakvlam doctor says how)"
  fi
  old=$(readlink "$opt/current")
  point current "$(readlink "$opt/previous")"
  point previous "$old"
  start_service
  say "Version $before is back (was $now)"
}

check_bundle() {
  [ -f "$here/SHA256SUMS" ] || fail "SHA256SUMS is missing: run install.sh from the bundle"
  (cd "$here" && sha256sum --quiet --strict -c SHA256SUMS) || fail "this bundle is damaged: copy it to the stick again"
  "$here/app/bin/node" --version >/dev/null 2>&1 || fail "this bundle is for another kind of machine ($(uname -m) here)"
}

make_user() {
  [ "$service" = yes ] || return 0
  id waakvlam >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir /var/lib/waakvlam --no-create-home --shell /usr/sbin/nologin waakvlam
}

install_release() {
  version=$(cat "$here/VERSION")
  release=releases/$version
  mkdir -p "$opt/releases" "$config"
  rm -rf "$opt/.new"
  cp -a "$here/app" "$opt/.new"
  cp "$here/VERSION" "$here/install.sh" "$here/waakvlam" "$here/waakvlam-device" "$opt/.new/"
  chmod -R u+rwX,go+rX,go-w "$opt/.new"
  chmod 755 "$opt/.new/waakvlam" "$opt/.new/waakvlam-device" "$opt/.new/bin/node"
  [ "$(id -u)" != 0 ] || chown -R 0:0 "$opt/.new"
  [ -f "$config/waakvlam.toml" ] || cp "$here/waakvlam.toml" "$config/waakvlam.toml"
  mkdir -p "$data" "$root/usr/local/bin"
  chmod 750 "$data"
  [ "$service" = no ] || chown waakvlam:waakvlam "$data"

  old=$(readlink "$opt/current" 2>/dev/null || true)
  stop_service
  found=$(journal_version "$data") new=$(cat "$opt/.new/JOURNAL_VERSION")
  [ "$found" -le "$new" ] || { start_service; fail "the data were written by a newer version than $version"; }
  [ "$found" = 0 ] || [ "$found" = "$new" ] || keep_copy "$version"
  rm -rf "$opt/$release.old"
  [ ! -e "$opt/$release" ] || mv "$opt/$release" "$opt/$release.old"
  mv "$opt/.new" "$opt/$release"
  rm -rf "$opt/$release.old"
  flush "$opt"
  point current "$release"
  [ -z "$old" ] || [ "$old" = "$release" ] || point previous "$old"
  ln -sfn /opt/waakvlam/current/waakvlam "$root/usr/local/bin/waakvlam"
  ln -sfn /opt/waakvlam/current/waakvlam-device "$root/usr/local/bin/waakvlam-device"
  mkdir -p "$root/etc/systemd/system"
  cp "$here/waakvlam.service" "$root/etc/systemd/system/waakvlam.service"
  # What is neither in use nor the way back goes.
  for dir in "$opt"/releases/*; do
    case releases/${dir##*/} in "$release" | "$(readlink "$opt/previous" 2>/dev/null)") ;; *) rm -rf "$dir" ;; esac
  done
  start_service
  say "Waakvlam $version is installed. Next: edit $config/waakvlam.toml, then"
  say "  waakvlam registry import FILE --credentials OUT   and   waakvlam people add NAME --role admin"
}

if [ "$back" = yes ]; then go_back; exit 0; fi
check_bundle
make_user
install_release
