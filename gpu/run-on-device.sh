#!/bin/bash
# Builds gpu/ on a machine that has only a C and C++ compiler, CMake, CUDA and cuDNN, runs its conformance suite and its
# benchmarks, and prints one table at the end. No network is used. `gpu/run-on-device.sh --help` says more.
set -uo pipefail
export LC_ALL=C

usage() {
  cat <<'TEXT'
Usage: gpu/run-on-device.sh [options]

Configures gpu/ as a project of its own, builds it, runs tests/gpu and every program of gpu/bench on the GPU, and prints a
table of both at the end. Everything that is printed is also written to a file.

  --out FILE      that file (default: gpu-on-device.txt in the folder you are in)
  --tests-only    no benchmarks
  --bench-only    no tests
  --smoke         benchmarks at small sizes, one round: whether they work, without a word about speed
  --arch LIST     compute capabilities to build for, as CMake lists them: 80, 90, "80;90" (default: the card's own)
  --build DIR     where to build (default: build-gpu beside gpu/)
  --jobs N        compilers at a time (default: one per processor)
  --help          this text

Environment:
  CUDACXX         nvcc, where it is not in PATH nor in /usr/local/cuda/bin
  CUDNN_ROOT      the folder that holds cuDNN 9's include/ and lib/; otherwise it is looked for beside CUDA and in the
                  Python environment of python3 (the package nvidia-cudnn-cu13 or -cu12)
  CUDA_VISIBLE_DEVICES   which card

Exit status: 0 all ran and passed; 1 something failed; 2 a tool is missing or an option is wrong; 77 it was built, but there is
no GPU to run on.
TEXT
}

# An error that says what to do, and the end.
stop() {
  local status=$1
  shift
  printf '\nrun-on-device: %s\n' "$@" >&2
  exit "$status"
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=gpu-on-device.txt build=$root/build-gpu arch='' jobs=$(nproc) tests=yes benches=yes smoke=()
command_line="gpu/run-on-device.sh $*"
value() { [ $# -ge 2 ] || stop 2 "$1 needs a value; --help shows which"; }
while [ $# -gt 0 ]; do
  case $1 in
    --out) value "$@"; out=$2; shift ;;
    --arch) value "$@"; arch=$2; shift ;;
    --build) value "$@"; build=$2; shift ;;
    --jobs) value "$@"; jobs=$2; shift ;;
    --tests-only) benches=no ;;
    --bench-only) tests=no ;;
    --smoke) smoke=(--smoke) ;;
    --help | -h) usage; exit 0 ;;
    *) stop 2 "unknown option \"$1\"; --help lists them" ;;
  esac
  shift
done
[ "$tests$benches" != nono ] || stop 2 "--tests-only and --bench-only leave nothing to run; give one of them"
[[ $jobs =~ ^[1-9][0-9]*$ ]] || stop 2 "--jobs is \"$jobs\"; expected a number of at least 1 (4 works)"
: >"$out" || stop 2 "cannot write $out; --out FILE names another place"

# ---- what must be there ----

find_tools() {
  command -v cmake >/dev/null || stop 2 "cmake was not found; version 3.22 or newer is needed (Debian package: cmake; or python3 -m pip install cmake)"
  command -v cc >/dev/null && command -v c++ >/dev/null || stop 2 "no C and C++ compiler (cc, c++) was found (Debian package: build-essential)"
  nvcc=${CUDACXX:-$(command -v nvcc || true)}
  [ -n "$nvcc" ] || nvcc=${CUDA_HOME:-/usr/local/cuda}/bin/nvcc
  [ -x "$nvcc" ] || stop 2 "nvcc was not found in CUDACXX, PATH and ${nvcc%/nvcc}; install the CUDA toolkit (12.4 or newer), or say where it is: CUDACXX=/path/to/nvcc gpu/run-on-device.sh"
}

# The card's compute capability as CMake wants it (90), or nothing.
capability() {
  command -v nvidia-smi >/dev/null || return 0
  nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -1 | grep -E '^[0-9]+\.[0-9]+$' | tr -d .
}

describe() {
  echo "walras, gpu/: tests and benchmarks on a device"
  echo "date      $(date -u '+%Y-%m-%d %H:%M UTC')"
  echo "command   $command_line"
  echo "commit    $(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)"
  echo "compiler  $(cc --version | head -1); $("$nvcc" --version | grep release | sed 's/^Cuda compilation tools, /CUDA /')"
  echo "processor $(grep -m1 'model name' /proc/cpuinfo | sed 's/.*: //'), $(nproc) cores"
  if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.memory,power.limit --format=csv,noheader 2>&1 | sed 's/^/card      /'
  else
    echo "card      nvidia-smi was not found"
  fi
  echo
}

# ---- building ----

