#!/usr/bin/env bash
# Makes two base images from Debian packages, for machines that reach no image registry:
#
#   base.sh FOLDER
#
#   FOLDER/build.tar  Python with venv, a shell and the few tools that the Dockerfile calls
#   FOLDER/run.tar    Python, CA certificates and time zones; neither shell nor package manager
#
# Needs root on Debian. The packages are those of the machine's own release, fetched by
# apt and unpacked without running anything of theirs.
set -euo pipefail

folder=${1:?the folder to write to}
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the shell-less image leaves out of what its packages depend on.
not_to_run='^(bash|coreutils|dash|debconf|debianutils|dpkg|findutils|openssl|perl|sed|tar|python3-(distutils|lib2to3|pip-whl|setuptools-whl|venv)|python3\.[0-9]+-venv)_'

fetch() { # the packages and all that they depend on, as if nothing were installed
    mkdir -p "$work/debs/partial"
    apt-get --quiet=2 --yes --download-only -o APT::Install-Recommends=false \
        -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Dpkg::Use-Pty=0 \
        -o Dir::State::status=/dev/null -o Dir::Cache::archives="$work/debs" \
        install "$@" >/dev/null </dev/null
}

unpack() { # ROOT DEB...: a merged /usr, and the files of the packages
    local root=$1 name deb
    shift
    mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{dev,etc,proc,run,sys,var/lib}
    install --directory --mode=1777 "$root/tmp"
    for name in bin sbin lib lib64; do
        ln -s "usr/$name" "$root/$name"
    done
    for deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar --extract --keep-directory-symlink --directory "$root"
    done
    rm -rf "$root"/usr/share/{doc,doc-base,info,lintian,locale,man}
    cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
    printf '%s\n' root:x:0:0:root:/root:/sbin/nologin \
        nonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin >"$root/etc/passwd"
    printf '%s\n' root:x:0: nonroot:x:65532: >"$root/etc/group"
}

pack() { # ROOT FILE: the same bytes for the same files
    tar --create --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 \
        --directory "$1" --file "$2.new" .
    mv "$2.new" "$2"
}

fetch python3 python3-venv ca-certificates tzdata dash coreutils findutils
debs=("$work"/debs/*.deb)
mapfile -t run < <(
    for deb in "${debs[@]}"; do
        [[ ${deb##*/} =~ $not_to_run ]] || echo "$deb"
    done
)
unpack "$work/build" "${debs[@]}"
ln -sf dash "$work/build/bin/sh"
unpack "$work/run" "${run[@]}"
pack "$work/build" "$folder/build.tar"
pack "$work/run" "$folder/run.tar"
