#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# send: signed test events through nginx into the spool, each variant as it must be answered; what is
# said when it is not; TLS; servers that are no hookspoold, or hostile; rates, interrupts, numbers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Hookspool::Server;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);

delete @ENV{qw(http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy no_proxy NO_PROXY)};

my $site = <<'CONF';
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/two.secret
events      = phone_call.*
tolerance   = 10m

[endpoint small]
secret_file = %d/one.secret
max_body    = 1K

[spool calls]
min_free = 0
CONF
my $conf   = write_site($site);
my $server = start_front_end('nginx', $conf) // plan skip_all => 'nginx is not installed';
my $daemon = $server->{daemon};
my $base   = "http://127.0.0.1:$server->{port}";
my $spool  = "$dir/spool/calls";
my $stored = 0;

# Runs send: (exit code, output, errors). Secrets and signatures must never be seen.
sub send_it {
    my (@words) = @_;
    my %o = ref $words[-1] ? %{ pop @words } : ();
    my ($code, $out, $err) = operate($conf, 'send', @words, \%o);
    my ($key) = $SECRET =~ /whsec_(\S{20})/;
    fail("'@words' gives a secret away") if "$out$err" =~ /\Q$key\E|whsec_|v1,/;
    return ($code, $out, $err);
}

# One request: its exit code and how it was answered.
sub answered {
    my ($what, $code, $answer, @words) = @_;
    my ($got, $out, $err) = send_it('-u', "$base/webhooks/calls", @words);
    is($got, $code, "$what: $code") or diag("$out$err");
    like($out, qr/^\S+  \Q$answer\E  [\d.]+ ms/m, "... $answer");
    return ($out, $err);
}

