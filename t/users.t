#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# A consumer that is drained by a user of its own, as README sets it up: what that user, the user of
# the spool and root may do, and what each is told.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use JSON::PP qw(decode_json);
use POSIX ();
use Test::More;

plan(skip_all => 'only root can be several users') if $>;
my ($spool_uid, $spool_gid) = (getpwnam 'nobody')[2, 3];
my ($job_uid, $job_gid) = (getpwnam 'daemon')[2, 3];
plan(skip_all => 'there is no user daemon') if !$job_uid;

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[spool calls]
segment_size = 64K
keep         = 0s

[consumer billing]
spool = calls
CONF
chmod 0755, $dir;
my $group   = getgrgid $spool_gid;
my $spool   = "$dir/spool/calls";
my $billing = "$spool/consumers/billing";
my $big     = '"' . 'x' x 20_000 . '"';

# Runs hookspool as root, as the spool's user, as the job's user, or as that one before it was put
# into the group of the spool.
my %users = (
    root  => [0, 0, 0], spool => [$spool_uid, $spool_gid, $spool_gid],
    job   => [$job_uid, $job_gid, "$job_gid $spool_gid"],
    other => [$job_uid, $job_gid, $job_gid]);

sub as {
    my ($user, @words) = @_;
    my ($uid, $gid, $groups) = @{ $users{$user} };
    my @files = ("$dir/$user.out", "$dir/$user.err");
    unlink @files;
    my $pid = fork // die "cannot fork: $!\n";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $files[0];
        open STDERR, '>', $files[1];
        $) = "$gid $groups";
        POSIX::setgid($gid);
        POSIX::setuid($uid);
        exec { program('hookspool') } 'hookspool', '-c', $conf, @words or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($? >> 8, map { log_of($_) } @files);
}

# What check says as root about the files of the spool.
sub checked {
    my ($code, $out) = as('root', 'check', '--json');
    return grep { $_->{check} eq 'spool_files' } map { decode_json($_) } split /\n/, $out;
}
sub fails { return join "\n", map { "$_->{result}: $_->{advice}" } grep { $_->{level} eq 'fail' } checked() }

program('hookspool');
my ($pid, $socket) = start_hookspoold(conf => $conf);
store_events($socket, map { { body => $big } } 1 .. 20);
my $count = segments($spool);

# ---- before there is a directory

{
    my ($code, $out, $err) = as('other', 'drain', 'billing', '--', 'cat');
    is($code, 77, 'a user that is not in the group of the spool');
    like($err, qr/cannot open directory '\Q$spool\E': Permission denied\n.* as user nobody, or as a user in group \Q$group\E$/,
        '... is told who may');
    ($code, $out, $err) = as('job', 'drain', 'billing', '--', 'cat');
    is($code, 77, 'a user that has no directory');
    like($err, qr/cannot create directory '\Q$spool\E\/consumers': Permission denied/, '... is refused');
    like($err, qr/install -d -o nobody -g \Q$group\E -m 0750 '[^']+consumers' && install -d -o daemon -g \Q$group\E -m 2750 '\Q$billing\E'/,
        '... and told what to do');
}

# ---- as README sets it up

mkdir "$spool/consumers", 0750 or die;
chown $spool_uid, $spool_gid, "$spool/consumers";
{
    my ($code, $out, $err) = as('job', 'drain', 'billing', '--', 'cat');
    like($err, qr/cannot create directory '\Q$billing\E': Permission denied/, 'the path is the one that it is about');
}
mkdir $billing or die;
chown $job_uid, $spool_gid, $billing;
chmod 02750, $billing;

is_deeply([as('spool', 'purge')], [0, '', ''], 'a purge beside a directory that was never used');
is(scalar(segments($spool)), $count, '... removes nothing');
is_deeply([as('job', 'drain', 'billing', '--max', '10', '--', 'true')], [0, '', ''], 'its user drains some');
is_deeply([as('spool', 'purge')], [0, '', ''], 'a purge by the user of the spool is silent');
cmp_ok(scalar(segments($spool)), '<', $count, '... and removes what was passed');
is_deeply([as('job', 'drain', 'billing', '--', 'true')], [0, '', ''], 'its user drains the rest');
is_deeply([as('root', 'purge')], [0, '', ''], 'a purge by root');
is(scalar(segments($spool)), 1, '... removes the rest');
is_deeply([map { (stat "$billing/$_")[4] } qw(cursor lock drain)], [($job_uid) x 3], 'its files are its own');

store_events($socket, 3);
is((as('root', 'drain', 'billing', '--', 'true'))[0], 0, 'root drains it');
is_deeply([map { (stat "$billing/$_")[4] } qw(cursor lock drain)], [($job_uid) x 3], '... and leaves the files to it');
spew("$billing/retry.ndjson.new", 'x');
utime 0, 0, "$billing/retry.ndjson.new";
is_deeply([as('spool', 'purge')], [0, '', ''], 'what it has left half written is not a fault');
unlink "$billing/retry.ndjson.new";

# ---- what the user of the spool may not

store_events($socket, 3);
is((as('job', 'drain', 'billing', '--', 'false'))[0], 75, 'events fail');
is_deeply([as('spool', 'retry', '--dry-run', 'billing')], [0, "3 events would be offered again by the next drain\n", ''],
    'the user of the spool can see what has failed');
my @replay = ('replay', 'billing', '--since', '1d');
my ($code, $out, $err) = as('spool', @replay, '--dry-run');
is("$code|$err", '0|', '... and what a replay would offer');
($code, $out, $err) = as('spool', @replay);
is("$code|$out", '77|', 'but cannot ask for it');
like($err, qr/Permission denied\n.* as user daemon, whose directory/, '... and is told who can');
is((as('job', @replay))[0], 0, 'the user of the consumer can');
is((as('root', @replay))[0], 0, 'root can');
is_deeply([map { (stat "$billing/$_")[4] } qw(replay-1 replay-2)], [($job_uid) x 2], '... and leaves that to it');

# ---- what the user of the job may not

for my $verb (['purge'], ['forget', 'msg_1']) {
    ($code, $out, $err) = as('job', @$verb);
    is("$code|$out", '77|', "@$verb by the user of the job");
    like($err, qr/Permission denied\nhookspool: run it as root, or as user nobody, who has the spool\n\z/, '... is told who may');
}

# ---- check

like(fails(), qr/\A'?its directory is daemon's, who cannot read '[^']+' .*: adduser daemon \Q$group\E\z/,
    'check misses the user in the group');
run_as_root('chgrp', '-R', $job_gid, "$dir/spool");
run_as_root('chgrp', '-R', $spool_gid, $billing);
is(fails(), '', 'and is content when it can read') or diag(map { "$_->{result}\n" } checked());
like(join("\n", map { $_->{result} } checked()), qr/drained by daemon, whose directory it has/, '... which it says');
chmod 0600, "$billing/cursor";
like(fails(), qr/nobody cannot read '\Q$billing\E\/cursor'.*: chgrp -R \Q$group\E '\Q$billing\E' /, 'a file that the purge cannot read');
is((as('spool', 'purge'))[0], 77, '... indeed');
chmod 0640, "$billing/cursor";
chown 0, -1, "$billing/cursor";
like(fails(), qr{ 1 do not belong to daemon, the first: '\Q$billing\E/cursor' \(root\): chown -h daemon '\Q$billing\E/cursor'},
    'a file that its user has lost');

sub run_as_root { system(@_) == 0 or die "cannot run @_\n" }

is(stop($pid), 0, 'hookspoold ends');
done_testing();
