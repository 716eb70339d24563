#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Each harness of t/fuzz on its corpus, and a second on what a small generator makes of it; t/fuzz/run.sh
# has the fuzzers do it for as long as wanted. FUZZ_SECONDS and FUZZ_SEED change what they say.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Test::More;

my $build   = $ENV{top_builddir} // (-d top_src('build') ? top_src('build') : top_src());
my $seconds = $ENV{FUZZ_SECONDS} // 1;
my $seed    = $ENV{FUZZ_SEED} // $$;
note("FUZZ_SEED=$seed");

my @harnesses = map { m{([^/]+)$} } glob top_src('t', 'fuzz', 'corpus') =~ s/ /\\ /gr . '/*';
cmp_ok(scalar @harnesses, '>=', 6, 'there are harnesses');
chdir $dir or die;
for my $name (@harnesses) {
    my $program = "$build/t/fuzz/$name";
  SKIP: {
        skip "$name is not built", 1 if !-x $program;
        my @corpus = glob top_src('t', 'fuzz', 'corpus', $name) =~ s/ /\\ /gr . '/*';
        cmp_ok(scalar @corpus, '>', 1, "$name has a corpus");
        my ($code, $out, $err) = run([$program, $seconds, $seed, @corpus]);
        is("$code $err", '0 ', "$name holds") or diag("FUZZ_SEED=$seed");
        cmp_ok($out || 0, '>=', @corpus + 100, '... in ' . ($out =~ s/\n//r) . ' runs');
    }
}

chdir "/";
done_testing();
