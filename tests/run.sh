#!/bin/sh
# Runs every check that a change has to pass: `sh tests/run.sh`.
#
# Installs what is missing: Debian packages (as root or with sudo), cargo-deny and cargo-machete (into cargo's own
# bin folder), and two mail clients from PyPI and npm (into target/clients). On two cores and from nothing it takes
# about a quarter of an hour, afterwards a few minutes.
set -eu
cd "$(dirname "$0")/.."
. tests/install.sh

deny_version=0.20.2
machete_version=0.9.2

# 1. What it takes.

install_packages cc=gcc cc=libc6-dev dovecot=dovecot-imapd shellcheck=shellcheck systemd-analyze=systemd \
    postfix=postfix mbsync=isync swaks=swaks Net::SSLeay=libnet-ssleay-perl msmtp=msmtp neomutt=neomutt openssl=openssl \
    python3=python3 pip3=python3-pip node=nodejs npm=npm
install_clients
need_cargo
# Cargo has to find what it installs.
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin

# install_tool NAME VERSION OPTION… installs a cargo tool. Unoptimised: it builds in a minute and runs in two seconds.
install_tool() {
    tool=$1 version=$2
    shift 2
    case $(cargo "${tool#cargo-}" --version 2>/dev/null || true) in
    *"$version"*) return 0 ;;
    esac
    say "installing $tool $version"
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 \
        cargo install --locked --quiet --force --version "$version" "$@" "$tool"
}
install_tool cargo-machete "$machete_version"
install_tool cargo-deny "$deny_version" --no-default-features

# 2. The cheap checks first.

say "scripts"
shellcheck --external-sources tests/run.sh tests/try.sh tests/unit.sh tests/try/*.sh .ci/run

say "formatting"
cargo fmt --all --check

say "unused dependencies"
cargo machete --skip-target-dir

say "licences and banned crates"
cargo deny --all-features --locked check licenses bans

say "the systemd unit"
sh tests/unit.sh

# 3. The code. Nothing is built twice here, so what rustc would keep for the next time is only in the way.
export CARGO_INCREMENTAL=0

say "clippy"
cargo clippy --locked --all-targets --all-features -- -D warnings

say "documentation"
RUSTDOCFLAGS='-D warnings -D missing-docs' cargo doc --locked --no-deps --document-private-items --quiet

say "tests"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ cargo test --locked --all-features --no-fail-fast 2>&1 || echo "the tests failed"; } | tee "$log"

# 4. The README's first command, as a visitor would run it.

trips=0
for layout in keywords folders; do
    say "tests/try.sh $layout"
    BATON_TRY_ONCE=1 sh tests/try.sh "$layout" </dev/null || trips=$((trips + 1))
done

awk -v trips="$trips" '
    /^test result:/ { passed += $4; failed += $6; skipped += $8 }
    /^the tests failed$/ { broken = 1 }
    END {
        failed += trips; passed += 2 - trips
        if (broken && !failed) failed = 1
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit failed > 0
    }
' "$log"
