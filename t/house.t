#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The rules of the house, made executable: what HACKING says of licence
# lines, sizes, includes and versions is true of the tree, or this fails.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/..');

my $file_limit     = 400;    # lines of a file in src
my $column_limit   = 100;
my $function_goal  = 60;     # said aloud above
my $function_limit = 70;     # refused above

sub slurp {
    my ($path) = @_;
    open my $in, '<:raw', $path or BAIL_OUT("cannot open '$path': $!");
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub entries {
    my ($dir) = @_;
    opendir my $handle, "$top/$dir" or return;
    return sort grep { !/^\.\.?$/ } readdir $handle;
}

# Names below $top of the files that people write, none that a build makes.
sub written_files {
    my @names = grep { -f "$top/$_" } qw(configure.ac Makefile.am bootstrap .ci/run);
    for my $dir (qw(src t t/fuzz t/lib t/lib/Hookspool bench script nginx apache man systemd examples)) {
        for my $entry (entries($dir)) {
            my $name = "$dir/$entry";
            next unless -f "$top/$name";
            push @names, $name
              if $entry =~ /\.(?:c|h|t|sh|pl|pm|py|js|mjs|conf|include|service|socket|[1-8])$/
              || ($entry !~ /\./ && slurp("$top/$name") =~ /^#!/);
        }
    }
    return @names;
}

# What is wrong with each file, one string a fault.
sub faults {
    my ($check, @names) = @_;
    return map { my $name = $_; map { "$name: $_" } $check->(slurp("$top/$name"), $name) } @names;
}

sub none {
    my ($what, @faults) = @_;
    ok(!@faults, $what);
    diag($_) for @faults;
    return;
}

sub licence {
    my ($text) = @_;
    my ($first, $second) = split /\n/, $text, 3;
    $first = $second if defined $first && $first =~ /^#!/;
    return if defined $first && $first =~ /SPDX-License-Identifier: ISC\b/;
    return 'no SPDX line at the top';
}

sub lines_where {
    my ($pattern, $fault, $text) = @_;
    my ($number, @found) = (0);
    for my $line (split /\n/, $text, -1) {
        $number++;
        push @found, "line $number: $fault" if $line =~ $pattern;
    }
    return @found;
}

# Makefiles need tabs, so they may indent with nothing else.
sub white_space {
    my ($text, $name) = @_;
    my $tabs = $name eq 'Makefile.am' ? qr/^ +\t|\t +\S/ : qr/\t/;
    my @found = (lines_where($tabs, 'tab', $text), lines_where(qr/[ \t]$/, 'blank at the end', $text));
    push @found, 'no newline at the end' if $text ne '' && $text !~ /\n\z/;
    return @found;
}

# [name, lines] of each function of a C file: from the line of its name to
# its closing brace, both in the first column.
sub functions {
    my ($text) = @_;
    my ($number, $start, $name, @found) = (0);
    for my $line (split /\n/, $text) {
        $number++;
        if ($line =~ /^(?!static_assert)(?=[A-Za-z_]).*?(\w+)\s*\(/ && $line !~ /;\s*$/) {
            ($start, $name) = ($number, $1);
        } elsif ($line =~ /^\}/ && defined $start) {
            push @found, [$name, $number - $start + 1];
            undef $start;
        } elsif ($line =~ /^\S.*;\s*$/) {
            undef $start;
        }
    }
    return @found;
}

# Modules of src and, for each, the other modules that its .c and .h include.
sub real_includes {
    my %map;
    for my $file (grep { /\.[ch]$/ } entries('src')) {
        (my $module = $file) =~ s/\.[ch]$//;
        $map{$module} ||= {};
        for my $header (slurp("$top/src/$file") =~ /^\s*#\s*include\s+"([^"]+)\.h"/mg) {
            $map{$module}{$header} = 1 unless $header eq 'autoconf' || $header eq $module;
        }
    }
    return map { ($_ => join ' ', sort keys %{ $map{$_} }) } keys %map;
}

# The same as HACKING has it: after a line "Include map", lines
# "  module: dep dep", up to the first blank line behind them.
sub written_includes {
    my (%map, $inside);
    for my $line (split /\n/, slurp("$top/HACKING")) {
        if ($line =~ /^\s+(\w+):((?:\s+\w+)*)\s*$/ && $inside) {
            $map{$1} = join ' ', sort split ' ', $2;
        } elsif ($line =~ /^\W*Include map\W*$/) {
            $inside = 1;
        } elsif ($inside && %map) {
            last;
        }
    }
    return %map;
}

# A module that includes itself by way of others, or ''.
sub cycle {
    my (%map) = @_;
    while (%map) {
        my ($leaf) = grep {
            !grep { exists $map{$_} } split ' ', $map{$_}
        } sort keys %map;
        return join ' ', sort keys %map unless defined $leaf;
        delete $map{$leaf};
    }
    return '';
}

my @written = written_files();
my @sources = grep { m{^src/.*\.[ch]$} } @written;
my @c_files = grep { /\.[ch]$/ } @written;

cmp_ok(scalar @sources, '>', 10, 'the sources are where this test looks');
none('every file has its SPDX line', faults(\&licence, @written));
none('no tabs but those make needs, no blanks at line ends',
    faults(\&white_space, grep { !/\.patch$/ } @written));

none('scripts can be run, as make check does',
    map { "$_: no execute bit" } grep { slurp("$top/$_") =~ /^#!/ && !-x "$top/$_" } @written);

my $unfinished = 'TO' . 'DO|FIX' . 'ME|XX' . 'X';
none('nothing is marked unfinished',
    faults(sub { lines_where(qr/\b(?:$unfinished)\b/, 'marked unfinished', $_[0]) }, @written));

none("no line of C is over $column_limit columns",
    faults(
        sub { (my $text = $_[0]) =~ s/[\x80-\xbf]//g;
            lines_where(qr/^.{${\($column_limit + 1)}}/, 'too long', $text) }, @c_files));

none("no file of src has over $file_limit lines",
    faults(sub { my $lines = $_[0] =~ tr/\n//; $lines > $file_limit ? "$lines lines" : () },
        @sources));

{
    my (@over, $count);
    for my $name (grep { /\.c$/ } @sources) {
        for my $function (functions(slurp("$top/$name"))) {
            my ($called, $lines) = @$function;
            $count++;
            push @over, "$name: $called: $lines lines" if $lines > $function_limit;
            note("$name: $called: $lines lines, over the goal of $function_goal")
              if $lines > $function_goal && $lines <= $function_limit;
        }
    }
    none("no function of src has over $function_limit lines", @over);
    cmp_ok($count || 0, '>', scalar @sources, 'functions are found at all');
}

for my $library (
    [libfcgi => qr/fcgi(?:app|_stdio|_config|misc|os)\.h/],
    [mbedTLS => qr{mbedtls/\w+\.h}],
    ['json-c' => qr{json-c/\w+\.h}],
    [libcurl => qr{curl/\w+\.h}],
    [inih    => qr/ini\.h/],
    [xxhash  => qr/xxhash\.h/])
{
    my ($name, $header) = @$library;
    my @users = grep { slurp("$top/$_") =~ /^\s*#\s*include\s+[<"]$header[>"]/m } @sources;
    is(scalar @users, 1, "$name is known to one file") or diag("included by: @users");
}

my %real = real_includes();
is(cycle(%real), '', 'no module includes itself by way of others');

SKIP: {
    skip 'no HACKING', 1 unless -f "$top/HACKING";
    my %told = written_includes();
    is_deeply(\%told, \%real, 'the include map of HACKING is the real one') or do {
        diag('it would be:');
        diag("  $_: $real{$_}") for sort keys %real;
    };
}

SKIP: {
    skip 'no NEWS or configure.ac', 1 unless -f "$top/NEWS" && -f "$top/configure.ac";
    my ($version) = slurp("$top/configure.ac") =~ /AC_INIT\(\s*\[[^\]]+\]\s*,\s*\[([^\]]+)\]/;
    my ($newest) = slurp("$top/NEWS") =~ /(\d+(?:\.\d+)+)/;
    is($newest, $version, 'the newest version in NEWS is that of configure.ac');
}

SKIP: {
    my $page = "$top/man/hookspoold.8";
    my ($program) = grep { -x } map { ("$_/hookspoold", "$_/src/hookspoold") }
      $ENV{top_builddir} // ($top, "$top/build");
    skip 'hookspoold is not built', 2 unless defined $program && -f $page;

    open my $help, '-|', $program, '-h' or BAIL_OUT("cannot run '$program': $!");
    my @help = do { local $/; <$help> } =~ /^\s+-(\w)\b/mg;
    close $help;
    is($?, 0, 'hookspoold -h exits with 0');
    my @told = slurp($page) =~ /^\.It Fl (\w)\b/mg;
    is_deeply([sort @help], [sort @told],
        'hookspoold -h and hookspoold(8) list the same options');
}

done_testing();