sub spooled {
    my ($more, $what) = @_;
    $stored += $more;
    return is(scalar(spool_lines($spool)), $stored, $what // '... stored so many: ' . $more);
}

# ---- what must happen

{
    my ($out, $err) = answered('an event', 0, '200 stored', 'calls');
    is($err, '', '... nothing else to say');
    like($out, qr{\APOST \Q$base\E/webhooks/calls\n\d+ bytes; expected: 200 stored\nmsg_\w{27}  200}, '... what was expected');
    spooled(1);
    my $event = decode_json((spool_lines($spool))[-1]);
    is($event->{type}, 'phone_call.ended', '... of a call');
    like($event->{data}{data}{providerCallId}, qr/^[0-9a-f]{8}-[0-9a-f]{4}-4/, '... with an id of its own');
    ok($event->{data}{data}{metadata}{requestMetadata}{test}, '... that says it is a test');

    ($out) = answered('a duplicate', 0, '200 stored', 'calls', '--duplicate');
    like($out, qr/expected: 200 stored, then 200 duplicate$/m, '... is expected');
    my ($first, $again) = $out =~ /^(\S+)  200 stored .*\n(\S+)  200 duplicate/m;
    is($again, $first, '... has the id of the first');
    spooled(1);

    answered('a bad signature', 0, '401 refused', 'calls', '--bad-signature');
    answered('a stale one',     0, '400 refused', 'calls', '--stale');
    answered('a time within tolerance',  0, '200 stored',  'calls', '--timestamp', '9m');
    answered('one beyond it',            0, '400 refused', 'calls', '--timestamp', '11m');
    answered('one that is yet to come',  0, '400 refused', 'calls', '--timestamp', now() + 700);
    answered('too large for hookspoold', 0, '413 refused', 'small', '--oversized', '-u', "$base/webhooks/small");
    answered('too large for nginx, too', 0, '413',         'calls', '--oversized');
    answered('another type',             0, '200 ignored', 'calls', '-t', 'sms.received');
    answered('a type that is none',      0, '200 ignored', 'calls', '-t', qq("\n\\));
    answered('the other family',         0, '200 stored',  'calls', '-f', 'webhook');
    answered('bad, stale and large',     0, '413', qw(calls --bad-signature --stale --oversized));
    answered('a bad one twice',          0, '401 refused', qw(calls --bad-signature --duplicate));
    spooled(2);
    my $log = log_of("$dir/hookspoold.log");
    like($log, qr/reason="$_"/, "the log says: $_") for 'no signature matches', 'body over max_body';
    unlike($log, qr/whsec_|v1,/, '... and neither secret nor signature');
}

# ---- bodies and ids of one's own

{
    my $body = qq({"type":"phone_call.x",\n "n":"\xc3\xa9"}\n);
    answered('a body from a file', 0, '200 stored', 'calls', '-d', spew("$dir/body", $body));
    answered('... from standard input', 0, '200 stored', 'calls', '-d', '-', { stdin => $body });
    answered('... of another type', 0, '200 ignored', 'calls', '-d', '-', { stdin => '{"type":"x"}' });
    answered('... that is empty', 0, '200 ignored', 'calls', '-d', '-', { stdin => '' });
    answered('an id', 0, '200 stored', 'calls', '-i', 'my-id');
    spooled(3);
    is(scalar(grep { body_of($_) eq $body } spool_lines($spool)), 2, 'byte for byte');
    is(scalar(grep { /"id":"my-id"/ } spool_lines($spool)), 1, 'with its id');
    my (undef, $err) = answered('the id again', 65, '200 duplicate', 'calls', '-i', 'my-id');
    like($err, qr/warning: 200: this id had been stored before; hookspool forget/, '... and why');
}

# ---- where to, and with which secret

{
    my $more = $site;
    $more =~ s{^(secret_file.*two.*)$}{$1\nurl = $base/webhooks/calls?from=conf}m;
    my $other = write_site($more, 'url.conf');
    my ($code, $out) = operate($other, 'send', 'calls');
    is($code, 0, 'the url of the endpoint');
    like($out, qr{^POST \Q$base\E/webhooks/calls\?from=conf$}m, '... is taken');
    spooled(1);
    is((operate($other, 'send', 'calls', '-u', "$base/webhooks/nobody"))[0], 65, '--url has the last word');
    is((run([hookspoold(), '-c', $other, '-t']))[0], 0, 'hookspoold takes it, too');

    my (undef, $tried, $err) = operate($conf, 'send', 'small');
    like($tried, qr{^POST http://localhost/webhooks/small$}m, 'without one, this machine is tried');
    like($err, qr{\[endpoint small\] has no url: trying http://localhost/webhooks/small}, '... and that is said');

    my %o = (env => { HOOKSPOOL_CONF => '/nowhere' });
    my @send = (program('hookspool'), 'send', '-s', "$dir/one.secret");
    ($code, $out, $err) = run([@send, '-u', "$base/webhooks/calls"], %o);
    is("$code $err", '0 ', 'no configuration is needed');
    spooled(1);
    ($code, undef, $err) = run([@send], %o);
    is($code, 64, 'but a URL then');
    like($err, qr/--url must say where to/, '... it says so');
    answered('another secret', 65, '401 refused', 'calls', '-s', spew("$dir/wrong.secret", 'whsec_' . 'A' x 32, 0600));
    is((send_it('-u', "$base/webhooks/calls"))[0], 78, 'of two endpoints, one must be named');
    is((send_it('calls', '-u', $base, { env => { http_proxy => 'http://127.0.0.1:1' } }))[0], 65,
        'no proxy stands before this machine');
}

# ---- what is wrong, and what is said

sub wrong {
    my ($what, $code, $answer, $hint, $url, @words) = @_;
    my ($got, $out, $err) = send_it('calls', '-u', $url, @words);
    is($got, $code, "$what: $code") or diag("$out$err");
    like($out, qr/^msg_\w+  \Q$answer\E  [\d.]+ ms, expected 200 stored/m, "... $answer");
    like($err, $hint, '... and what to look at');
    return $err;
}

wrong('an unknown path', 65, '404 refused', qr/404: no endpoint has this path/, "$base/webhooks/call");
wrong('a slash more', 65, '404 refused', qr/with a slash at its end/, "$base/webhooks/calls/");
wrong('outside the snippet', 65, '404', qr/the web server's own: is the snippet included/, "$base/hooks");
wrong('another endpoint', 65, '401 refused', qr/401: no signature matches: hookspoold has other secrets/,
    "$base/webhooks/calls", '-s', "$dir/wrong.secret");
my $dead = 1;    # no test gets such a port
wrong('nobody there', 69, 'no answer', qr/is the web server running/, "http://127.0.0.1:$dead/");
like((send_it('calls', '-u', "http://127.0.0.1:$dead/"))[1], qr/Connection refused/, '... and why');

sub unusable {
    my ($what, $code, $said, @words) = @_;
    my ($got, $out, $err) = send_it(@words);
    is($got, $code, "$what: $code") or diag("$out$err");
    like($err, $said, '... and why');
    is($out, '', '... nothing was sent');
    return $err;
}

unusable("URL $_", 64, qr{is neither http:// nor https://|is no URL|names no host}, 'calls', '-u', $_)
    for 'ftp://127.0.0.1/', 'file:///etc/passwd', 'http://', 'http://a b/', '';
unlike(unusable('a password', 64, qr/holds a user name or a password/, 'calls', '-u', 'http://u:hush@127.0.0.1/'),
    qr/hush/, '... is not repeated');
unusable('time twice', 64, qr/one of them/, qw(calls --stale --timestamp 1));
unusable('two bodies', 64, qr/one of them/, qw(calls -d - -t x));
unusable('one id for many', 64, qr/--id is for one event/, qw(calls -i x -n 2));
unusable("id $_", 64, qr/is not an id/, 'calls', '-i', $_) for 'a.b', '';
unusable("rate $_", 64, qr/is no rate/, 'calls', '-r', $_) for '0', 'x', '1/d', '1.5';
unusable("count $_", 64, qr/--count wants a number/, 'calls', '-n', $_) for '0', '-1', 'x';
unusable('no body', 66, qr/cannot open/, 'calls', '-d', "$dir/none");
SKIP: {
    skip 'only root can make what nobody may read', 3 if $>;
    spew("$dir/root.secret", "$SECRET\n", 0600);
    chown 0, 0, "$dir/root.secret";
    unusable('a secret that we may not read', 77, qr/Permission denied/, 'calls', '-s', "$dir/root.secret");
}
{
    mkdir "$dir/none";
    spew("$dir/none/$_", '') for qw(libcurl.so.4 libcurl-gnutls.so.4);
    unusable('without libcurl', 69, qr/cannot load libcurl/, 'calls', '-u', $base, { env => { LD_LIBRARY_PATH => "$dir/none" } });
    is((operate($conf, 'sign', '-e', 'calls', { env => { LD_LIBRARY_PATH => "$dir/none" } }))[0], 0, '... all else works');
}

# ---- other servers

# Answers every connection with the same bytes, and closes. Its port.
sub start_answering {
    my ($bytes) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die "cannot listen: $!";
    my $port     = $listener->sockport;
    my $script   = spew("$dir/answer.pl", <<'PERL');
use IO::Socket::INET;
open my $in, '<', $ARGV[0]; local $/; my $bytes = <$in>;
open my $std, '<&=', 0; my $l = IO::Socket::INET->new_from_fd(0, 'r');
$SIG{PIPE} = 'IGNORE';
while (my $s = $l->accept) {
    my ($got, $len) = ('');
    while ($got !~ /\r\n\r\n/) { sysread $s, $got, 65536, length $got or last }
    ($len) = $got =~ /^content-length: (\d+)/mi;
    $got =~ s/.*?\r\n\r\n//s;
    while (length $got < ($len // 0)) { sysread $s, $got, 65536, length $got or last }
    syswrite $s, $bytes;
    close $s;
}
PERL
    my $what = spew("$dir/answer.$port", $bytes);
    spawn(cmd => [$^X, $script, $what], stdin => $listener);
    return "http://127.0.0.1:$port/webhooks/calls";
}

sub http { my ($status, $body, @more) = @_; return join "\r\n", "HTTP/1.1 $status x", @more, 'Content-Length: ' . length $body, '', $body }

my @gmt = gmtime(time + 3600);
my $hour = sprintf 'Date: Mon, %02d %s %d %02d:%02d:%02d GMT', $gmt[3],
    (qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[$gmt[4]], 1900 + $gmt[5], @gmt[2, 1, 0];
wrong('a clock that is off', 65, '400 refused', qr/400: the server's clock is 3[56]\d\d s ahead of this machine's/,
    start_answering(http(400, '{"status":"refused"}', $hour)));
wrong('a spool that is full', 65, '503 unavailable', qr/503: the spool cannot take it now/,
    start_answering(http(503, '{"status":"unavailable"}')));
wrong('something else', 65, '200', qr/200: that is not hookspoold/, start_answering(http(200, '<html>ok</html>')));
wrong('a redirect', 65, '301', qr{301: it points to https://x/\?\[2J; senders do not follow},
    start_answering(http(301, '', "Location: https://x/\e[2J")));
wrong('an escape sequence for a word', 65, '200 ?[2Jx', qr/neither hookspoold/, start_answering(http(200, '{"status":"\u001b[2Jx"}')));
wrong('a word that is too long', 65, '200', qr/not hookspoold/, start_answering(http(200, '{"status":"' . 'x' x 5000 . '"}')));
wrong('an endless answer', 65, '500', qr/see its error log/, start_answering(http(500, 'x' x 5_000_000)));
wrong('headers without end', 69, 'no answer', qr/no answer/, start_answering("HTTP/1.1 200 x\r\n" . "X: y\r\n" x 500_000));
wrong('no HTTP', 69, 'no answer', qr/no answer/, start_answering('SSH-2.0-x' . "\r\n" x 3));
wrong('half an answer', 69, 'no answer', qr/no answer/,
    start_answering("HTTP/1.1 200 x\r\nContent-Length: 99\r\n\r\n" . '{"status":"stored"}'));
wrong('silence', 69, 'no answer', qr/no answer/, start_answering(''));

# ---- many

{
    my $start = time;
    my ($code, $out, $err) = send_it(qw(calls -n 20 -r 50), '-u', "$base/webhooks/calls");
    my $took = time - $start;
    is("$code $err", '0 ', '20 at 50 a second');
    cmp_ok($took, '>=', 19 / 50, '... take their time');
    is(scalar(() = $out =~ /^msg_\w{27}  200 stored/mg), 20, '... a line each');
    like($out, qr/^20 requests in [\d.]+ s, [\d.]+\/s, 20 answered as expected\n\s+20  200 stored\nms: min [\d.]+, median [\d.]+, p99 [\d.]+, max [\d.]+\n\z/m, '... and a summary');
    spooled(20);

    ($code, $out) = send_it(qw(calls -q --duplicate -n 30), '-u', "$base/webhooks/calls");
    is($code, 0, '30 twice, quietly');
    like($out, qr/\A60 requests in .*, 60 answered as expected\n\s+30  200 stored\n\s+30  200 duplicate\nms: .*\n\z/, '... only the summary');
    spooled(30);

    ($code, $out, $err) = send_it(qw(calls -q -n 5), '-u', "$base/webhooks/nobody");
    is(scalar(() = $out =~ /^msg_\w+  404 refused/mg), 5, 'what is wrong is printed all the same');
    is(scalar(() = $err =~ /warning/g), 1, '... and one hint is enough');

    ($code, $out) = send_it(qw(calls --json -n 3), '-u', "$base/webhooks/calls");
    my @lines = map { decode_json($_) } split /\n/, $out;
    is(join(' ', map { $_->{kind} } @lines), 'answer answer answer summary', 'JSON: a line each');
    my %first = %{ $lines[0] };
    is_deeply([@first{qw(status word expected_status expected_word as_expected)}], [200, 'stored', 200, 'stored', JSON::PP::true], '... of an answer');
    like($first{sent}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, '... its time');
    my %sum = %{ $lines[3] };
    is_deeply([@sum{qw(requests as_expected unanswered answers)}], [3, 3, 0, [{ count => 3, status => 200, word => 'stored' }]], '... of the summary');
    ok($sum{min_ms} <= $sum{median_ms} && $sum{median_ms} <= $sum{p99_ms} && $sum{p99_ms} <= $sum{max_ms}, '... its times are in order');
    spooled(3);
    ($code, $out) = send_it(qw(calls --json), '-u', "http://127.0.0.1:$dead/");
    my ($none) = map { decode_json($_) } split /\n/, $out;
    is_deeply([$code, @$none{qw(status as_expected)}], [69, undef, JSON::PP::false], 'JSON: no answer');
    like($none->{error}, qr/refused/, '... and why');
}

# An interrupt lets the request end and sums up. Meanwhile no secret stands in /proc.
{
    my $out = "$dir/interrupted";
    my $pid = spawn(cmd => [program('hookspool'), '-c', $conf, qw(send calls -n 1000 -r 2/h -u), "$base/webhooks/calls"], stdout => $out);
    wait_until { log_of($out) =~ /200 stored/ };
    my ($key) = $SECRET =~ /whsec_(\S{20})/;
    unlike(join('', map { slurp("/proc/$pid/$_") } qw(cmdline environ)), qr/\Q$key\E|whsec_|v1,/, 'no secret is in arguments or environment');
    is(stop($pid, 'INT'), 0, 'SIGINT ends it with what it has seen: 0');
    like(log_of($out), qr/\n\z/, '... whole lines');
    spooled(1);
    $pid = spawn(cmd => [program('hookspool'), '-c', $conf, qw(send calls -n 1000000 -r 200 -u), "$base/webhooks/nobody"], stdout => "$out.2");
    wait_until { (() = log_of("$out.2") =~ /404/g) > 2 };
    is(stop($pid, 'TERM') >> 8, 65, 'SIGTERM, too: 65');
    like(log_of("$out.2"), qr/^\d+ requests in .*, 0 answered as expected$/m, '... with a summary');
}
{
    my $command = '"$0" "$@" | head -n 1';
    my ($code, $out) = run(['/bin/sh', '-c', $command, program('hookspool'), '-c', $conf, qw(send calls -n 100000 -u), "$base/webhooks/nobody"]);
    is($out, "POST $base/webhooks/nobody\n", 'it ends when nobody reads on');
}

# ---- TLS

SKIP: {
    my $openssl = find_program('openssl') or skip 'openssl is not installed', 12;
    my ($key, $cert) = map { "$dir/tls.$_" } qw(key crt);
    run([$openssl, qw(req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout), $key, '-out', $cert]);
    stop($server->{pid});
    my $tls = free_port();
    $server = start_nginx(server => qq(listen 127.0.0.1:$tls ssl;\nssl_certificate "$cert";\nssl_certificate_key "$key";\n)
          . snippet('nginx/hookspool.conf', 'unix:/run/hookspool/hookspool.sock' => qq("unix:$dir/hs.sock")));
    $base = "http://127.0.0.1:$server->{port}";
    my $url = "https://127.0.0.1:$tls/webhooks/calls";
    my $err = wrong('a certificate of nobody', 69, 'no answer', qr/certificate is not to be trusted.*--insecure/, $url, '-n', 5);
    unlike($err, qr/is the web server running/, '... the reason is not another');
    is(scalar(() = (send_it('calls', '-u', $url, '-n', 5))[1] =~ /no answer  /g), 1, '... and trying again would not help');
    spooled(0);
    my ($code, $out) = send_it('calls', '-u', $url, '--insecure', '-n', 3);
    is($code, 0, '--insecure sends all the same');
    spooled(3);
    wrong('https to a port for http', 69, 'no answer', qr/is this port for http\?/, $base =~ s/http/https/r . '/webhooks/calls');
    wrong('http to a port for https', 65, '400', qr/is this port for https\?/, "http://127.0.0.1:$tls/webhooks/calls");
}

# ---- hookspoold gone

is(stop($daemon), 0, 'hookspoold ends');
wrong('hookspoold is not running', 65, '502', qr/502: hookspoold is not running, or/, "$base/webhooks/calls");
is(stop($server->{pid}), 0, 'so does nginx');
unlike(log_of("$dir/hookspoold.log"), qr/whsec_|v1,/, 'the log has neither secrets nor signatures');

done_testing();
