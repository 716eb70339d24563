#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# hookspool inspect --release: refused requests that are kept hold after a secret was mended, and are
# stored: each once, whatever came meanwhile, whoever runs it, and only if they hold as of the time
# they came.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use JSON::PP ();
use Test::More;

my $site = <<'CONF';
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/calls.secret
events      = call.*
inspect     = 50

[endpoint many]
secret_file = %d/calls.secret
inspect     = 1000
CONF

my $secret = spew("$dir/calls.secret", "$OLD_SECRET\n", 0600);
my $conf   = write_site($site);
my $spool  = "$dir/spool/calls";
my $log    = "$dir/hookspoold.log";
my ($pid, $socket) = start_hookspoold(conf => $conf);

sub kept {
    my ($endpoint) = @_;
    my (undef, $out) = operate($conf, 'inspect', $endpoint // 'calls', '--json');
    return map { JSON::PP->new->decode($_) } split /\n/, $out;
}

# Sends a request and waits until it is kept; its status.
sub send_one {
    my (%o)    = @_;
    my $what   = $o{path} ? 'many' : 'calls';
    my $before = () = kept($what);
    my $status = deliver($socket, %o)->{status};
    wait_until { my @now = kept($what); @now > $before };
    return $status;
}

# id => what --release said of it, and the exit status.
sub release {
    my (@options) = @_;
    my ($code, $out, $err) = operate($conf, 'inspect', 'calls', '--release', @options);
    my %said;
    push @{ $said{$1} }, $2 while $out =~ /^ +\d+  (\S+)  (.*)$/mg;
    unlike($out . $err, qr/whsec_|v1,/, 'release gives nothing away');
    return ($code, \%said, $out, $err);
}

sub reload {
    my $told = () = log_of($log) =~ /loaded again/g;
    kill 'HUP', $pid;
    eventually { $told < (() = log_of($log) =~ /loaded again/g) } 'hookspoold is reloaded';
}

my ($body, $pretty) = ('{"type":"call.ended","n":1}', qq({\n "type": "call.ended"\n}\n));

# ---- the sender uses a secret that we do not have yet

is(send_one(id => 'msg_one', body => $body), 401, 'one');
is(send_one(id => 'msg_two', body => $pretty), 401, 'two');
is(send_one(id => 'msg_one', body => $body, ts => now() - 5), 401, 'one, sent again');
is(send_one(id => 'msg_three', body => $body), 401, 'three');
is(send_one(id => 'msg_sms', body => '{"type":"sms.sent"}'), 401, 'one that is not subscribed');
is(send_one(id => 'msg_forged', body => $body, signed => [undef, undef, 'x']), 401, 'a forged one');
is(send_one(id => 'msg_stale', body => $body, ts => now() - 400), 400, 'a stale one');
is(send_one(id => 'msg_bad', body => $body, signature => ''), 400, 'one without a signature');
is(send_one(id => 'msg_bytes', body => "\0\xff" x 100), 401, 'bytes');
is(send_one(id => 'msg_big', path => '/webhooks/many', body => 'x' x 100_000), 401, 'one too large to be kept');
is(send_one(id => 'msg_root', path => '/webhooks/many', body => $body), 401, 'one at another endpoint');
is(send_one(id => 'msg_good', body => $body, secret => $OLD_SECRET), 200, 'one with the secret we have');

{
    my ($code, $said, $out) = release();
    is($code, 0, 'nothing is mended yet');
    is_deeply($said->{msg_two}, ['still refused: no signature matches'], '... so nothing holds');
    like($out, qr/^0 stored, 0 duplicates, 8 still refused$/m, '... and a sum');
    is_deeply(spool_bodies($spool), { msg_good => [$body] }, '... and nothing is stored');
}

# ---- the secret is mended; msg_three arrives by itself

spew($secret, "$SECRET\n$OLD_SECRET\n", 0600);
reload();
is(deliver($socket, id => 'msg_three', body => $body)->{status}, 200, 'three comes again meanwhile');
my $list = (operate($conf, 'inspect', 'calls'))[1];
is(scalar(() = $list =~ /holds with the configuration of now: inspect --release stores it/g), 6,
    'the list says what holds now');

{
    my ($code, $said, $out) = release('--dry-run');
    is($code, 0, 'a dry run');
    is_deeply($said, {
        msg_one    => ['would be stored', 'would be stored'],
        msg_two    => ['would be stored'],
        msg_three  => ['duplicate: it is stored already'],
        msg_sms    => ['holds, but its type is not subscribed'],
        msg_forged => ['still refused: no signature matches'],
        msg_stale  => ['still refused: timestamp too old'],
        msg_bytes  => ['holds, but its type is not subscribed'],
    }, '... says what would become of each');
    is_deeply([sort keys %{ spool_bodies($spool) }], ['msg_good', 'msg_three'], '... and stores nothing');
}
{
    my ($code, $said, $out) = release();
    is($code, 0, 'a release');
    is_deeply($said->{msg_one}, ['stored', 'duplicate: it is stored already'], '... of the one sent twice');
    is_deeply($said->{msg_two}, ['stored'], '... of another');
    is_deeply($said->{msg_three}, ['duplicate: it is stored already'], '... not of what is there');
    like($out, qr/^2 stored, 2 duplicates, 2 still refused, 2 not subscribed$/m, '... and a sum');
}
my %want = map { ($_ => [$body]) } qw(msg_good msg_three msg_one);
$want{msg_two} = [$pretty];
is_deeply(spool_bodies($spool), \%want, 'each stands in the spool once, with its exact bytes');
is_deeply([sort(entries($spool))], [sort keys %want], 'each has its entry');
is_deeply([pendings($spool)], [], 'nothing is pending');
{
    my ($line) = grep { /"id":"msg_two"/ } spool_lines($spool);
    my $record = JSON::PP->new->decode($line);
    is($record->{source}, '/webhooks/calls', 'the record has its source');
    is($record->{type}, 'call.ended', '... its type');
    my ($came) = map { $_->{came} } grep { ($_->{id} // '') eq 'msg_two' } kept();
    cmp_ok(substr($record->{time}, 0, 19), 'le', substr($came, 0, 19), '... the time that was signed');
    cmp_ok($record->{received}, 'gt', $came, '... and the time of its release');
    my ($code, $said, $out) = release();
    like($out, qr/^0 stored, 4 duplicates, /m, 'a second release stores nothing');
    is_deeply(spool_bodies($spool), \%want, '... indeed');
    is(deliver($socket, id => 'msg_one', body => $body)->{body}, '{"status":"duplicate"}',
        'what the sender sends again is a duplicate');
}

# ---- what cannot be released, and what a larger tolerance makes good

{
    my ($code, $out, $err) = operate($conf, 'inspect', 'many', '--release', '-n');
    like($out, qr/^ +\d+  msg_big  only \d+ of its 100000 bytes are kept: it can be neither verified nor stored$/m,
        'what was cut is said to be');
    is($code, 0, '... which is no failure of ours');
    ($code, $out) = operate($conf, 'inspect', 'many', '--release', '-n', '--json');
    my ($first) = split /\n/, $out;
    is(JSON::PP->new->decode($first)->{outcome}, 'cut', '... in JSON, too');

    (my $wider = $site) =~ s/^events.*$/tolerance = 10m/m;
    write_site($wider);
    (undef, my $said) = release('-n');
    is_deeply($said->{msg_stale}, ['would be stored'], 'with a larger tolerance the stale one holds');
    is_deeply($said->{msg_forged}, ['still refused: no signature matches'], '... the forged one does not');
    is_deeply($said->{msg_sms}, ['would be stored'], '... and what is subscribed now is taken');
}

# A secret holds as of the time when a request came, not of now.
{
    my ($old) = map { s/\.\d+Z/Z/r } map { $_->{came} } (kept())[0];
    spew($secret, "$OLD_SECRET\n$SECRET expires=$old\n", 0600);
    (undef, my $said) = release('-n');
    is_deeply($said->{msg_bytes}, ['still refused: no signature matches'],
        'a secret that had expired when it came does not hold');
    my $soon = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(now() + 1));
    spew($secret, "$OLD_SECRET\n$SECRET expires=$soon\n", 0600);
    wait_until { POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime) gt $soon };
    (undef, $said) = release('-n');
    is_deeply($said->{msg_bytes}, ['would be stored'], '... one that expired since does');
    spew($secret, "$SECRET\n", 0600);
}

# ---- a spool that has no room, and one that nobody has open

{
  SKIP: {
        my ($free) = (split ' ', (split /\n/, `df -Pk "$dir"`)[1])[3];
        skip 'the disk has more than 1 TiB free', 3 if $free > 1 << 30;
        write_site($site =~ s/^events.*$//mr . "[spool calls]\nmin_free = 1T\n");
        my ($code, $said, $out) = release();
        is($code, 75, 'no room in the spool: try again');
        is_deeply($said->{msg_bytes}, ['not stored: no room in the spool; try again'], '... for each');
        is_deeply(spool_bodies($spool), \%want, '... and nothing is stored');
    }
    is(stop($pid), 0, 'hookspoold ends');
    write_site($site =~ s/^events.*$//mr);
    my ($code, $said, $out) = release('-q');
    is($code, 0, 'without hookspoold');
    is_deeply($said, { msg_sms => ['stored'], msg_bytes => ['stored'] }, '-q: only what was stored');
    $want{msg_sms}   = ['{"type":"sms.sent"}'];
    $want{msg_bytes} = ["\0\xff" x 100];
    is_deeply(spool_bodies($spool), \%want, '... all the same');
}

# ---- as root: what is made belongs to the owner of the spool

SKIP: {
    skip 'only root can try it', 4 if $>;
    is(find_foreign("$dir/spool/many"), '', 'a spool that nothing was stored in');
    my $out = `HOOKSPOOL_CONF="$conf" "$dir/hookspool" inspect many --release`;
    like($out, qr/msg_root  stored$/m, 'root releases');
    is(find_foreign("$dir/spool/many"), '', '... and leaves nothing of his');
    ($pid, $socket) = start_hookspoold(conf => $conf);
    is(deliver($socket, path => '/webhooks/many')->{status}, 200, '... so that hookspoold can go on');
    stop($pid);
}

sub find_foreign { return scalar `find "$_[0]" -user root` }

done_testing();
