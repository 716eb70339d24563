#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# The life of an event that a command cannot take: received, failed, backed off, dead, brought back
# when the command was mended, done. And one such event in a batch of a thousand.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[consumer billing]
spool        = calls
max_attempts = 3
max_age      = 2s
backoff      = 1s..1s

[consumer patient]
spool   = calls
backoff = 1h..1h

[consumer thousand]
spool = calls
CONF
my $spool = "$dir/spool/calls";
my ($daemon, $socket) = start_hookspoold(conf => $conf);

sub script {
    my ($name, $text) = @_;
    return spew("$dir/$name", "#!/bin/sh\ncd '$dir' || exit 99\n$text\n", 0755);
}

# The lines of a file of a consumer, decoded; without those that strike others out.
sub entries_of {
    my ($consumer, $file) = @_;
    return grep { !exists $_->{done} } map { decode_json($_) } split /\n/, log_of("$spool/consumers/$consumer/$file.ndjson");
}

# What waits now: the last line of each position that is not done.
sub waiting {
    my ($consumer) = @_;
    my %at;
    for my $line (split /\n/, log_of("$spool/consumers/$consumer/retry.ndjson")) {
        my $entry = decode_json($line);
        exists $entry->{done} ? delete $at{ $entry->{done} } : ($at{ $entry->{position} } = $entry);
    }
    return map { $at{$_} } sort { $a <=> $b } keys %at;
}

my $bad = 'poison';
my $c   = script('import', <<'SH');
cat >in.$$
if grep -q '"id":"poison' in.$$ && ! [ -e mended ]; then
    printf 'no such account: \342\202\254 "x"\n\033[2Jand more\n' >&2
    rm in.$$; exit 3
fi
cat in.$$ >>got; rm in.$$
SH

sub drain { return operate($conf, 'drain', 'billing', '--', $c) }

# ---- received, failed

