#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# The format of the log as others read it (hookspool-spool(5)): every line is JSON for jq and for
# Perl, a CloudEvents 1.0 event, proves itself by its hash, and gives back the exact bytes of the
# body.
use strict;
use warnings;

use Encode qw(decode FB_CROAK);
use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use JSON::PP;
use Test::More;

my $spool = "$dir/spool/calls";
my $conf  = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file  = %d/one.secret
default_type = phone_call.ended

[endpoint plain]
path        = /in/plain
secret_file = %d/one.secret
spool       = calls
CONF

my ($json, $bytes) = ('application/json', 'application/octet-stream');
# body => [type, form]; form is how it stands in the record.
my @load = (
    ['{"type":"phone_call.ended","data":{"a":1}}',    'phone_call.ended', 'data'],
    ['{"type":"sms.received"}',                       'sms.received',     'data'],
    ['{"event":"call.started"}',                      'call.started',     'data'],
    ['{"eventType":"call.ringing"}',                  'call.ringing',     'data'],
    ['{"eventType":"c","event":"b","type":"a"}',      'a',                'data'],
    ['{"type":7,"event":"b"}',                        'b',                'data'],
    ['{"type":"","event":null}',                      'phone_call.ended', 'data'],
    ['{"type":"a.b","type":"c.d"}',                   'c.d',              'data'],
    ['{"data":{"type":"inner"}}',                     'phone_call.ended', 'data'],
    ['{"type":"with \"quotes\" and blanks"}',         'phone_call.ended', 'data'],
    ['{"type":"a\nb"}',                               'phone_call.ended', 'data'],
    ['[1,2,3]',                                       'phone_call.ended', 'data'],
    ['"text"',                                        'phone_call.ended', 'data'],
    ['null',                                          'phone_call.ended', 'data'],
    ['0',                                             'phone_call.ended', 'data'],
    ["\t{ \"type\" : \"a.b\" } ",                     'a.b',              'data'],
    ['{"n":123456789012345678901234567890.10e-400}',  'phone_call.ended', 'data'],
    [qq({"s":"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x93\x9e"}), 'phone_call.ended', 'data'],
    ['{"s":"\u00e9\ud83d\udcde\u0000"}',              'phone_call.ended', 'data'],
    ['[' x 90 . ']' x 90,                             'phone_call.ended', 'data'],
    ['{"data":1,"xxh3":"0123456789abcdef"}',          'phone_call.ended', 'data'],
    ['{"a":"' . 'x' x 30_000 . '"}',                  'phone_call.ended', 'data'],
    [qq({\n  "type": "a.b"\n}\n),                     'a.b',              'bodybase64'],
    [qq({\r\n"event":"b"\r}),                         'b',                'bodybase64'],
    [qq("text"\n),                                    'phone_call.ended', 'bodybase64'],
    ['',                                              'phone_call.ended', 'data_base64'],
    ['hello',                                         'phone_call.ended', 'data_base64'],
    [qq({"type":"a.b"}\0),                            'phone_call.ended', 'data_base64'],
    [qq({"type":"\xff"}),                             'phone_call.ended', 'data_base64'],
    [qq(\xef\xbb\xbf{}),                              'phone_call.ended', 'data_base64'],
    [qq({"s":"a\nb"}),                                'phone_call.ended', 'data_base64'],
    ['{"a":NaN}',                                     'phone_call.ended', 'data_base64'],
    ["{'a':1}",                                       'phone_call.ended', 'data_base64'],
    ['{"a":01}',                                      'phone_call.ended', 'data_base64'],
    ['{"a":1,}',                                      'phone_call.ended', 'data_base64'],
    ['{}{}',                                          'phone_call.ended', 'data_base64'],
    [qq({"a":"\xed\xa0\x80"}),                        'phone_call.ended', 'data_base64'],
    ['[' x 2000 . ']' x 2000,                         'phone_call.ended', 'data_base64'],
    [join('', map { chr } 0 .. 255),                  'phone_call.ended', 'data_base64'],
    ["\0" x 100_000,                                  'phone_call.ended', 'data_base64'],
);

