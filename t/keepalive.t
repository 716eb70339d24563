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

# A refused request whose body is there is read to its end, and the connection kept: closed behind the
# answer, it might be the one that the web server takes for its next request, which then fails.
{
    my $s = connect_to($socket);
    for my $path ('/webhooks/none', '/webhooks/calls', '/webhooks/none') {
        $s->blocking(1);
        syswrite $s, fcgi_post(path => $path, keep => 1, body => 'y' x 100_000);
        $s->blocking(0);
        my $got = '';
        my $status = wait_until {
            sysread $s, $got, 1 << 16, length $got;
            $got =~ /Status: (\d+).*\x01\x03/s ? $1 : undef;
        };
        is($status, $path =~ /none/ ? 404 : 200, "$path on a connection that is kept");
    }
}

# What does not come to its end leaves the body on the connection. Were that kept, what a client wrote
# into the body would be the next request: libfcgi reads 8 KiB, and drops what it has of them.
my $refused  = fcgi_post(path => '/webhooks/none', keep => 1, length => 1 << 17);
my $smuggled = fcgi_post(id => 'msg_smuggled', keep => 1);
my $head     = substr $refused, 0, -8;    # without the end of the body
my $body     = 'x' x (8192 - length($head) - 8) . $smuggled;
my $s        = connect_to($socket);
$s->blocking(1);
syswrite $s, substr $head . fcgi_stream(5, $body . 'x' x ((1 << 16) - length $body)), 0, -8;
my $all = do { local $SIG{ALRM} = sub { die "not closed\n" }; alarm 20; local $/; <$s> };
alarm 0;
is(() = $all =~ /Status: 404/g, 1, 'a request whose body is not read is answered 404');
is(() = $all =~ /Status: /g, 1, 'and what is in the body is not taken for the next');

is(stop($pid), 0, 'hookspoold ends although connections are open');
stop($nginx->{pid});
is(scalar(spool_lines("$dir/spool/calls")), 8 * 64 + 17, 'all of them are in the spool');

done_testing();
