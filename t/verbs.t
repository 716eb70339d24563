#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# One table drives verbs, help, completion and the manual: each of these is compared with it, and
# the shells try the completions.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Test::More;

my ($printer) = grep { -x } map { "$_/t/verbs" } $ENV{top_builddir} // (top_src(), top_src('build'));
plan skip_all => 't/verbs is not built' if !$printer;

# The table: name => { operands, options => { long => [letter, argument] }, example }.
my (%verbs, @names, $at);
for my $line (split /\n/, qx("$printer")) {
    my ($what, @fields) = split /\t/, $line, -1;
    if ($what eq 'verb') {
        push @names, $fields[0] if $fields[0] ne '';
        $at = $verbs{ $fields[0] } = { operands => $fields[1], options => {} };
    } elsif ($what eq 'option') {
        is($at->{options}{ $fields[0] }, undef, "$names[-1]: --$fields[0] stands there once");
        $at->{options}{ $fields[0] } = [@fields[1, 2]];
    } else {
        $at->{example} = $fields[0];
    }
}
my $globals = delete($verbs{''})->{options};
cmp_ok(scalar @names, '>', 4, 'there are verbs');

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[consumer billing]
spool = calls
CONF

# ---- the table itself

for my $name (@names) {
    my %letters = map { $_->[0] eq '-' ? () : ($_->[0] => 1) } values %$globals;
    my @twice = grep { $_ ne '-' && $letters{$_}++ } map { $_->[0] } values %{ $verbs{$name}{options} };
    is("@twice", '', "$name: each letter means one thing");
    like($verbs{$name}{example}, qr/\b\Qhookspool $name\E\b/, "$name: its example is of it");
}

# ---- help

{
    my ($code, $out, $err) = operate($conf, 'help');
    is("$code $err", '0 ', 'help');
    is(join(' ', $out =~ /^  (\w+(?: \w+)?)  /mg), "@names", 'help lists the verbs in their order');
    is((operate($conf, '--help'))[1], $out, 'so does --help');
    for my $name (@names) {
        my @words = split / /, $name;
        my ($code, $text) = operate($conf, @words, '--help');
        is($code, 0, "$name --help");
        is((operate($conf, 'help', @words))[1], $text, "help $name says the same");
        like($text, qr/^usage: hookspool \Q$name\E /, '... with usage');
        my @told = sort $text =~ /^  (?:-\w,|   ) --([\w-]+)/mg;
        is_deeply(\@told, [sort keys %{ $verbs{$name}{options} }, keys %$globals], '... and its options');
        like($text, qr/^  \Q$verbs{$name}{example}\E$/m, '... and an example');
        my @wide = grep { length > 79 && !m{/hookspool\.conf\)$} } split /\n/, $text; # as configured
        is("@wide", '', '... and no line is wider than a terminal');
    }
    ($code, $out, $err) = operate($conf, 'darin');
    is($code, 64, 'a verb that is not there');
    like($err, qr/is 'drain' meant\?/, '... and what was meant');
    ($code, $out, $err) = operate($conf, 'help', 'darin');
    is($code, 64, 'help for one');
    like($err, qr/is 'drain' meant\?/, '... likewise');
    for my $words (['secret'], ['secret', 'rotat', 'calls'], ['help', 'secret']) {
        ($code, $out, $err) = operate($conf, @$words);
        is($code, 64, "@$words");
        like($err, qr/no verb 'secret' alone, but 'secret new' and 'secret rotate'/, '... and what there is');
    }
    for my $verb (['status'], ['list'], ['drain', 'billing', '--', 'true']) {
        ($code, $out, $err) = operate("$dir/none.conf", @$verb);
        is("$code|$out", '78|', "@$verb without a configuration");
        is($err, "hookspool: cannot read '$dir/none.conf': No such file or directory\n"
              . "hookspool: --config FILE or HOOKSPOOL_CONF names another one; see hookspool.conf(5)\n", '... is told of once');
    }
    ($code, $out, $err) = operate($conf, 'drain', '--bach', '3', 'billing');
    is($code, 64, 'an option that is not there');
    like($err, qr/no option '--bach'/, '... is named');
}

