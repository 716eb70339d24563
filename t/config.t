#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The configuration: what is refused, with file, line and reason, and what is
# taken, by hookspoold -t. Every line that it prints about a file is compared.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Test::More;

my $one = "[endpoint one]\nsecret_file = one.secret\n";

write_site("[hookspool]\nspool_dir = $dir/spool\n");

# The exit code of hookspoold -t, what it says of the file, behind its name, and all it says.
sub check {
    my ($text, $name) = @_;
    $name //= "$dir/case.conf";
    spew($name =~ m{^/} ? $name : "$dir/$name", $text);
    my ($code, $out, $err) = run([hookspoold(), '-t', '-c', $name]);
    return ($code, [map { /^hookspoold: \Q$name\E:(.*)/ } split /\n/, $err], $out . $err);
}

sub refused {
    my ($what, $text, @problems) = @_;
    my ($code, $said, $all) = check($text);
    subtest "refused: $what" => sub {
        is($code, 78, 'exit code') or diag($all);
        is_deeply($said, \@problems, 'problems') or diag(explain($said));
    };
    return;
}

sub taken {
    my ($what, $text, $name) = @_;
    my ($code, $said, $all) = check($text, $name);
    ok($code == 0 && !@$said, "taken: $what") or diag("exit code $code: $all");
    return;
}

# ---- the form of the file

my $max;    # length of a line: as this build of inih has it
{
    my ($code, $said, $all) = check("$one; " . 'c' x 5000 . "\ndescription = " . 'd' x 5000 . "\n");
    is($code, 78, 'a line can be too long');
    ($max) = "@$said" =~ /^4: line is longer than (\d+) bytes$/;
    ok($max, 'and is told how long it may be; a comment is not bounded') or BAIL_OUT("it says: $all");
    cmp_ok($max, '>=', 194, 'the longest description fits');
}

my $kinds = 'expected hookspool, endpoint, spool or consumer';
my $blank = 'line starts with a blank: there are no continuation lines';
my $split = "malformed line: expected 'key = value'";
my $name  = "is not a name (1 to 64 of A-Z a-z 0-9 _ -, not '-' first)";
my $none  = '1: no endpoint: at least one [endpoint NAME] is needed';
my $nul   = "\0";
my $n63   = 'n' x 63;

