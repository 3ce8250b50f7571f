#!/usr/bin/env bash
# Runs every fuzz target of a build for a while, on copies of its seeds, then with each planted fault, which must be found.
#   tests/fuzz/run_short.sh <build folder> <seconds per target> [target...]
# VIRGA_FUZZ_SEED makes a run repeatable: one seed and one binary try the same inputs in the same order (how far they get
# in the time may differ). Without it every run tries others. VIRGA_FUZZ_RUNS ends a target after so many inputs.
# The last line counts; the exit status is 0 when nothing was found that should not be and all that should.
set -u
here="$(cd "$(dirname "$0")" && pwd)"
build="$1"; seconds="$2"; shift 2
work="$(mktemp -d)"; trap 'rm -rf "$work"' EXIT
passed=0; failed=0
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}"

targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  for binary in "$build"/tests/fuzz/fuzz_*; do
    [ -x "$binary" ] && [ -f "$binary" ] && targets+=("$(basename "$binary" | sed 's/^fuzz_//')")
  done
fi

run() {  # run <target> <seconds> <log> : on a fresh copy of the seeds
  local corpus="$work/$1"
  rm -rf "$corpus"; mkdir -p "$corpus"
  [ -d "$here/corpus/$1" ] && cp -r "$here/corpus/$1/." "$corpus/"
  local dictionary=()
  [ -f "$here/dictionaries/$1.dict" ] && dictionary=(-dict="$here/dictionaries/$1.dict")
  local limits=(-max_total_time="$2")
  [ -n "${VIRGA_FUZZ_SEED:-}" ] && limits+=(-seed="$VIRGA_FUZZ_SEED")
  [ -n "${VIRGA_FUZZ_RUNS:-}" ] && limits+=(-runs="$VIRGA_FUZZ_RUNS")
  timeout $((${2%.*} + 60)) "$build/tests/fuzz/fuzz_$1" "${limits[@]}" -timeout=10 -rss_limit_mb=1500 -max_len=8192 \
    -artifact_prefix="$work/$1-" -print_final_stats=1 "${dictionary[@]}" "$corpus" > "$3" 2>&1
}

for target in "${targets[@]}"; do
  source="$here/fuzz_$target.cc"
  if run "$target" "$seconds" "$work/log"; then
    echo "fuzz $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") runs, nothing found"
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "fuzz $target: FAILED"; tail -40 "$work/log"
    for found in "$work/$target"-*; do
      [ -f "$found" ] && cp "$found" "$build/" && echo "input kept as $build/$(basename "$found")"
    done
  fi
  for plant in $(grep -o 'planted("[a-z0-9_]*")' "$source" 2>/dev/null | sed 's/.*"\(.*\)".*/\1/' | sort -u); do
    if VIRGA_PLANT="$plant" run "$target" 30 "$work/log"; then
      failed=$((failed + 1)); echo "fuzz $target: planted fault $plant was NOT found"
    elif grep -q 'broken: \|ERROR: AddressSanitizer\|runtime error' "$work/log"; then
      passed=$((passed + 1)); echo "fuzz $target: planted fault $plant is found"
    else
      failed=$((failed + 1)); echo "fuzz $target: planted fault $plant ended oddly"; tail -5 "$work/log"
    fi
  done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
