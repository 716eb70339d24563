#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Signals and secrets: SIGHUP takes new secrets and endpoints over, or keeps the old when something
# is wrong with the new; a secret expires by itself; SIGTERM finishes what has been begun.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use IO::Socket::UNIX;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $base = <<'CONF';
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/calls.secret
CONF
my $new = 'whsec_' . encode_base64('n' x 24, '');
my $log = "$dir/hookspoold.log";

sub secrets { return spew("$dir/calls.secret", join('', map { "$_\n" } @_), 0600) }
sub status  { my (%o) = @_; return deliver("$dir/hs.sock", %o)->{status} }

secrets($SECRET);
my $conf = write_site($base);
my ($pid, $socket) = start_hookspoold(conf => $conf);
is(status(), 200, 'the secret works');
is(status(secret => $new), 401, 'another does not');

# ---- rotation of a secret

secrets($new, $SECRET);
is(status(secret => $new), 401, 'a changed file means nothing without SIGHUP');
kill 'HUP', $pid;
eventually { status(secret => $new) == 200 } 'the new secret works after SIGHUP';
is(status(), 200, 'and the old one still');
eventually { 1 == (() = log_of($log) =~ /\bsecret=2\b/g) }
    'the log tells which secret matched: the old one once since';

secrets($new);
kill 'HUP', $pid;
eventually { status() == 401 } 'the old one does not after it is taken out';
is(status(secret => $new), 200, 'the new one does');

# ---- a new endpoint, and another limit for an old one

write_site("$base\n[endpoint more]\nsecret_file = %d/one.secret\npath = /in/more\nmax_body = 1K\n");
is(status(path => '/in/more'), 404, 'a new endpoint is not there yet');
kill 'HUP', $pid;
eventually { status(path => '/in/more') == 200 } 'it is after SIGHUP';
is(status(path => '/in/more', body => 'x' x 1025), 413, 'with its own limit');

# ---- nothing that is wrong replaces what is right

my %wrong = (
    'an unknown key'       => ["$base\nmax_bodi = 1M\n", qr{hookspool\.conf:7: .*max_bodi}],
    'an unknown section'   => ["$base\n[endpoit x]\n", qr{hookspool\.conf:7: .*endpoit}],
    'a value out of range' => ["$base\ntolerance = never\n", qr{hookspool\.conf:7: .*never}],
    'a missing secret'     =>
        ["$base\n[endpoint x]\nsecret_file = %d/nothing\n", qr{cannot open '.*/nothing': No such}],
);
for my $what (sort keys %wrong) {
    my ($text, $message) = @{ $wrong{$what} };
    write_site($text);
    spew($log, '');
    kill 'HUP', $pid;
    eventually { log_of($log) =~ $message } "SIGHUP with $what is logged" or diag(log_of($log));
    is(status(secret => $new), 200, "$what: the old secret stays");
    is(status(path => '/in/more'), 200, "$what: the old endpoint stays");
}
write_site($base);
for (
    [readable   => $new, 0644],
    [short      => 'whsec_c2hvcnQ=', 0600],
    [empty      => '', 0600],
    [asymmetric => $new =~ s/whsec/whsk/r, 0600],
) {
    my ($what, $secret, $mode) = @$_;
    spew("$dir/calls.secret", "$secret\n", $mode);
    spew($log, '');
    kill 'HUP', $pid;
    eventually { log_of($log) =~ /calls\.secret/ } "SIGHUP with a secret that is $what is logged";
    is(status(secret => $new), 200, "$what: the old secret stays");
    unlike(log_of($log), qr/c2hvcnQ|bm5u/, "$what: the log shows no secret");
}
unlink "$dir/hookspool.conf";
spew($log, '');
kill 'HUP', $pid;
eventually { log_of($log) =~ /cannot \w+ '.*hookspool\.conf'/ }
    'SIGHUP without a configuration is logged';
is(status(secret => $new), 200, 'the old one stays');
write_site($base);

# ---- expiry

my $soon = now() + 2;
secrets("$SECRET expires=" . POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $soon),
    "$OLD_SECRET expires=2020-01-01T00:00:00Z", $new);
kill 'HUP', $pid;
eventually { status() == 200 || now() >= $soon } 'a secret works before it expires';
is(status(secret => $OLD_SECRET), 401, 'one that has expired does not');
eventually { status() == 401 } 'nor does the first when its time has come';
cmp_ok(now(), '>=', $soon, 'not before');
is(status(secret => $new), 200, 'one without an end does');

# ---- match counts

my ($code, $out, $err) = run([hookspoold(), '-c', $conf, '-t']);
is($code, 0, '-t is content') or diag($err);
my @lines = grep { /calls\.secret:/ } split /\n/, $out;
is(scalar @lines, 3, '-t has a line for each secret');
like($lines[1] // '', qr/expired/, 'it tells that one has expired');
like($lines[2] // '', qr/matched [1-9]\d* deliver/, 'it tells how often one matched');
unlike($out, qr/whsec_/, 'it shows no secret');

# ---- SIGTERM in the middle of requests

my @open = map {
    my $raw  = fcgi_post(id => new_id(), body => 'x' x 1000, secret => $new);
    my $s    = connect_to($socket);
    my $half = length($raw) - 500;
    syswrite $s, substr $raw, 0, $half, '';
    [$s, $raw];
} 1 .. 3;
is(status(secret => $new), 200, 'a whole request passes three half ones');
kill 'TERM', $pid;
ok((wait_until { !IO::Socket::UNIX->new(Peer => $socket) } 3), 'SIGTERM: nobody else is let in');
ok(alive($pid), 'hookspoold waits for what is in flight');
like(fcgi_exchange(@$_)->{body}, qr/"stored"/, 'a request that had begun is finished') for @open;
is(stop($pid, 0), 0, 'then hookspoold ends with 0');
ok(!-e $socket, 'and the socket is gone');

($pid) = start_hookspoold(conf => $conf);
is(stop($pid, 'INT'), 0, 'SIGINT ends it as well');
ok(!-e $socket, 'and removes the socket, too');

done_testing();
