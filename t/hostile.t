#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Bytes that no web server would send, on the socket itself: whatever arrives, the next good request
# works, and nothing is stored that was not whole and signed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret
CONF

my ($pid, $socket) = start_hookspoold(conf => $conf, args => ['-n', 4]);
my @stored;

sub works {
    my ($what) = @_;
    push @stored, my $id = new_id();
    like(deliver($socket, id => $id)->{body}, qr/"stored"/, "$what: then a good request works");
}

# Sends bytes and hangs up, politely or with bytes unread.
sub hang_up {
    my ($bytes) = @_;
    my $s = connect_to($socket);
    syswrite $s, $bytes;
    close $s;
}

# A request with these parameters, whole and without a body.
sub with_params { return fcgi_begin() . fcgi_stream(4, fcgi_pairs(@_)) . fcgi_stream(5, '') }

my $good = fcgi_post(id => 'msg_never', body => 'x' x 1000);
srand 1;
my %garbage = (
    'nothing'                        => '',
    'one byte'                       => "\1",
    'an HTTP request'                => "POST /webhooks/calls HTTP/1.1\r\nHost: x\r\n\r\n",
    'zeros'                          => "\0" x 4096,
    'ones'                           => "\xff" x 4096,
    'noise'                          => join('', map { chr rand 256 } 1 .. 20_000),
    'version 2'                      => "\2" . substr($good, 1),
    'half a header'                  => substr($good, 0, 4),
    'only the beginning'             => substr($good, 0, 16),
    'half of the parameters'         => substr($good, 0, 100),
    'parameters without an end'      => fcgi_begin() . fcgi_record(4, fcgi_pairs('A', 'b')),
    'parameters before the beginning'=> fcgi_stream(4, fcgi_pairs('A', 'b')),
    'a body before the parameters'   => fcgi_begin() . fcgi_stream(5, 'x') . substr($good, 16),
    'a name of 2 GiB'                => fcgi_begin() . fcgi_stream(4, "\xff" x 8 . 'x' x 100),
    'a name longer than the stream'  => fcgi_begin() . fcgi_stream(4, "\x7f\x7fabc"),
    'a value longer than the stream' => fcgi_begin() . fcgi_stream(4, "\1\x80\0\0\x7fabc"),
    'an empty name'                  => with_params('', 'x', '', ''),
    'NUL in a name and a value'      => with_params("A\0B", "x\0y"),
    'an equals sign in a name'       => with_params('HTTP_SVIX_ID=a', 'b'),
    'another role'                   => fcgi_record(1, pack 'nCx5', 3, 0) . substr($good, 16, -8),
    'an unknown role'                => fcgi_record(1, pack 'nCx5', 99, 0) . substr($good, 16, -8),
    'an unknown type'                => fcgi_record(77, 'x' x 100) . $good =~ s/.\z//sr,
    'a beginning that is too short'  => fcgi_record(1, 'x'),
    'a beginning twice'              => fcgi_begin() . fcgi_begin(),
    'an abort'                       => fcgi_begin() . fcgi_record(2, ''),
    'an abort in the body'           => substr($good, 0, -600) . fcgi_record(2, ''),
    'an end of the request'          => fcgi_begin() . fcgi_record(3, 'x' x 8),
    'request id 0'                   => fcgi_record(1, pack('nCx5', 1, 0), 0),
    'padding only'                   => pack('CCnnCC', 1, 4, 1, 0, 255, 0) . "\0" x 255,
);
for my $what (sort keys %garbage) {
    hang_up($garbage{$what});
    my $s = connect_to($socket);
    fcgi_exchange($s, $garbage{$what}, 0.05);
    close $s;
    works($what);
}

# More of them at once than there are threads.
my @idle = map { my $s = connect_to($socket); syswrite $s, substr $good, 0, 4 * $_; $s } 0 .. 3;
push @idle, map { connect_to($socket) } 1 .. 32;
works('32 silent connections and 4 that begin');
close $_ for @idle;

# ---- parameters

