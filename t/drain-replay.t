#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# Events that a consumer has passed are offered to it once more: which ones, how often, and what
# becomes of those that wait, or are dead.
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

[consumer one]
spool = calls

[consumer two]
spool = calls

[consumer fresh]
spool = calls

[consumer rigid]
spool        = calls
max_attempts = 1
max_age      = 0s
CONF
my $spool = "$dir/spool/calls";
my ($daemon, $socket) = start_hookspoold(conf => $conf);

sub script {
    my ($name, $text) = @_;
    return spew("$dir/$name", "#!/bin/sh\ncd '$dir' || exit 99\n$text\n", 0755);
}

my $take = script('take', 'cat >>got');

# What a drain of a consumer offers now, as numbers of events.
my (@ids, %number);
sub drained {
    my ($consumer, @options) = @_;
    unlink "$dir/got";
    my ($code, undef, $err) = operate($conf, 'drain', $consumer, @options, '--', $take);
    is("$code|$err", '0|', "a drain of '$consumer'");
    return join ' ', map { $number{$_} } log_of("$dir/got") =~ /^\{"specversion":"1\.0","id":"(\w+)"/mg;
}

sub requests { my ($consumer) = @_; return scalar(() = glob "'$spool/consumers/$consumer/replay-'*") }
sub failed { my ($consumer, $file) = @_; return join ' ', map { $number{$_} } log_of("$spool/consumers/$consumer/$file.ndjson") =~ /"position":\d+,"id":"(\w+)"/g }

my @types = map { ('call.ended', 'call.started', 'text.sent')[$_ % 3] } 0 .. 11;
@ids = store_events($socket, map { { body => qq({"type":"$_","fill":") . 'x' x 20000 . '"}' } } @types);
@number{@ids} = 0 .. $#ids;
cmp_ok(scalar(segments($spool)), '>', 3, 'twelve events stand in several segments');

# ---- which

{
    my ($code, $out, $err) = operate($conf, 'replay', 'one', $ids[0]);
    is($code, 69, 'a consumer that was never drained');
    like($err, qr/has never been drained: it will be offered everything/, '... needs no replay');
    is(drained('one'), '0 1 2 3 4 5 6 7 8 9 10 11', 'each event once');
    drained('two');
    is((operate($conf, 'replay', 'one'))[0], 64, 'it has to be said which');
    is((operate($conf, 'replay', 'one', '--since', 'once'))[0], 64, 'a time that is none');
    is((operate($conf, 'replay', 'one', '--since', '1h', '--until', '2h'))[0], 64, 'a time that ends before it begins');
    is((operate($conf, 'replay', 'one', '--type', "a\nid x"))[0], 64, 'a pattern of two lines');
    is(requests('one'), 0, 'nothing is asked for');

    ($code, $out, $err) = operate($conf, 'replay', 'one', '--type', 'call.*', '--dry-run');
    is("$code|$out|$err", "0|8 events would be offered again\n|", '--dry-run says how many');
    is(requests('one'), 0, '... and asks for nothing');

    for my $case (
        [[$ids[4]], '4'],
        [[$ids[2], $ids[0]], '0 2'],
        [['--id', $ids[9], $ids[2]], '2 9'],
        [['--type', 'call.*'], '0 1 3 4 6 7 9 10'],
        [['--type', '*.sent'], '2 5 8 11'],
        [['--type', 'call.ended', $ids[3], $ids[4]], '3'],
        [['--since', '1h'], '0 1 2 3 4 5 6 7 8 9 10 11'],
        [['--since', '1d', '--until', '1h'], ''],
        [['--until', 'now', '--since', '@' . (int(time) + 3600)], ''],
    ) {
        my ($options, $want) = @$case;
        my $n = () = $want =~ /\d+/g;
        ($code, $out) = operate($conf, 'replay', 'one', @$options);
        next if "@$options" =~ /--until now/ and is($code, 64, 'from the future until now');
        my $events = $n == 1 ? '1 event' : "$n events";
        is($out, "$events will be offered again by the next drain\n", "replay @$options");
        is(drained('one'), $want, '... offers those');
        is(requests('one'), 0, '... and leaves nothing behind');
    }
    is(drained('two'), '', 'another consumer sees none of it');
}

{
    my @new = store_events($socket, 2);
    @number{@new} = (12, 13);
    push @ids, @new;
    my ($code, $out, $err) = operate($conf, 'replay', 'one', $ids[13], $ids[1], 'no-such-id');
    is("$code|$out", "65|1 event will be offered again by the next drain\n", 'one that was passed, one that was not, one that is none');
    like($err, qr/3 ids were asked for: the others are not in the log, or 'one' has not passed them yet/, '... which is told');
    operate($conf, 'replay', 'one', $ids[0]);
    is(drained('one', '-b', 1), '1 0 12 13', 'requests are carried out in their order, then the log goes on');
    operate($conf, 'replay', 'one', '--since', '1d');
    is(drained('one', '-m', 5), '0 1 2 3 4', 'a replay that is interrupted');
    is(drained('one', '--jobs', 4, '-b', 3) =~ tr/ //, 8, '... goes on where it was');
}

# ---- events that have failed

{
    my $c = script('fails', "cat >in.\$\$; if grep -qE '$ids[3]\"|$ids[5]\"' in.\$\$; then exit 1; fi; cat in.\$\$ >>got; rm in.\$\$");
    operate($conf, 'drain', 'fresh', '--', $c);
    is(failed('fresh', 'retry'), '3 5', 'two events wait');
    operate($conf, 'replay', 'fresh', $ids[3], $ids[4]);
    is(drained('fresh'), '3 4', 'one of them is replayed, and taken');
    my ($code) = operate($conf, 'retry', 'fresh', $ids[3]);
    is($code, 65, '... and waits no more');
    operate($conf, 'replay', 'fresh', $ids[6], $ids[5]);
    operate($conf, 'drain', 'fresh', '--', $c);
    is(failed('fresh', 'retry') =~ tr/5//, 2, 'the other fails in a replay');
    operate($conf, 'retry', 'fresh');
    is(drained('fresh'), '5', '... and waits once');

    operate($conf, 'drain', 'rigid', '--', $c);
    is(failed('rigid', 'dead'), '3 5', 'where there is one attempt, they are dead');
    operate($conf, 'replay', 'rigid', $ids[3]);
    is(drained('rigid'), '3', 'one that is replayed, and taken,');
    is(failed('rigid', 'dead'), '5', '... is dead no more');
    operate($conf, 'replay', 'rigid', $ids[5]);
    operate($conf, 'drain', 'rigid', '--', $c);
    is(failed('rigid', 'dead'), '5', 'one that fails again is dead, once');
}

# ---- a request that is none, and a damaged line in between

{
    spew("$spool/consumers/one/replay-7", "rubbish\n", 0640);
    operate($conf, 'replay', 'one', $ids[0]);
    unlink "$dir/got";
    my ($code, undef, $err) = operate($conf, 'drain', 'one', '--', $take);
    is($code, 65, 'a request that is none');
    like($err, qr{replay-7' is no request to replay events\n.*it is called replay-7\.damaged now\n\z}, '... is put aside');
    is(scalar(() = log_of("$dir/got") =~ /\n/g), 1, '... and the one behind it is carried out');
    is_deeply([operate($conf, 'drain', 'one', '--', $take)], [0, '', ''], '... and that is all');

    my ($segment) = (segments($spool))[1];
    my $text = slurp($segment);
    substr($text, 20100, 1) ^= "\x01";
    spew($segment, $text, 0640);
    operate($conf, 'replay', 'one', '--since', '1d');
    unlink "$dir/got";
    my $single = script('single', '[ $HOOKSPOOL_COUNT = 1 ] || exit 1; cat >>got');
    ($code, undef, $err) = operate($conf, 'drain', 'one', '-b', 5, '--', $single);
    is($code, 65, 'a damaged line');
    like($err, qr/\A\S+ damaged line of \d+ bytes at position \d+: skipped; see hookspool fsck\n\z/, '... is told of, once, however often it is met');
    is(scalar(() = log_of("$dir/got") =~ /^\{"specversion"/mg), 13, '... and the others are offered');
}

is(stop($daemon), 0, 'hookspoold ends');
done_testing();