refused(@$_) for (
    ['line too long by one', $one . 'description = ' . 'd' x ($max - 13), "3: line is longer than $max bytes"],
    ['header too long', '[endpoint ' . 'e' x $max . "]\n$one", "1: line is longer than $max bytes"],
    ['key before any section', "threads = 4\n$one", "1: key 'threads' outside a section"],
    ['no equals sign',           "${one}description\n",  "3: $split"],
    ['no key',                   "$one= 5m\n",           "3: $split"],
    ['equals sign in a comment', "${one}path ; = /x\n",  "3: $split"],
    ['last line, no newline',    "${one}junk",           "3: $split"],
    ['first line',               "junk\n$one",           "1: $split"],
    ['header not closed', "[endpoint one\nsecret_file = one.secret\n$one", "1: section header without ']'"],
    ['text behind a header', "[hookspool] threads = 4\n$one", '1: text behind the section header'],
    ['continuation line', "${one}path = /a\n  /b\n",       "4: $blank"],
    ['indented key',      "$one\ttolerance = 5m\n",        "3: $blank"],
    ['indented header',   "$one  [spool x]\n",             "3: $blank"],
    ['NUL byte',          "${one}tolerance = 5${nul}m\n",  '3: control byte 0x00 in column 14'],
    ['NUL in a comment',  "$one# $nul\n",                  '3: control byte 0x00 in column 3'],
    ['escape sequence',   "${one}description = \e[2J\n",   '3: control byte 0x1b in column 15'],
    ['CR within a line',  "${one}path = /a\rpath = /b\n",  '3: control byte 0x0d in column 10'],
    ['DEL',               "${one}description = a\x7f\n",   '3: control byte 0x7f in column 16'],
    ['empty file', '', $none],
    ['no endpoint', "[hookspool]\n[spool a]\n[consumer c]\nspool = a\n", $none],

    # ---- headers
    ['unknown section', "[endpiont one]\nbogus = 1\n",     "1: unknown section [endpiont]: $kinds"],
    ['case of sections', "[Endpoint one]\n",               "1: unknown section [Endpoint]: $kinds"],
    ['empty header', "[]\n$one",                           "1: unknown section []: $kinds"],
    ['name missing', "[endpoint]\nbogus = 1\n",            '1: section [endpoint] needs a name: [endpoint NAME]'],
    ['name missing behind a blank', "$one\[spool ]\n",     '3: section [spool] needs a name: [spool NAME]'],
    ['name superfluous', "[hookspool main]\n$one",         '1: section [hookspool] takes no name'],
    (map { ["name '$_'", "$one\[spool $_]\n", "3: section [spool]: '$_' $name"] }
        'a b', '-a', '.', '../a', 'a/b', 'a=b', "${n63}aa"),
    ['name not ASCII', "$one\[spool caf\xc3\xa9]\n",       "3: section [spool]: 'caf??' $name"],
    ['duplicate section', "$one\n[endpoint one]\n",        '4: duplicate section [endpoint one] (first on line 1)'],
    ['duplicate section without a name', "[hookspool]\n[hookspool]\n$one",
        '2: duplicate section [hookspool] (first on line 1)'],
    ['duplicate section without keys', "$one\[spool a]\n[spool b]\n[spool a]\n",
        '5: duplicate section [spool a] (first on line 3)'],
    ['duplicate section with a name that inih cuts', "$one\[spool ${n63}a]\n[spool ${n63}b]\n[spool ${n63}a]\n",
        "5: duplicate section [spool ${n63}a] (first on line 3)"],
    ['sections without keys lack them', "[endpoint one]\n[endpoint two]\n",
        "1: [endpoint one] lacks the key 'secret_file'", "2: [endpoint two] lacks the key 'secret_file'"],
    ['too many sections', $one . join('', map { "[spool s$_]\n" } 1 .. 1000), '1002: more than 1000 sections'],

    # ---- keys
    ['unknown key, near a known one', "${one}toleranse = 5m\n",
        "3: unknown key 'toleranse' in [endpoint]: did you mean 'tolerance'?"],
    ['two letters swapped', "[hookspool]\nspool_dri = /x\n$one",
        "2: unknown key 'spool_dri' in [hookspool]: did you mean 'spool_dir'?"],
    ['key of another section', "${one}dedupe_window = 7d\n",
        "3: unknown key 'dedupe_window' in [endpoint]: it belongs in [spool]"],
    ['key near nothing',   "${one}colour = red\n",         "3: unknown key 'colour' in [endpoint]"],
    ['case of keys',       "${one}PATH = /x\n",            "3: unknown key 'PATH' in [endpoint]"],
    ['very long key',      "$one$n63$n63 = 1\n",           "3: unknown key '$n63$n63' in [endpoint]"],
    ['duplicate key',      "${one}path = /a\npath = /a\n", "4: duplicate key 'path' (first on line 3)"],
    ['duplicate of a bad one', "${one}path = a\npath = /a\n",
        "3: path: 'a' does not start with '/'", "4: duplicate key 'path' (first on line 3)"],
    ['required key',       "\n[endpoint one]\npath = /a\n", "2: [endpoint one] lacks the key 'secret_file'"],
    ['value in a comment', "${one}path = ; /a\n",          '3: path: value is empty'],
    ['path too long',      "${one}path = /" . 'p' x 180,   '3: path: longer than 180 bytes'],
    ['description too long', "${one}description = " . 'd' x 181, '3: description: longer than 180 bytes'],
    ['type too long',      "${one}default_type = " . 't' x 129, '3: default_type: longer than 128 bytes'],
    ['description with a tab', "${one}description = a\tb", "3: description: 'a?b' is not printable ASCII"],
    ['description not ASCII', "${one}description = caf\xc3\xa9", "3: description: 'caf??' is not printable ASCII"],
    ['range below its bounds', "$one\[consumer one]\nbackoff = 0s..1h", "4: backoff: '0s' is out of bounds (1s to 7d)"],
    ['range above its bounds', "$one\[consumer one]\nbackoff = 1s..8d", "4: backoff: '8d' is out of bounds (1s to 7d)"],
    ['range without an end', "$one\[consumer one]\nbackoff = 1s..",
        "4: backoff: '' is not a number: expected two durations such as 30s..1h"],

    # ---- between sections
    ['one path twice', "${one}path = /a\n[endpoint two]\nsecret_file = one.secret\npath = /a\n",
        "6: path '/a' is that of [endpoint one] (line 3)"],
    ['a default path that is taken', "${one}path = /webhooks/two\n[endpoint two]\nsecret_file = one.secret\n",
        "4: path '/webhooks/two' is that of [endpoint one] (line 3)"],
    ['a spool that nobody fills', "${one}[consumer c]\nspool = two\n",
        "4: no endpoint fills the spool 'two', and there is no [spool two]"],
    ['a default spool that nobody fills', "${one}[consumer c]\n",
        "3: no endpoint fills the spool 'c', and there is no [spool c]"],

    # ---- several: by line, then what is missing; nothing that another problem explains
    ['several problems',
        "threads = 1\n[hookspool]\nthreads = 0\njunk\n[bogus]\nx = 1\n"
            . "[endpoint a]\ntolerance = 5\n[consumer c]\nspool = two\n",
        "1: key 'threads' outside a section",
        "3: threads: '0' is out of bounds (1 to 1024)",
        "4: $split",
        "5: unknown section [bogus]: $kinds",
        "8: tolerance: '5' has no unit: expected digits, then s, m, h or d",
        "7: [endpoint a] lacks the key 'secret_file'"],
    ['a great many problems', $one . "junk\n" x 500,
        (map { "$_: $split" } 3 .. 102), ' too many problems, the rest is not shown'],
);

