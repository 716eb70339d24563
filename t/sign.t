#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# sign: what it prints goes through curl, nginx and hookspoold as hookspool(1) says; every option;
# and what it refuses.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Hookspool::Server;
use Test::More;

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/two.secret

[endpoint other]
secret_file = %d/other.secret
CONF
my $other = 'whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXIh';
spew("$dir/other.secret", "# other\n$other\n", 0640);

# The headers of an output: name => value.
sub headers { return map { /^([\w-]+): (.*)$/ ? ($1, $2) : () } split /\n/, $_[0] }

# ---- what is printed

my $body = qq({"type":"phone_call.ended","n":"\0\xff\r\n"}\n) . join '', map { chr } 0 .. 255;
my $file = spew("$dir/a body.json", $body);
{
    my ($code, $out, $err) = operate($conf, 'sign', '-e', 'calls', $file);
    is("$code $err", '0 ', 'a file is signed');
    like($out, qr/\Asvix-id: msg_\w{27}\nsvix-timestamp: \d+\nsvix-signature: v1,\S{44}\n\z/, 'three headers');
    my %h = headers($out);
    cmp_ok(abs($h{'svix-timestamp'} - now()), '<', 10, 'it is signed now');
    is($h{'svix-signature'}, sign(@h{qw(svix-id svix-timestamp)}, $body), '... with the first secret');
    my %again = headers((operate($conf, 'sign', '-e', 'calls', $file))[1]);
    isnt($again{'svix-id'}, $h{'svix-id'}, 'each has an id of its own');

    for my $where ([], ['-']) {
        ($code, $out) = operate($conf, 'sign', '-e', 'calls', '--id', 'a-b_1', '-t', '1614265330', @$where,
            { stdin => $body });
        is($out, "svix-id: a-b_1\nsvix-timestamp: 1614265330\nsvix-signature: "
              . sign('a-b_1', 1614265330, $body) . "\n", "standard input, an id, a time: '@$where'");
    }
    ($code, $out) = operate($conf, 'sign', '-e', 'other', '-f', 'webhook', '-i', 'x', '-t',
        '2026-11-23T09:33:00Z', { stdin => '' });
    is($out, "webhook-id: x\nwebhook-timestamp: 1795426380\nwebhook-signature: "
          . sign('x', 1795426380, '', $other) . "\n", 'another endpoint, family and time, an empty body');
    my $none = { stdin => 'x', env => { HOOKSPOOL_CONF => '/nowhere' } };
    ($code, $out, $err) = run([program('hookspool'), qw(sign -i x -t 1 -s), "$dir/other.secret"], %$none);
    is("$code $err", '0 ', 'a secret file needs no configuration');
    is({ headers($out) }->{'svix-signature'}, sign('x', 1, 'x', $other), '... and signs');
    my $large = 'x' x 5_000_000;
    ($code, $out) = operate($conf, qw(sign -e calls -i x -t 1), { stdin => $large });
    is({ headers($out) }->{'svix-signature'}, sign('x', 1, $large), 'a large body');
}

# ---- which secret signs

{
    my $path = spew("$dir/old.secret", "$other expires=2026-01-01T00:00:00Z\n$SECRET\n", 0600);
    my (undef, $out) = operate($conf, qw(sign -i x -t 1 -s), $path, { stdin => '' });
    is({ headers($out) }->{'svix-signature'}, sign('x', 1, ''), 'one that has expired does not sign');
    my $only = write_site("[hookspool]\nspool_dir = %d/spool\n[endpoint one]\nsecret_file = %d/other.secret\n", 'only.conf');
    (undef, $out) = operate($only, qw(sign -i x -t 1), { stdin => '' });
    is({ headers($out) }->{'svix-signature'}, sign('x', 1, '', $other), 'the only endpoint need not be named');
}

# ---- what is refused

sub refused {
    my ($what, $code, $said, @words) = @_;
    my ($got, $out, $err) = operate($conf, 'sign', @words);
    is($got, $code, "$what: $code") or diag($err);
    like($err, $said, '... and why');
    is($out, '', '... and nothing is printed');
    unlike($err, qr/whsec_|MDEy|b3RoZXI/, '... no secret either');
}