sub ask {
    my ($what, $status, @params) = @_;
    is(exchange($socket, with_params(@params))->{status}, $status, "$what: $status");
}
my @post = (REQUEST_METHOD => 'POST');
my @path = (SCRIPT_NAME => '/webhooks/calls', REQUEST_URI => '/webhooks/calls');
ask('no parameters', 405);
ask('no REQUEST_METHOD', 405, @path);
ask('an empty REQUEST_METHOD', 405, @path, REQUEST_METHOD => '');
ask('another case is another method', 405, @path, REQUEST_METHOD => 'post');
ask('no path', 404, @post);
ask('a path of 70 kB', 404, @post, REQUEST_URI => '/webhooks/' . 'x' x 70_000);
ask('a path like a log line', 404, @post, SCRIPT_NAME => qq(/a" status=200\nevent=msg_x\x1b[2J));
eventually { log_of("$dir/hookspoold.log") =~ m{"no endpoint at this path" path=/a\?\?status\?200} }
    'which the log shows as one word';
ask('no headers', 400, @post, @path);
ask('400 kB of headers', 400, @post, @path, map { ("HTTP_X_$_" => 'x' x 200) } 1 .. 2000);
ask("HOOKSPOOL_ENDPOINT=$_", 404, @post, @path, HOOKSPOOL_ENDPOINT => $_)
    for 'nobody', 'call', 'calls/', '../calls', 'calls ', 'x' x 5000;

sub stores {
    my ($what, @request) = @_;
    push @stored, my $id = new_id();
    is(deliver($socket, id => $id, @request)->{status}, 200, "$what: 200");
}
sub refuses {
    my ($what, $status, @request) = @_;
    is(deliver($socket, @request)->{status}, $status, "$what: $status");
}
stores('HOOKSPOOL_ENDPOINT goes before the path',
    path => '/nowhere', params => [HOOKSPOOL_ENDPOINT => 'calls']);
stores('HTTP_HOOKSPOOL_ENDPOINT is a header like any', params => [HTTP_HOOKSPOOL_ENDPOINT => 'x']);
refuses('a variable twice', 400, params => [HTTP_SVIX_ID => 'msg_second']);

# ---- lengths

my %length = (
    'one more than the body'  => 11,
    'far more'                => 1_000_000,
    'one less than the body'  => 9,
    'nothing'                 => 0,
    'negative'                => -1,
    'not a number'            => 'ten',
    'a number with something' => '10x',
    'a blank before'          => ' 10',
    'a plus'                  => '+10',
    'a point'                 => '10.0',
    'hexadecimal'             => '0xa',
    '2^64 + 10'               => '18446744073709551626',
);
refuses("CONTENT_LENGTH: $_", 400, body => 'x' x 10, length => $length{$_}) for sort keys %length;
refuses("CONTENT_LENGTH of $_", 413, body => 'x' x 10, length => $_)
    for 1_048_577, '9223372036854775807';
stores('no CONTENT_LENGTH', body => 'x' x 10, length => '');

# ---- going away in the body

for my $size (10, 1000, 300_000) {
    my $raw = fcgi_post(body => 'x' x $size);
    hang_up(substr $raw, 0, length($raw) - 8 - int($size / 2));
    hang_up(substr $raw, 0, length($raw) - 8);
    my $s = connect_to($socket);
    syswrite $s, substr $raw, 0, length($raw) - 8;
    shutdown $s, 1;
    my $answer = fcgi_exchange($s, '', 5);
    ok($answer->{status} == 400 || $answer->{closed}, "a body of $size bytes without an end: 400");
    works("after a body of $size bytes without an end");
}

# ---- many requests on a kept connection

my $kept = connect_to($socket);
for my $turn (1 .. 20) {
    push @stored, my $id = new_id();
    my $answer = fcgi_exchange($kept, fcgi_post(id => $id, keep => 1));
    is("$answer->{status} $answer->{closed}", '200 0', "request $turn on a kept connection");
}
works('beside a kept connection');
close $kept;

ok(alive($pid), 'hookspoold lives');
is(stop($pid), 0, 'and ends with 0');
my $bodies = spool_bodies("$dir/spool/calls");
is_deeply([sort keys %$bodies], [sort @stored], 'the spool holds the good ones');
is_deeply([grep { @{ $bodies->{$_} } != 1 } keys %$bodies], [], 'each once');
is_deeply([pendings("$dir/spool/calls")], [], 'nothing is pending');

done_testing();
