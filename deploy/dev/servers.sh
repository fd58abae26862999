#!/usr/bin/env bash
# Sees to the programs that the tests hold exosync against: real servers, a browser, and the tools
# that read the files it writes and those it ships. As root on Debian or Ubuntu, what is missing is
# installed (and not started); otherwise it says what to install and which tests are skipped
# without it. With CI=true a missing program is an error, so that no test is skipped unseen.
set -euo pipefail
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# program, Debian package, what is skipped without it
programs=(
    "named|bind9|the SPF target against BIND"
    "nft|nftables|the nftables format read by nft"
    "ipset|ipset|the ipset format read by ipset"
    "postmap|postfix|the Postfix format read by postmap"
    "haproxy|haproxy|the HAProxy format read by haproxy"
    "faketime|faketime|whole processes under a moved clock"
    "jq|jq|the JSON formats read by jq"
    "chromium|chromium|the page and the mails in a real browser"
    "promtool|prometheus|the metrics, rules and dashboard read by Prometheus's own tool"
    "systemd-analyze|systemd|the systemd units"
    "buildah|buildah|the container image, built"
    "crun|crun|the container image, run"
    "openssl|openssl|certificates made for servers on loopback"
)

list_missing() {
    local row
    for row in "${programs[@]}"; do
        command -v "${row%%|*}" >/dev/null || echo "$row"
    done
}

install() { # one package at a time: one that cannot be had does not keep the others out
    local package=$1 told
    # A mail server that is there already must not be pushed out by ours: --no-remove.
    if ! told=$(DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-remove \
        --no-install-recommends -o Dpkg::Use-Pty=0 "$package" </dev/null 2>&1); then
        printf 'servers: %s could not be installed:\n%s\n' "$package" "$told" >&2
    fi
}

hold_services() { # the packages' servers are for the tests, which start their own
    local policy=/usr/sbin/policy-rc.d
    [[ -e $policy ]] && return
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    # shellcheck disable=SC2064  # the path is meant to be read now
    trap "rm -f '$policy'" EXIT
}

install_missing() {
    local package
    hold_services
    echo "servers: installing $(cut -d'|' -f2 <<<"$missing" | xargs) for the tests"
    apt-get update --quiet=2 </dev/null || echo "servers: apt-get update failed" >&2
    if command -v debconf-set-selections >/dev/null; then
        echo "postfix postfix/main_mailer_type select Local only" | debconf-set-selections
    fi
    while IFS='|' read -r _ package _; do
        install "$package"
    done <<<"$missing"
}

missing=$(list_missing)
[[ -z $missing ]] && exit 0

if ((EUID == 0)) && command -v apt-get >/dev/null; then
    install_missing
    missing=$(list_missing)
    [[ -z $missing ]] && exit 0
fi

{
    echo "servers: not on this machine, so these tests are skipped:"
    while IFS='|' read -r program package tests; do
        printf '    %-15s (Debian package %s): %s\n' "$program" "$package" "$tests"
    done <<<"$missing"
    echo "    to run them too: sudo apt-get install $(cut -d'|' -f2 <<<"$missing" | xargs)"
} >&2
[[ ${CI:-} != true ]]
