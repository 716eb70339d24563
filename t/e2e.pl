# SPDX-License-Identifier: ISC
#
# The end-to-end file: what a sender, a forger and a clumsy client can write, through a real web
# server into the spool. The e2e-*.t files run it behind each front end. Every answer is checked,
# and at the end, when all is stopped, the spool must hold what was answered "stored", each once,
# byte for byte, and nothing else.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Hookspool::Server;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;

my ($kind, $server, %expected, %statuses);

my $call  = '{"type":"phone_call.ended"}';
my $bad   = 'v1,' . 'A' x 43 . '=';
my $picky = '/webhooks/picky';
my $small = '/webhooks/some/where/else';

# Sends a request and checks its status and, where hookspoold must have answered, the word in the
# body. What was stored is expected in the spool.
sub try {
    my ($what, $status, %o) = @_;
    my $want = delete $o{outcome};
    my $into = delete $o{into} // 'calls';
    $o{id} //= new_id();
    $o{body} //= $call;
    my $answer = deliver($server->{port}, %o);
    my ($word) = $answer->{body} =~ /^\{"status":"(\w+)"\}\s*\z/;
    push @{ $expected{$into}{ $o{id} } }, $o{body} if ($word // '') eq 'stored';
    $statuses{ $answer->{status} }++;

    my $good = $answer->{status} == $status && (!defined $want || $want eq ($word // ''));
    ok($good, "$what: $status" . (defined $want ? " $want" : ''))
        or diag("got $answer->{status} " . substr $answer->{body}, 0, 200);
    return $answer;
}
sub stored    { return try(shift, 200, outcome => 'stored',    @_) }
sub duplicate { return try(shift, 200, outcome => 'duplicate', @_) }
sub refused   { return try(@_) }

# Sends part of a request and goes away, politely or with a reset.
sub abandon {
    my ($reset, $raw, $bytes) = @_;
    my $s = connect_to($server->{port});
    setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0 if $reset;
    syswrite $s, substr $raw, 0, $bytes;
    close $s;
}

sub end_to_end {
    ($kind) = @_;
    my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file  = %d/two.secret
default_type = phone_call.ended

[endpoint picky]
secret_file = %d/one.secret
events      = phone_call.*, sms.sent

[endpoint small]
path        = /webhooks/some/where/else
secret_file = %d/one.secret
spool       = calls
tolerance   = 30s
max_body    = 1K

[endpoint full]
secret_file = %d/one.secret

[spool full]
min_free = 1T
CONF
    $server = start_front_end($kind, $conf) or plan skip_all => "no web server for $kind";

    events();
    bodies();
    methods_and_paths();
    limits();
    ids();
    timestamps();
    signatures();
    families();
    repeated_and_empty();
    broken_off();
    the_spool();
    done_testing();
}

sub events {
    my $body = '{"providerCallId":"069652c8-d01e-733e-8000-7c64a16dde5f","duration":53,'
        . '"numberFrom":"+15074106928","numberTo":"+971585420805","summary":null}';
    my $id     = new_id();
    my $answer = stored('a phone call', id => $id, body => $body);
    like($answer->{headers}{'content-type'}, qr{^application/json\b}, 'the answer is JSON');
    duplicate('the same again', id => $id, body => $body);
    duplicate('the same a minute later', id => $id, body => $body, ts => now() - 60);
    duplicate('the id at another endpoint of the spool', id => $id, path => $small);
    my @picky = (path => $picky, into => 'picky');
    stored('the id at an endpoint with another spool', @picky, id => $id);

    stored('a type that is subscribed', @picky, body => '{"type":"sms.sent"}');
    my @received = (id => 'msg_sms', body => '{"type":"sms.received"}');
    try("a type that is not, time $_", 200, outcome => 'ignored', @picky, @received) for 1, 2;

SKIP: {
        # Its reserve is the largest that can be configured.
        my ($free) = (split ' ', (split /\n/, `df -Pk "$dir"`)[1])[3];
        skip 'the disk has more than 1 TiB free', 3 if $free > 1 << 30;
        $answer = try('a disk below its reserve', 503, outcome => 'unavailable',
            path => '/webhooks/full');
        is($answer->{headers}{'retry-after'}, 30, '503 says Retry-After: 30');
        like($answer->{headers}{'content-type'}, qr{^application/json\b}, '503 is JSON');
        delete $statuses{503};
    }
}

sub bodies {
    my @bodies = (
        'no body'               => '',
        'every byte'            => join('', map { chr } 0 .. 255),
        'not JSON'              => 'hello, world',
        'a JSON string'         => '"hello, world"',
        'a JSON number'         => '42',
        'null'                  => 'null',
        'white space'           => " \r\n\t ",
        'pretty-printed'        => qq({\n  "type": "a.b",\r\n  "n": [\n    1,\r    2\n  ]\n}\n),
        'blanks around'         => '  {"a" : 1}  ',
        'nested 90 deep'        => '[' x 90 . ']' x 90,
        'nested 2,000 deep'     => '[' x 2000 . ']' x 2000,
        'open 2,000 deep'       => '[' x 2000,
        'duplicate keys'        => '{"type":"a.b","type":"c.d","a":1,"a":2}',
        'numbers of 30 digits'  => '{"n":123456789012345678901234567890,"m":-0.' . '0' x 30 . '1}',
        'invalid UTF-8'         => qq({"a":"\xff\xfe"}),
        'a lone surrogate'      => '{"a":"\ud800"}',
        'UTF-8'                 => qq({"a":"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x93\x9e"}),
        'a byte order mark'     => qq(\xef\xbb\xbf{"a":1}),
        'NUL in a string'       => qq({"a":"x\0y"}),
        'NUL behind'            => qq({"a":1}\0),
        'trailing comma'        => '{"a":1,}',
        'two values'            => '{"a":1}{"b":2}',
        'NaN'                   => '{"a":NaN}',
        'a comment'             => '{"a":1/* one */}',
        'an end of a record'    => '{"a":1},"xxh3":"0123456789abcdef"}',
        'a record'              => '{"specversion":"1.0","id":"a","xxh3":"0123456789abcdef"}',
        'fields of a record'    => '{"data_base64":"eA==","bodybase64":"eA==","data":{}}',
        'a type with a line'    => '{"type":"a\nb\u0000"}',
        'a type of 4 kB'        => '{"type":"' . 'x' x 4096 . '"}',
        'a type that is no text'=> '{"type":{"a":[1]},"event":7,"eventType":null}',
        '20 kB'                 => '{"a":"' . 'x' x 20_000 . '"}',
        '350 kB'                => '{"a":"' . 'x' x 350_000 . '"}',
        '1 MiB of zeros'        => "\0" x 1048576,
        '1 MiB of JSON'         => '{"a":"' . 'x' x (1048576 - 8) . '"}',
    );
    while (my ($what, $body) = splice @bodies, 0, 2) {
        my $id = new_id();
        stored("body: $what", id => $id, body => $body);
        duplicate("again: $what", id => $id, body => $body);
    }
    stored('chunked, empty', chunked => 10, body => '');
    stored('chunked, a byte each', chunked => 1);
    stored('chunked, 1 MiB', chunked => 65_536, body => 'x' x 1048576);
    stored('Expect: 100-continue', more => ['Expect', '100-continue']);
    stored('no Content-Type', more => ['Content-Type', '']);
    stored('another Content-Type', more => ['Content-Type', 'text/plain; charset=utf-16']);
}

sub methods_and_paths {
    for my $method (qw(GET HEAD PUT PATCH DELETE OPTIONS BREW)) {
        my $answer = refused("method $method", 405, method => $method);
        is($answer->{headers}{allow}, 'POST', "$method: Allow: POST");
    }
    refused("path /webhooks/$_", 404, path => "/webhooks/$_")
        for 'nobody', '', 'calls/', 'calls/x', 'CALLS', 'call', 'some';
    refused('not found: nothing is said', 404, outcome => 'refused', path => '/webhooks/nobody');
    stored('a query is not part of the path', path => '/webhooks/calls?a=1&b=/webhooks/nobody');
    stored('a path of several steps', path => $small);
    refused('HOOKSPOOL_ENDPOINT is not for clients', 404, path => '/webhooks/nobody',
        more => ['Hookspool-Endpoint', 'calls', 'HOOKSPOOL_ENDPOINT', 'calls']);
}

sub limits {
    refused('1 MiB + 1', 413, body => 'x' x 1048577);
    refused('1 MiB + 1, chunked', 413, body => 'x' x 1048577, chunked => 65_536);
    refused('5 MiB', 413, body => 'x' x 5_000_000);
    my @over = (413, outcome => 'refused', path => $small, body => 'x' x 1025);
    stored('exactly max_body', path => $small, body => 'x' x 1024);
    refused('max_body + 1', @over);
    refused('max_body + 1, chunked', @over, chunked => 100);
    stored('a header of 4 kB', more => ['X-Long', 'x' x 4096]);
    refused('a header of 10 kB', 400, more => ['X-Long', 'x' x 10_000]);
}

sub ids {
    my $n = new_id();
    stored("id: $_->[0]", id => $_->[1])
        for ['200 characters', substr 'x' x 200 . $n, -200], ['a digit first', "0$n"],
        ['an underscore first', "_$n"], ['a dash inside', "$n-a--b-"],
        ['a UUID', '069652c8-d01e-733e-8000-7c64a16dde5f'],
        ['the name of a lock file', 'claims'], ['another', 'settled'];
    stored('id: blanks around', headers => [blanks_around("$n-b", ' ', '  ')], id => "$n-b");
    stored('id: TABs around', headers => [blanks_around("$n-t", "\t", " \t")], id => "$n-t");
    refused("id: $_->[0]", 400, id => $_->[1])
        for ['a dot', 'msg.1'], ['dots', '..'], ['a dot first', '.msg_1'], ['a slash', 'a/b'],
        ['a path', '../../etc/passwd'], ['a dash first', '-msg'], ['a blank inside', 'msg 1'],
        ['201 characters', 'x' x 201], ['4 kB', 'x' x 4096], ['UTF-8', "msg_\xc3\xa9"],
        ['a byte 0xff', "msg_\xff"], ['a plus', 'msg+1'], ['a colon', 'msg:1'],
        ['percent', 'msg%2e1'], ['a comma', 'a,b'], ['a control byte', "msg_\x01"],
        ['DEL', "msg_\x7f"], ['quotes', '"msg"'];

    # id.timestamp.body can be cut in another place, and the signature still holds.
    my $ts = now();
    refused('id: cut elsewhere', 400, id => "msg_1.$ts", ts => $ts, body => '{}');
}

sub blanks_around {
    my ($id, $before, $behind) = @_;
    my $ts = now();
    return map { /^svix-/ ? $_ : $before . $_ . $behind }
        'svix-id', $id, 'svix-timestamp', $ts, 'svix-signature', sign($id, $ts, $call);
}

sub timestamps {
    my $now = now();
    stored("timestamp: $_ seconds", ts => $now + $_) for -290, 290;
    refused("timestamp: $_ seconds", 400, ts => $now + $_) for -310, 310, -86_400, 86_400;
    stored('narrow tolerance: 20 seconds old', ts => $now - 20, path => $small);
    refused('narrow tolerance: 40 seconds old', 400, ts => $now - 40, path => $small);
    my @wrong = (
        "+$now", "-$now", "0$now", "00$now", '0', '-1', '1', "$now.0", "$now.9", "$now.",
        "${now}abc", "$now $now", "$now, $now", '1.79e9', '1_790_000_000', sprintf('0x%x', $now),
        sprintf('0o%o', $now), $now * 1000, '9223372036854775807', '9223372036854775808',
        '18446744073709551615', '18446744073709551616', '1' . '0' x 19, '9' x 400, 'NaN', 'inf',
        'now', '2026-11-23T09:33:00Z', "\xd9\xa1\xd9\xa7\xd9\xa9",
    );
    for my $ts (@wrong) {
        my $what = 'timestamp: ' . substr $ts, 0, 30;
        refused($what, 400, ts => $ts);
        # A sender's library may sign the number that it reads out of such a text.
        refused("$what, signed as a number", 400, ts => $ts, signed => [undef, $now]);
    }
}

sub signatures {
    my $case = sub {
        my ($what, $status, $make) = @_;
        my ($id, $ts) = (new_id(), now());
        my $good = sign($id, $ts, $call);
        try("signature: $what", $status, outcome => $status == 200 ? 'stored' : 'refused',
            id => $id, ts => $ts, signature => $make->($good, substr $good, 3));
    };
    $case->('a bad one before', 200, sub { "$bad $_[0]" });
    $case->('a bad one behind', 200, sub { "$_[0] $bad" });
    $case->('50, the last is good', 200, sub { "$bad " x 49 . $_[0] });
    $case->('50, none is good', 401, sub { join ' ', ($bad) x 50 });
    $case->('unknown versions beside', 200, sub { "v2,$_[1] v1a,AAAA $_[0] v9,a,b" });
    $case->('tokens without a comma', 200, sub { "v1 v1a x $_[0]" });
    $case->('blanks between', 200, sub { "$bad   $_[0]" });
    $case->('joined by a comma and a blank', 200, sub { "$bad, $_[0]" });
    $case->('joined by a comma', 401, sub { "$bad,$_[0]" });
    $case->('a TAB between', 401, sub { "$bad\t$_[0]" });
    $case->('no version', 401, sub { $_[1] });
    $case->('an equals sign', 401, sub { "v1=$_[1]" });
    $case->('a blank behind the comma', 401, sub { "v1, $_[1]" });
    $case->('V1', 401, sub { "V1,$_[1]" });
    $case->('v01', 401, sub { "v01,$_[1]" });
    $case->('v1a', 401, sub { "v1a,$_[1]" });
    $case->('v2', 401, sub { "v2,$_[1]" });
    $case->('unpadded', 401, sub { $_[0] =~ s/=//r });
    $case->('one more =', 401, sub { "$_[0]=" });
    $case->('more behind', 401, sub { "$_[0]xx" });
    $case->('a field behind', 401, sub { "$_[0],extra" });
    $case->('cut short', 401, sub { substr $_[0], 0, 20 });
    $case->('only v1,', 401, sub { 'v1,' });
    $case->('quoted', 401, sub { qq("$_[0]") });
    $case->('case swapped', 401, sub { 'v1,' . $_[1] =~ tr/a-zA-Z/A-Za-z/r });
    $case->('not canonical at the end', 401, sub { $_[0] =~ s/(.)=$/chr(ord($1) + 1) . '='/er });
    $case->('hexadecimal', 401, sub { 'v1,' . unpack 'H*', MIME::Base64::decode_base64($_[1]) });
    $case->("as in Stripe's headers", 401, sub { 't=' . now() . ",v1=$_[1]" });

    stored('signature: with the old secret', secret => $OLD_SECRET);
    refused("signature: with another endpoint's", 401, secret => $OLD_SECRET, path => $picky);
    refused('signature: with no secret of ours', 401, secret => 'whsec_' . 'A' x 32);
    refused('signature: with an empty secret', 401, secret => 'whsec_');
    my @forged = (401, outcome => 'refused');
    refused('signature: of another body', @forged, signed => [undef, undef, '{}']);
    refused('signature: of another id', @forged, signed => ['msg_other']);
    refused('signature: of another time', @forged, signed => [undef, now() - 1]);
    my ($invalid, $replaced) = map { qq({"a":"$_"}) } "\xff", "\xef\xbf\xbd";
    refused('signature: of a repaired body', @forged,
        body => $invalid, signed => [undef, undef, $replaced]);

    # A forgery must not occupy the id.
    my $id = new_id();
    refused('a forged id', 401, id => $id, signature => $bad);
    stored('then the genuine one', id => $id);
}

sub families {
    my $case = sub {
        my ($what, $status, $make) = @_;
        my ($id, $ts) = (new_id(), now());
        my $good    = sign($id, $ts, $call);
        my @svix    = ('svix-id', $id, 'svix-timestamp', $ts, 'svix-signature', $good);
        my @webhook = map { s/^svix-/webhook-/r } @svix;
        try("families: $what", $status, outcome => $status == 200 ? 'stored' : 'refused',
            id => $id, headers => [$make->(\@svix, \@webhook)]);
    };
    my @svix    = ('svix-id', new_id(), 'svix-timestamp', now(), 'svix-signature', $bad);
    my @webhook = map { s/^svix-/webhook-/r } @svix;
    my $renamed = sub {
        my ($rename, @h) = @_;
        @h[0, 2, 4] = map { $rename->() } @h[0, 2, 4];
        return @h;
    };
    $case->('webhook-*', 200, sub { @{ $_[1] } });
    $case->('title case', 200, sub { $renamed->(sub { s/\b(.)/\u$1/gr }, @{ $_[0] }) });
    $case->('upper case', 200, sub { $renamed->(sub { uc }, @{ $_[0] }) });
    $case->('both, svix good', 200, sub { @{ $_[0] }, @webhook });
    $case->('both, webhook good', 401, sub { @svix, @{ $_[1] } });
    $case->('webhook and a stray svix-id', 200, sub { 'svix-id', 'msg_x', @{ $_[1] } });
    $case->('webhook and an empty svix-id', 200, sub { 'svix-id', '', @{ $_[1] } });
    $case->('webhook and svix with no id', 200, sub { 'svix-id', '', @svix[2 .. 5], @{ $_[1] } });
    $case->('mixed: id', 400, sub { @{ $_[0] }[0, 1], @{ $_[1] }[2 .. 5] });
    $case->('mixed: timestamp', 400, sub { @{ $_[1] }[0, 1], @{ $_[0] }[2, 3], @{ $_[1] }[4, 5] });
    $case->('underscores', 400, sub { $renamed->(sub { s/-/_/r }, @{ $_[0] }) });
    $case->('none', 400, sub { () });
}

# Each of the six headers missing, without a value, and twice.
sub repeated_and_empty {
    for my $family (qw(svix webhook)) {
        for my $which (qw(id timestamp signature)) {
            my ($id, $ts) = (new_id(), now());
            my %value   = (id => $id, timestamp => $ts, signature => sign($id, $ts, $call));
            my $name    = "$family-$which";
            my @others  = map { ("$family-$_", $value{$_}) } grep { $_ ne $which } sort keys %value;
            my @this    = ($name, $value{$which});
            my @request = (400, id => $id);
            refused("$name missing", @request, headers => [@others]);
            refused("$name empty",   @request, headers => [@others, $name, '']);
            refused("$name blank",   @request, headers => [$name, " \t ", @others]);

            # Apache joins repeated headers with a comma, which in a list of signatures cannot be
            # told from the sender's own blanks. One of them still has to hold.
            my $status = $kind ne 'nginx' && $which eq 'signature' ? 200 : 400;
            try("$name twice in a row", $status, id => $id, headers => [@this, @this, @others]);
            refused("$name twice, once empty", @request, headers => [$name, '', @others, @this])
                if $status == 400;
        }
    }
    refused('webhook-id twice beside svix-*', 400, more => ['webhook-id', 'a', 'webhook-id', 'b'])
        if $kind eq 'nginx';
}

# Half an event is no event.
sub broken_off {
    for my $size (27, 5000, 200_000, 1_000_000) {
        for my $reset (0, 1) {
            for my $chunked (undef, 1000) {
                my $raw = request(body => 'x' x $size, chunked => $chunked);
                abandon($reset, $raw, length($raw) - int($size / 2));
            }
        }
    }
    abandon(0, request(), $_) for 0, 1, 50, 150;
    abandon(0, request(body => 'xyz', length => 4), 10_000);
    stored('the server still works after clients that went away');
}

sub the_spool {
    if ($server->{daemon}) {
        ok(alive($server->{daemon}), 'hookspoold lives');
        is(stop($server->{pid}, 'TERM'), 0, "$kind ends when told");
        is(stop($server->{daemon}), 0, 'hookspoold ends when told, with 0');
    } else {
        is(stop($server->{pid}, 'TERM'), 0, "$kind ends when told");
    }
    is_deeply([grep { $_ >= 500 || !$_ } keys %statuses],
        [], 'nothing that a client wrote caused a 5xx or silence');

    for my $spool (qw(calls picky)) {
        my $got  = spool_bodies("$dir/spool/$spool");
        my $want = $expected{$spool};
        my @ids  = sort keys %$want;
        is_deeply([sort keys %$got], \@ids, "$spool holds what was answered 'stored', only that");
        is_deeply([grep { @{ $got->{$_} } != 1 } keys %$got], [], "$spool: each once");
        my @changed = grep { ($got->{$_}[0] // '') ne $want->{$_}[0] } @ids;
        is_deeply(\@changed, [], "$spool: byte for byte");
        my @entries = sort { $a cmp $b } entries("$dir/spool/$spool");
        is_deeply(\@entries, \@ids, "$spool: each has its entry");
        is_deeply([pendings("$dir/spool/$spool")], [], "$spool: nothing is pending");
    }
    is_deeply([spool_lines("$dir/spool/full")], [], 'full holds nothing');
    is_deeply([entries("$dir/spool/full"), pendings("$dir/spool/full")], [], 'full has no entries');
}

1;
