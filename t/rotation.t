#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Segments: named by their position, contiguous, each line whole and in one of them, over restarts,
# several processes and the death of one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Test::More;

my $limit = 65_536;
my $spool = "$dir/spool/calls";
my $conf  = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[spool calls]
segment_size = 64K
CONF

my %sent;

# Sends n events of various sizes, 50 at a time.
sub pour {
    my ($targets, $n) = @_;
    my @raw = map {
        my $id = new_id();
        $sent{$id} = '{"n":"' . 'x' x ($_ * 37 % 6000) . '"}';
        fcgi_post(id => $id, body => $sent{$id});
    } 1 .. $n;
    my $stored = 0;
    while (my @batch = splice @raw, 0, 50) {
        $stored += grep { $_->{body} =~ /"stored"/ } exchange_all($targets, @batch);
    }
    is($stored, $n, "$n events are stored");
}

# One after the other: events that are written together may go beyond the limit together.
my ($pid, $socket) = start_hookspoold(conf => $conf);
for (1 .. 60) {
    my $id = new_id();
    $sent{$id} = '{"n":"' . 'x' x 3000 . '"}';
    deliver($socket, id => $id, body => $sent{$id});
}
cmp_ok(scalar(() = segments($spool)), '>=', 3, 'there are several segments');
is_deeply([grep { -s > $limit } segments($spool)], [], 'none of them is above segment_size');
pour($socket, 300);

# One that is larger than a segment may be.
my $id = new_id();
$sent{$id} = '{"n":"' . 'x' x 200_000 . '"}';
my @large = (id => $id, body => $sent{$id});
like(deliver($socket, @large)->{body}, qr/stored/, 'an event above segment_size is stored');
pour($socket, 100);

is(stop($pid), 0, 'hookspoold ends');
my @before = spool_lines($spool);
($pid) = start_hookspoold(conf => $conf);
is_deeply([spool_lines($spool)], \@before, 'a restart changes no line');
pour($socket, 100);
like(deliver($socket, @large)->{body}, qr/duplicate/, 'an id of an early segment is known');

my ($second, $other) = start_hookspoold(conf => $conf, socket => "$dir/other.sock");
pour([$socket, $other], 200);

# Death without a word: what was answered stays, and the next one to open the spool carries on.
kill_hard($pid);
pour($other, 100);
kill_hard($second);
($pid) = start_hookspoold(conf => $conf);
pour($socket, 100);
is(stop($pid), 0, 'hookspoold ends');

my @segments = segments($spool);
my $bytes    = 0;
my (@gaps, @torn);
for my $i (0 .. $#segments) {
    my $text = slurp($segments[$i]);
    my $start = position($segments[$i]);
    my $size  = $i < $#segments ? position($segments[$i + 1]) - $start : length $text;
    push @gaps, $segments[$i] if $start != $bytes || length $text < $size;
    $bytes += $size;
    push @torn, $segments[$i] if substr($text, 0, $size) !~ /\A(?:\{"specversion".*"\}\n)+\z/;
}
cmp_ok($bytes, '>', 2_000_000, 'megabytes of events');
cmp_ok(scalar @segments, '>', $bytes / $limit / 2, 'in ' . @segments . ' segments');
is(position($segments[0]), 0, 'the first begins at 0');
is_deeply(\@gaps,  [], 'each begins where the one before it ends');
is_deeply(\@torn,  [], 'each is made of whole lines');

my $bodies = spool_bodies($spool);
my @ids    = sort keys %sent;
is_deeply([sort keys %$bodies], \@ids, 'every event is there');
is_deeply([grep { @{ $bodies->{$_} } != 1 } keys %$bodies], [], 'each once');
is_deeply([grep { ($bodies->{$_}[0] // '') ne $sent{$_} } @ids], [], 'byte for byte');
is_deeply([sort { $a cmp $b } entries($spool)], \@ids, 'every id has its entry');
is_deeply([pendings($spool)], [], 'nothing is pending');

done_testing();
