#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# A spool over time, beside the responder that serves it: what every consumer has passed goes, ids
# go when they are old enough, and nothing that was promised does.
use strict;
use warnings;

use Fcntl qw(:flock);
use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use POSIX qw(strftime);
use Test::More;

my $text = <<'CONF';
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[spool calls]
segment_size  = 64K
keep          = 0s
dedupe_window = 3d

CONF
my $conf = write_site("$text\n[consumer billing]\nspool = calls\n[consumer crm]\nspool = calls\n");
my $less = write_site("$text\n[consumer billing]\nspool = calls\n", 'less.conf');
my $spool = "$dir/spool/calls";
my $big   = '"' . 'x' x 20_000 . '"';

sub status { my ($socket, %o) = @_; return deliver($socket, %o)->{body} =~ /"(\w+)"\}/ ? $1 : '' }
sub drained { my ($consumer) = @_; return (operate($conf, 'drain', $consumer, '--', 'cat'))[1] =~ tr/\n// }

# What purge prints as JSON.
sub purged {
    my ($code, $out, $err) = operate($_[0] // $conf, 'purge', '--json', @_[1 .. $#_]);
    my %said = $out =~ /"(\w+)":("[^"]*"|[^,}]+)/g;
    return { %said, code => $code, err => $err };
}

is_deeply([operate($conf, 'purge')], [0, '', ''], 'no spool yet: nothing to do, and silent');
is((operate($conf, 'purge', '--spool', 'calls'))[0], 69, 'unless it is asked for by name');
is((operate($conf, 'purge', '--spool', 'other'))[0], 78, 'one that is not configured');
is((operate($conf, 'purge', 'calls'))[0], 64, 'an operand is one too many');

# ---- segments

my ($pid, $socket) = start_hookspoold(conf => $conf);
my @first = store_events($socket, map { { body => $big } } 1 .. 20);
my $count = segments($spool);
cmp_ok($count, '>', 5, 'events in some segments');
like((operate($conf, 'purge', '-n'))[1], qr/would remove 0 segments .* consumer 'billing' holds/,
    'consumers that were never drained hold all of them');
is_deeply([operate($conf, 'purge')], [0, '', ''], 'a purge is silent');
is(drained('billing'), 20, 'one consumer is drained');
is(purged()->{held_by}, q("consumer 'crm'"), 'the other one holds them');
is(scalar(segments($spool)), $count, 'nothing was removed');
is(drained('crm'), 20, 'the other one is drained');
my ($code, $out, $err) = operate($conf, 'purge', '--dry-run');
like("$code $out", qr/\A0 spool 'calls': would remove @{[ $count - 1 ]} segments /, 'a dry run says how many');
is(scalar(segments($spool)), $count, '... and removes none');
($code, $out, $err) = operate($conf, 'purge', '-v');
is("$code $out", '0 ', 'a purge');
like($err, qr/removed @{[ $count - 1 ]} segments .*the active segment stays/, '... says with -v what it did');
is(scalar(segments($spool)), 1, 'the active segment is left');
is(status($socket, id => $first[0], body => $big), 'duplicate', 'ids outlive the bodies');

# ---- a replay, and a consumer that is gone

my @second = store_events($socket, map { { body => $big } } 1 .. 10);
drained($_) for qw(billing crm);
operate($conf, 'replay', 'billing', '--id', $second[2]);
my $said = purged();
like($said->{held_by}, qr/replay events of consumer 'billing'/, 'a replay that is asked for holds its events');
is(drained('billing'), 1, 'it is carried out');
cmp_ok(purged()->{segments}, '>', 1, 'then they go');

store_events($socket, map { { body => $big } } 1 .. 10);
is(drained('billing'), 10, 'a consumer is drained');
($code, $out, $err) = operate($less, 'purge');
is("$code $out", '0 ', 'the other one was taken out of the configuration with backlog left');
like($err, qr/\A[^\n]*consumer 'crm' is not in the configuration, and had not passed[^\n]*\n\z/, '... which is said');
is_deeply([operate($less, 'purge')], [0, '', ''], '... once');
like((operate($conf, 'drain', 'crm', '--', 'cat'))[2], qr/never saw \d+ bytes/, 'when it comes back it is told');

# ---- ids

# Makes all ids of today old.
sub age_ids {
    my ($old) = @_;
    my $today = strftime('%Y-%m-%d', gmtime);
    for my $file (glob qq("$spool/locks/days/$today*")) {
        my $aged = $file =~ s/\Q$today\E/$old/r;
        rename $file, $aged or die "cannot rename $file: $!\n";
    }
    return;
}

age_ids('2026-01-01');
my @fresh = store_events($socket, 5);
my ($place) = map { m{^(.*/)$second[0]$} } glob qq("$spool/locks/??/$second[0]");
link "$spool/locks/days/2026-01-01", "$place.$second[0]" or die "cannot link: $!\n";
$said = purged($conf, '--dry-run');
is("$said->{ids} $said->{pending} $said->{days}", '40 1 1', 'a dry run counts old ids, and a dead writer');
is(scalar(entries($spool)), 45, '... and removes none');
$said = purged();
is("$said->{code} $said->{ids} $said->{days}", '0 40 1', 'a purge removes them');
is_deeply([sort(entries($spool))], [sort @fresh], '... and no others');
is(status($socket, id => $fresh[0], body => '{"n":1}'), 'duplicate', 'what is fresh is a duplicate');
is(status($socket, id => $second[0], body => $big), 'stored', 'what was old is stored again');
is(status($socket, id => $second[0], body => $big), 'duplicate', 'once');

# Old ids by the thousand, while events arrive.
my $made = 0;
{
    my $day = "$spool/locks/days/2026-01-02";
    spew($day, '');
    for my $i (1 .. 10_000) {
        link $day, sprintf '%s/locks/%02x/msg_old_%d', $spool, $i % 256, $i or die "cannot link: $!\n";
        $made++;
    }
    my $purge = spawn(cmd => [program('hookspool'), '-c', $conf, 'purge', '-v'], log => "$dir/purge.log");
    my (@sent, @answers);
    while (!-s "$dir/purge.log" && @sent < 20_000) { # its last word
        my @new = map { new_id() } 1 .. 32;
        push @sent, @new;
        push @answers, exchange_all($socket, map { fcgi_post(id => $_, body => '{"n":2}') } @new);
    }
    is(stop($purge, 0), 0, 'a purge beside a busy hookspoold');
    like(slurp("$dir/purge.log"), qr/ $made ids, /, "$made ids go while @{[ scalar @sent ]} events arrive");
    is(scalar(grep { $_->{body} !~ /stored/ } @answers), 0, 'each of which is stored');
    my $bodies = spool_bodies($spool);
    is(scalar(grep { @{ $bodies->{$_} // [] } != 1 } @sent), 0, '... once');
    my %entry = map { $_ => 1 } entries($spool);
    is(scalar(grep { !$entry{$_} } @sent), 0, '... and has its entry');
    is(scalar(grep { /^msg_old/ } keys %entry), 0, 'no old one has');
    ok(!-e $day, 'nor has the day its file');
}

# ---- one at a time, and what is wrong

{
    open my $days, '<', "$spool/locks/days" or die;
    flock $days, LOCK_EX or die;
    ($code, $out, $err) = operate($conf, 'purge', '-v');
    like("$code $err", qr/\A0 .*by another process/, 'a second purge leaves it to the first');
    is_deeply([operate($conf, 'purge')], [0, '', ''], '... and is silent about it');
}
SKIP: {
    skip 'root may do everything', 3 if !$> && !getpwnam 'nobody';
    store_events($socket, map { { body => $big } } 1 .. 8);
    drained($_) for qw(billing crm);
    chmod 0550, "$spool/log";
    ($code, $out, $err) = operate($conf, 'purge');
    is($code, 77, 'a directory that cannot be written to');
    like($err, qr/cannot remove '.*ndjson': Permission denied/, '... is told of');
    chmod 0750, "$spool/log";
    cmp_ok(purged()->{segments}, '>', 0, '... and the next purge goes on');
}
spew("$spool/consumers/crm/cursor", "nonsense\n");
age_ids('2026-01-03');
$said = purged();
is($said->{code}, 65, 'a cursor that does not prove itself');
cmp_ok($said->{ids}, '>', 0, '... keeps segments, not ids');

# ---- alone, and killed

kill_hard($pid);
unlink "$spool/consumers/crm/cursor";
is((operate($conf, 'purge'))[0], 0, 'hookspoold was killed: a purge repairs the spool first');
($pid) = start_hookspoold(conf => $conf);
is(status($socket, id => new_id(), body => '{"n":3}'), 'stored', 'hookspoold goes on');
is(stop($pid), 0, 'and ends');
is_deeply([operate($conf, 'purge', '-q')], [0, '', ''], 'a purge without it');

done_testing();
