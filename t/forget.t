#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# A sender resends an event by hand: a duplicate, until its id is forgotten beside the responder.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Test::More;

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[spool calls]
segment_size = 64K

[consumer billing]
spool = calls
CONF
my $spool = "$dir/spool/calls";

sub status { my ($socket, %o) = @_; return deliver($socket, %o)->{body} =~ /"(\w+)"\}/ ? $1 : '' }

{
    my ($code, $out, $err) = operate($conf, 'forget', 'msg_1');
    is($code, 69, 'there is no spool yet');
    like($err, qr/there is no spool/, '... and it says so');
    ok(!-e $spool, '... and makes none');
}

my ($pid, $socket) = start_hookspoold(conf => $conf);
my %call = (id => new_id(), body => '{"type":"call.ended","n":1}');
my ($other) = store_events($socket, {});

is(status($socket, %call), 'stored', 'an event is stored');
is((operate($conf, 'drain', 'billing', '--', 'cat'))[1] =~ tr/\n//, 2, 'and drained');
is(status($socket, %call), 'duplicate', 'when it is sent again it is a duplicate');
{
    my ($code, $out, $err) = operate($conf, 'forget', $call{id});
    is("$code $err", '0 ', 'its id is forgotten, beside the responder');
    is($out, "$call{id}: forgotten; the next one that is sent will be stored\n", '... it says');
}
is(status($socket, %call), 'stored', 'when it is sent again it is stored');
is(status($socket, %call), 'duplicate', 'once');
is_deeply(spool_bodies($spool)->{ $call{id} }, [($call{body}) x 2], 'it stands in the log twice');
my ($code, $out) = operate($conf, 'drain', 'billing', '--', 'cat');
like($out, qr/\A\{[^\n]*"$call{id}"[^\n]*\}\n\z/, 'the consumer is offered the copy');

# A segment that is closed and settled between forgetting and sending again.
operate($conf, 'forget', $call{id});
store_events($socket, map { { body => '"' . 'x' x 30_000 . '"' } } 1 .. 5);
cmp_ok(scalar(segments($spool)), '>', 2, 'segments are closed');
is(status($socket, %call), 'stored', 'what was forgotten stays forgotten');

# The responder is killed in between, and repairs the spool when it comes back.
operate($conf, 'forget', $call{id});
kill_hard($pid);
unlink "$spool/locks/settled";
($pid) = start_hookspoold(conf => $conf);
is(status($socket, %call), 'stored', 'a repair of all of the log does not bring it back');
is(status($socket, id => $other), 'duplicate', '... and the others are known');

# ---- what is not known

($code, $out, my $err) = operate($conf, 'forget', 'msg_never', $other);
is($code, 65, 'an id that has no entry');
like($err, qr/no entry of 'msg_never'.*does not hold it/, '... is told of, and that the log does not know it');
is($out, "$other: forgotten; the next one that is sent will be stored\n", '... and the others are forgotten');
($code, $out, $err) = operate($conf, 'forget', $other);
is($code, 65, 'an id that was forgotten before');
like($err, qr/no entry of '$other'.*holds it, from before/, '... is told of, and that the log knows it');

($code, $out) = operate($conf, 'forget', '--json', $other, $call{id});
is($code, 65, 'the same as JSON');
is($out, <<"JSON", '... a line an id');
{"spool":"calls","id":"$other","status":"unknown","in_log":true}
{"spool":"calls","id":"$call{id}","status":"forgotten"}
JSON

($code, $out, $err) = operate($conf, 'forget', '../../etc/passwd');
is($code, 65, 'what is no id');
like($err, qr/is no id/, '... is refused');
is((operate($conf, 'forget'))[0], 64, 'no id at all');
is((operate($conf, 'forget', '--spool', 'other', 'msg_1'))[0], 78, 'a spool that is not there');

# ---- without a responder

is(stop($pid), 0, 'hookspoold ends');
is((operate($conf, 'forget', '-q', $call{id}))[0], 65, 'once is enough, also without hookspoold');
($pid) = start_hookspoold(conf => $conf);
is(status($socket, %call), 'stored', 'it is stored again');
is(stop($pid), 0, 'hookspoold ends');
is_deeply([operate($conf, 'forget', '-q', $call{id})], [0, '', ''], 'an id is forgotten alone, and quietly');
# Without standard descriptors the first files of the spool that are opened would be taken for them.
run(['/bin/sh', '-c', 'exec "$0" "$@" <&- >&- 2>&-', program('hookspool'), '-c', $conf, 'forget', 'msg_never']);
is(slurp("$spool/log/lock"), '', 'what there is to say does not go into the spool');
SKIP: {
    skip 'not root', 6 if $>;
    # Root does it for the spool's owner: what it leaves must be of use to hookspoold.
    my ($owner, $group) = (stat $spool)[4, 5];
    unlink "$spool/locks/forgotten";
    ($pid) = start_hookspoold(conf => $conf);
    status($socket, %call);
    my $report = qx("@{[ program('hookspool') ]}" -c "$conf" forget $call{id} 2>&1);
    like($report, qr/forgotten/, 'root forgets an id');
    my @foreign = grep { (stat)[4] != $owner } glob(qq("$spool/locks/*")), glob(qq("$spool/log/*"));
    is("@foreign", '', '... and leaves nothing that is not the owner\'s');
    is(status($socket, %call), 'stored', '... and it is stored again');
    stop($pid);

    # Whoever has spool_dir could have root look after anything.
    mkdir $_ or die "cannot create '$_': $!\n" for "$dir/precious", "$dir/precious/log";
    rename $spool, "$spool.aside" and symlink "$dir/precious", $spool or die "cannot link '$spool': $!\n";
    $report = qx("@{[ program('hookspool') ]}" -c "$conf" forget msg_1 2>&1);
    is($? >> 8, 77, 'a spool of root\'s in a directory that is not is left alone');
    like($report, qr/'\Q$spool\E' belongs to root, and the directory it stands in does not/, '... and why is said');
    is_deeply([glob(qq("$dir/precious/*")), glob(qq("$dir/precious/log/*"))], ["$dir/precious/log"], '... and nothing is made there');
}

done_testing();
