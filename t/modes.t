#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# The command line, and the three ways to be reached: an own socket, a listening socket as standard
# input, and plain CGI.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(AF_INET6 SOCK_STREAM);
use Test::More;

my $program = hookspoold();
my $conf    = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret
CONF
my $log = "$dir/hookspoold.log";

# ---- options

my ($code, $out, $err) = run([$program, '-V']);
is($code, 0, '-V');
like($out, qr/\Ahookspoold \d+\.\d+/, '-V prints the version');
($code, $out) = run([$program, '-h']);
is($code, 0, '-h');
like($out, qr/-$_\b/, "-h tells of -$_") for qw(c s n t V h);
is_deeply([run([$program, '--help'])], [0, $out, ''], 'so does --help');
is_deeply([run([$program, '--version'])], [run([$program, '-V'])], '--version is -V');

($code, $out, $err) = run([$program, '-t', '-c', $conf]);
is($code, 0, '-t of a good configuration') or diag($err);
like($out, qr/^\Q$conf\E: configuration ok$/m, '-t says so');
unlike($out . $err, qr/whsec_/, '-t shows no secret');
ok(!-e "$dir/spool/calls", '-t touches no spool');
($code, $out) = run([$program, '-t'], env => { HOOKSPOOL_CONF => $conf });
is($code, 0, 'HOOKSPOOL_CONF names the configuration');
($code) = run([$program, '-t', '-c', $conf], env => { HOOKSPOOL_CONF => '/nowhere' });
is($code, 0, '-c goes before it');

for my $case (
    ['an unknown option',       '-x'],
    ['an argument',             'extra'],
    ['-c without a file',       '-c'],
    ['no threads',              '-c', $conf, '-n', '0'],
    ['threads that are none',   '-c', $conf, '-n', 'many'],
    ['an address for all',      '-c', $conf, '-s', '0.0.0.0:9000'],
    ['another address',         '-c', $conf, '-s', '192.0.2.1:9000'],
    ['a name',                  '-c', $conf, '-s', 'localhost'],
    ['a port above 65535',      '-c', $conf, '-s', '127.0.0.1:65536'],
    ['neither socket nor CGI',  '-c', $conf],
) {
    my ($what, @args) = @$case;
    ($code, $out, $err) = run([$program, @args]);
    is($code, 64, "$what: 64") or diag($err);
    like($err, qr/\S/, "$what: says why");
    is($out, '', "$what: nothing on standard output");
}

my $bad = write_site("[hookspool]\nspol_dir = x\n", 'bad.conf');
for my $args (['-t'], ['-s', "$dir/bad.sock"]) {
    ($code, $out, $err) = run([$program, '-c', $bad, @$args]);
    is($code, 78, "$args->[0] with a bad configuration: 78");
    like($err, qr/\Q$bad\E:2: .*spol_dir/, "$args->[0]: file, line and why");
}
($code, $out, $err) = run([$program, '-t', '-c', "$dir/none.conf"]);
is($code, 78, 'no configuration: 78');
like($err, qr/cannot \w+ '\Q$dir\E\/none\.conf': No such file or directory/, 'says which');

# ---- an own unix socket

my ($pid, $socket) = start_hookspoold(conf => $conf);
ok(-S $socket, 'the socket is there');
is(sprintf('%04o', (stat $socket)[2] & 07777), '0660', 'its mode is 0660');
like(deliver($socket)->{body}, qr/stored/, 'it works');

($code, $out, $err) = run([$program, '-c', $conf, '-s', $socket]);
is($code, 69, 'a socket in use: 69');
like($err, qr/\Q$socket\E/, 'says which');
like(deliver($socket)->{body}, qr/stored/, 'its owner goes on');
is(stop($pid), 0, 'SIGTERM: 0');
ok(!-e $socket, 'the socket is removed');

($pid) = start_hookspoold(conf => $conf);
kill_hard($pid);
ok(-S $socket, 'a killed process leaves its socket');
($pid) = start_hookspoold(conf => $conf);
like(deliver($socket)->{body}, qr/stored/, 'the next one takes it over');
is(stop($pid), 0, 'SIGTERM: 0');

