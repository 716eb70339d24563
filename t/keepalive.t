#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# nginx keeps more connections to hookspoold than hookspoold has threads, and nobody starves: with a
# thread tied to each kept connection, all but two of the first 64 requests would wait for ever.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Hookspool::Server;
use Test::More;
use Time::HiRes qw(time);

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret
CONF

my ($pid, $socket) = start_hookspoold(conf => $conf, args => ['-n', 2]);

# As the snippet says in its comment on keeping connections.
my $snippet = snippet('nginx/hookspool.conf', 'unix:/run/hookspool/hookspool.sock' => 'hookspool');
$snippet =~ s/^(\s*)#(fastcgi_keep_conn on;)/$1$2/m or die "the snippet has no fastcgi_keep_conn\n";
my $nginx = skip_without('nginx', start_nginx(
    workers => 2,
    http    => qq(upstream hookspool { server "unix:$socket"; keepalive 64; }),
    server  => $snippet));

my $slowest = 0;
my $count   = 0;
for my $round (1 .. 8) {
    my @raw     = map { request() } 1 .. 64;
    my $start   = time;
    my @answers = exchange_all($nginx->{port}, @raw);
    $count  += grep { $_->{body} =~ /"stored"/ } @answers;
    $slowest = time - $start if time - $start > $slowest;
}
is($count, 8 * 64, '8 times 64 requests at once are stored');
cmp_ok($slowest, '<', 5, sprintf 'no round waits for long (%.2f s)', $slowest);

# Connections that nginx has gone quiet on do not keep others out.
my @idle = map { connect_to($socket) } 1 .. 100;
my $start = time;
my @answers = exchange_all($socket, map { fcgi_post() } 1 .. 16);
is(scalar(grep { $_->{status} == 200 } @answers), 16, 'others get in beside them');
cmp_ok(time - $start, '<', 5, 'and soon');

is(stop($pid), 0, 'hookspoold ends although connections are open');
stop($nginx->{pid});
is(scalar(spool_lines("$dir/spool/calls")), 8 * 64 + 16, 'all of them are in the spool');

done_testing();
