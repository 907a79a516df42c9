# Sourced by run.sh and try.sh: says what it does, and installs what is missing.
# shellcheck shell=sh

say() { printf '==> %s\n' "$*"; }

# is_there PROGRAM or Perl::Module tells whether it can be used.
is_there() {
    case $1 in
    *::*) perl "-M$1" -e 1 2>/dev/null ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
    esac
}

# install_packages NAME=PACKAGE… installs the Debian packages whose program or Perl module is not there.
install_packages() {
    missing=''
    for pair in "$@"; do
        is_there "${pair%=*}" || missing="$missing ${pair#*=}"
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "Missing, and not on Debian: install what your system calls$missing, then run this again." >&2
        exit 1
    fi
    as_root=''
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        if ! command -v sudo >/dev/null; then
            echo "Missing:$missing. Neither root nor sudo: have them installed, then run this again." >&2
            exit 1
        fi
    fi
    say "installing the Debian packages$missing"
    $as_root apt-get update -qq </dev/null
    case $missing in
    # Unconfigured, so that Debian starts no server that takes mail for the whole machine.
    *postfix*) echo 'postfix postfix/main_mailer_type select No configuration' | $as_root debconf-set-selections ;;
    esac
    # shellcheck disable=SC2086 # both are words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null
    case $missing in
    *dovecot-imapd*)
        # Debian starts a Dovecot for the whole machine. Nobody asked for that one.
        if [ -d /run/systemd/system ]; then
            say "stopping the system-wide Dovecot that the package has started"
            $as_root systemctl disable --quiet --now dovecot.service || true
        fi
        ;;
    esac
}

# install_clients puts mail clients that Debian does not have where tests/it/emulators/clients.rs looks for them.
install_clients() {
    imapclient=3.0.1 imapflow=2.10.2
    folder=target/clients
    [ "$(cat "$folder/versions" 2>/dev/null)" != "$imapclient $imapflow" ] || return 0
    say "installing imapclient $imapclient and imapflow $imapflow in $folder"
    rm -rf "$folder"
    mkdir -p "$folder"
    pip3 install --quiet --disable-pip-version-check --no-compile \
        --root-user-action=ignore --target "$folder/python" "imapclient==$imapclient"
    npm install --prefix "$folder/node" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
        "imapflow@$imapflow" >/dev/null
    echo "$imapclient $imapflow" >"$folder/versions"
}

# need_cargo finds cargo, or says how to get it.
need_cargo() {
    if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH=$HOME/.cargo/bin:$PATH
    fi
    if ! command -v cargo >/dev/null; then
        echo "Rust is missing. Install it with rustup, https://rustup.rs, then run this again." >&2
        exit 1
    fi
}

# free_port FIRST prints the first port from FIRST on that nobody listens on.
free_port() {
    awk -v port="$1" '
        FNR > 1 && $4 == "0A" { sub(/.*:/, "", $2); taken[$2] = 1 }
        END { while (sprintf("%04X", port) in taken) port++; print port }
    ' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
