#!/bin/bash
# SPDX-License-Identifier: ISC
#
# run.sh SECONDS [HARNESS...]: builds the harnesses with libFuzzer, AddressSanitizer and UBSan, and
# runs each for so long, two at a time. FUZZER=afl takes AFL++ instead. What they find stays in
# BUILD/fuzz/HARNESS (BUILD_DIR, else 'build' beside 't'), which grows from one run to the next; the
# corpus of the tree is where it begins.

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd -P)
build=${BUILD_DIR:-$top/build}
seconds=${1:?usage: t/fuzz/run.sh SECONDS [HARNESS...]}
shift
[ $# -gt 0 ] || set -- $(ls "$top/t/fuzz/corpus")
[ -e "$build/autoconf.h" ] || { echo "run.sh: no build in '$build': run script/test, or configure" >&2; exit 69; }
mkdir -p "$build/fuzz/objects"

case ${FUZZER:-libfuzzer} in
afl)
    cc=afl-clang-fast
    flags='-fsanitize=fuzzer -g -O1'
    objects_flags='-g -O1'
    ;;
*)
    cc=clang
    flags='-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -g -O1'
    objects_flags='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -g -O1'
    ;;
esac
command -v "$cc" >/dev/null || { echo "run.sh: no $cc (Debian: clang libclang-rt-14-dev, or afl++)" >&2; exit 69; }
libraries=$(pkg-config --libs fcgi inih json-c libxxhash libcurl 2>/dev/null || echo -lfcgi -linih -ljson-c -lxxhash -lcurl)
common="-std=gnu11 -pthread -D_GNU_SOURCE -I$build -I$top/src -I$top/t/fuzz $(pkg-config --cflags json-c)"

# The library, once; the two programs' main() stay out.
printf '%s\n' "$top"/src/*.c | grep -v '/hookspool\(d\|-[a-z]*\)\?\.c$' |
    xargs -P 2 -I{} sh -c 'o=$1/$(basename "$2" .c).o; [ "$o" -nt "$2" ] || exec '"$cc $objects_flags $common"' -DSYSCONFDIR="\"/etc\"" -c -o "$o" "$2"' sh "$build/fuzz/objects" {}

for name in "$@"; do
    # shellcheck disable=SC2086
    $cc $flags $common -o "$build/fuzz/$name.run" "$top/t/fuzz/$name.c" "$build"/fuzz/objects/*.o \
        $libraries -lmbedcrypto
    mkdir -p "$build/fuzz/$name"
done

if [ "${FUZZER:-}" = afl ]; then
    run='timeout "$1" env AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 afl-fuzz -i "$2/t/fuzz/corpus/$4" -o "$3/fuzz/$4.afl" "$3/fuzz/$4.run" >"$3/fuzz/$4.log" 2>&1; [ -z "$(ls "$3/fuzz/$4.afl/default/crashes" 2>/dev/null)" ]'
else
    run='cd "$3/fuzz" && ./"$4.run" -max_total_time="$1" -timeout=10 -rss_limit_mb=1024 -max_len=16384 -artifact_prefix="$4.found-" -close_fd_mask=2 -print_final_stats=1 "$4" "$2/t/fuzz/corpus/$4" >"$4.log" 2>&1'
fi
status=0
printf '%s\n' "$@" | xargs -P 2 -I{} sh -c "$run"' || { echo "$4: FOUND, see $3/fuzz/$4.log"; exit 1; }' \
    sh "$seconds" "$top" "$build" {} || status=1
for name in "$@"; do
    executions=$(grep -ho 'number_of_executed_units: [0-9]*' "$build/fuzz/$name.log" | tail -n 1 || :)
    printf '%-12s %s\n' "$name" "${executions:-see $build/fuzz/$name.log}"
done
exit "$status"