configure() {
  local log=$build/configure.log
  mkdir -p "$build" || stop 2 "cannot create $build; --build DIR names another place"
  [ -n "$arch" ] || arch=$(capability)
  echo "== configure: $build, architectures ${arch:-those of gpu/languages.cmake}"
  if ! cmake -S "$root/gpu" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CUDA_COMPILER="$nvcc" \
    ${CUDNN_ROOT:+-DCUDNN_ROOT="$CUDNN_ROOT"} ${arch:+-DCMAKE_CUDA_ARCHITECTURES="$arch"} >"$log" 2>&1; then
    cat "$log"
    if grep -q 'CUDNN_LIBRARY.*NOTFOUND\|cuDNN.*not found' "$log" "$build/CMakeCache.txt" 2>/dev/null; then
      stop 2 "cuDNN 9 was not found${CUDNN_ROOT:+ in CUDNN_ROOT=$CUDNN_ROOT}; set CUDNN_ROOT to the folder that holds its include/ and lib/, or let python3 be that of the environment which has the package nvidia-cudnn-cu13 (python3 -c 'import nvidia.cudnn' must work)"
    fi
    stop 2 "CMake could not configure gpu/ (see above); $build may be removed and tried again"
  fi
  grep -E 'cuDNN|CUDA|Check' "$log"
}

compile() {
  local begin=$SECONDS
  echo "== build"
  if ! cmake --build "$build" -j "$jobs" --target on_device >"$build/build.log" 2>&1; then
    grep -E 'error|Error|warning' "$build/build.log" | head -40
    stop 1 "the build failed; all of it is in $build/build.log"
  fi
  echo "built in $((SECONDS - begin)) s"
}

# ---- running ----

# While it plans, cuDNN opens NVRTC and cuBLASLt by name, and has fewer engines without a word where they are not found.
let_cudnn_find() {
  local cuda
  cuda=$("$nvcc" --dryrun -x cu /dev/null 2>&1 | sed -n 's/^#\$ TOP=//p')
  [ -z "$cuda" ] || export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$cuda/lib64:$cuda/lib
}

summary=''
failed=0 ran=0 no_device=''

row() { summary+="| $1 | $2 | $3 | $4 | $5 |"$'\n'; }

# Tests print why they were skipped: "not run: ..."; benchmarks: "skipped: ...".
reason() { sed -n 's/^\(not run\|skipped\): //p' "$1" | head -1; }

run_test() {
  local program=$1 name=${1##*/gpu_} log=$build/${1##*/}.log begin=$SECONDS status
  echo "== test $name"
  timeout 600 "$program" >"$log" 2>&1
  status=$?
  cat "$log"
  case $status in
    0) ran=$((ran + 1)); row "test $name" "$(grep -oiE 'checks: *[0-9]+' "$log" | tail -1)" "passed, $((SECONDS - begin)) s" '' '' ;;
    77) no_device=$(reason "$log"); row "test $name" '' 'not run' '' '' ;;
    *) failed=$((failed + 1)); row "test $name" '' "FAILED (exit status $status)" '' '' ;;
  esac
}

run_bench() {
  local program=$1 name=${1##*/gpu_bench_} log=$build/${1##*/}.log status rows
  echo "== bench $name"
  timeout 600 "$program" "${smoke[@]}" >"$log" 2>&1
  status=$?
  cat "$log"
  [ $status -eq 77 ] && no_device=$(reason "$log") && row "bench $name" '' 'not run' '' '' && return
  rows=$(sed -n "/^| name /d; s/^| /| $name: /p" "$log")
  [ -z "$rows" ] || summary+=$rows$'\n'
  if [ $status -eq 0 ]; then ran=$((ran + 1)); else failed=$((failed + 1)); row "bench $name" '' "FAILED (exit status $status)" '' ''; fi
}

# Tests first. Their programs are gpu_NAME, those of the benchmarks gpu_bench_NAME.
run_all() {
  local program
  for program in "$build"/gpu_*; do
    case ${program##*/} in
      gpu_emulated_* | gpu_bench_* | *.*) ;;
      *) [ $tests = yes ] && [ -x "$program" ] && run_test "$program" ;;
    esac
  done
  for program in "$build"/gpu_bench_*; do
    case ${program##*/} in
      *.*) ;;
      *) [ $benches = yes ] && [ -x "$program" ] && run_bench "$program" ;;
    esac
  done
}

advise() {
  case $no_device in
    *insufficient*) echo "The driver is older than this CUDA toolkit: CUDA 13 needs driver 580 or newer, CUDA 12 needs 525. A newer driver, or an older toolkit (CUDACXX=/path/to/nvcc), works." ;;
    *capability*) echo "The kernels need compute capability 8.0 (A100) or newer." ;;
    *) echo "nvidia-smi should list a card; in a container it must be passed in (docker run --gpus all); CUDA_VISIBLE_DEVICES must not hide it." ;;
  esac
}

finish() {
  printf '\n== summary\n\n| what | size | time | limit | time / limit |\n|---|---|---|---|---|\n%s\n' "$summary"
  if [ $failed -gt 0 ]; then
    echo "$failed program(s) failed; their output is above and in $build/*.log."
    exit 1
  fi
  if [ -n "$no_device" ]; then
    echo "Built, but not run: $no_device"
    advise
    exit 77
  fi
  [ $ran -gt 0 ] || stop 1 "nothing was run: $build holds no program of tests/gpu or gpu/bench"
  echo "All $ran programs passed. This text is in $out; gpu/README.md says how to record it."
}

main() {
  find_tools
  describe
  configure
  compile
  let_cudnn_find
  run_all
  finish
}

main 2>&1 | tee "$out"
exit "${PIPESTATUS[0]}"
