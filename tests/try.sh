#!/bin/sh
# Tries Baton on a shared mailbox of its own: a private Dovecot on loopback with forty mails in fifteen conversations.
#
#   sh tests/try.sh             marks are keywords, as on Dovecot and Cyrus
#   sh tests/try.sh folders     marks are folders, as on Microsoft 365
#
# Installs what is missing (Debian packages, as root or with sudo), builds Baton, starts both, says what to try, and
# prints the threads again whenever they change. Ctrl-C stops everything and removes what was written.
#
#   BATON_TRY_ONCE=1   try the first gesture without asking, and end: for machines that test
#   BATON_BIN=FILE     use this program instead of building one
set -eu

layout=${1:-keywords}
case $layout in
keywords | folders) ;;
*)
    echo "usage: sh tests/try.sh [keywords|folders]" >&2
    exit 2
    ;;
esac
cd "$(dirname "$0")/.."
. tests/install.sh

# 1. What it takes.

install_packages dovecot=dovecot-imapd
if [ -z "${BATON_BIN:-}" ]; then
    install_packages cc=gcc cc=libc6-dev
    need_cargo
    say "building Baton (the first time takes a few minutes)"
    cargo build --locked --quiet
    BATON_BIN=${CARGO_TARGET_DIR:-target}/debug/baton
fi
baton=$(realpath "$BATON_BIN")

# 2. A place that goes away again.

