#!/bin/sh
# Installs or upgrades Waakvlam from this folder, with no network; `--back` returns to the version before.
#
#   sudo sh install.sh [--root DIR] [--no-service]
#   sudo sh /opt/waakvlam/current/install.sh --back [--root DIR] [--no-service]
#
# --root DIR installs below DIR instead of /, for images and tests; it implies --no-service.
# The data stay where they are: in data.dir of the configuration, /var/lib/waakvlam. Before a version that changes the form of the
# journal a copy of them is kept.
set -eu
# Programs and configuration are for all to read, whatever the shell of who installs says.
umask 022

say() { printf '%s\n' "$*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

root='' back=no service=yes
while [ $# -gt 0 ]; do
  case $1 in
    --root) [ $# -ge 2 ] || fail "--root needs a folder"; root=$(readlink -m "$2"); service=no; shift ;;
    --back) back=yes ;;
    --no-service) service=no ;;
    *) fail "unknown option $1; usage: sh install.sh [--back] [--root DIR] [--no-service]" ;;
  esac
  shift
done
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "needs root: sudo sh $0"

here=$(cd "$(dirname "$0")" && pwd)
opt=$root/opt/waakvlam
config=$root/etc/waakvlam

# Where the data are, at the end of all links: the configuration says it, read by the first of these programs that can.
find_data() {
  data=''
  for program in "$@"; do
    [ -x "$program/bin/node" ] || continue
    data=$("$program/bin/node" "$program/gateway/main.js" config show --json --config "$config/waakvlam.toml" 2>/dev/null |
      "$program/bin/node" -p 'JSON.parse(require("node:fs").readFileSync(0, "utf8")).data.dir' 2>/dev/null) && break
  done
  [ -n "$data" ] || fail "$config/waakvlam.toml does not tell where the data are: waakvlam config check $config/waakvlam.toml"
  case $data in "$root"/*) ;; *) data=$root$data ;; esac
  data=$(readlink -m "$data")
  case $data in "$root"/*) ;; *) fail "the data are not below $root: they are in $data" ;; esac
}
# What is kept of the data lies on their disk: beside them, and within, where a disk is mounted on their folder.
beside() { if mountpoint -q "$data"; then printf '%s\n' "$data/.$1"; else printf '%s\n' "$data.$1"; fi; }
# Runs a command on what is in a folder: all but what is kept there, and what a disk has of its own.
each_in() {
  folder=$1; shift
  find "$folder" -mindepth 1 -maxdepth 1 ! -name '.before-*' ! -name '.of-*' ! -name lost+found -exec "$@" {} +
}
move_all() { each_in "$1" mv -t "$2"; }

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
start_again() {
  [ ! -e "$opt/.swapping" ] || say "The way back is not done, and until then the gateway does not start: sh $opt/current/install.sh --back"
  [ "$service" = no ] || systemctl start waakvlam.service || true
}
stop_service() {
  trap '[ $? = 0 ] || start_again' EXIT
  trap 'exit 130' HUP INT TERM
  [ "$service" = yes ] || return 0
  systemctl stop waakvlam.service 2>/dev/null || true
}
start_service() {
  trap - EXIT
  [ "$service" = yes ] || return 0
  systemctl daemon-reload
  systemctl enable waakvlam.service >/dev/null 2>&1
  systemctl start waakvlam.service || fail "the gateway did not start: journalctl -u waakvlam; back: sh $opt/current/install.sh --back"
}
# A link is replaced in one step: whenever the power goes, one of the two versions is there.
point() { ln -sfn "$2" "$opt/.$1" && mv -T "$opt/.$1" "$opt/$1"; }

# An image is written out by whoever makes it.
flush() { [ -n "$root" ] || sync -f "$1"; }

# For the way back from version $1, in the place that $kept names.
keep_copy() {
  kept=$(beside "before-$1")
  need=$(du -sk --exclude='.before-*' --exclude='.of-*' "$data" | cut -f1)
  have=$(df -Pk "$(dirname "$kept")" | awk 'NR == 2 { print $4 }')
  [ "$have" -gt $((need + need / 10 + 65536)) ] || fail "no room to keep a copy of the data ($need kB needed for $kept)"
  rm -rf "$kept.part" "$kept"
  mkdir "$kept.part"
  chmod --reference="$data" "$kept.part"
  chown --reference="$data" "$kept.part"
  each_in "$data" cp -a --reflink=auto -t "$kept.part"
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

# Whole or not there: a next install takes what is there for somebody's own. An empty one is what a power cut leaves of a new file.
put_config() {
  [ ! -s "$config/waakvlam.toml" ] || return 0
  cp "$here/waakvlam.toml" "$config/.waakvlam.toml.new"
  flush "$config"
  mv -T "$config/.waakvlam.toml.new" "$config/waakvlam.toml"
}

# All that can be wrong is found before anything is changed.
check_swap() {
  [ -d "$kept" ] && [ ! -L "$kept" ] || fail "version $before cannot read these data, and $kept is not there"
  for dir in "$data"/*/; do
    [ -L "${dir%/}" ] || ! mountpoint -q "$dir" || fail "a disk is mounted on $dir: unmount it (umount $dir), then again"
  done
}

