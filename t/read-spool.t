#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# examples/read-spool hands each event to a job once, and again when the job fails.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Test::More;

skip_without('xxhsum', find_program('xxhsum'));

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[spool calls]
segment_size = 64K
CONF
my ($pid, $socket) = start_hookspoold(conf => $conf);
my $spool = "$dir/spool/calls";

sub store {
    my ($count, $bytes) = @_;
    my @ids = map { new_id() } 1 .. $count;
    my @answers =
        exchange_all($socket, map { fcgi_post(id => $_, body => '"' . 'x' x $bytes . '"') } @ids);
    is(scalar(grep { $_->{status} == 200 } @answers), $count, "$count events are stored");
    return @ids;
}

# The exit status, and the ids that it printed.
sub read_spool {
    my ($code, $out) = run([$^X, top_src('examples', 'read-spool'), $spool, "$dir/position", @_]);
    return ($code, sort $out =~ /"id":"([^"]+)"/g);
}

is_deeply([read_spool()], [0], 'an empty spool has nothing to read');
my @first = store(20, 10_000);
is_deeply([read_spool()], [0, sort @first], 'all of them are read, over several segments');
is_deeply([read_spool()], [0], 'and only once');
my @second = store(3, 10);
my ($code) = read_spool('false');
isnt($code, 0, 'a job fails');
is_deeply([read_spool('cat')], [0, sort @second], 'and is handed the same events again');
is_deeply([read_spool('cat')], [0], 'until it succeeds');

is(stop($pid), 0, 'hookspoold ends');
done_testing();
