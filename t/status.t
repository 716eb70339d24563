#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# status and stats: two consumers at different paces, one that was taken out of the configuration,
# the age table in the shape of qshape's, and what Prometheus and Nagios are told.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use JSON::PP qw(decode_json);
use Test::More;

my $site = <<'CONF';
[hookspool]
spool_dir = %d/spool

[endpoint calls]
path = /webhooks/calls
secret_file = %d/one.secret

[endpoint other]
path = /webhooks/other
secret_file = %d/one.secret

[spool calls]
segment_size = 64K

[consumer billing]
spool = calls
max_attempts = 1
max_age = 0s

[consumer crm]
spool = calls
CONF
my $conf  = write_site("$site\n[consumer old]\nspool = calls\n");
my $spool = "$dir/spool/calls";

sub status { return decode_json((operate($conf, 'status', '--json', '--spool', 'calls'))[1]) }
sub consumer { my ($all, $name) = @_; return (grep { $_->{consumer} eq $name } @{ $all->{consumers} })[0] }
sub nagios { my ($code, $out) = operate($conf, 'stats', '--format', 'nagios', '--spool', 'calls', @_); return "$code $out" }

# ---- before hookspoold has ever run

{
    my ($code, $out, $err) = operate($conf, 'status');
    is("$code|$err", '0|', 'status of spools that are not there');
    is($out, "spool calls: hookspoold has not made it yet\n\nspool other: hookspoold has not made it yet\n", '... says so');
    my @all = map { decode_json($_) } split /\n/, (operate($conf, 'status', '--json'))[1];
    is(join(' ', map { "$_->{spool}-" . ($_->{made} ? 1 : 0) } @all), 'calls-0 other-0', '... as JSON');
    is((operate($conf, 'stats'))[0], 0, 'stats likewise');
    like(nagios(), qr/^3 HOOKSPOOL UNKNOWN - spool calls: hookspoold has not made it yet \|/, 'a check does not know');
}

my ($daemon, $socket) = start_hookspoold(conf => $conf);
wait_until { (operate($conf, 'cat', '--spool', 'calls'))[0] == 0 };    # it listens before it has made it
{
    my ($code, $out, $err) = operate($conf, 'status', '--spool', 'calls');
    is("$code|$err", '0|', 'status of an empty spool');
    like($out, qr/\Aspool calls: 0 in 1 segment; nothing was ever stored\nCONSUMER +WAITING .*\nbilling +0 +0 +- +0 +0 +- +was never drained\n/, '... which is empty');
    unlike($out, qr/TOTAL/, '... without a table of nothing');
    like(nagios(), qr/^0 HOOKSPOOL OK - 0 waiting, 0 failed, 0 dead \|/, 'a check is content');
    like((operate($conf, 'tail'))[2], qr/\d spools, say which: calls, /, 'the spools there are');
    like(nagios('--max-silence', '1d'), qr/^2 HOOKSPOOL CRITICAL - spool calls: no event was ever stored \|/, 'but not with silence');
}

# ---- events, and consumers at different paces