# While the data are changed for others the service does not start (ConditionPathExists in its unit): on an empty folder it would
# begin a journal of its own. What is in their folder is moved and never the folder, which may be where a disk is mounted or a link
# leads to. Nothing is ever deleted. Whatever breaks it off: the next --back reads in .swapping what was under way, and goes on.
swap_data() {
  coming=$kept.coming
  if [ ! -s "$opt/.swapping" ]; then
    check_swap
    aside=$(beside "of-$now") n=1
    while [ -e "$aside" ]; do n=$((n + 1)); aside=$(beside "of-$now.$n"); done
    printf '%s\n' "$from" "$to" "$data" "$kept" "$aside" >"$opt/.swapping.new"
    flush "$opt"
    mv -T "$opt/.swapping.new" "$opt/.swapping"
    flush "$opt"
  fi
  if [ -d "$kept" ]; then
    mkdir -p "$data" "$aside"
    chmod --reference="$kept" "$data" "$aside"
    chown --reference="$kept" "$data" "$aside"
    move_all "$data" "$aside"
    # What the gateway leaves after a restore: all devices are asked for all that they have. And the journal is set back in time, so
    # that it needs another name.
    printf '{"version":1,"atMs":0,"resendFrom":{},"setBack":true}' >"$kept/restored.json"
    chown --reference="$kept" "$kept/restored.json"
    flush "$data"
    # From here on what is in the folder of the data is what comes.
    mv -T "$kept" "$coming"
  fi
  if [ -d "$coming" ]; then
    move_all "$coming" "$data"
    flush "$data"
    rmdir "$coming"
  fi
  [ -f "$data/journal.db" ] || fail "there is no journal in $data: mount its disk, then again"
  say "The data from before the upgrade are back; the newer ones are in $aside"
  say "Devices are asked to send again what lies between"
}

go_back() {
  [ -L "$opt/previous" ] || fail "there is no version before this one"
  from=$(readlink "$opt/current") to=$(readlink "$opt/previous") kept='' aside=''
  if [ -s "$opt/.swapping" ]; then
    { read -r from; read -r to; read -r data; read -r kept; read -r aside; } <"$opt/.swapping"
  else
    find_data "$opt/current" "$opt/previous"
  fi
  now=$(cat "$opt/$from/VERSION") before=$(cat "$opt/$to/VERSION") wanted=$(cat "$opt/$to/JOURNAL_VERSION")
  kept=${kept:-$(beside "before-$now")}
  stop_service
  if [ -e "$opt/.swapping" ] && { [ -s "$opt/.swapping" ] || [ -d "$kept" ]; }; then
    swap_data
  else
    found=$(journal_version "$opt/$from")
    if [ "$found" -gt "$wanted" ]; then
      swap_data
    elif [ "$found" != 0 ] && [ "$found" -lt "$wanted" ]; then
      # Back to the newer one, after a way back: the next must be possible as well.
      keep_copy "$before"
    fi
  fi
  point current "$to"
  point previous "$from"
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
  put_config
  [ ! -e "$opt/.swapping" ] || fail "a way back was broken off: sh $opt/current/install.sh --back first"
  # The unit needs this one, also where the data are elsewhere.
  mkdir -p "$root/var/lib/waakvlam" "$root/usr/local/bin"
  chmod 750 "$root/var/lib/waakvlam"
  [ "$service" = no ] || chown waakvlam:waakvlam "$root/var/lib/waakvlam"
  find_data "$opt/current" "$opt/.new"

  # The one in use is never moved: the same version again stands beside it.
  old=$(readlink "$opt/current" 2>/dev/null || true)
  [ -z "$old" ] || [ -d "$data" ] || fail "the folder of the data, $data, is not there: mount its disk, then again"
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