# ---- values

# A configuration with the key on its second line.
sub place {
    my ($section, $key, $setting) = @_;
    my $rest = $section eq 'hookspool' ? '' : "[hookspool]\n";
    $rest .= "spool_dir = $dir/spool\n" if $key ne 'spool_dir';
    return "[endpoint one]\n$setting\n" . ($key eq 'secret_file' ? '' : "secret_file = one.secret\n") . $rest
      if $section eq 'endpoint';
    return ($section eq 'hookspool' ? '[hookspool]' : "[$section one]") . "\n$setting\n$rest$one";
}

my %fault = (
    duration => 'expected digits, then s, m, h or d',
    deadline => 'expected digits, then ms, s, m, h or d',
    size     => 'expected digits, then K, M, G, T or nothing',
);
my $pattern = 'is not a pattern (1 to 128 of A-Z a-z 0-9 _ . : / - * ? [ ] !)';

# Section, key, values that are taken, and for each reason the values that are refused.
for (
    [hookspool => 'spool_dir', ["$dir/spool", "$dir/spool/"],
        "does not start with '/'" => [qw(var/spool ~/spool .)]],
    [hookspool => 'threads', [qw(1 1024 0064)],
        'is out of bounds (1 to 1024)'      => [qw(0 1025 4294967297 18446744073709551617)],
        'is not a number: expected digits'  => [qw(four -1 +1 .5)],
        'has an unknown unit: expected digits' => [qw(0x10 4K 1.0), '1 2']],
    [hookspool => 'deadline', [qw(1s 1000ms 60000ms 60s 1m)],
        'is out of bounds (1s to 60s)'           => [qw(999ms 60001ms 61s 2m 18446744073709551616s)],
        "has no unit: $fault{deadline}"          => [10],
        "has an unknown unit: $fault{deadline}"  => [qw(10S 10us)]],
    [endpoint => 'path', ['/', '/webhooks/levers', '/~a/B_9.-', '/' . 'p' x 179],
        "does not start with '/'" => [qw(webhooks http://a/b)],
        'is not a path (A-Z a-z 0-9 / _ . ~ -)' => ['/a b', '/a#b', qw(/a?b /a%20b /" /a:b /a\b /{a})]],
    [endpoint => 'url', ['https://hooks.example.org/webhooks/a', 'http://[::1]:8080/a?b=c&d=%20', 'https://a',
            '', 'https://' . 'a' x 172],
        'is not http:// or https://, a host and a path (A-Z a-z 0-9 :/?&=+,;._~%[]-)' =>
            [qw(hooks.example.org/a ftp://a/ HTTP://a/ https:///a http://:80/ http://?a //a/b http:a
                https://user:password@a/ https://a/"b" https://a/{b} x), 'https://a/ b']],
    [endpoint => 'secret_file', ['one.secret', './one.secret', "$dir/one.secret"]],
    [endpoint => 'spool', ['x', 's' x 64], $name => ['a b', '-a', '../a', 's' x 65]],
    [endpoint => 'events', ['*', 'phone_call.*', 'a, b ,c', 'x.[a-c]?', '[!a]*', 'p' x 128],
        $pattern => ['a b', 'a;b', 'a\\*', 'p' x 129]],
    [endpoint => 'default_type', ['a', 'phone_call.ended', 'A:b/c-9', 't' x 128],
        'is not an event type (A-Z a-z 0-9 _ . : / -)' => ['a b', 'a*']],
    [endpoint => 'tolerance', [qw(1s 5m 1440m 24h 1d 86400s)],
        'is out of bounds (1s to 1d)' => [qw(0s 86401s 1441m 25h 2d 18446744073709551616s
            307445734561825861m 213503982334602d 99999999999999999999999999999999999999h)],
        "has no unit: $fault{duration}" => [0, 300],
        "has an unknown unit: $fault{duration}" => [qw(5x 5ms 5mm 1.5h 5M), '5 m'],
        "is not a number: $fault{duration}"     => [qw(m -5m +5m)]],
    [endpoint => 'max_body', [qw(1K 1024 1M 65536K 67108864 64M)],
        'is out of bounds (1K to 64M)' => [qw(0 1023 67108865 65537K 65M 17179869184G 16777217T)],
        "has an unknown unit: $fault{size}" => [qw(1k 1MB 1Mi)],
        "is not a number: $fault{size}"     => [qw(M -1)]],
    [endpoint => 'description', ['Levers, production', '', 'd' x 180, 'a;b #c', '"a" = [b]', 'a ; comment']],
    [endpoint => 'inspect', [0, 1000], 'is out of bounds (0 to 1000)' => [1001]],
    [spool => 'dedupe_window', [qw(3d 72h 259200s 3650d)],
        "is out of bounds (3d to 3650d): the sender's retries span up to 66 h" => [qw(2d 71h 259199s 3651d)]],
    [spool => 'segment_size', [qw(64K 4G 4194304K)], 'is out of bounds (64K to 4G)' => [qw(65535 4194305K)]],
    [spool => 'keep', [qw(0s 0d 3650d)], 'is out of bounds (0s to 3650d)' => ['3651d']],
    [spool => 'min_free', [qw(0 1T 1024G)],
        'is out of bounds (0 to 1T)'        => [qw(1025G 2T)],
        "has an unknown unit: $fault{size}" => ['1P']],
    [consumer => 'spool', ['one'], $name => ['a b']],
    [consumer => 'max_attempts', [1, 1000], 'is out of bounds (1 to 1000)' => [0, 1001]],
    [consumer => 'max_age', [qw(0s 30d)], 'is out of bounds (0s to 30d)' => ['31d']],
    [consumer => 'backoff', [qw(1s..7d 30s..1h 1h..60m)],
        'is not a range: expected two durations such as 30s..1h' => [qw(1h 1h.2h 1h-2h)],
        'begins above its end' => [qw(2h..1h 1h..59m)]],
    )
{
    my ($section, $key, $good, %bad) = @$_;
    for my $value (@$good) {
        taken("$key = " . (length $value > 60 ? length($value) . ' bytes' : $value),
            place($section, $key, "$key = $value"));
    }
    for my $reason (sort keys %bad) {
        refused("$key = $_", place($section, $key, "$key = $_"), "2: $key: '$_' $reason") for @{ $bad{$reason} };
    }
    next if $key eq 'description' || $key eq 'url';
    refused("$key = (nothing)", place($section, $key, "$key ="), "2: $key: value is empty");
}

# ---- what is taken

my $site = "[hookspool]\nspool_dir = $dir/spool\n";

taken('the least',                      "$site$one");
taken('no newline at the end',          "$one${site}threads = 2");
taken('carriage returns at line ends',  "$site$one" =~ s/\n/\r\n/gr);
taken('a byte order mark',              "\xef\xbb\xbf$site$one");
taken('comments, blanks, tabs, empty lines',
    "# a\n; b\n   # c\n\t\n\n$site\nthreads\t=\t2\t; d\n[ endpoint\tone ] ; e\nsecret_file=one.secret\n");
taken('a comment longer than a line may be', "$site# " . 'c' x 5000 . "\n$one");
taken('a line as long as it may be',    "$site${one}path = /a ;" . 'c' x ($max - 11) . "\n");
taken('empty sections',                 "$site$one\[spool one]\n[spool old]\n[consumer one]\n");
taken('a name that inih would cut',
    "$site\[endpoint ${n63}e]\nsecret_file = one.secret\n[spool ${n63}e]\nkeep = 1d\n");
taken('one spool of two endpoints',
    "$site$one\[endpoint two]\nsecret_file = two.secret\nspool = one\n[consumer two]\nspool = one\n");
taken('a consumer of a spool that is no longer filled',
    "$site$one\[spool old]\n[consumer c]\nspool = old\n");
taken('a thousand sections',            "$site$one" . join '', map { "[spool s$_]\n" } 1 .. 998);

mkdir "$dir/etc" or BAIL_OUT("cannot make '$dir/etc': $!");
own("$dir/etc");
taken('a secret file relative to the configuration, by an absolute name',
    $site . $one =~ s/one\.secret/..\/one.secret/r, "$dir/etc/a.conf");
taken('the same by a relative name', $site . $one =~ s/one\.secret/..\/one.secret/r, 'etc/b.conf');

# ---- files that cannot be read

for (
    ['no file',      "$dir/missing.conf",                                    'No such file or directory'],
    ['a directory',  "$dir/etc",                                             'Is a directory'],
    ['a closed file', spew("$dir/closed.conf", "$site$one", 0),              'Permission denied'],
    ['a file over 1 MiB', spew("$dir/large.conf", "$site$one#" . 'x' x (1 << 20)), 'File too large'],
    )
{
    my ($what, $conf, $reason) = @$_;
    my ($code, undef, $err) = run([hookspoold(), '-t', '-c', $conf]);
    is_deeply([$code, $err], [78, "hookspoold: cannot read '$conf': $reason\n"], "refused: $what");
}

done_testing();
