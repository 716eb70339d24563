#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# drain as crontabs run it: what a command is given, how often and with what around it, which events
# are done then, and what is said about commands that cannot be run.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Test::More;

my @consumers = map { "c$_" } 1 .. 30;
my $conf = write_site(<<'CONF' . join '', map { "\n[consumer $_]\nspool = calls\n" } @consumers);
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[endpoint later]
secret_file = %d/one.secret

[consumer early]
spool = later
CONF
my $spool = "$dir/spool/calls";

# A command that is a script of the shell; it runs where the tests have their files.
sub script {
    my ($name, $text) = @_;
    return spew("$dir/$name", "#!/bin/sh\ncd '$dir' || exit 99\n$text\n", 0755);
}

sub lines_of { my ($name) = @_; return -e "$dir/$name" ? split /\n/, slurp("$dir/$name") : () }
sub id_of { my ($line) = @_; return $line =~ /"id":"([^"]+)"/ ? $1 : "no id in: $line" }
sub retry_of { my ($consumer) = @_; return log_of("$spool/consumers/$consumer/retry.ndjson") }

# ---- before there is anything

{
    my ($code, $out, $err) = operate($conf, 'drain', 'c1', '--', 'true');
    is("$code|$out|$err", '0||', 'a spool that was never made: nothing to do');
    ($code, $out, $err) = operate($conf, 'drain', '-v', 'c1', '--', 'true');
    like($err, qr/spool 'calls' has not been made yet/, '... which is said with -v');
    (my $elsewhere = slurp($conf)) =~ s/^spool_dir = .*/spool_dir = $dir\/nowhere/m;
    ($code, $out, $err) = operate(spew("$dir/elsewhere.conf", $elsewhere), 'drain', 'c1', '--', 'true');
    is($code, 69, 'a directory of spools that is not there');
    like($err, qr/there is no directory '.*nowhere', the spool_dir/, '... is something else');
    ($code, $out, $err) = operate($conf, 'drain', 'nobody', '--', 'true');
    is($code, 78, 'a consumer that the configuration does not know');
    like($err, qr/no consumer 'nobody'; it has: early, c1, c2/, '... and those it knows');
}

my ($daemon, $socket) = start_hookspoold(conf => $conf);
my @ids = store_events($socket, 24);
push @ids, store_events($socket, { body => "not { json\xff" });
my @lines = spool_lines($spool);
is_deeply([map { id_of($_) } @lines], \@ids, '25 events are stored');

# ---- batches

{
    my $c = script('count', 'cat >>got; echo "$HOOKSPOOL_COUNT $HOOKSPOOL_CONSUMER $HOOKSPOOL_SPOOL '
          . '${HOOKSPOOL_ID-none}" >>runs');
    my ($code, $out, $err) = operate($conf, 'drain', 'c1', '-b', 10, '--', $c);
    is("$code|$out|$err", '0||', 'a drain says nothing when all is well');
    is_deeply([lines_of('got')], \@lines, 'the command gets the lines of the spool, byte for byte');
    is_deeply([lines_of('runs')], [map { "$_ c1 calls none" } 10, 10, 5], '... in batches');
    ($code, $out, $err) = operate($conf, 'drain', 'c1', '-b', 10, '--', $c);
    is("$code|$out|$err", '0||', 'another one has nothing to do');
    is(scalar(lines_of('runs')), 3, '... and runs nothing');
    store_events($socket, 2);
    operate($conf, 'drain', 'c1', $c);
    is((lines_of('runs'))[3], '2 c1 calls none', 'until there are new events');
    @lines = spool_lines($spool);
    @ids   = map { id_of($_) } @lines;

    ($code, $out, $err) = operate($conf, 'drain', '-v', 'c2', '--', 'sh', '-c', 'cat >/dev/null; echo hello; echo there >&2');
    is("$code|$out", "0|hello\n", 'what the command prints is printed');
    is($err, "there\nhookspool: consumer 'c2': 27 acknowledged, 0 failed, 0 given up; 0 wait to be offered again\n",
        '... and with -v there is a summary');
    is((operate($conf, 'drain', 'c3', '--', 'head', '-1'))[0], 0, 'a command need not read it all');
    is((operate($conf, 'drain', 'c3', '--', 'false'))[0], 0, '... and then they are done all the same');
}

