#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The requests that hookspoold keeps of an endpoint, whatever it answered, and what hookspool inspect
# makes of them: behind nginx and as a plain CGI program.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Hookspool::Server;
use JSON::PP ();
use Test::More;

my $site = <<'CONF';
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file  = %d/one.secret
default_type = phone_call.ended
max_body     = 64K
description  = Levers, production
inspect      = 20

[endpoint small]
path        = /webhooks/some/where/else
secret_file = %d/one.secret
spool       = calls
max_body    = 1K
inspect     = 1000

[endpoint b]
secret_file = %d/b.secret
CONF

spew("$dir/b.secret", "$OLD_SECRET\n", 0600);
my $conf = write_site($site);
my $ring = "$dir/spool/calls/inspect/calls";

# What is kept of an endpoint, as JSON has it; and in full.
sub kept {
    my ($endpoint, @options) = @_;
    my ($code, $out, $err) = operate($conf, 'inspect', $endpoint, '--json', @options);
    "$code $err" eq '0 ' or die "inspect $endpoint --json @options: $code $err\n";
    return map { JSON::PP->new->decode($_) } split /\n/, $out;
}

sub shown {
    my ($endpoint, $number) = @_;
    my ($one) = kept($endpoint, '--show', $number);
    my %headers = map { ($_->{name} => $_->{value}) } @{ $one->{headers} };
    return ($one, \%headers);
}

# Neither output nor files give a secret away; the log no signature either.
sub discreet {
    my ($what, @texts) = @_;
    my ($key) = $SECRET =~ /whsec_(.{20})/;
    my ($old) = $OLD_SECRET =~ /whsec_(.{20})/;
    is_deeply([grep { /whsec_|\Q$key\E|\Q$old\E/ } @texts], [], "$what: no secret");
}

# ---- every verdict, behind both front ends