spew("$dir/file", 'precious');
($code, $out, $err) = run([$program, '-c', $conf, '-s', "$dir/file"]);
is($code, 69, 'a file in the place of the socket: 69');
is(slurp("$dir/file"), 'precious', 'it is left alone');
($code, $out, $err) = run([$program, '-c', $conf, '-s', "$dir/no/where"]);
is($code, 69, 'a directory that is not there: 69');
like($err, qr{\Q$dir\E/no/where.*No such file or directory}, 'says why');
($code) = run([$program, '-c', $conf, '-s', '/tmp/' . 'x' x 200]);
is($code, 69, 'a path that is too long for a socket: 69');

# ---- an own TCP socket

my $port = free_port();
$pid = spawn(cmd => [$program, '-c', $conf, '-s', "127.0.0.1:$port"], log => $log);
eventually { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") } '127.0.0.1: it listens';
my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
like(fcgi_exchange($s, fcgi_post())->{body}, qr/stored/, '127.0.0.1: it works');
close $s;
($code) = run([$program, '-c', $conf, '-s', "127.0.0.1:$port"]);
is($code, 69, 'a port in use: 69');
is(stop($pid), 0, 'SIGTERM: 0');

SKIP: {
    socket my $probe, AF_INET6, SOCK_STREAM, 0 or skip 'no IPv6', 2;
    my $at = sub { Socket::pack_sockaddr_in6($_[0], Socket::inet_pton(AF_INET6, '::1')) };
    bind $probe, $at->(0) or skip 'no IPv6 loopback', 2;
    $port = (Socket::unpack_sockaddr_in6(getsockname $probe))[0];
    close $probe;
    $pid = spawn(cmd => [$program, '-c', $conf, '-s', "[::1]:$port"], log => $log);
    my $peer = $at->($port);
    my $c;
    eventually { socket($c, AF_INET6, SOCK_STREAM, 0) && connect($c, $peer) } '[::1]: it listens';
    bless $c, 'IO::Socket';
    like(fcgi_exchange($c, fcgi_post())->{body}, qr/stored/, '[::1]: it works');
    close $c;
    stop($pid);
}

# ---- a listening socket as standard input

for my $kind (qw(unix tcp)) {
    my $listener = $kind eq 'unix'
        ? IO::Socket::UNIX->new(Local => "$dir/inherited.sock", Listen => 64)
        : IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64);
    own("$dir/inherited.sock");
    my $connect = $kind eq 'unix'
        ? sub { IO::Socket::UNIX->new(Peer => "$dir/inherited.sock") }
        : sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $listener->sockport) };
    my @command = ($program, '-c', $conf);
    my $own     = "$dir/inherited.$kind.log";
    my @pids    = map { spawn(cmd => \@command, stdin => $listener, log => $own) } 1 .. 2;
    # Before it says so, SIGTERM just ends it.
    eventually { 2 == (() = log_of($own) =~ /ready/g) } "inherited $kind socket: two are ready";
    my $post    = sub { fcgi_exchange($connect->(), fcgi_post())->{body} };
    like($post->(), qr/stored/, "inherited $kind socket: it works") for 1 .. 4;
    is(stop($pids[0]), 0, 'one of two processes on it ends');
    like($post->(), qr/stored/, 'the other goes on') for 1 .. 4;
    is(stop($pids[1]), 0, 'it ends, too');
    ok(-S "$dir/inherited.sock", 'a socket that is not ours is not removed') if $kind eq 'unix';
}

SKIP: {
    my $spawner = find_program('spawn-fcgi') // skip 'spawn-fcgi is not installed', 2;
    my $spawned = "$dir/spawned.sock";
    $pid = spawn(cmd => [$spawner, '-n', '-s', $spawned, '--', $program, '-c', $conf], log => $log);
    eventually { IO::Socket::UNIX->new(Peer => $spawned) } 'spawn-fcgi: it listens';
    like(deliver($spawned)->{body}, qr/stored/, 'spawn-fcgi: it works');
    stop($pid);
}

# ---- plain CGI