# ---- one at a time

{
    unlink "$dir/runs", "$dir/got";
    my $c = script('each', 'read -r line; echo "$line" >>got; if read -r line; then exit 1; fi; echo "$HOOKSPOOL_ID '
          . '$HOOKSPOOL_TYPE $HOOKSPOOL_TIME $HOOKSPOOL_RECEIVED $HOOKSPOOL_POSITION $HOOKSPOOL_ATTEMPT $HOOKSPOOL_COUNT" >>runs');
    my ($code, undef, $err) = operate($conf, 'drain', 'c4', '--each', '--', $c, { env => { HOOKSPOOL_ATTEMPT => 99 } });
    is("$code|$err", '0|', '--each');
    is_deeply([lines_of('got')], \@lines, 'each event is the input of a run');
    my $position = 0;
    my @want;
    for my $line (@lines) {
        my ($time) = $line =~ /"time":"([^"]+)"/;
        my ($type) = $line =~ /"type":"([^"]+)"/;
        my ($received) = $line =~ /"received":"([^"]+)"/;
        push @want, join ' ', id_of($line), $type, $time, $received, $position, 1, 1;
        $position += 1 + length $line;
    }
    is_deeply([lines_of('runs')], \@want, '... which is described in the environment');
    is((operate($conf, 'drain', 'c4', '--each', '-b', 5, '--', 'true'))[0], 64, '--each and --batch exclude each other');
    is((operate($conf, 'drain', 'c4', '--ordered', '-j', 2, '--', 'true'))[0], 64, '... so do --ordered and --jobs');
}

# ---- so many at a time, so many in all

