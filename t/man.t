#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The manual pages: their form, the option table of hookspool.conf(5) against
# that of the code, and their examples, which are run as they are printed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Test::More;

my @pages = grep { -f } map { top_src('man', $_) }
  qw(hookspoold.8 hookspool.conf.5 hookspool-spool.5 hookspool.1);

# The text of the example that follows a line '.\" test: NAME'.
sub example {
    my ($page, $name) = @_;
    my ($text) = slurp(top_src('man', $page)) =~ /^\.\\" test: \Q$name\E\n\.Bd[^\n]*\n(.*?)^\.Ed$/ms
      or die "$page has no example '$name'\n";
    $text =~ s/\\(.)/$1 eq 'e' ? '\\' : $1 eq '&' ? '' : die "unknown escape \\$1 in $page\n"/ge;
    return $text;
}

# ---- form

SKIP: {
    my $mandoc = find_program('mandoc') or skip 'mandoc is not installed', scalar @pages;
    for my $page (@pages) {
        (my $name = $page) =~ s{.*/}{};
        my (undef, $out, $err) = run([$mandoc, '-T', 'lint', '-W', 'warning'], stdin => slurp($page));
        is("$out$err", '', "$name is sound mdoc");
    }
}

# ---- the option table

# The table as hookspool.conf(5) tells it, in the form of config_print_options().
sub told_options {
    my (@told, $section, $key);
    for my $line (split /\n/, slurp(top_src('man', 'hookspool.conf.5'))) {
        if ($line =~ /^\.Ss (?:\[(\w+)[^\]]*\])?/) {
            $section = $1;
        } elsif (defined $section && $line =~ /^\.It Ic (\S+) No = Ar (\S+)$/) {
            push @told, $key = { section => $section, key => $1, type => $2, min => '-', max => '-' };
        } elsif (defined $key && $line =~ /^Default: (.+)\.$/) {
            $key->{default} = $1;
        } elsif (defined $key && $line eq 'Required.') {
            $key->{default} = 'required';
        } elsif (defined $key && $line =~ /^(?:Bounds|Length): (\S+) to (\S+)\.$/) {
            @$key{qw(min max)} = ($1, $2);
        } elsif ($line eq '.Pp') {
            undef $key;
        }
    }
    return map { join "\t", map { $_ // '?' } @$_{qw(section key type default min max)} } @told;
}

my ($options) = grep { -x } map { "$_/t/options" } $ENV{top_builddir} // (top_src(), top_src('build'));
SKIP: {
    skip 't/options is not built', 1 if !$options;
    my @real = split /\n/, qx("$options");
    is_deeply([told_options()], \@real, 'hookspool.conf(5) tells the option table of the code');
}

# ---- the configurations

# A configuration that was printed, moved from /etc and /var to $dir.
sub moved {
    my ($text) = @_;
    $text = "[hookspool]\nspool_dir = /var/spool/hookspool\n$text" if $text !~ /^\[hookspool\]/m;
    $text =~ s/^;(?=spool_dir)//m;
    $text =~ s{/etc/hookspool/}{%d/}g;
    $text =~ s{/var/spool/hookspool}{%d/spool};
    return $text;
}

spew("$dir/$_.secret", "$SECRET\n", 0600) for qw(levers levers-old);

my %configuration = (
    (map { ("example '$_' of hookspool.conf(5)" => example('hookspool.conf.5', $_)) } qw(minimal full moving)),
    'examples/hookspool.conf' => slurp(top_src('examples', 'hookspool.conf')),
);
for my $what (sort keys %configuration) {
    my $conf = write_site(moved($configuration{$what}));
    my ($code, $out, $err) = run([hookspoold(), '-c', $conf, '-t']);
    is("$code $err", '0 ', "$what is without fault") or diag($out);
}

# ---- the test event of hookspoold(8)

SKIP: {
    skip 'openssl is not installed', 1 if !find_program('openssl');
    spew("$dir/test.secret", "$SECRET\n");
    my $script = 'curl() { printf "%s\n" "$@"; }' . "\n" . example('hookspoold.8', 'send');
    my (undef, $out) = run(['/bin/sh', '-c', $script]);
    my ($body, $id, $ts, $signature) = map { $out =~ /^$_(.*)$/m } '-d\n', map { "svix-$_: " } qw(id timestamp signature);
    is($signature, sign($id, $ts, $body), 'the test event is signed');
}

# ---- the examples of hookspool-spool(5)

my $conf = write_site(moved($configuration{"example 'full' of hookspool.conf(5)"}));

# Stores an event by way of plain CGI.
sub store {
    my ($id, $body) = @_;
    my ($ts) = now();
    my ($code, $out, $err) = run(
        [hookspoold(), '-c', $conf],
        stdin => $body,
        env   => {
            GATEWAY_INTERFACE   => 'CGI/1.1',
            REQUEST_METHOD      => 'POST',
            SCRIPT_NAME         => '/webhooks/levers',
            CONTENT_LENGTH      => length $body,
            HTTP_SVIX_ID        => $id,
            HTTP_SVIX_TIMESTAMP => $ts,
            HTTP_SVIX_SIGNATURE => sign($id, $ts, $body),
        });
    like($out, qr/"stored"/, "an event is stored: $id") or diag("exit $code: $err");
    return;
}

# The output of an example, run in the spool, with msg_2Kx replaced by an id and the date by a day.
sub shown {
    my ($name, $id, $day) = @_;
    my $script = example('hookspool-spool.5', $name);
    $script =~ s/\bmsg_2Kx\b/$id/g if defined $id;
    $script =~ s/\b2026-11-23\b/$day/g if defined $day;
    my ($code, $out, $err) = run(['/bin/sh', '-c', "cd spool/levers\n$script"]);
    is("$code $err", '0 ', "example '$name' runs" . (defined $id ? " for $id" : ''));
    return $out;
}

my %body = (
    msg_line  => '{"type":"phone_call.ended","data":{"seconds":42,"n":123456789012345678901234567890.10,'
      . '"n":"\u0000 ,\"data\": \"xxh3\":' . "\xc3\xa9" . '"},"data":{"seconds":43}} ',
    msg_lines => qq({\r\n  "type": "phone_call.ended",\n  "data": { "seconds": 44 }\n}\n),
    msg_bytes => join('', map { chr } 0 .. 255) . "\n",
    msg_empty => '',
    msg_text  => '"data"',
);
my @ids = sort keys %body;
store($_, $body{$_}) for @ids;

SKIP: {
    skip 'jq is not installed', 10 if !find_program('jq');
    is(shown('body', $_), $body{$_}, "the exact body of $_") for @ids;
    like(shown('line', $_), qr/\A\{"specversion":"1\.0","id":"$_",.*\}\n\z/, "the line of $_") for @ids;
    my ($line) = grep { /msg_line/ } split /\n/, shown('table');
    like($line, qr/^msg_line\t[\d:TZ-]+\t43$/, 'a table of members');
    is(scalar(split /\n/, shown('hour')), scalar @ids, 'all came in the last hour');
    is(shown('types'), sprintf("%7d phone_call.ended\n", scalar @ids), 'types are counted');
}

SKIP: {
    skip 'xxhsum is not installed', 1 if !find_program('xxhsum') || !find_program('jq');
    for my $id (@ids) {
        my ($made, $said) = split /\n/, shown('proof', $id);
        is($made, $said, "the line of $id proves itself");
    }
}

my %day;
for my $id (@ids) {
    ($day{$id}) = shown('entry', $id) =~ m{\Alocks/days/(\d{4}-\d\d-\d\d(?:\.\d+)?)\n\z};
    ok($day{$id}, "the day of $id");
}

is_deeply([sort(entries("$dir/spool/levers"))], \@ids, 'all ids have entries');
shown('forget', undef, $day{ $ids[0] });
is_deeply(
    [sort(entries("$dir/spool/levers"))],
    [grep { $day{$_} ne $day{ $ids[0] } } @ids],
    'ids can be forgotten by the day');
store($ids[0], $body{ $ids[0] });

done_testing();