my $bad = 'v1,' . 'A' x 43 . '=';
my @tries = (    # what, status, reason in the log, causes, request
    ['genuine', 200, undef, [], body => '{"type":"a.b"}'],
    ['a signature of nobody', 401, 'no signature matches', [qr/^no secret known here/],
        signature => $bad],
    ['of endpoint b', 401, 'no signature matches',
        ['signed with the secret of endpoint b (line 1 of its file)'], secret => $OLD_SECRET],
    ['a line feed added', 401, 'no signature matches',
        ['body was changed: it matches if the line feed at its end is removed'],
        body => qq({"type":"a.b"}\n), signed => [undef, undef, '{"type":"a.b"}']],
    ['stale', 400, 'timestamp too old', [qr/^clock \d{3} s ahead of the sender's, or .* that old/],
        ts => now() - 312],
    ['from the future', 400, 'timestamp too new', [qr/^clock \d{4} s behind the sender's/],
        ts => now() + 4000],
    ['a dot in the id', 400, 'malformed id', [qr/^id has '\.' as character 2;/], id => 'a.b'],
    ['no headers', 400, 'no complete header family', [qr/^no signature: neither svix-id/],
        headers => ['X-Some', 'thing']],
    ['not POST', 405, 'method is not POST', ['method is PUT; only POST is taken',], method => 'PUT'],
    ['too large', 413, 'body over max_body', ['body has 65537 bytes; max_body is 65536'],
        body => 'x' x 65537],
);

for my $kind (qw(nginx cgi)) {
  SKIP: {
        my $log = "$dir/" . ($kind eq 'cgi' ? 'apache.log' : 'hookspoold.log');
        my $server = start_front_end($kind, $conf);
        skip "no web server for $kind", 1 if !$server;
        my $port = $server->{port};

        my ($code, $out) = operate($conf, 'inspect', 'calls');
        like($out, qr/^no request has been kept of endpoint calls/, "$kind: nothing yet");
        is($code, 0, '... which is no failure');

        is(deliver($port, path => '/webhooks/nobody')->{status}, 404, "$kind: 404");
        my $all;
        for my $i (0 .. $#tries) {
            my ($what, $status, undef, undef, %request) = @{ $tries[$i] };
            is(deliver($port, %request, more => ['X-Test', $what, 'Authorization', 'Basic c2VjcmV0',
                'Cookie', 'a=c2VjcmV0'])->{status}, $status, "$kind: $what: $status");
            # It is written after the answer.
            $all = wait_until { my @all = kept('calls'); @all > $i && \@all };
        }
        is(scalar @{ $all // [] }, scalar @tries, "$kind: all are kept, but those of no endpoint");

        for my $i (0 .. $#tries) {
            my ($what, $status, $reason, $causes, %request) = @{ $tries[$i] };
            my $one = $all->[$i];
            is($one->{number}, $i + 1, "$kind: $what: in order");
            is($one->{status}, $status, '... its status');
            is($one->{reason}, $reason, '... its reason');
            like(log_of($log), qr/status=$status reason="\Q$reason\E"/, '... as in the log')
                if defined $reason;
            is(scalar @{ $one->{causes} }, scalar @$causes, '... as many causes')
                or diag(explain($one->{causes}));
            for my $j (0 .. $#$causes) {
                my $want = $causes->[$j];
                like($one->{causes}[$j], ref $want ? $want : qr/\A\Q$want\E\z/, '... its cause');
            }
            is($one->{method}, $request{method} // 'POST', '... its method');
            is($one->{path}, '/webhooks/calls', '... its path');
            is($one->{remote}, '127.0.0.1', '... where it came from');
            my ($full, $headers) = shown('calls', $i + 1);
            is($headers->{'X-Test'}, $what, '... all its headers');
            # Apache hands Authorization to no CGI program.
            is_deeply([map { $headers->{$_} // () } qw(Authorization Cookie)],
                [$kind eq 'cgi' ? () : '(14 bytes, not kept)', '(10 bytes, not kept)'],
                '... without the credentials');
            is($full->{body}, $status > 402 ? undef : $request{body} // '', '... its body');
        }

        ($code, $out) = operate($conf, 'inspect', 'calls');
        my @lines = split /\n/, $out;
        is(scalar(grep { /^ +\d+  \d{4}-/ } @lines), scalar @tries, "$kind: a list for people");
        like($out, qr/^ +3  \S+Z  401 refused  msg_\w+  phone_call\.ended  0 bytes\n {8}no signature matches\n {8}signed with the secret of endpoint b /m,
            '... with the cause');
        unlike($out, qr/v1,[A-Za-z]/, '... and no signature');
        ($code, $out) = operate($conf, 'inspect', 'calls', '--last', 2);
        is(scalar(() = $out =~ /^ +\d+  \d{4}-/mg), 2, '... the last two of it');
        discreet("$kind", $out, log_of($log), slurp($ring), @lines);
        unlike(log_of($log), qr/v1,|c2VjcmV0/, "$kind: no signature and no password in the log");
        unlike(slurp($ring), qr/c2VjcmV0/, "$kind: no password in the file");
        is(sprintf('%04o', (stat $ring)[2] & 07777), '0640', "$kind: its mode");
        ok(!-e "$dir/spool/b/inspect", "$kind: an endpoint that keeps none has no file");

        is((operate($conf, 'inspect', '--clear', 'calls'))[0], 0, "$kind: cleared");
        is_deeply([kept('calls')], [], '... nothing is left');
        deliver($port);
        eventually { my @all = kept('calls'); @all == 1 } '... and it goes on';
        stop($_) for grep { defined } @$server{qw(pid daemon)};
        unlink $ring, $log;
    }
}

# ---- what one can do with them

my ($pid, $socket) = start_hookspoold(conf => $conf);

{
    my $body = join '', map { chr } 0 .. 255;
    deliver($socket, body => $body, secret => $OLD_SECRET, params => ['HTTP_X_EVIL', "\e[31mred\x9b",
        CONTENT_TYPE => 'text/x-one', HTTP_CONTENT_TYPE => 'text/x-one', HTTP_CONTENT_LENGTH => 'other']);
    my ($one) = kept('calls');
    is((operate($conf, 'inspect', 'calls', '--show', 1, '--body'))[1], $body, '--body: every byte');
    my ($code, $raw) = operate($conf, 'inspect', 'calls', '--show', 1, '--raw');
    my $file = spew("$dir/raw.http", $raw);
    is((operate($conf, 'verify', 'b', '--headers', $file))[0], 0, '--raw: verify can read it');
    is((operate($conf, 'verify', 'calls', '--headers', $file))[0], 65, '... and say that it is another\'s');
    my (undef, $full) = operate($conf, 'inspect', 'calls', '--show', 1);
    unlike($full, qr/[^\n\x20-\x7e]/, '--show: no control bytes for the terminal');
    like($full, qr/X-Evil: \?\[31mred\?/, '... they are shown as such');
    is(join(' ', sort $full =~ /Content-\w+: (\S+)$/mg), length($body) . ' other text/x-one', '... a header that came by two names once');
    my ($json) = shown('calls', 1);
    is(MIME::Base64::decode_base64($json->{body_base64}), $body, '--json: a body that is no text');

    for my $wrong (['--show', 99], ['--show', 0], ['--show', 'x'], ['--body'], ['--raw'], ['--dry-run'],
        ['--show', 1, '--follow'], ['--release', '--clear'])
    {
        my ($status, undef, $err) = operate($conf, 'inspect', 'calls', @$wrong);
        is($status, ($wrong->[1] // q()) eq q(99) ? 65 : 64, "@$wrong: refused");
        like($err, qr/\S/, '... with a reason');
    }
    is((operate($conf, 'inspect', 'nobody'))[0], 78, 'an endpoint that is not there');
    my (undef, $list) = operate($conf, 'inspect');
    like($list, qr/^calls +1 of 20 +\S+Z +Levers, production$/m, 'the endpoints, with what they are');
    like($list, qr/^b +0 of 0 +-/m, '... and those that keep none');
    like((operate($conf, 'inspect', 'b'))[1], qr/^endpoint b keeps no requests: put inspect = 20/,
        'how to keep them is said');
    my (undef, $test) = run([hookspoold(), '-t', '-c', $conf]);
    like($test, qr{^endpoint calls: /webhooks/calls, Levers, production, keeps its last 20 requests$}m,
        'hookspoold -t shows the description');
}

# ---- following

{
    my $out = "$dir/follow.out";
    my $follow = spawn(cmd => [program('hookspool'), '-c', $conf, 'inspect', '-f', 'calls'],
        stdout => $out, log => "$dir/follow.err");
    eventually { log_of($out) =~ /signed with the secret of endpoint b/ } '-f: what is there';
    deliver($socket, id => "msg_follow_$_", secret => $_ % 2 ? $OLD_SECRET : $SECRET) for 1 .. 30;
    eventually { log_of($out) =~ /msg_follow_30 / } '-f: what comes';
    is(scalar(() = log_of($out) =~ /msg_follow_\d+ /g), 30, '... each once');
    operate($conf, 'inspect', '--clear', 'calls');
    deliver($socket, id => 'msg_anew');
    eventually { log_of($out) =~ /^ +1  \S+  200 stored  msg_anew /m } '... also after it was cleared';
    stop($follow);

    # Before anything is kept.
    $follow = spawn(cmd => [program('hookspool'), '-c', $conf, 'inspect', '-f', 'small', '--json'],
        stdout => "$dir/small.out", log => "$dir/follow.err");
    deliver($socket, path => '/webhooks/some/where/else', id => 'msg_first');
    eventually { log_of("$dir/small.out") =~ /"id":"msg_first"/ } '-f: the first one ever';
    stop($follow);
    is(log_of("$dir/follow.err"), '', '-f: no complaints');
}

# ---- a flood, and more or fewer of them

{
    my $before = log_of("$dir/hookspoold.log");
    my @raw = map { fcgi_post(id => "msg_flood_$_", body => 'x' x 3000,
        $_ == 250 ? () : (secret => $OLD_SECRET)) } 1 .. 500;
    my @answers = map { exchange_all($socket, splice @raw, 0, 50) } 1 .. 10;
    is(scalar(grep { $_->{status} == 401 } @answers), 499, 'a flood of forgeries is refused');
    is($answers[249]{status}, 200, '... and the one that is genuine taken');
    deliver($socket, id => 'msg_last');
    my $all = (wait_until { my @all = kept('calls'); @all && $all[-1]{id} eq 'msg_last' && \@all }) // [];
    is(scalar @$all, 20, 'as many are kept as are to be');
    is(scalar(grep { $_->{id} =~ /^msg_(flood_\d+|last)$/ } @$all), 20, '... the last ones');
    cmp_ok((stat $ring)[12] * 512, '<', 20 * 8192 + 65536, '... in little room');
    cmp_ok(-s $ring, '<=', 64 * 1024 * 1024, '... and within bounds');
    unlike(substr(log_of("$dir/hookspoold.log"), length $before), qr/inspect/, '... without a word');

    my $newest = $all->[-1]{number};
    for my $n (7, 300) {
        (my $changed = $site) =~ s/inspect      = 20/inspect = $n/;
        write_site($changed);
        my $told = () = log_of("$dir/hookspoold.log") =~ /loaded again/g;
        kill 'HUP', $pid;
        eventually { $told < (() = log_of("$dir/hookspoold.log") =~ /loaded again/g) } "inspect = $n";
        deliver($socket, id => "msg_$n");
        my $now = (wait_until { my @now = kept('calls'); @now && $now[-1]{id} eq "msg_$n" && \@now }) // [];
        is(scalar @$now, $n == 7 ? 7 : 8, '... what was kept, as far as there is room');
        is($now->[-2]{number}, $newest, '... with its number');
        $newest = $now->[-1]{number};
    }
}
is(stop($pid), 0, 'hookspoold ends');

# ---- without it nothing is written

{
    (my $none = $site) =~ s/^inspect .*\n//mg;
    write_site($none, 'none.conf');
    my ($own, $at) = start_hookspoold(conf => "$dir/none.conf", socket => "$dir/none.sock");
    my $before = slurp($ring);
    deliver($at, secret => $OLD_SECRET) for 1 .. 3;
    is(deliver($at)->{status}, 200, 'inspect = 0');
    is(stop($own), 0, '... it ends');
    ok($before eq slurp($ring), '... and nothing was kept');
    my ($code, $out) = operate("$dir/none.conf", 'inspect', 'calls');
    like($out, qr/msg_300 /, '... but what was, can be looked at');
}

# ---- a full disk

SKIP: {
    my $disk = "$dir/disk";
    mkdir $disk;
    skip 'no disk can be made to be filled', 8
        if $> || system("mount -t tmpfs -o size=4m,mode=0777 tmpfs '$disk' 2>/dev/null");
    END { system("umount -l '$dir/disk'") if -d "$dir/disk/spool" }
    (my $small = $site) =~ s{^spool_dir = .*$}{spool_dir = $disk/spool}m;
    my $on_disk = write_site("$small\n[spool calls]\nmin_free = 0\n", 'disk.conf');
    my $said = "$dir/disk.log";
    my ($own, $at) = start_hookspoold(conf => $on_disk, socket => "$dir/disk.sock", log => $said);
    is(deliver($at, id => 'msg_before')->{status}, 200, 'a small disk');
    system("dd if=/dev/zero of='$disk/fill' bs=4096 2>/dev/null");
    is(deliver($at, secret => $OLD_SECRET, body => 'x' x 50_000)->{status}, 401,
        "... that is full: refused as ever, $_") for 1 .. 5;
    is(deliver($at, body => 'x' x 60_000)->{status}, 503, '... or, what is genuine, put off');
    my $told = qr{cannot write '[^']*/inspect/calls': no room, or less than min_free; requests are not kept};
    is(scalar(() = log_of($said) =~ /$told/g), 1, '... which is told of once');
    unlink "$disk/fill";
    is(deliver($at, id => 'msg_after')->{status}, 200, '... and room again');
    eventually { (undef, my $out) = operate($on_disk, 'inspect', 'calls'); $out =~ /msg_before .*msg_after /s }
        'kept again, and what was kept before is there';
    is(stop($own), 0, 'hookspoold ends');
}

done_testing();