{
    my $c = script('meet', 'mkdir -p met; : >met/$HOOKSPOOL_ID; n=0; while [ $(ls met | wc -l) -lt 4 ]; do '
          . 'n=$((n+1)); [ $n -lt 2000 ] || exit 1; sleep 0.01; done');
    my ($code, undef, $err) = operate($conf, 'drain', 'c5', '--each', '--jobs', 4, '--max', 4, '--', $c);
    is("$code|$err", '0|', '--jobs 4: four commands meet');
    is(scalar(() = glob "'$dir/met/*'"), 4, '--max 4: and no more than four are offered');
    unlink "$dir/got";
    operate($conf, 'drain', 'c5', '--', script('take', 'cat >>got'));
    is_deeply([lines_of('got')], [@lines[4 .. $#lines]], 'the next drain goes on behind them');

    # What has begun is halved to its end, whatever has been counted.
    unlink "$dir/got";
    my $poison = $ids[2];
    $c = script('poison', "cat >in.\$\$; grep -q '\"$poison\"' in.\$\$; bad=\$?; [ \$bad -eq 0 ] || cat in.\$\$ >>got; rm in.\$\$; [ \$bad -ne 0 ]");
    ($code, undef, $err) = operate($conf, 'drain', 'c6', '-b', 8, '--jobs', 2, '--max', 8, '--', $c);
    is($code, 75, 'an event that fails');
    is_deeply([sort(lines_of('got'))], [sort @lines[0, 1, 3 .. 7]], '... keeps none of its batch from being done');
    like($err, qr/\A[^\n]*event \Q$poison\E \(call\.ended\) failed: exit status 1; attempt 1, again in 30 s\n\z/,
        '... and is told in one line');
}

# ---- too slow

{
    unlink "$dir/got";
    my $slow = $ids[1];
    my $c = script('slow', "cat >in.\$\$; if grep -q '\"$slow\"' in.\$\$; then sleep 60; fi; cat in.\$\$ >>got; rm in.\$\$");
    my ($code, undef, $err) = operate($conf, 'drain', 'c7', '-b', 2, '-m', 2, '--timeout', '1s', '--', $c);
    is($code, 75, 'an event that takes too long');
    like($err, qr/event \Q$slow\E .* failed: timeout after 1 s/, '... fails');
    is_deeply([lines_of('got')], [$lines[0]], '... and the one beside it does not');
    like(retry_of('c7'), qr/"reason":"timeout after 1 s","status":143/, '... and the status is a shell\'s');
}

# ---- commands that cannot be run: nothing is counted against the events

{
    spew("$dir/plain", "echo no first line\n", 0644);
    spew("$dir/headless", "echo no first line\n", 0755);
    spew("$dir/lost", "#!/no/such/interpreter\n", 0755);
    mkdir "$dir/directory";
    my @cases = (
        ['that is not there',           ['no-such-command'],    qr/cannot run 'no-such-command': No such file/],
        ['of a path that is not there', ["$dir/nothing"],       qr/cannot run '.*nothing': No such file/],
        ['that is not executable',      ["$dir/plain"],         qr/cannot run '.*plain': Permission denied/],
        ['that is a directory',         ["$dir/directory"],     qr/cannot run '.*directory': Permission denied/],
        ['without a first line',        ["$dir/headless"],      qr/Exec format error \(a script begins with/],
        ['of a lost interpreter',       ["$dir/lost"],          qr/No such file or directory \(is it what its first line/],
        ['that ends with 127',          ['sh', '-c', 'no-such-command'], qr/ended with status 127, which says that a command was not found/],
        ['that ends with 126',          ['sh', '-c', "'$dir/plain'"], qr/ended with status 126, which says that a command cannot be run/],
    );
    for my $case (@cases) {
        my ($what, $command, $said) = @$case;
        for my $options ([], ['--each']) {
            my ($code, undef, $err) = operate($conf, 'drain', 'c8', @$options, '--', @$command);
            is($code, 78, "a command $what @$options");
            like($err, $said, '... which is said');
        }
    }
    is(retry_of('c8'), '', 'no event was counted as failed');
    unlink "$dir/got";
    operate($conf, 'drain', 'c8', '--', script('take', 'cat >>got'));
    is_deeply([lines_of('got')], \@lines, '... and all of them are offered to one that can');
    is((operate($conf, 'drain', 'c9', 'no-such-command', '-h', 'localhost'))[0], 78, 'options of a command are not ours');
    my ($code) = operate($conf, 'drain', 'c9', '--', 'cat', { env => { PATH => undef } });
    is($code, 0, 'without a PATH there is the usual one');
}

# ---- what fails in a row

{
    my ($code, undef, $err) = operate($conf, 'drain', 'c10', '--', 'false');
    is($code, 75, 'a command that always fails');
    like($err, qr/consumer 'c10': 10 events in a row have failed alone: the command seems to be broken; the rest waits\n\z/,
        '... is given up after ten events');
    is(scalar(() = retry_of('c10') =~ /\n/g), 10, '... which wait');
    ($code, undef, $err) = operate($conf, 'drain', 'c11', '--max-failures', 3, '--each', '-q', '--', 'false');
    is(scalar(() = $err =~ /attempt 1/g), 3, '--max-failures 3');
    operate($conf, 'drain', 'c12', '--max-failures', 0, '--each', '--', 'false');
    is(scalar(() = retry_of('c12') =~ /\n/g), scalar @lines, '--max-failures 0: never');
}

# ---- reports

{
    my @bad = @ids[3, 11, 20];
    my $c = script('report', 'cat >>got; echo; ' . join '; ', map { "echo ' $_ '" } @bad);
    unlink "$dir/got";
    my ($code, $out, $err) = operate($conf, 'drain', 'c13', '--report-failures', '--', $c);
    is("$code|$out", '75|', '--report-failures: what the command prints is for us');
    is_deeply([map { id_of($_) } lines_of('got')], \@ids, 'each event was offered once');
    is_deeply([map { id_of($_) } split /\n/, retry_of('c13')], \@bad, 'those that were reported wait');
    like(retry_of('c13'), qr/"reason":"reported by the command","status":0/, '... for that reason');

    $c = script('wrong', "cat >/dev/null; echo $bad[0]; echo stranger");
    ($code, undef, $err) = operate($conf, 'drain', 'c14', '--report-failures', '-b', 27, '--max-failures', 2, '--', $c);
    like($err, qr/reported 'stranger' as failed, which was not among its events/, 'a report of others is none');
    is($code, 75, '... and the run has failed');
    ($code, undef, $err) = operate($conf, 'drain', 'c15', '--report-failures', '-m', 1, '--', 'yes');
    like($err, qr/'yes' printed more than the ids of its events/, 'a command that prints without end');
}

# ---- order

{
    unlink "$dir/got";
    my $poison = $ids[5];
    my $c = script('ordered', "cat >in.\$\$; if grep -q '\"$poison\"' in.\$\$ && ! [ -e mended ]; then exit 1; fi; cat in.\$\$ >>got; rm in.\$\$");
    my ($code) = operate($conf, 'drain', 'c16', '--ordered', '--', $c);
    is($code, 75, '--ordered stops');
    is_deeply([lines_of('got')], [@lines[0 .. 4]], '... at the first failure');
    operate($conf, 'drain', 'c16', '--ordered', '--', $c) for 1 .. 2;
    is(scalar(lines_of('got')), 5, '... and nothing overtakes it');
    spew("$dir/mended", '');
    operate($conf, 'retry', 'c16');
    is((operate($conf, 'drain', 'c16', '--ordered', '--', $c))[0], 0, 'when it succeeds');
    is_deeply([lines_of('got')], \@lines, '... the others follow, in their order');
}

# ---- two consumers, one that is taken out of the configuration, and one that cannot read

{
    unlink map { "$dir/$_" } qw(got slow fast);
    operate($conf, 'drain', 'c17', '-m', 5, '--', script('slow1', 'cat >>slow'));
    operate($conf, 'drain', 'c18', '--', script('fast1', 'cat >>fast'));
    operate($conf, 'drain', 'c17', '-m', 5, '--', "$dir/slow1");
    is_deeply([lines_of('slow')], [@lines[0 .. 9]], 'one consumer is slow');
    is_deeply([lines_of('fast')], \@lines, '... and another is not');
    (my $without = slurp($conf)) =~ s/\n\[consumer c17\]\nspool = calls\n//;
    my $other = spew("$dir/other.conf", $without);
    my ($code, undef, $err) = operate($other, 'drain', 'c17', '--', 'true');
    is($code, 78, 'a consumer that was taken out of the configuration');
    like($err, qr/no consumer 'c17'/, '... is unknown');
    operate($conf, 'drain', 'c17', '--', "$dir/slow1");
    is_deeply([lines_of('slow')], \@lines, '... and goes on where it was when it is back');

    chmod 0, $spool;
    ($code, undef, $err) = operate($conf, 'drain', 'c18', '--', 'true');
    is($code, 77, 'a spool that cannot be read');
    like($err, qr/Permission denied/, '... which is said');
    chmod 0750, $spool;
  SKIP: {
        skip 'only root can lock himself out', 3 if $>;
        chmod 0755, $spool, "$spool/log";
        chmod 0644, glob "'$spool/log/*'";
        chown 0, (getpwnam 'nobody')[3], $spool, "$spool/consumers";
        ($code, undef, $err) = operate($conf, 'drain', 'c19', '--', 'true');
        is($code, 77, 'a consumer whose directory cannot be made');
        like($err, qr/run it as user root, who has the spool; or give .*consumers\/c19/, '... is told what to do');
        mkdir "$spool/consumers/c19", 0750 or die;
        own("$spool/consumers/c19");
        is((operate($conf, 'drain', 'c19', '--', 'true'))[0], 0, '... which helps');
        own($spool, "$spool/consumers");
    }
}

# ---- on a terminal

SKIP: {
    my $terminal = find_program('script') or skip 'script(1) is not installed', 4;
    my $line = sub { join ' ', map { "'$_'" } program('hookspool'), '-c', $conf, 'drain', @_ };
    my (undef, $out) = run([$terminal, '-qec', $line->('c20', '-b', 5, '--', 'true'), '/dev/null']);
    like($out, qr/\rc20 \[#*\.*\] +\d+%  \d+ events, \d+\/s /, 'on a terminal there is a bar');
    like($out, qr/\r\x1b\[K\z/, '... which is gone at the end');
    (undef, $out) = run([$terminal, '-qec', $line->('c21', '-q', '--', 'true'), '/dev/null']);
    is($out, '', '... but not with -q');
    (undef, $out) = run([$terminal, '-qec', $line->('c22', '--', 'true'), '/dev/null'], env => { TERM => 'dumb' });
    is($out, '', '... and not on a dumb one');
}

is(stop($daemon), 0, 'hookspoold ends');
done_testing();