sub cgi_variables {
    my (%o) = @_;
    return (
        HOOKSPOOL_CONF    => $conf,
        GATEWAY_INTERFACE => 'CGI/1.1',
        REQUEST_METHOD    => 'POST',
        SCRIPT_NAME       => '/webhooks',
        PATH_INFO         => '/calls',
        CONTENT_LENGTH    => length $o{body},
        fcgi_headers(%o), %{ $o{env} // {} });
}

sub cgi {
    my (%o) = (body => '{}', id => new_id(), ts => now(), @_);
    return run([$program], stdin => $o{body}, env => { cgi_variables(%o) });
}

my $id = new_id();
($code, $out, $err) = cgi(id => $id);
is($code, 0, 'CGI: 0');
like($out, qr/\AStatus: 200\b[^\n]*\r\n(?:[\w-]+: [^\r\n]*\r\n)*\r\n\{"status":"stored"\}/,
    'CGI: the event is stored');
like($err, qr/^hookspoold: event=$id endpoint=calls .*outcome=stored/m, 'CGI: and logged');
like((cgi(id => $id))[1], qr/duplicate/, 'CGI: the same again');

sub cgi_is {
    my ($what, $want, $env, @more) = @_;
    my ($status, $answer) = cgi(env => $env, @more);
    like($answer, $want, "CGI: $what");
    is($status, 0, "CGI: $what: 0");
}
cgi_is('no length: up to the end', qr/stored/, { CONTENT_LENGTH => undef });
cgi_is('an empty length: up to the end', qr/stored/, { CONTENT_LENGTH => '' });
cgi_is('a body that is too short', qr/Status: 400/, { CONTENT_LENGTH => 3 });
cgi_is("length $_", qr/Status: 400/, { CONTENT_LENGTH => $_ }) for '-1', '2x', '1e1', '9' x 20;
cgi_is('a body that is too long', qr/Status: 413/, {}, body => 'x' x 1_048_577);
cgi_is('another method', qr/Status: 405.*\nAllow: POST\r\n/s, { REQUEST_METHOD => 'GET' });
cgi_is('another path', qr/Status: 404/, { PATH_INFO => '/nobody' });
cgi_is('HOOKSPOOL_ENDPOINT', qr/stored/, { PATH_INFO => '/nobody', HOOKSPOOL_ENDPOINT => 'calls' });
cgi_is('no SCRIPT_NAME: the path of REQUEST_URI', qr/stored/,
    { SCRIPT_NAME => '', PATH_INFO => undef, REQUEST_URI => '/webhooks/calls?a=b' });

# mod_cgid gives a program one connected socket as standard input and output. A program that ends
# with a body unread resets it, and the answer is lost.
for my $method (qw(POST GET)) {
    socketpair my $ours, my $theirs, Socket::AF_UNIX, SOCK_STREAM, 0 or die "no socket pair: $!\n";
    syswrite $ours, 'x' x 20_000;
    shutdown $ours, 1;
    my %variables = cgi_variables(body => 'x' x 20_000, id => new_id(), ts => now());
    $pid = spawn(
        cmd   => ['/bin/sh', '-c', 'exec "$0" >&0', $program],
        stdin => $theirs,
        log   => $log,
        env   => { %variables, REQUEST_METHOD => $method });
    close $theirs;
    my ($answer, $n) = ('');
    1 while $n = sysread $ours, $answer, 4096, length $answer;
    like($answer, $method eq 'POST' ? qr/stored/ : qr/405/, "CGI on a socket: $method is answered");
    ok(defined $n, "CGI on a socket: $method: it ends in good order") or diag($!);
    is(stop($pid, 0), 0, "CGI on a socket: $method: 0");
}

($code, $out, $err) = cgi(env => { HOOKSPOOL_CONF => "$dir/none.conf" });
is($code, 78, 'CGI: no configuration: 78');

is(scalar(() = pendings("$dir/spool/calls")), 0, 'nothing is pending');
my $bodies = spool_bodies("$dir/spool/calls");
is_deeply([grep { @{ $bodies->{$_} } != 1 } keys %$bodies], [], 'each event stands once');

done_testing();