spew("$dir/expired.secret", "$other expires=2026-01-01T00:00:00Z\n", 0600);
spew("$dir/open.secret",    "$other\n", 0644);
spew("$dir/broken.secret",  "whsec_b3RoZXI!\n", 0600);
refused('which endpoint?', 78, qr/2 endpoints, say which: calls, other$/);
refused('no such endpoint', 78, qr/has no endpoint 'nobody'; it has: calls, other/, '-e', 'nobody');
refused('both', 64, qr/one of them/, '-e', 'calls', '-s', "$dir/other.secret");
refused("id $_", 64, qr/--id: '.*' is not an id/, '-e', 'calls', '-i', $_) for 'a.b', '-a', '', 'x' x 201;
refused("time $_", 64, qr/--timestamp: '.*' is no time/, '-e', 'calls', '-t', $_) for 'x', '0', '-1', '1' x 13;
refused('family', 64, qr/--family is svix or webhook/, '-e', 'calls', '-f', 'stripe');
refused('no body', 66, qr/cannot open '.*none': No such file/, '-e', 'calls', "$dir/none");
refused('a directory', 66, qr/Is a directory/, '-e', 'calls', $dir);
refused('two bodies', 64, qr/one too many/, '-e', 'calls', 'a', 'b');
refused('no secret file', 66, qr/cannot open .*No such file/, '-s', "$dir/none");
refused('all have expired', 78, qr/every secret in '.*' has expired: nothing/, '-s', "$dir/expired.secret");
refused('open to others', 78, qr/is readable by others/, '-s', "$dir/open.secret");
refused('no secret', 78, qr/broken\.secret:1: secret holds a character outside base64/, '-s', "$dir/broken.secret");
SKIP: {
    skip 'only root can make what nobody may read', 4 if $>;
    spew("$dir/root.secret", "$other\n", 0600);
    chown 0, 0, "$dir/root.secret";
    refused('not allowed', 77, qr/cannot open '.*root\.secret': Permission denied/, '-s', "$dir/root.secret");
}
{
    my ($code, undef, $err) = run(['/bin/sh', '-c', '"$0" "$@" </dev/null >/dev/full', program('hookspool'), '-c', $conf, 'sign', '-e', 'calls']);
    is($code, 74, 'nowhere to print to: 74');
    like($err, qr/cannot write to standard output: No space/, '... and why');
}

# ---- through curl, nginx and hookspoold

SKIP: {
    skip 'curl is not installed', 9 if !find_program('curl');
    my $server = start_front_end('nginx', $conf) or skip 'nginx is not installed', 9;
    my $url    = "http://127.0.0.1:$server->{port}/webhooks/calls";
    my $path   = program('hookspool');
    my $pipe   = sub {
        my ($command, %env) = @_;
        my ($code, $out, $err) = run(['/bin/sh', '-c', "cd '$dir' && PATH='$dir':\$PATH && $command"],
            env => { HOOKSPOOL_CONF => $conf, http_proxy => undef, URL => $url, %env });
        return "$code $out$err";
    };
    spew("$dir/body.json", $body);
    spew("$dir/call.json", '{"type":"phone_call.ended"}');

    my ($page) = slurp(top_src('man', 'hookspool.1')) =~ /^\.Dl (hookspool sign .*)$/m;
    $page =~ s/-e levers/-e calls/;
    $page =~ s/curl/curl -s/;
    is($pipe->($page), '0 {"status":"stored"}', 'the example of hookspool(1)');
    my $long = "| curl -s -H \@- -H 'content-type: application/json' --data-binary \@body.json";
    is($pipe->("hookspool sign -e calls body.json $long \$URL"), '0 {"status":"stored"}', 'a body of all bytes');
    is($pipe->("hookspool sign -e calls -f webhook -i once body.json $long \$URL"), '0 {"status":"stored"}', 'webhook-*');
    is($pipe->("hookspool sign -e calls -i once body.json $long \$URL"), '0 {"status":"duplicate"}', 'the id again');
    is($pipe->("hookspool sign -e calls call.json $long \$URL"), '0 {"status":"refused"}', 'another body');
    is($pipe->("hookspool sign -e other body.json $long \$URL"), '0 {"status":"refused"}', 'with the secret of another endpoint');
    is($pipe->("hookspool sign -e calls -t 6m body.json $long \$URL"), '0 {"status":"refused"}', 'six minutes ago');
    is(scalar(grep { $_ eq $body } map { body_of($_) } spool_lines("$dir/spool/calls")), 2, 'the spool has the bytes');
    my $log = log_of("$dir/hookspoold.log");
    unlike($log, qr/whsec_|v1,/, 'the log has neither secrets nor signatures');
}

done_testing();
