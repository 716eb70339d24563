#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# hookspool verify: captured requests, judged as hookspoold would, and which input differs. What it
# finds out is t/explain.t's to try, in what forms headers come t/capture.t's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Hookspool::Server;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

spew("$dir/b.secret", "$OLD_SECRET\n", 0600);
my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[endpoint b]
secret_file = %d/b.secret
tolerance   = 1d
CONF

my ($id, $ts, $body) = ('msg_1', now(), '{"type":"call.ended"}');
my $good = sign($id, $ts, $body);

sub headers {
    my (%o) = (id => $id, ts => $ts, signature => $good, @_);
    return "svix-id: $o{id}\nsvix-timestamp: $o{ts}\nsvix-signature: $o{signature}\n";
}

# Runs verify with a headers file, and a body file unless it is undef: code, output, errors.
sub verify {
    my ($headers, $bytes, @options) = @_;
    my %o = ref $options[-1] ? %{ pop @options } : ();
    my @body = defined $bytes ? (spew("$dir/body", $bytes)) : ();
    my @got  = operate($o{conf} // $conf, 'verify', '--headers', spew("$dir/headers", $headers), @options,
        @body, \%o);
    unlike("@got", qr/whsec_|\Q@{[substr $good, 3, 20]}\E/, 'nothing is given away');
    return @got;
}

{
    my ($code, $out, $err) = verify(headers(), $body, 'calls');
    is("$code $err", '0 ', 'genuine: exit status 0');
    is(scalar(() = $out =~ /^\w+ +ok /mg), 6, '... each input holds');
    like($out, qr/^genuine$/m, '... and it says so');
    ($code, $out) = verify(headers(), undef, 'calls', { stdin => $body });
    is($code, 0, 'the body from standard input');
    ($code, $out) = operate($conf, 'verify', 'calls', '-H', '-', spew("$dir/body", $body), { stdin => headers() });
    is($code, 0, 'the headers from standard input');
    ($code, undef, $err) = operate($conf, 'verify', 'calls', '-H', '-', { stdin => headers() });
    is($code, 64, 'not both');
    ($code) = verify("POST /webhooks/calls HTTP/1.1\r\n" . headers() =~ s/\n/\r\n/gr . "\r\n$body", undef, 'calls',
        { stdin => 'something else' });
    is($code, 0, 'the body of a raw request');
    ($code) = verify(JSON::PP->new->encode({ headers => { 'svix-id' => [$id], 'svix-timestamp' => ["$ts"],
        'svix-signature' => [$good] }, content => $body }), undef, 'calls');
    is($code, 0, 'JSON with a body');
    ($code, $out) = verify(headers(), $body, 'calls', '-q');
    is("$code $out", '0 ', '-q: the exit status only');
}

{
    my ($code, $out) = verify(headers(), "$body\n", 'calls');
    is($code, 65, 'a line feed more: exit status 65');
    like($out, qr/^body +wrong +body was changed: it matches if the line feed at its end is removed$/m, '... it is the body');
    like($out, qr/^secret +ok /m, '... not the secret');
    ($code, $out) = verify(headers(signature => sign($id, $ts, $body, $OLD_SECRET)), $body, 'calls');
    is($code, 65, 'another secret: exit status 65');
    like($out, qr/^secret +wrong +signed with the secret of endpoint b \(line 1 of its file\)$/m, '... it is the secret');
    like($out, qr/^body +ok /m, '... not the body');
    ($code, $out) = verify(headers(signature => 'v1,' . 'A' x 43 . '='), $body, 'calls');
    like($out, qr/^secret +\? .*\nbody +\? /m, 'it may be either: nothing is said that is not known');
}

# ---- the clock

