#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# drain --follow: it is there before the spool is, sleeps without looking, and wakes for whatever
# there is to do: events, failures whose time has come, and those who ask for a retry or a replay.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Test::More;
use Time::HiRes qw(time);

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[spool calls]
segment_size = 64K

[consumer live]
spool = calls

[consumer soon]
spool   = calls
backoff = 1s..1s

[consumer later]
spool   = calls
backoff = 1h..7d
CONF
my $spool = "$dir/spool/calls";
my ($daemon, $socket);

sub script {
    my ($name, $text) = @_;
    return spew("$dir/$name", "#!/bin/sh\ncd '$dir' || exit 99\n$text\n", 0755);
}

my $take = script('take', q(cat >>"got.$HOOKSPOOL_CONSUMER"));

sub follow {
    my ($consumer, @more) = @_;
    return spawn(cmd => [program('hookspool'), '-c', $conf, 'drain', '-v', '--follow', $consumer, @more],
        log => "$dir/$consumer.err");
}

sub got { my ($consumer) = @_; return [log_of("$dir/got.$consumer") =~ /^\{"specversion":"1\.0","id":"([^"]+)"/mg] }

# Is it in ppoll(2), without a time to wake at?
sub sleeps {
    my ($pid) = @_;
    return log_of("/proc/$pid/syscall") =~ /^271 0x\w+ 0x\w+ 0x0 /;
}

my @ids;
sub store { my (@events) = @_; my @new = store_events($socket, @events); push @ids, @new; return @new }

# ---- from before there is a spool

my $live = follow('live', '--', $take);
ok(wait_until { log_of("$dir/live.err") =~ /spool 'calls' has not been made yet/ }, 'it waits for the spool');
($daemon, $socket) = start_hookspoold(conf => $conf);
store(3);
eventually { @{ got('live') } == 3 } 'and takes what is stored in it';

# ---- asleep, and awake

SKIP: {
    skip '/proc does not tell what a process does', 3 if log_of("/proc/$$/syscall") !~ /^\d+ 0x/ || `uname -m` !~ /x86_64/;
    eventually { sleeps($live) } 'then it sleeps, and for no time';
    my $switches = sub { slurp("/proc/$live/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m ? $1 : -1 };
    my ($before, $calm) = (-1, 0);
    wait_until { my $now = $switches->(); $calm = $now == $before ? $calm + 1 : 0; $before = $now; $calm > 10 };
    operate($conf, 'drain', 'soon', '--', 'true') for 1 .. 20;    # passes time, and is none of its business
    is($switches->(), $before, '... while others work');
    ok(sleeps($live), '... and sleeps on');
}

{
    my @delays;
    for (1 .. 20) {
        store(1);
        my $stored = time;
        wait_until { @{ got('live') } == @ids } or last;
        push @delays, time - $stored;
    }
    @delays = sort { $a <=> $b } @delays;
    is(scalar @delays, 20, 'twenty events, one after the other');
    cmp_ok($delays[10] // 99, '<', 0.1, sprintf '... the middle one of them within 100 ms (%.0f)', 1000 * ($delays[10] // 99));
}

# ---- segments, and other responders

{
    store(map { { body => '"' . 'x' x 20000 . '"' } } 1 .. 12);
    cmp_ok(scalar(segments($spool)), '>', 3, 'segments end');
    eventually { @{ got('live') } == @ids } '... and it goes on to the next';
    is(stop($daemon), 0, 'the responder ends');
    ($daemon, $socket) = start_hookspoold(conf => $conf);
    store(2);
    eventually { @{ got('live') } == @ids } '... and it takes what the next one stores';
    kill_hard($daemon);
    ($daemon, $socket) = start_hookspoold(conf => $conf);
    store(2);
    eventually { @{ got('live') } == @ids } '... also when the first one was killed';
    is_deeply(got('live'), \@ids, 'each event once, in its order');
    my ($code, $out, $err) = operate($conf, 'drain', 'live', '--', 'false');
    is("$code|$out|$err", '0||', 'a drain beside it has nothing to do');
}

# ---- what others ask for

{
    is((operate($conf, 'replay', 'live', @ids[1, 3]))[0], 0, 'a replay is asked for');
    eventually { @{ got('live') } == @ids + 2 } '... and done at once';
    my @all = @{ got('live') };
    is_deeply([@all[-2, -1]], [@ids[1, 3]], '... with those events');
    unlink "$dir/got.live";
}

# ---- failures

{
    my $mended = script('mends', q(if [ -e mended ]; then cat >>"got.$HOOKSPOOL_CONSUMER"; else exit 1; fi));
    operate($conf, 'drain', 'soon', '--', 'true');
    my $soon = follow('soon', '--each', '--', script('once',
            q([ -e "seen.$HOOKSPOOL_ID" ] && exec cat >>"got.$HOOKSPOOL_CONSUMER"; : >"seen.$HOOKSPOOL_ID"; exit 1)));
    my ($id) = store(1);
    eventually { grep { $_ eq $id } @{ got('soon') } } 'an event that has failed is offered when its time has come';
    is(stop($soon), 0, 'SIGTERM ends it, with 0');
    my $ordered = follow('soon', '--ordered', '--', "$dir/once");
    my @both = store(2);
    eventually { grep { $_ eq $both[1] } @{ got('soon') } } 'in order, they follow when its time has come';
    my @all = @{ got('soon') };
    is_deeply([@all[-2, -1]], \@both, '... one after the other');
    is(stop($ordered), 0, 'it ends');
    like(log_of("$dir/soon.err"), qr/1 acknowledged, 1 failed/, '... and it says what was');

    # The command is broken: it goes on in an hour, or when somebody says so.
    my $later = follow('later', '--each', '--', $mended);
    eventually { log_of("$dir/later.err") =~ /seems to be broken.*going on in 3600 s/s } 'a broken command is given time';
    store(1);
    my ($tries) = scalar(() = log_of("$dir/later.err") =~ /attempt 1,/g);
    is($tries, 10, '... and no new event is lost on it');
    spew("$dir/mended", '');
    is((operate($conf, 'retry', 'later'))[0], 0, 'when it is mended, a retry is asked for');
    eventually { @{ got('later') } == @ids } '... and all of it is done at once';
    is_deeply([sort @{ got('later') }], [sort @ids], '... each event');

    # In order, one that failed holds the others.
    unlink "$dir/mended", "$dir/got.later";
    is(stop($later), 0, 'it ends');
    $later = follow('later', '--ordered', '--each', '--', $mended);
    my @held = store(3);
    eventually { log_of("$dir/later.err") =~ /\Q$held[0]\E.*attempt 1, again in 3600 s/ } 'in order, one that fails';
    SKIP: {
        skip '/proc does not tell', 1 if `uname -m` !~ /x86_64/;
        eventually { log_of("/proc/$later/syscall") =~ /^271 0x\w+ 0x\w+ 0x[1-9a-f]/ } '... is waited for';
    }
    is_deeply(got('later'), [], '... and holds the others');
    spew("$dir/mended", '');
    operate($conf, 'retry', 'later', $held[0]);
    eventually { @{ got('later') } == 3 } '... until it is done';
    is_deeply(got('later'), \@held, '... in their order');
    is(stop($later), 0, 'it ends');
}

is(stop($live), 0, 'SIGTERM ends one that sleeps');
{
    my ($log) = log_of("$dir/live.err");
    unlike($log, qr/cannot|failed:/, '... which had nothing to complain of') or diag($log);
}
is(stop($daemon), 0, 'hookspoold ends');
done_testing();