my @types = (('call.ended') x 6, ('call.started') x 3, 'message.received');
store_events($socket, map {
    { body => qq({"type":"$types[$_ % @types]","x":") . 'x' x 1000 . '"}' }
} 0 .. 199);
is((operate($conf, 'drain', 'billing', '--max', '150', '--', 'sh', '-c', 'cat >/dev/null'))[0], 0, 'billing has 150 events');
is((operate($conf, 'drain', 'old', '--max', '10', '--', 'sh', '-c', 'cat >/dev/null'))[0], 0, 'old has 10');
is((operate($conf, 'drain', 'crm', '--each', '--max', '2', '--', 'false'))[0], 75, 'two have failed at crm');
is((operate($conf, 'drain', 'billing', '--each', '--max', '1', '--', 'false'))[0], 75, 'one is dead at billing');
like(nagios(), qr/^1 HOOKSPOOL WARNING - consumer billing: 1 event is dead \|/, '... and one is told of');
is((operate($conf, 'drain', 'billing', '--each', '--max', '2', '--', 'false'))[0], 75, 'three are dead at billing');

my @lines = spool_lines($spool);

# hookspoold makes the summaries, also of a segment that it found half full. It may wait with the
# last one until the next segment is closed.
sub summaries { my @files = glob "'$spool'/log/*.summary"; return scalar @files }
for my $round (1, 2) {
    my $before = segments($spool);
    eventually {
        store_events($socket, { body => '{"type":"message.received","x":"' . 'x' x 9000 . '"}' });
        segments($spool) > $before + 2 && summaries() >= segments($spool) - 2;
    } 'each closed segment has a summary';
    last if $round == 2;
    is(stop($daemon), 0, 'hookspoold ends');
    ($daemon, $socket) = start_hookspoold(conf => $conf);
}
@lines = spool_lines($spool);
my %waits = (billing => @lines - 153, crm => @lines - 2, old => @lines - 10);

# What the lines of the log say that `status` has to say of those behind the first few.
sub counted {
    my ($passed) = @_;
    my %of;
    for my $line (@lines[$passed .. $#lines]) {
        my ($type) = $line =~ /"type":"([^"]+)"/;
        $of{$type}{events}++;
        $of{$type}{bytes} += 1 + length $line;
    }
    return \%of;
}

for my $summaries ('with summaries', 'without summaries') {
    my $all = status();
    my %passed = (billing => 153, crm => 2, old => 10);
    for my $name (sort keys %passed) {
        my $backlog = consumer($all, $name)->{backlog};
        my $want    = counted($passed{$name});
        my %got = map { my $row = $_; ($row->{type} => { map { ($_ => $row->{$_}) } qw(events bytes) }) } @{ $backlog->{by_age}{types} };
        is_deeply(\%got, $want, "$name: the backlog by type, $summaries");
        is($backlog->{events}, @lines - $passed{$name}, '... in all');
        is_deeply([map { $_->{ages}[0] } @{ $backlog->{by_age}{types} }],
            [map { $_->{events} } @{ $backlog->{by_age}{types} }], '... all of it young');
        my ($received) = $lines[$passed{$name}] =~ /"received":"(.{19})/;
        is($backlog->{oldest}, "${received}Z", '... and since when');
    }
    is(join(' ', map { $all->{$_} } qw(begin segments)), '0 ' . segments($spool), 'the log');
    is(summaries(), segments($spool) - 1, 'each closed segment has a summary, by hookspoold or by status');
    unlink glob "'$spool'/log/*.summary";
}

{
    my $all = status();
    my ($billing, $crm) = map { consumer($all, $_) } qw(billing crm);
    is("$billing->{failed} $billing->{dead} $crm->{failed} $crm->{dead}", '0 3 2 0', 'what has failed, and what is dead');
    like($_->{oldest_failure}, qr/^\d{4}-.*Z$/, '... since when') for $billing, $crm;
    like($crm->{next_attempt}, qr/^\d{4}-.*Z$/, '... and when it goes on');
    ok(!$crm->{drained}, 'nobody drains it');

    my ($code, $out, $err) = operate($conf, 'status');
    is("$code|$err", '0|', 'status for people');
    like($out, qr/^spool calls: \S+ in \d+ segments; last event \w+ ago, at \S+Z$/m, '... tells of the log');
    like($out, qr/^billing +$waits{billing} +\S+ +\w+ +0 +3 +\w+$/m, '... of one consumer');
    like($out, qr/^crm +$waits{crm} +\S+ +\w+ +2 +0 +\w+$/m, '... and of another');
    like($out, qr/^waiting for crm, by age in minutes\n +T +5 +10 +20 +40 +80 +160 +320 +640 +1280 +1280\+\n +TOTAL +$waits{crm} +\d+( +\d+){9}\n +call\.ended +\d+ +\d+( +\d+){9}\n/m,
        '... with the table of qshape');
    my @wide = grep { length > 80 } split /\n/, $out;
    is("@wide", '', '... within 80 columns');
    ($code, $out) = operate($conf, 'status', '--consumer', 'crm', '--spool', 'calls');
    unlike($out, qr/billing/, 'of one consumer only');
    is((operate($conf, 'status', '--spool', 'levers'))[0], 78, 'of a spool that is not there');
}

# ---- while it is drained

{
    my $pid = spawn(cmd => [program('hookspool'), '-c', $conf, 'drain', 'billing', '--follow', '--', 'sh', '-c', 'cat >/dev/null'],
        log => "$dir/drain.log");
    eventually { my $b = consumer(status(), 'billing'); $b->{drained} && $b->{backlog}{events} == 0 } 'it is seen to be drained';
    like((operate($conf, 'status'))[1], qr/^billing .* is being drained$/m, '... also by people');
    is(stop($pid), 0, 'and ends');
    ok(!consumer(status(), 'billing')->{drained}, 'which is seen, too');
}

# ---- a consumer that is not in the configuration any more

write_site($site);
{
    my ($code, $out, $err) = operate($conf, 'status', '--spool', 'calls');
    is("$code|$err", '0|', 'a consumer was taken out of the configuration');
    like($out, qr/^old +$waits{old} .* not in the configuration$/m, '... and its backlog is told');
    like($out, qr/^waiting for old, by age/m, '... with its table');
    my $old = consumer(status(), 'old');
    ok(!$old->{configured} && $old->{backlog}{events} == $waits{old}, '... also as JSON');
    is((operate($conf, 'list', '--consumer', 'old', '--spool', 'calls', '--max', '1'))[0], 0, 'its events can be listed');
    like(nagios('--max-backlog', $waits{crm}), qr/^1 HOOKSPOOL WARNING - consumer billing: 3 events are dead \|(?!.*_old_)/, 'but it raises no alarm');
}

# ---- many types do no harm

store_events($socket, map { { body => qq({"type":"hostile.$_"}) } } 1 .. 40);
{
    my ($code, $out) = operate($conf, 'status', '--consumer', 'billing', '--spool', 'calls');
    my @rows = $out =~ /^( +\S.* \d+)$/mg;
    is(scalar @rows, 1 + 20, 'twenty rows and the total');
    like($rows[-1], qr/^ +\(21 more types\) +21 +21 /, '... the last of which is all the rest');
    ($code, $out) = operate($conf, 'status', '-v', '--consumer', 'billing', '--spool', 'calls');
    is(scalar(() = $out =~ /hostile/g), 40, 'with -v all of them');
}

# ---- stats

deliver($socket, id => 'x', body => '{}', secret => $OLD_SECRET);
my $stored = @lines + 41;
$waits{$_} += 41 for qw(crm old);
store_events($socket, { id => 'twice' });
deliver($socket, id => 'twice', body => '{}');
{
    my ($code, $out, $err) = operate($conf, 'stats', '--spool', 'calls');
    is("$code|$err", '0|', 'stats');
    like($out, qr/^spool calls\nOUTCOME +TOTAL +LAST HOUR +LAST DAY +LAST\nstored +$stored +$stored +$stored +\d\S+Z\nduplicate +1 +1 +1 +\d\S+Z\n/, '... has the counters');
    like($out, qr/^forged +1 +1 +1 /m, '... of all outcomes');
    like($out, qr/^crm +$waits{crm} +\w+ +2 +0 +\w+$/m, '... and the consumers');
    my $json = decode_json((operate($conf, 'stats', '--json', '--spool', 'calls'))[1]);
    is($json->{requests}{stored}{total}, $stored, '... as JSON');
    is($json->{secrets}[0]{matches}, $stored + 1, '... with the matches of each secret');
    is(join(' ', map { "$_->{consumer}-$_->{waiting}" } @{ $json->{consumers} }), "billing-41 crm-$waits{crm} old-$waits{old}", '... and backlogs');
    is((operate($conf, 'stats', '--format', 'xml'))[0], 64, 'there is no such format');
    is((operate($conf, 'stats', '--max-age', '1h'))[0], 64, 'limits are for checks');
}

# The exposition format: HELP, TYPE, then the samples of that metric and of no other.
{
    my ($code, $out, $err) = operate($conf, 'stats', '--format', 'prometheus');
    is("$code|$err", '0|', 'for Prometheus');
    my (%seen, %value, $metric, @wrong);
    for my $line (split /\n/, $out) {
        if ($line =~ /^# HELP (hookspool_[a-z_]+) \S.*\.$/) {
            push @wrong, $line if $seen{$1}++;
            $metric = $1;
        } elsif ($line =~ /^# TYPE (\S+) (counter|gauge)$/) {
            push @wrong, $line if $1 ne $metric || ($2 eq 'counter') != ($1 =~ /_total$/ ? 1 : 0);
        } elsif ($line =~ /^(\w+)\{((?:\w+="[^"\\]*",?)+)\} (\d+)$/) {
            push @wrong, $line if $1 ne $metric || exists $value{"$1 $2"};
            $value{"$1 $2"} = $3;
        } else {
            push @wrong, $line;
        }
    }
    is("@wrong", '', '... each line is in order');
    is($value{'hookspool_requests_total spool="calls",outcome="stored"'}, $stored, '... with the counters');
    is($value{'hookspool_waiting_events spool="calls",consumer="crm"'}, $waits{crm}, '... the backlogs');
    is($value{'hookspool_failed_events spool="calls",consumer="crm"'}, 2, '... the failures');
    is($value{'hookspool_dead_events spool="calls",consumer="billing"'}, 3, '... the dead');
    is($value{'hookspool_consumer_configured spool="calls",consumer="old"'}, 0, '... and who is not configured');
    is($value{'hookspool_log_segments spool="other"'}, 1, '... of all spools');
}

# ---- checks

is((split / /, nagios('--warn-dead', '3'))[0], 0, 'as many dead as are allowed');
like(nagios('--max-dead', '2'), qr/^2 HOOKSPOOL CRITICAL - consumer billing: 3 events are dead \| .*'calls_billing_dead'=3;0;2;0.*\nCRITICAL: consumer billing: 3 events are dead\n\z/, 'too many');
like(nagios('--warn-dead', '5', '--warn-failed', '1'), qr/^1 HOOKSPOOL WARNING - consumer crm: 2 events have failed \|/, 'too many that failed');
like(nagios('--warn-backlog', '100', '--max-backlog', $waits{crm} - 1),
    qr/^2 HOOKSPOOL CRITICAL - consumer crm: $waits{crm} events wait; consumer billing: 3 events are dead \|/, 'the worst comes first');
like(nagios('--warn-dead', '5', '--max-age', '1h', '--max-silence', '1h'), qr/^0 HOOKSPOOL OK - @{[ 41 + $waits{crm} ]} waiting, 2 failed, 3 dead; last event \w+ ago \| 'calls_silence'=\w+;;3600;0 'calls_billing_oldest'=\w+;;3600;0 /, 'all is well');
is(nagios('-q', '--warn-dead', '5'), '0 ', 'and with -q there is nothing to say');
eventually { nagios('--warn-dead', '5', '--max-age', '0') =~ /^2 HOOKSPOOL CRITICAL - consumer billing: the oldest event waits for \w+; / } 'an event that waits too long';
eventually { nagios('--warn-dead', '5', '--warn-silence', '0') =~ /^1 HOOKSPOOL WARNING - spool calls: no event was stored for \w+ \|/ } 'silence';
{
    my $bad = write_site("[hookspool]\nspool_dir = nowhere\nfoo = 1\n", 'bad.conf');
    my ($code, $out) = run([program('hookspool'), '-c', $bad, 'stats', '--format', 'nagios']);
    is("$code $out", "3 HOOKSPOOL UNKNOWN - the configuration is at fault\n", 'without a configuration nothing is known');
}

# ---- what cannot be read

{
    my $cursor = "$spool/consumers/crm/cursor";
    my $bytes  = slurp($cursor);
    spew($cursor, 'x' x length $bytes);
    my ($code, $out, $err) = operate($conf, 'status', '--spool', 'calls');
    is($code, 77, 'a cursor that is damaged');
    like($err, qr/neither line of '.*crm\/cursor' proves itself/, '... is named');
    like($out, qr/^crm +\? .* cannot be read$/m, '... and its consumer');
    like($out, qr/^billing +41 /m, '... while the others are told');
    like(nagios('--warn-dead', '5'), qr/^3 HOOKSPOOL UNKNOWN - consumer crm: it cannot be read \|/, 'a check does not know');
    is((operate($conf, 'replay', 'crm', '--since', '1d'))[0], 65, '... nor can what it has passed be offered again');
    spew($cursor, $bytes);
    operate($conf, 'replay', 'billing', '--since', '1d');
    like((operate($conf, 'status', '--spool', 'calls'))[1], qr/^billing .* a replay is asked for$/m, 'a replay is told of before it is carried out');
    is(consumer(status(), 'billing')->{replays}, 1, '... as JSON, too');
    unlink "$spool/consumers/billing/replay-1";
    my @refused = operate($conf, 'replay', 'billing', '--type', "[!\n]*");
    is("$refused[0]|$refused[1]", '64|', 'nothing is promised of a request that cannot be written down');
    is((operate($conf, 'status'))[0], 0, 'and all is well again');
}

# The counters were lost: the log tells when the last event came.
is(stop($daemon), 0, 'hookspoold ends');
unlink "$spool/stats";
{
    my ($code, $out) = operate($conf, 'stats', '--spool', 'calls');
    like($out, qr/^there are no counters$/m, 'without counters');
    my ($received) = (spool_lines($spool))[-1] =~ /"received":"(.{19})/;
    is(status()->{last_stored}, "${received}Z", 'the log has the last event');
}

# What the log holds may not be read: then nothing is said of it, least of all that it is empty.
{
    my $last = (segments($spool))[-1];
    chmod 0, $last or die "cannot chmod '$last': $!\n";
    my ($code, $out, $err) = operate($conf, 'status', '--spool', 'calls');
    is("$code|$out", '77|', 'a segment that may not be read');
    like($err, qr/cannot (?:open|read) '.*ndjson': Permission denied/, '... is named');
    is((operate($conf, 'status', '--json', '--spool', 'calls'))[1], '', '... as JSON nothing either');
    my ($stats, $text) = operate($conf, 'stats', '--spool', 'calls');
    is("$stats|$text", '77|', '... nor by stats');
    like(nagios(), qr/^3 HOOKSPOOL UNKNOWN - spool calls: it cannot be read \|/, '... and a check does not know');
    my $samples = (operate($conf, 'stats', '--format', 'prometheus', '--spool', 'calls'))[1];
    like($samples, qr/^hookspool_spool_made\{spool="calls"\} 1$/m, '... a scraper hears of the spool');
    unlike($samples, qr/^hookspool_(?:log|waiting|consumer)/m, '... and of nothing else');
}

done_testing();