{
    my $old = $ts - 7000;
    my $headers = headers(ts => $old, signature => sign($id, $old, $body));
    my ($code, $out) = verify($headers, $body, 'calls');
    is($code, 65, 'a capture that is old');
    like($out, qr/^timestamp +wrong +clock 70\d\d s ahead of the sender's/m, '... by how much');
    like($out, qr/--at TIME says when it came/, '... and what to do about it');
    is((verify($headers, $body, 'calls', '--at', "\@$old"))[0], 0, '--at: it was genuine then');
    is((verify($headers, $body, 'calls', '--at', '1h'))[0], 65, '... and no more later');
    is((verify(headers(ts => $old, signature => sign($id, $old, $body, $OLD_SECRET)), $body, 'b'))[0], 0,
        'an endpoint has its own tolerance');
}

# ---- JSON, secret files, and mistakes

{
    my ($code, $out) = verify(headers(), "$body\n", 'calls', '--json');
    my $json = JSON::PP->new->decode($out);
    is($json->{genuine}, JSON::PP::false, '--json');
    is($json->{inputs}{body}{holds}, JSON::PP::false, '... the input that differs');
    is($json->{inputs}{secret}{holds}, JSON::PP::true, '... one that holds');
    is(scalar @{ $json->{causes} }, 1, '... the cause');
    is((verify(headers(), $body, '--secret-file', "$dir/one.secret", { conf => '/nowhere' }))[0], 0,
        '--secret-file wants no configuration');
    is((verify(headers(), $body, '--secret-file', "$dir/b.secret"))[0], 65, '... it is what counts');
    my $err;
    for my $wrong (
        [64, 'no headers',              'calls'],
        [78, 'which endpoint',          '--headers', "$dir/headers"],
        [64, 'an operand too many',     '--headers', "$dir/headers", '--secret-file', "$dir/one.secret", 'a', 'b'],
        [64, 'a time that is none',     '--headers', "$dir/headers", '--at', 'soon', 'calls'],
        [78, 'an endpoint not there',   '--headers', "$dir/headers", 'nobody'],
        [66, 'headers not there',       '--headers', "$dir/nothing", 'calls', "$dir/body"],
        [66, 'a body not there',        '--headers', "$dir/headers", 'calls', "$dir/nothing"],
        [66, 'a secret file not there', '--headers', "$dir/headers", '--secret-file', "$dir/nothing", "$dir/body"],
        [78, 'a secret file that is bad', '--headers', "$dir/headers", '--secret-file', "$dir/headers", "$dir/body"],
        [65, 'no headers in it',        '--headers', "$dir/body", 'calls', "$dir/body"],
    ) {
        my ($want, $what, @words) = @$wrong;
        spew("$dir/body", 'hello');
        ($code, undef, $err) = operate($conf, 'verify', @words);
        is($code, $want, $what) or diag($err);
        like($err, qr/\S/, '... with a reason');
    }
}

# ---- what curl really shows

SKIP: {
    my $curl = find_program('curl') // skip 'curl is not installed', 2;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    my $pid = fork // die;
    if (!$pid) {
        my $c = $listener->accept;
        sysread $c, my $got, 65536;
        syswrite $c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
        POSIX::_exit(0);
    }
    my (undef, undef, $shown) = run([$curl, '-sv', '--data-binary', '@-', map({ ('-H', $_) } split /\n/, headers()),
        'http://127.0.0.1:' . $listener->sockport . '/webhooks/calls'], stdin => $body);
    waitpid $pid, 0;
    like($shown, qr/^> svix-id: msg_1/m, 'curl -v shows the headers');
    is((verify($shown, $body, 'calls'))[0], 0, '... and verify reads them');
}

# ---- what nginx's debug log and a CGI environment have: by way of a real request

SKIP: {
    my ($pid, $socket) = start_hookspoold(conf => $conf);
    my $nginx = find_program('nginx') // skip 'nginx is not installed', 2;
    my (undef, undef, $built) = run([$nginx, '-V']);
    skip 'nginx has no debug log', 2 if $built !~ /--with-debug/;
    my $server = start_nginx(server => "error_log \"$dir/debug.log\" debug;\n"
        . snippet('nginx/hookspool.conf', 'unix:/run/hookspool/hookspool.sock' => qq("unix:$socket")));
    is(deliver($server->{port}, id => $id, ts => $ts, body => $body)->{status}, 200, 'a request through nginx');
    stop($server->{pid});
    stop($pid);
    my @lines = split /^/, slurp("$dir/debug.log");
    is((verify(join('', grep { /http header: / } @lines), $body, 'calls'))[0], 0, 'its debug log: the headers');
    is((verify(join('', grep { /fastcgi param: / } @lines), $body, 'calls'))[0], 0, '... the parameters');
}

done_testing();