# ---- the manual

{
    my ($text) = slurp(top_src('man', 'hookspool.1')) =~ /^\.Sh VERBS\n(.*?)^\.Sh /ms;
    my @parts = split /^\.Ss (.*)\n/m, $text;
    shift @parts;
    my %told = @parts;
    my @order = @parts[grep { $_ % 2 == 0 } 0 .. $#parts];
    is("@order", "@names", 'hookspool(1) has each verb, in the order of help');
    for my $name (@names) {
        my $part = $told{$name} // '';
        my %options = map {
            my ($letter, $long, $argument) = /^\.It (?:Fl (\w) , )?Fl -([\w-]+)(?: Ar (\S+))?$/;
            defined $long ? ($long => [$letter // '-', $argument // '-']) : ()
        } split /\n/, $part;
        is_deeply(\%options, $verbs{$name}{options}, "hookspool(1) has the options of $name");
        ok($part =~ /^\.Dl \Q$verbs{$name}{example}\E$/m, "hookspool(1) has the example of $name")
          or diag("want: .Dl $verbs{$name}{example}");
    }
}

# ---- completion

# What a shell offers for a line, in words.
sub completed {
    my ($shell, $line) = @_;
    my $program = program('hookspool');
    my %script = (
        bash => 'PATH="$1:$PATH"; eval "$(hookspool completion bash)"; read -ra COMP_WORDS <<<"$2";'
          . ' [[ $2 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]}-1));'
          . ' COMP_LINE=$2 COMP_POINT=${#2}; _hookspool; printf "%s\n" "${COMPREPLY[@]}"',
        fish => 'set -x PATH $argv[1] $PATH; hookspool completion fish | source; complete -C $argv[2]');
    my @command = $shell eq 'bash' ? ('bash', '-c', $script{bash}, 'bash') : ('fish', '-N', '-c', $script{fish});
    my ($code, $out, $err) = run([@command, $dir, $line], env => { HOOKSPOOL_CONF => $conf, HOME => $dir });
    is($err, '', "$shell has nothing to say of '$line'");
    return sort map { /^(\S+)/ } split /\n/, $out;
}

for my $shell (qw(bash fish)) {
  SKIP: {
        skip "$shell is not installed", 1 if !find_program($shell);
        my %first = map { /^(\w+)/; ($1 => 1) } @names;
        is_deeply([completed($shell, 'hookspool ')], [sort keys %first], "$shell: the verbs");
        is_deeply([completed($shell, 'hookspool dr')], ['drain'], "$shell: one of them");
        is_deeply([completed($shell, 'hookspool drain ')], ['billing'], "$shell: a consumer");
        is_deeply([completed($shell, 'hookspool secret ')], ['new', 'rotate'], "$shell: a verb of two words");
        is_deeply([completed($shell, 'hookspool secret rotate ')], ['calls'], "$shell: an endpoint");
        is_deeply([completed($shell, 'hookspool secret rotate --gen')], ['--generate'], "$shell: an option behind it");
        is_deeply([completed($shell, 'hookspool -c x.conf drain ')], ['billing'], "$shell: a consumer behind an option");
        is_deeply([completed($shell, 'hookspool help dr')], ['drain'], "$shell: a verb to explain");
        is_deeply([completed($shell, 'hookspool completion b')], ['bash'], "$shell: a shell");
        is_deeply([completed($shell, 'hookspool drain --repo')], ['--report-failures'], "$shell: an option");
    }
}

SKIP: {
    skip 'zsh is not installed', 1 if !find_program('zsh');
    my (undef, $script) = operate($conf, 'completion', 'zsh');
    my ($code, undef, $err) = run([find_program('zsh'), '-n'], stdin => $script);
    is("$code$err", '0', 'zsh can read its completion');
}

is((operate($conf, 'completion', 'tcsh'))[0], 64, 'there is none for tcsh');

done_testing();