my ($pid, $socket) = start_hookspoold(conf => $conf);
my $time = now() - 7;
my (@ids, %want);
for my $case (@load) {
    my ($body, $type, $form) = @$case;
    push @ids, my $id = new_id();
    $want{$id} = { body => $body, type => $type, form => $form };
    my $answer = deliver($socket, id => $id, ts => $time, body => $body);
    is($answer->{status}, 200, 'stored: ' . substr($body =~ s/[^ -~]/?/gr, 0, 50));
}
push @ids, my $plain = new_id();
my @plain = (id => $plain, ts => $time, path => '/in/plain', body => '{}', family => 'webhook');
is(deliver($socket, @plain)->{status}, 200, 'stored by another endpoint');
$want{$plain} = { body => '{}', type => 'webhook', form => 'data', source => '/in/plain' };
is(stop($pid), 0, 'hookspoold ends');

my @got = spool_lines($spool);
is(scalar @got, scalar @ids, 'a line an event');

my $strict = JSON::PP->new->utf8->allow_nonref->max_depth(512);
my $rfc3339 = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;
my $signed  = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $time);
for my $line (@got) {
    my $event = eval { $strict->decode($line) } // {};
    my $id    = shift @ids;
    my $want  = $want{$id};
    subtest "line of $id" => sub {
        is($event->{id}, $id, 'in the order of arrival') or diag(substr $line, 0, 300);
        is($event->{specversion}, '1.0', 'specversion');
        is($event->{type}, $want->{type}, 'type');
        is($event->{source}, $want->{source} // '/webhooks/calls', 'source');
        is($event->{time}, $signed, 'time is the signed one');
        like($event->{received}, qr/\A$rfc3339\.\d{6}Z\z/, 'received');
        cmp_ok($event->{received}, 'gt', $event->{time}, 'received later than sent');
        my $form = $want->{form};
        is($event->{datacontenttype}, $form eq 'data_base64' ? $bytes : $json, 'datacontenttype');
        # CloudEvents 1.0: attribute names are of lower-case letters and digits.
        my @odd = grep { !/\A[a-z0-9]{1,20}\z/ && $_ ne 'data_base64' } keys %$event;
        is_deeply(\@odd, [], 'names');
        is_deeply([sort grep { /data$|base64/ } keys %$event],
            $form eq 'bodybase64' ? [qw(bodybase64 data)] : [$form], "the body is in $form");
        ok(defined eval { decode('UTF-8', my $copy = $line, FB_CROAK) }, 'UTF-8');
        unlike($line, qr/[\x00-\x08\x0b-\x1f]/, 'no control characters');
        is(body_of($line), $want->{body}, 'exact bytes');
        is(substr($line, -27, 9), ',"xxh3":"', 'xxh3 is last');
    };
}

SKIP: {
    my $jq = find_program('jq') // skip 'jq is not installed', 3;
    my $log = join '', map { "$_\n" } @got;
    my ($code, $out, $err) = run([$jq, '-c', '[.id,.type]'], stdin => $log);
    is($code, 0, 'jq reads the log') or diag($err);
    is(scalar(split /\n/, $out), scalar @got, 'jq sees each event');
    ($code, $out) = run([$jq, '-r', 'select(.type == "sms.received") | .data.type'], stdin => $log);
    is($out, "sms.received\n", 'jq finds one by its data');
}

SKIP: {
    my $xxhsum = find_program('xxhsum') // skip 'xxhsum is not installed', 1;
    my @files = map { spew("$dir/line.$_", substr $got[$_], 0, -27) } 0 .. $#got;
    my ($code, $out) = run([$xxhsum, '-H3', @files]);
    skip 'this xxhsum has no XXH3', 1 if $code != 0;
    my @sums = map { /\b(?:XXH3_)?([0-9a-f]{16})\b/ } split /\n/, $out;
    is_deeply([map { /"xxh3":"([0-9a-f]{16})"\}\z/ } @got],
        \@sums, 'xxh3 is the XXH3-64 of all before it');
}

# Modes: calls are people's, so the world reads nothing.
my (%modes, @seen);
my @todo = ($spool);
while (defined(my $path = shift @todo)) {
    my $mode = (lstat $path)[2];
    push @seen, $path;
    push @{ $modes{ sprintf '%s %04o', -d _ ? 'directory' : 'file', $mode & 07777 } }, $path;
    if (-d _) {
        opendir my $d, $path or die;
        push @todo, map { "$path/$_" } grep { !/^\.\.?$/ } readdir $d;
    }
}
is_deeply([sort keys %modes], ['directory 0750', 'file 0640'], 'the modes are 0640 and 0750')
    or diag(explain(\%modes));
cmp_ok(scalar @seen, '>', scalar @got, 'the modes of all files were looked at');

done_testing();