dir=$(mktemp -d "${TMPDIR:-/tmp}/baton-try.XXXXXX")
dovecot_pid=''
baton_pid=''
# shellcheck disable=SC2317 # reached through the trap
cleanup() {
    trap '' INT TERM HUP
    for pid in $baton_pid $dovecot_pid; do
        kill "$pid" 2>/dev/null || continue
        tries=0
        while kill -0 "$pid" 2>/dev/null; do
            tries=$((tries + 1))
            [ "$tries" -ne 100 ] || kill -KILL "$pid"
            sleep 0.1
        done
    done
    baton_pid='' dovecot_pid=''
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'echo; cleanup; say "stopped; nothing is left running"; exit 0' INT
trap 'exit 143' TERM HUP

give_up() {
    echo "try: $1" >&2
    for log in "$dir"/*.log; do
        [ ! -s "$log" ] || { echo "--- the end of $(basename "$log")" >&2; tail -n 20 "$log" >&2; }
    done
    exit 1
}

# 3. A Dovecot of one's own. It refuses to hold mail as root, so root runs it as Debian's user dovecot.

user=support@example.test
password=try
port=$(free_port 31143)
if [ "$(id -u)" = 0 ]; then
    owner=dovecot
    as_owner="setpriv --reuid=dovecot --regid=dovecot --clear-groups"
else
    owner=$(id -un)
    as_owner=""
fi
group=$(id -gn "$owner")
mail=$dir/dovecot/mail/$user

say "starting Dovecot on 127.0.0.1:$port"
mkdir -p "$dir/dovecot/run" "$mail"
sh tests/try/deliver.sh "$mail/Maildir"
sed -e "s|@DIR@|$dir/dovecot|g; s|@PORT@|$port|; s|@USER@|$owner|g; s|@GROUP@|$group|g; s|@PASSWORD@|$password|" \
    tests/try/dovecot.conf.in >"$dir/dovecot/dovecot.conf"
if [ "$(id -u)" = 0 ]; then
    chmod 711 "$dir"
    chown -R "$owner:$group" "$dir/dovecot"
fi
# The sbin folders are not on everyone's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# shellcheck disable=SC2086 # as_owner is words
$as_owner dovecot -F -c "$dir/dovecot/dovecot.conf" >"$dir/dovecot.log" 2>&1 &
dovecot_pid=$!

doveadm_() {
    # shellcheck disable=SC2086 # as_owner is words
    (cd / && $as_owner doveadm -c "$dir/dovecot/dovecot.conf" "$@")
}

tries=0
until grep -q 'starting up' "$dir/dovecot.log" && doveadm_ mailbox status -u $user messages INBOX >/dev/null 2>&1; do
    kill -0 "$dovecot_pid" 2>/dev/null || give_up "Dovecot did not start"
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || give_up "Dovecot does not answer"
    sleep 0.5
done

# 4. Baton on it.

printf '%s\n' "$password" >"$dir/support.password"
chmod 600 "$dir/support.password"
mkdir -m 700 "$dir/state"
cat >"$dir/baton.toml" <<TOML
state_dir = "$dir/state"

[[mailbox]]
name = "support"
address = "support@example.test"
aliases = ["help@example.test"]
flag_escalates = true
since = "$(date -d '30 days ago' +%Y-%m-%d)"
layout = "$layout"
[mailbox.imap]
host = "127.0.0.1"
port = $port
tls = "none"
user = "$user"
password = { file = "$dir/support.password" }

[[agent]]
id = "ana"
name = "Ana Ruiz"
address = "ana@example.test"

[[agent]]
id = "ben"
name = "Ben Hart"
address = "ben@example.test"

[[agent]]
id = "cleo"
name = "Cleo Stern"
address = "cleo@example.test"
TOML

BATON_CONFIG=$dir/baton.toml
export BATON_CONFIG
"$baton" check || give_up "the configuration is not accepted"
say "starting Baton"
"$baton" run >"$dir/baton.log" 2>&1 &
baton_pid=$!

# Caught up: connected, and the same threads twice in a row.
threads() { "$baton" threads --json 2>>"$dir/cli.log" || true; }
connected() { "$baton" status --json 2>>"$dir/cli.log" | tr -d ' \n' | grep -q '"connected_since":"'; }
seen=none
tries=0
while :; do
    kill -0 "$baton_pid" 2>/dev/null || give_up "Baton ended"
    now=$(threads)
    if connected && [ "$now" = "$seen" ] && [ "$(printf %s "$now" | tr -d ' \n')" != '[]' ]; then
        break
    fi
    seen=$now
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || give_up "Baton has not caught up with the mailbox within a minute"
    sleep 1
done

# 5. What there is to see, and to do.

if [ "$layout" = folders ]; then
    claim="move a mail to the folder Baton/Ana"
    resolve="move it to Baton/Resolved"
    release="move it back to INBOX"
    keys="  F1 Ana's    F2 Ben's    F3 Cleo's    F4 resolved    F5 back to INBOX    (s moves it anywhere else)"
else
    claim="tag a mail baton-ana"
    resolve="tag it baton-resolved"
    release="take the tag baton-ana off"
    keys="  F1 Ana's    F2 Ben's    F3 Cleo's    F4 resolved    F5 all tags off    (\` edits the tags)"
fi
sh tests/try/muttrc.sh "$layout" "$user" "$password" "$port" >"$dir/muttrc"

echo
"$baton" threads
cat <<TEXT

The mailbox is open to any mail client: IMAP, 127.0.0.1, port $port, no TLS,
user $user, password $password. There is no outgoing server.
TEXT
if command -v neomutt >/dev/null; then
    cat <<TEXT

In another terminal:
  neomutt -F $dir/muttrc
$keys
TEXT
else
    echo "No client at hand? apt-get install neomutt, and start this again: a ready configuration is written for it."
fi
cat <<TEXT

Try, and watch this list change:
  claim      $claim
  resolve    $resolve
  release    $release
  escalate   flag it (the star; F in neomutt)
  answer     reply to it and keep the copy in Sent (neomutt here sends nothing): the thread waits for the customer

Or on the command line:
  export BATON_CONFIG=$dir/baton.toml
  $baton claim 1 --as ana
  $baton show 1
  $baton why 1
  $baton threads --state all
  $baton audit
TEXT

# 6. The first gesture by itself, or everything by hand.

if [ -n "${BATON_TRY_ONCE:-}" ]; then
    say "the first gesture by itself: $claim"
    kettle="HEADER Message-ID CAJ7x1-kettle-1@mail.harbourtea.test"
    # shellcheck disable=SC2086 # kettle is words
    if [ "$layout" = folders ]; then
        tries=0
        until doveadm_ mailbox status -u $user messages Baton/Ana >/dev/null 2>&1; do
            tries=$((tries + 1))
            [ "$tries" -lt 60 ] || give_up "Baton has not made the folder Baton/Ana"
            sleep 1
        done
        doveadm_ move -u $user Baton/Ana mailbox INBOX $kettle
    else
        doveadm_ flags add -u $user baton-ana mailbox INBOX $kettle
    fi
    tries=0
    until "$baton" threads --owner ana --json 2>>"$dir/cli.log" | tr -d ' \n' | grep -q '"owner":"ana"'; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || give_up "the thread list does not show what was done in the mailbox"
        sleep 1
    done
    "$baton" threads --owner ana
    "$baton" audit || give_up "the audit found a gap"
    say "it works"
    exit 0
fi

echo
say "Ctrl-C stops everything"
while kill -0 "$baton_pid" 2>/dev/null; do
    now=$(threads)
    if [ "$now" != "$seen" ]; then
        seen=$now
        printf '\n%s\n' "$(date +%H:%M:%S)"
        "$baton" threads || true
    fi
    sleep 1
done
give_up "Baton ended"