my @before = store_events($socket, 3);
store_events($socket, { id => $bad, body => '{"type":"call.ended","text":"\u20ac \"quoted\""}' });
my @after = store_events($socket, 2);
{
    my $start = int time;
    my ($code, $out, $err) = drain();
    is("$code|$out", '75|', 'an event fails');
    like($err, qr/^hookspool: consumer 'billing': event poison \(call\.ended\) failed: exit status 3; attempt 1, again in 1 s$/m, '... which is told');
    like($err, qr/^no such account/m, '... with what the command had to say');
    is(scalar(() = log_of("$dir/got") =~ /\n/g), 5, '... the others are done');

    my ($entry, @more) = waiting('billing');
    is(scalar @more, 0, 'it waits alone');
    my ($line) = grep { /"id":"poison"/ } spool_lines($spool);
    is_deeply($entry->{event}, decode_json($line), 'its entry holds the whole event');
    is(index(log_of("$spool/consumers/billing/retry.ndjson"), qq(,"event":$line,"xxh3":")) > 0, 1, '... byte for byte');
    my %want = (id => $bad, type => 'call.ended', attempts => 1, reason => 'exit status 3', status => 3,
        stderr => "no such account: \x{20ac} \"x\"\n?[2Jand more\n");
    is_deeply({ map { $_ => $entry->{$_} } keys %want }, \%want, '... and why it failed, cleaned');
    ok($entry->{first} >= $start && $entry->{last} == $entry->{first} && $entry->{next} == $entry->{last} + 1, '... and when');
  SKIP: {
        my $jq = find_program('jq') or skip 'jq is not installed', 1;
        my ($status, $text) = run([$jq, '-r', '.event.data.text', "$spool/consumers/billing/retry.ndjson"]);
        is($text, qq(\xe2\x82\xac "quoted"\n), 'jq reads it');
    }
}

# ---- backed off, dead

{
    my ($code, @attempts, @said, @waits);
    wait_until {
        my ($entry) = waiting('billing') or return 1;
        return 0 if time < $entry->{next};
        push @attempts, $entry->{attempts};
        push @waits, $entry->{next} - $entry->{last};
        ($code, undef, my $err) = drain();
        push @said, $err =~ /(attempt [^\n]*)/;
        return 0;
    };
    is("@attempts", '1 2', 'each time that it is offered it fails');
    is("@waits", '1 1', '... and waits');
    is_deeply(\@said, ['attempt 2, again in 1 s', 'attempt 3, given up: hookspool retry --dead billing offers it again'],
        'after its third attempt, two seconds after the first, it is given up');
    is($code, 75, '... and that is no success');
    my ($entry, @more) = entries_of('billing', 'dead');
    is(scalar @more, 0, 'it is among the dead, alone');
    is("$entry->{id} $entry->{attempts} " . ($entry->{next} // 'null'), 'poison 3 null', '... with its history');
    is_deeply([drain()], [0, '', ''], 'it is not offered any more');
}

# ---- brought back, done

{
    my ($code, $out, $err) = operate($conf, 'retry', '--dead', 'billing', 'nobody');
    is($code, 65, 'one that is not dead');
    like($err, qr/event 'nobody' is not among the dead of consumer 'billing'/, '... is not found');
    ($code, $out, $err) = operate($conf, 'retry', '--dead', '-n', 'billing');
    is("$code|$out", "0|1 dead event would be offered again by the next drain\n", 'retry --dead --dry-run');
    is(scalar(entries_of('billing', 'dead')), 1, '... changes nothing');
    ($code, $out, $err) = operate($conf, 'retry', '--dead', 'billing', $bad);
    is("$code|$out|$err", "0|1 dead event will be offered again by the next drain\n|", 'retry --dead');
    is(scalar(entries_of('billing', 'dead')), 0, '... takes it out of the dead');
    ($code, undef, $err) = drain();
    like($err, qr/attempt 1, again in 1 s/, 'it begins anew');

    spew("$dir/mended", '');
    operate($conf, 'retry', 'billing');
    is_deeply([drain()], [0, '', ''], 'when the command was mended, it is done');
    like(log_of("$dir/got"), qr/"id":"poison".*\n\z/, '... with the event as it came');
    is(scalar(waiting('billing')) + scalar(entries_of('billing', 'dead')), 0, '... and nothing waits, and nothing is dead');
    is(scalar(() = log_of("$dir/got") =~ /\n/g), 6, 'each event was taken once');
    unlink "$dir/mended", "$dir/got";
}

# ---- retry without waiting

{
    my ($code, $out, $err) = operate($conf, 'retry', 'patient');
    is($code, 69, 'a consumer that was never drained');
    like($err, qr/has never been drained/, '... has no failures');
    operate($conf, 'drain', 'patient', '--each', '--', 'false');
    is(scalar(waiting('patient')), 6, 'six events wait for an hour');
    is_deeply([operate($conf, 'drain', 'patient', '--', 'false')], [0, '', ''], '... and are not offered before');
    ($code, $out) = operate($conf, 'retry', 'patient', $before[1], $after[0]);
    is("$code|$out", "0|2 events will be offered again by the next drain\n", 'two of them are asked for');
    operate($conf, 'drain', 'patient', '--', $c);
  SKIP: {
        skip 'jq is not installed', 1 if !find_program('jq');
        my ($example) = slurp(top_src('man/hookspool-spool.5')) =~ /^\.\\" test: failed\n\.Bd[^\n]*\n(.*?)^\.Ed$/ms;
        $example =~ s/billing/patient/;
        my (undef, $text) = run(['sh', '-c', "cd '$spool' && $example"]);
        is($text, join('', map { "$_->{id}\t1\texit status 1\n" } waiting('patient')), 'the manual\'s jq tells which wait');
    }
    is_deeply([log_of("$dir/got") =~ /^\{"specversion":"1\.0","id":"(\w+)"/mg], [$before[1], $after[0]], '... and offered at once');
    ($code, $out, $err) = operate($conf, 'retry', 'patient', $before[1]);
    is($code, 65, 'one that does not wait');
    like($err, qr/is not among the failed ones/, '... is not found');
    my $tell = script('tell', 'echo "$HOOKSPOOL_ID $HOOKSPOOL_TYPE $HOOKSPOOL_ATTEMPT" >>told');
    operate($conf, 'retry', 'patient');
    operate($conf, 'drain', 'patient', '--each', '--', $tell);
    is((split /\n/, log_of("$dir/told"))[0], "$before[0] call.ended 2", 'a command is told which attempt this is');
}

# ---- one among a thousand

{
    my @raw = map { fcgi_post(id => ($_ == 618 ? 'poison_2' : new_id()), body => qq({"type":"call.ended","n":$_})) } 1 .. 994;
    my @answers = map { exchange_all($socket, splice @raw, 0, 64) } 1 .. 16;
    is(scalar(grep { $_->{status} == 200 } @answers), 994, 'a thousand events');
    is(scalar(spool_lines($spool)), 1000, '... are stored');
    my $counting = script('counting', 'echo $HOOKSPOOL_COUNT >>sizes; exec "$0.import"');
    script('counting.import', slurp("$dir/import"));
    # poison, the first one, is out of the way
    (my $text = slurp("$dir/counting.import")) =~ s/"id":"poison/"id":"poison_2/;
    spew("$dir/counting.import", $text, 0755);
    unlink "$dir/got";
    my ($code, undef, $err) = operate($conf, 'drain', 'thousand', '--', $counting);
    is($code, 75, 'one of them fails');
    is(scalar(() = $err =~ /failed:/g), 1, '... and is told of, once');
    is_deeply([map { $_->{id} } waiting('thousand')], ['poison_2'], '... and waits');
    my @got = log_of("$dir/got") =~ /^\{"specversion":"1\.0","id":"(\w+)"/mg;
    my @all = map { /"id":"(\w+)"/ } spool_lines($spool);
    is_deeply(\@got, [grep { $_ ne 'poison_2' } @all], '... the other 999 are done, each once, in their order');
    my @sizes = split /\n/, log_of("$dir/sizes");
    cmp_ok(scalar @sizes, '<=', 2 * 10 + 1, 'in ' . @sizes . ' runs: two for each time a thousand can be halved');
    is($sizes[0], 1000, '... the first with all of them');
}

is(stop($daemon), 0, 'hookspoold ends');
done_testing();
