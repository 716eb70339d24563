#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Drains that meet: another one, signals, and the end of the machine. What ran comes to its end or is
# offered again, and is never counted against the events.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Test::More;
use Time::HiRes qw(time);

my @consumers = map { "c$_" } 1 .. 12;
my $conf = write_site(<<'CONF' . join '', map { "\n[consumer $_]\nspool = calls\n" } @consumers);
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret
CONF
my $spool = "$dir/spool/calls";
my ($daemon, $socket) = start_hookspoold(conf => $conf);
my @ids = store_events($socket, 8);

sub script {
    my ($name, $text) = @_;
    return spew("$dir/$name", "#!/bin/sh\ncd '$dir' || exit 99\n$text\n", 0755);
}

# What was offered: a line a run, "ID ID ...", written when it began.
sub offered { return map { my $ids = $_; join '', map { $ids =~ /\Q$ids[$_]\E(?!\d)/ ? $_ : '' } 0 .. $#ids } split /\n/, log_of("$dir/runs") }

sub retry_of { my ($consumer) = @_; return log_of("$spool/consumers/$consumer/retry.ndjson") }

sub begin {
    unlink map { "$dir/$_" } qw(runs go drain.err);
    return spawn(cmd => [program('hookspool'), '-c', $conf, 'drain', @_], log => "$dir/drain.err");
}

sub started { my ($n) = @_; return wait_until { scalar(() = log_of("$dir/runs") =~ /\n/g) >= $n } }
sub ended { my ($pid, $signal) = @_; my $status = stop($pid, $signal // 0); return defined $status ? $status & 127 ? 128 + ($status & 127) : $status >> 8 : 'hung' }

# Signals until it ends, one when the one before has been heard.
sub pressed {
    my ($pid, $signal) = @_;
    for (1 .. 3) {
        kill $signal, $pid;
        last if wait_until { slurp("/proc/$pid/stat") =~ /\) Z / } 0.2;
    }
    return ended($pid);
}

my $note = 'in=$(grep -o \'"id":"[^"]*"\' | tr "\n" " "); echo "$in" >>runs;';
my $hold = 'n=0; until [ -e go ]; do n=$((n+1)); [ $n -lt 3000 ] || exit 1; sleep 0.01; done;';
my $hold_command = script('hold', "$note $hold");
my $free = script('free', $note);

# ---- two drains of one consumer

{
    my $first = begin('c1', '--', $hold_command);
    started(1);
    my $start = time;
    my ($code, $out, $err) = operate($conf, 'drain', 'c1', '--', $free);
    is("$code|$out|$err", '0||', 'a second drain ends at once, and says nothing');
    ($code, $out, $err) = operate($conf, 'drain', '-v', 'c1', '--', $free);
    is("$code|$out|$err", "0||hookspool: consumer 'c1' is being drained by another process\n", '... but with -v');
    my $waiting = spawn(cmd => [program('hookspool'), '-c', $conf, 'drain', '--wait', 'c1', '--', $free], log => "$dir/wait.err");
    is((operate($conf, 'drain', 'c2', '--', $free))[0], 0, 'another consumer is not in its way');
    ok(alive($waiting), 'with --wait it waits');
    spew("$dir/go", '');
    is(ended($first), 0, 'until the first one ends');
    is(ended($waiting), 0, '... and ends after it');
    is_deeply([offered()], ['01234567', '01234567'], 'each event was offered once to each consumer');
}

# ---- signals

for my $signal (qw(TERM INT HUP)) {
    my $consumer = { TERM => 'c3', INT => 'c4', HUP => 'c5' }->{$signal};
    my $pid = begin('-v', $consumer, '-b', 3, '--', $hold_command);
    started(1);
    kill $signal, $pid;
    ok(wait_until { log_of("$dir/drain.err") =~ /asked to end; 1 running/ }, "SIG$signal is heard");
    ok(alive($pid), '... while a command runs, which goes on');
    spew("$dir/go", '');
    is(ended($pid), 75, '... and when it has ended, so does the drain');
    is_deeply([offered()], ['012'], '... and begins no other');
    unlink "$dir/runs";
    operate($conf, 'drain', $consumer, '-b', 3, '--', $free);
    is_deeply([offered()], [qw(345 67)], 'what was done is done');
    is(retry_of($consumer), '', '... and nothing has failed');
}

{
    my $pid = begin('c6', '-b', 4, '--', script('halves', "$note case \$in in *$ids[2]*) exit 1;; esac; $hold"));
    started(2);
    kill 'TERM', $pid;
    spew("$dir/go", '');
    is(ended($pid), 75, 'SIGTERM while a batch is halved');
    is_deeply([offered()], [qw(0123 01)], '... ends with the part that runs');
    unlink "$dir/runs";
    operate($conf, 'drain', 'c6', '--', $free);
    is_deeply([offered()], ['234567'], '... and the rest is offered by the next drain');
}

# ---- a second signal, and a third

{
    my $start = time;
    my $pid = begin('c7', '--each', '--', script('sleeps', "$note sleep 60"));
    started(1);
    kill 'INT', $pid;
    is(pressed($pid, 'INT'), 75, 'a second ^C');
    like(log_of("$dir/drain.err"), qr/was ended: its events wait for the next drain\n\z/, '... ends the command');
    cmp_ok(time - $start, '<', 15, '... soon');
    is(retry_of('c7'), '', '... which is not counted');
    unlink "$dir/runs";
    operate($conf, 'drain', 'c7', '--', $free);
    is_deeply([offered()], ['01234567'], '... and its event is offered again');

    $pid = begin('c8', '--each', '--', script('deaf', "trap '' TERM; $note while :; do sleep 0.01; done"));
    started(1);
    is(pressed($pid, 'TERM'), 75, 'a third one');
    cmp_ok(time - $start, '<', 15, '... kills what does not listen');
    is(retry_of('c8'), '', '... and that is not counted either');
}

# ---- the machine goes down: everybody gets SIGTERM

{
    my $pid = begin('c9', '--each', '--', script('both', "$note kill -TERM \$PPID; kill -TERM \$\$; sleep 60"));
    started(1);
    is(ended($pid), 75, 'a command that is ended together with its drain');
    is(retry_of('c9'), '', '... is not counted');
    $pid = begin('c9', '--each', '--', script('status', "$note kill -TERM \$PPID; exit 143"));
    started(1);
    is(ended($pid), 75, '... nor is one of a shell that tells it by its status');
    is(retry_of('c9'), '', '... of 143');
    $pid = begin('c9', '--each', '-m', 1, '--', script('alone', "$note kill -TERM \$\$; sleep 60"));
    is(ended($pid), 75, 'a command that is ended by itself');
    like(retry_of('c9'), qr/"reason":"signal 15 \(Terminated\)","status":143/, '... has failed');
}

{
    my $pid = begin('c10', '--', $hold_command);
    started(1);
    kill_hard($pid);
    my ($code) = operate($conf, 'drain', 'c10', '--', $free);
    is($code, 0, 'after a drain was killed another can begin');
    is_deeply([offered()], [('01234567') x 2], '... and offers again what was not acknowledged');
    spew("$dir/go", '');
}

# ---- as nohup(1) has it

{
    local $SIG{HUP} = 'IGNORE';
    my $pid = begin('c11', '-b', 4, '--', $hold_command);
    started(1);
    kill 'HUP', $pid;
    spew("$dir/go", '');
    is(ended($pid), 0, 'a signal that is ignored is ignored');
    is_deeply([offered()], [qw(0123 4567)], '... and the drain goes on');
}

is(stop($daemon), 0, 'hookspoold ends');
done_testing();
