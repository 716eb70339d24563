#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# However often and however simultaneously an event is sent, it stands in the spool once: across the
# threads of one process, and across processes that share a spool.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Hookspool::Server;
use List::Util qw(shuffle);
use Test::More;

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[endpoint again]
secret_file = %d/one.secret
spool       = calls
CONF

my %sent;

# Counts the answers by their words.
sub tally {
    my %count;
    $count{ $_->{body} =~ /^\{"status":"(\w+)"\}/ ? $1 : "status $_->{status}" }++ for @_;
    return \%count;
}

# The same id, each time as the sender would send it again: with a fresh timestamp and signature.
sub copies {
    my ($make, $n) = @_;
    my $id = new_id();
    $sent{$id} = 1;
    return map { $make->(id => $id, ts => now() - $_, body => '{"n":1}') } 1 .. $n;
}

sub crowd {
    my ($what, $target, $make) = @_;
    is_deeply(tally(exchange_all($target, copies($make, 64))), { stored => 1, duplicate => 63 },
        "$what: 64 at once, one is stored, round $_") for 1 .. 4;

    my @new = map { copies($make, 1) } 1 .. 256;
    my @answers = map { exchange_all($target, splice @new, 0, 64) } 1 .. 4;
    is_deeply(tally(@answers), { stored => 256 }, "$what: 256 ids, each is stored");

    my @mixed = shuffle map { copies($make, 4) } 1 .. 32;
    is_deeply(tally(exchange_all($target, @mixed)), { stored => 32, duplicate => 96 },
        "$what: 32 ids four times each");
}

my @sockets = map { "$dir/$_.sock" } 1 .. 4;
my @pids    = (start_hookspoold(conf => $conf, socket => $sockets[0]))[0];

crowd('threads', $sockets[0], \&fcgi_post);
{
    my $turn = 0;
    crowd('two endpoints of one spool', $sockets[0],
        sub { fcgi_post(@_, path => $turn++ % 2 ? '/webhooks/calls' : '/webhooks/again') });
}

for (@sockets[1 .. 3]) {
    push @pids, (start_hookspoold(conf => $conf, socket => $_, args => ['-n', 8]))[0];
}
crowd('processes', \@sockets, \&fcgi_post);

SKIP: {
    my $nginx = start_nginx(
        workers => 2,
        http    => join('', 'upstream four {', map({ qq(server "unix:$_";) } @sockets), '}'),
        server  => snippet('nginx/hookspool.conf', 'unix:/run/hookspool/hookspool.sock' => 'four'));
    skip 'nginx is not installed', 6 if !$nginx;
    crowd('processes behind nginx', $nginx->{port}, \&request);
    is(stop($nginx->{pid}), 0, 'nginx ends');
}

is(stop($_), 0, 'hookspoold ends') for @pids;
my $bodies = spool_bodies("$dir/spool/calls");
my @ids    = sort keys %sent;
is_deeply([sort keys %$bodies], \@ids, 'the spool holds all of them');
is_deeply([grep { @{ $bodies->{$_} } != 1 } keys %$bodies], [], 'each once');
is_deeply([sort { $a cmp $b } entries("$dir/spool/calls")], \@ids, 'each has its entry');
is_deeply([pendings("$dir/spool/calls")], [], 'nothing is pending');

done_testing();
