#!/usr/bin/env bash
# Builds the image with buildah alone: no daemon, no image registry, bases from Debian packages
# (base.sh), libraries from build/image/wheels. Needs root on Debian.
#
#   image.sh         build it, unless nothing changed since; print its digest and size
#   image.sh twice   build it twice from nothing, and compare what came out
#
# Everything lies in build/image: the bases and the libraries are fetched once.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$PWD/build/image
pip=$PWD/.venv/bin/pip
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800}
umask 022
missing=()

buildah() {
    command buildah --root "$folder/storage" --runroot "$folder/run" --storage-driver vfs "$@"
}

fingerprint() { # of everything that the image is made from
    {
        cat Dockerfile .dockerignore "$0" "${0%/*}/base.sh" requirements/{build,runtime}.txt \
            pyproject.toml README.md LICENSE
        find service adapters -type f ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c1-32
}

import_base() { # NAME TAR: an image of one layer
    local container
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$2" / >/dev/null
    buildah commit --quiet --rm --timestamp 0 "$container" "localhost/$1" >/dev/null
}

make_bases() {
    [[ -e $folder/bases.cksum && $(cksum <"${0%/*}/base.sh") == "$(cat "$folder/bases.cksum")" ]] && return
    "${0%/*}/base.sh" "$folder"
    import_base exosync-build-base "$folder/build.tar"
    import_base exosync-base "$folder/run.tar"
    cksum <"${0%/*}/base.sh" >"$folder/bases.cksum"
}

fetch_libraries() { # for the Python of the base; the build checks their hashes once more
    local minor now
    now=$(cat requirements/{build,runtime}.txt "$folder/bases.cksum" | cksum)
    [[ $(cat "$folder/wheels.cksum" 2>/dev/null) == "$now" ]] && return
    minor=$(tar --list --file "$folder/run.tar" | sed -n 's|^\./usr/bin/python3\.\([0-9]*\)$|\1|p')
    "$pip" download --quiet --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        --python-version "3.$minor" --dest "$folder/wheels" \
        -r requirements/build.txt -r requirements/runtime.txt >&2
    printf '[global]\nno-index = true\nfind-links = /wheels\n' >"$folder/pip.conf"
    echo "$now" >"$folder/wheels.cksum"
}

build() { # NAME FORMAT SOURCE: the libraries lie there, so the build itself needs no network
    buildah bud --quiet --isolation chroot --format "$2" --layers=false --no-cache \
        --timestamp "$SOURCE_DATE_EPOCH" --identity-label=false \
        --volume "$folder/wheels:/wheels:ro" --volume "$folder/pip.conf:/etc/pip.conf:ro" \
        --build-arg BUILD_BASE=localhost/exosync-build-base --build-arg BASE=localhost/exosync-base \
        --build-arg SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
        --build-arg VERSION="$(sed -n 's/^__version__ = "\(.*\)"/\1/p' service/exosync/__init__.py)" \
        --build-arg PIP_INDEX_URL= --tag "localhost/$1" "$3" >&2
}

copy_source() { # FOLDER: as a checkout of another day would have it
    mkdir "$1"
    cp -R Dockerfile .dockerignore adapters service requirements pyproject.toml README.md LICENSE "$1"
}

unpack() { # NAME: where its file system lies, and how it is to be run, for tests/deploy
    buildah rm --all >/dev/null
    buildah rmi --prune >/dev/null
    buildah from --name "$1-run" "localhost/$1" >/dev/null
    buildah mount "$1-run" >"$folder/root"
    buildah inspect --type image "localhost/$1" >"$folder/image.json"
}

figures() { # NAME
    local root
    root=$(<"$folder/root")
    printf 'image     %s\n' "$(digest "$1")"
    printf 'size      %s MB, of these exosync and its libraries %s MB\n' \
        "$(du --summarize --apparent-size --block-size=1M "$root" | cut -f1)" \
        "$(du --summarize --apparent-size --block-size=1M "$root/opt" | cut -f1)"
}

digest() { # NAME
    buildah inspect --type image --format '{{.FromImageDigest}}' "localhost/$1"
}

prepare() {
    make_bases
    fetch_libraries
}

for program in buildah apt-get dpkg-deb; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if ((EUID != 0)) || [[ -n ${missing[*]:-} ]]; then
    echo "image: needs root on Debian, and its package buildah" >&2
    exit 1
fi

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # two tests at once wait for one build
case "${1:-}" in
    "")
        now=$(fingerprint)
        if [[ $(cat "$folder/built" 2>/dev/null) != "$now" ]]; then
            prepare
            build exosync docker . # OCI's own format knows no HEALTHCHECK
            unpack exosync
            figures exosync >"$folder/figures.txt"
            echo "$now" >"$folder/built"
        fi
        cat "$folder/figures.txt"
        ;;
    twice)
        prepare
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        copy_source "$work/source"
        build exosync-first oci "$work/source" # Docker's format holds the name of the builder
        cp -R "$work/source" "$work/again"
        build exosync-second oci "$work/again"
        first=$(digest exosync-first) second=$(digest exosync-second)
        printf 'first  %s\nsecond %s\n' "$first" "$second"
        [[ $first == "$second" ]]
        ;;
    *)
        echo "usage: $0 [twice]" >&2
        exit 64
        ;;
esac
