#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# A spool is damaged by hand, in every way, beside the responder: fsck names it, --repair mends it
# while events arrive, a second fsck finds nothing, and no id is taken for new or for known wrongly.
use strict;
use warnings;

use Fcntl qw(:flock);
use File::Path qw(remove_tree);
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
spool   = calls
backoff = 1s..1s
CONF
my $spool = "$dir/spool/calls";
my $big   = '"' . 'x' x 10_000 . '"';

sub status { my ($socket, %o) = @_; return deliver($socket, %o)->{body} =~ /"(\w+)"\}/ ? $1 : '' }

# Exit code, and the faults (not the notes) as "kind file position length id repaired".
sub fsck {
    my ($code, $out, $err) = operate($conf, 'fsck', '--json', @_);
    my @found;
    for my $line (split /\n/, $out) {
        my %said = $line =~ /"(\w+)":("[^"]*"|[^,}]+)/g;
        s/^"|"$//g for values %said;
        $said{err} = $err;
        push @found, \%said;
    }
    my $summary = pop @found // {};
    return ($code, $summary, @found);
}

sub faults {
    my ($code, $summary, @found) = fsck(@_);
    return join "\n", $code, map { join ' ', map { $_ // '-' } @$_{qw(kind file position length id repaired)} }
        grep { $_->{damage} eq 'true' } @found;
}

sub kinds { my ($code, undef, @found) = fsck(@_); return join ' ', $code, map { $_->{kind} } grep { $_->{damage} eq 'true' } @found }

sub notes { my (undef, undef, @found) = fsck(@_); return sort map { $_->{kind} } grep { $_->{damage} eq 'false' } @found }

# Damage is found, mended and gone.
sub mends {
    my ($what, @expected) = @_;
    my $found    = join "\n", 65, map { "$_ false" } @expected;
    my $repaired = join "\n", 65, map { "$_ true" } @expected;
    is(faults(), $found, "$what: is found");
    is(faults(), $found, "$what: and only found");
    is(faults('--repair'), $repaired, "$what: is mended");
    is(faults(), '0', "$what: and gone");
    return;
}

sub overwrite {
    my ($file, $position, $bytes) = @_;
    open my $fh, '+<:raw', $file or die "cannot open $file: $!\n";
    seek $fh, $position, 0;
    print {$fh} $bytes;
    close $fh or die;
    return;
}

# Where a line of an id begins, and how long it is.
sub place {
    my ($id) = @_;
    for my $file (segments($spool)) {
        my ($at, $text) = (position($file), slurp($file));
        for my $line ($text =~ /[^\n]*\n/g) {
            return ($file, $at, length $line) if $line =~ /^\{"specversion":"1\.0","id":"\Q$id\E"/;
            $at += length $line;
        }
    }
    die "no line of $id\n";
}

sub short { return $_[0] =~ s{^\Q$spool\E/}{}r }
sub entry { my ($id) = @_; return (glob qq("$spool/locks/??/$id"))[0] }

is((operate($conf, 'fsck'))[0], 0, 'no spool yet: nothing is wrong');
is((operate($conf, 'fsck', '-S', 'calls'))[0], 69, 'unless it is asked for by name');

my ($pid, $socket) = start_hookspoold(conf => $conf);
my @ids = store_events($socket, map { { body => $big } } 1 .. 40);
my ($code, $out, $err) = operate($conf, 'fsck');
like("$code $out$err", qr/\A0 calls: \d+ segments, 40 events, [\d.]+K: clean\n\z/, 'a spool in use is clean');
is_deeply([operate($conf, 'fsck', '-q')], [0, '', ''], 'quietly so');
is((operate($conf, 'fsck', '--repair'))[0], 0, 'there is nothing to repair');
eventually { -s "$spool/locks/settled" } q(closed segments are settled);
my $settled = slurp("$spool/locks/settled");

# ---- the log

{
    my ($file, $at, $len) = place($ids[3]);
    my $line = substr slurp($file), $at - position($file), $len;
    overwrite($file, $at - position($file) + 200, '!');
    substr $line, 200, 1, '!';
    mends('a changed byte', "damaged_line @{[ short($file) ]} $at $len -");
    is(slurp(sprintf '%s/log/%020d.damaged', $spool, $at), $line, '... it was moved aside');
    is_deeply([notes()], ['blank_line'], '... and is a note from then on');
    my ($text) = (operate($conf, 'fsck'))[1];
    like($text, qr/^calls: log\/\d+\.ndjson: note: a damaged line was moved aside before, $len bytes, position $at$/m,
        '... in text');
    is(status($socket, id => $ids[3], body => $big), 'duplicate', '... its id is known all the same');
}
{
    # A newline is lost: the line behind it is still whole.
    my ($file, $at, $len) = place($ids[6]);
    overwrite($file, $at - position($file) + $len - 1, 'x');
    mends('a lost newline', "damaged_line @{[ short($file) ]} $at $len -");
    is(scalar(grep { /"id":"$ids[7]"/ } spool_lines($spool)), 1, '... the line behind it is still there');
}
{
    my ($active) = (segments($spool))[-1];
    my ($line) = slurp($active) =~ /\A([^\n]*\n)/;
    my $at = position($active);
    overwrite($active, 30, "\0\0\0");
    mends('zeros in the segment that is appended to', "damaged_line @{[ short($active) ]} $at @{[ length $line ]} -");
    is(status($socket, id => new_id(), body => $big), 'stored', '... which goes on');
}
{
    # The end of a closed segment: without its newline, and then missing.
    my @segments = segments($spool);
    my ($closed, $next) = @segments[2, 3];
    my ($end, $begin)   = (position($next), position($closed));
    my ($last) = slurp($closed) =~ /([^\n]*\n)\z/;
    my $at = $end - length $last;
    overwrite($closed, $end - $begin - 1, 'x');
    mends('a closed segment that ends within a line', "unfinished_line @{[ short($closed) ]} $at @{[ length $last ]} -");
    truncate $closed, $end - $begin - 100;
    $at = $end - length $last;
    my $left = (length $last) - 100;
    mends('a closed segment that is too short',
        "unfinished_line @{[ short($closed) ]} $at $left -", "missing_bytes @{[ short($closed) ]} @{[ $end - 100 ]} 100 -");
    my %count;
    $count{$_}++ for notes();
    is($count{lost_bytes}, 1, '... the gap is a note from then on');
}
{
    # Bytes that were given up after a failed sync are no damage.
    my ($closed) = segments($spool);
    open my $fh, '>>:raw', $closed or die;
    print {$fh} 'given up';
    close $fh;
    is(faults(), '0', 'bytes behind the end of a segment are no fault');
    ok((grep { $_ eq 'given_up' } notes()), '... but a note');
    spew("$spool/log/strange", '');
    ok((grep { $_ eq 'unknown_file' } notes()), 'so is a file that is not ours');
    unlink "$spool/log/strange";
}
for my $wrong ('99999999', '17', "no number\n", '') {
    spew("$spool/locks/settled", "$wrong\n") if $wrong ne '';
    spew("$spool/locks/settled", '') if $wrong eq '';
    is(kinds(), '65 settled',
        "settled is '" . ($wrong =~ s/\n//r) . "'");
    is((fsck('--repair'))[0], 65, '... it is set right');
    is(faults(), '0', '... and then it is');
    cmp_ok(slurp("$spool/locks/settled"), '>=', $settled, '... to where the log ends');
}

# ---- who may look

SKIP: {
    skip 'not root', 5 if $> || !find_program('setpriv');
    # A member of the group reads all of it, and cannot repair.
    my $group = (stat $spool)[5];
    chmod 0755, $dir;
    my @as = (find_program('setpriv'), '--reuid=2', "--regid=$group", '--clear-groups');
    my $text = qx(@as "@{[ program('hookspool') ]}" -c "$conf" fsck 2>&1);
    is($?, 0, 'a member of the group may look') or diag($text);
    like($text, qr/: clean$/m, '... at all of it');
    $text = qx(@as "@{[ program('hookspool') ]}" -c "$conf" fsck --repair 2>&1);
    is($? >> 8, 77, '... but not repair') or diag($text);
    my $owner = (stat $spool)[4];
    $text = qx("@{[ program('hookspool') ]}" -c "$conf" fsck --repair 2>&1);
    is($?, 0, 'root repairs for the owner') or diag($text);
    my @foreign = grep { (stat)[4] != $owner } glob(qq("$spool/*/*"));
    is("@foreign", '', '... and leaves nothing of his own');
}

# ---- ids

my @gone = grep { my $id = $_; !eval { place($id); 1 } } @ids;
cmp_ok(scalar @gone, '<=', 5, 'few events are gone');
sub lacking { my %gone = map { $_ => 1 } @gone; return grep { !$gone{$_} && !entry($_) } @_ }
unlink entry($ids[20]), entry($ids[21]);
{
    my @expected = map { my ($file, $at) = place($_); "missing_entry - $at - $_" } @ids[20, 21];
    mends('lost entries', @expected);
    is(status($socket, id => $ids[20], body => $big), 'duplicate', '... are known again');
}
{
    my ($shard) = entry($ids[22]) =~ m{/(..)/[^/]*$};
    remove_tree("$spool/locks/$shard");
    is(status($socket, id => $ids[22], body => $big), 'unavailable', 'a directory of ids is lost: no event of it is taken in');
    mends('a lost directory', "missing_shard locks/$shard - - -");
    is(status($socket, id => $ids[22], body => $big), 'duplicate', '... its ids are known again');
    is(join(' ', lacking(@ids)), '', '... all of them whose lines are left');
}
{
    operate($conf, 'forget', $ids[23]);
    is(faults(), '0', 'a forgotten id is no fault');
    is(faults('--repair'), '0', '... and is not repaired');
    is(status($socket, id => $ids[23], body => $big), 'stored', '... it stays forgotten');
    is(faults(), '0', '... and may stand there twice');
    my $note = slurp("$spool/locks/forgotten");
    unlink "$spool/locks/forgotten";
    my ($file, $at) = place($ids[23]);
    like(faults(), qr/\A65\nduplicate_id - \d+ - $ids[23] false\z/, 'an id that stands there twice without that');
    like(faults('--repair'), qr/duplicate_id .* false\z/, '... cannot be mended');
    spew("$spool/locks/forgotten", $note);
    overwrite("$spool/locks/forgotten", 20, '!');
    like(faults(), qr/\A65\nduplicate_id[^\n]*\njournal_line locks\/forgotten 0 \d+ - false\z/, 'a note that is damaged');
    like(faults('--repair'), qr/journal_line locks\/forgotten .* true\z/, '... is moved aside');
    spew("$spool/locks/forgotten", $note);
    is(faults(), '0', '... and here it is again');
}
{
    # What has expired need not have an entry.
    my ($day) = glob qq("$spool/locks/days/*");
    rename $day, "$spool/locks/days/2026-01-01" or die;
    operate($conf, 'purge');
    cmp_ok(scalar(entries($spool)), '<', 5, 'ids have expired, before the events');
    like(faults(), qr/\A65\nmissing_entry/, 'these are of today: they are missed') or diag(faults());
    unlink glob qq("$spool/locks/expired");
    spew("$spool/locks/expired", "2999-01-01\n");
    is(faults(), '0', 'of a day that has expired they are not');
    is(faults('--repair'), '0', '... nor are they repaired');
    is(status($socket, id => $ids[30], body => $big), 'stored', '... so that one is stored again');
    spew("$spool/locks/expired", "nonsense\n");
    my ($code, undef, @found) = fsck('--repair');
    ok((grep { $_->{kind} eq 'small_file' && $_->{file} eq 'locks/expired' } @found), 'a day that is none');
    is(kinds(), '65 duplicate_id',
        'everything has its entry again; and the one stands there twice');
}

# ---- consumers

operate($conf, 'drain', 'billing', '--each', '--max', 2, '--max-failures', 0, '--', 'false');
my $job = "$spool/consumers/billing";
{
    my $retry = slurp("$job/retry.ndjson");
    is($retry =~ tr/\n//, 2, 'two events have failed');
    overwrite("$job/retry.ndjson", 15, '!');
    overwrite("$job/cursor", 0, 'nonsense');
    overwrite("$job/cursor", 4096, 'nonsense');
    spew("$job/replay-3", "nonsense\n");
    my $found = faults();
    like($found, qr/^cursor consumers\/billing\/cursor - - - false$/m, 'a cursor that does not prove itself');
    like($found, qr/^replay consumers\/billing\/replay-3 - - - false$/m, 'a request that is none');
    like($found, qr/^journal_line consumers\/billing\/retry\.ndjson 0 \d+ - false$/m, 'a failed event that is damaged');
    $found = faults('--repair');
    like($found, qr/^journal_line consumers\/billing\/retry\.ndjson 0 \d+ - true$/m, '... which is moved aside');
    like($found, qr/^cursor consumers\/billing\/cursor - - - false$/m, '... the cursor is left to a person');
    is(slurp("$job/retry.ndjson.damaged"), (split /^/, $retry)[0] =~ s/\A(.{15})./$1!/r, '... it is all there');
    is(slurp("$job/retry.ndjson"), (split /^/, $retry)[1], '... and so is the other one');
    unlink "$job/cursor", "$job/replay-3";
    spew("$job/cursor", '');
    unlink "$job/cursor";
    operate($conf, 'drain', 'billing', '--', 'true');
    unlike(faults(), qr/consumers/, 'then the consumer is sound again');
}

# ---- when to look

{
    open my $days, '<', "$spool/locks/days" or die;
    flock $days, LOCK_EX or die;
    ($code, $out, $err) = operate($conf, 'fsck', '--repair');
    is($code, 75, 'beside a purge nothing is repaired');
    like($err, qr/being purged or repaired/, '... which is said');
    isnt((operate($conf, 'fsck'))[0], 75, '... but looked at');
}
is((operate($conf, 'fsck', '--spool', 'other'))[0], 78, 'a spool that is not configured');

# While events arrive.
{
    my @lost = map { entry($_) } @ids[1 .. 19];
    unlink @lost;
    my $log = "$dir/fsck.log";
    my $fsck = spawn(cmd => [program('hookspool'), '-c', $conf, 'fsck', '--repair'], log => $log);
    my (@sent, @answers);
    while (log_of($log) !~ /^calls: \d+ segments/m && @sent < 5_000) {
        my @new = map { new_id() } 1 .. 32;
        push @sent, @new;
        push @answers, exchange_all($socket, map { fcgi_post(id => $_, body => '{"n":2}') } @new);
    }
    stop($fsck, 0);
    is(scalar(grep { $_->{body} !~ /stored/ } @answers), 0, @sent . ' events are stored during a repair');
    is(join(' ', lacking(@ids[1 .. 19])), '', '... and what was lost is there again');
    is(kinds(), '65 duplicate_id',
        '... nothing else is wrong');
}

# ---- without a responder

is(stop($pid), 0, 'hookspoold ends');
remove_tree("$spool/locks");
like(faults(), qr/^missing_shard locks - - - false$/m, 'the whole lock directory is lost');
is((operate($conf, 'fsck', '--repair'))[0], 65, '... it is made again');
is(join(' ', lacking(@ids)), '', '... all of it');
{
    my ($last) = (segments($spool))[-1];
    my $kept = slurp($last);
    rename $last, "$dir/kept" or die;
    like(faults(), qr/^state log\/state - - - false$/m, 'the active segment is lost: the state does not fit');
    like(faults('--repair'), qr/^state log\/state - - - true$/m, '... it is begun anew');
    unlike(faults(), qr/^state/m, '... and fits');
}
($pid) = start_hookspoold(conf => $conf);
is(status($socket, id => new_id(), body => $big), 'stored', 'hookspoold takes events in');
is(status($socket, id => $ids[1], body => $big), 'duplicate', 'and knows the old ones');
is(stop($pid), 0, 'hookspoold ends');

done_testing();
