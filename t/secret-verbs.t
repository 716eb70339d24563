#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# secret new, secret rotate: what they make is what hookspoold takes, also while it runs; nothing is
# refused that a sender signed meanwhile; who may do it; and that no secret is seen on the way.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/etc/calls.secret

[endpoint also]
secret_file = %d/etc/calls.secret
CONF
mkdir "$dir/etc";
own("$dir/etc");
my $file = "$dir/etc/calls.secret";
my $new  = 'whsec_' . encode_base64('n' x 24, '');

sub lines { return grep { !/^(?:#|$)/ } split /\n/, slurp($_[0] // $file) }
sub mode  { return sprintf '%04o', (stat $_[0])[2] & 07777 }

# ---- secret new

{
    my ($code, $out, $err) = operate($conf, 'secret', 'new');
    is("$code $err", '0 ', 'a secret is made');
    like($out, qr{\Awhsec_[A-Za-z0-9+/]{43}=\n\z}, '... of 32 bytes');
    isnt((operate($conf, 'secret', 'new'))[1], $out, '... each another');
    for my $bytes (24, 64) {
        my (undef, $made) = operate($conf, qw(secret new -b), $bytes);
        is(length decode_base64($made =~ s/^whsec_//r), $bytes, "$bytes bytes");
    }
    is((operate($conf, qw(secret new -b), $_))[0], 64, "not $_ bytes") for 23, 65, 'x';

    ($code, $out, $err) = operate($conf, qw(secret new -f), "$dir/new.secret");
    is($code, 0, 'a secret file is made');
    like($out, qr/\Acreated \Q$dir\E\/new\.secret, mode 0600\n/, '... it says with which mode');
    is(mode("$dir/new.secret"), '0600', '... and has it');
    unlike("$out$err", qr/whsec_/, '... and does not print the secret');
    my $before = slurp("$dir/new.secret");
    ($code, $out, $err) = operate($conf, qw(secret new -f), "$dir/new.secret");
    is($code, 73, 'a file that is there: 73');
    like($err, qr/cannot create '.*': File exists/, '... and why');
    is(slurp("$dir/new.secret"), $before, '... it is left alone');
    my $group = getgrgid($> == 0 ? (getpwnam 'nobody')[3] : $));
    is((operate($conf, qw(secret new -f), "$dir/group.secret", '-g', $group))[0], 0, 'for a group');
    is(mode("$dir/group.secret"), '0640', '... mode 0640');
    is((operate($conf, qw(secret new -f), "$dir/none.secret", '-g', 'no such'))[0], 64, 'no such group');
    is((operate($conf, qw(secret new -g), $group))[0], 64, 'a group without a file');
    is((operate($conf, qw(secret new -f), "$dir/none/new.secret"))[0], 66, 'no directory: 66');
}

# ---- secret rotate, while hookspoold runs

is((operate($conf, qw(secret new -f), $file))[0], 0, 'the first secret');
my ($first) = lines();
my ($pid, $socket) = start_hookspoold(conf => $conf);
my $log = "$dir/hookspoold.log";

sub status { my ($secret) = @_; return deliver($socket, secret => $secret)->{status} }

sub reload { return kill 'HUP', $pid }

is(status($first), 200, 'hookspoold takes what secret new made');
{
    my ($code, $out, $err) = operate($conf, qw(secret rotate calls -f - -n), { stdin => "$new\n" });
    is("$code $err", '0 ', 'a dry run');
    like($out, qr/would get the new secret, in line 1\n  1 older one holds until 20/, '... tells');
    is_deeply([lines()], [$first], '... and changes nothing');

    ($code, $out, $err) = operate($conf, qw(secret rotate calls -f -), { stdin => "$new\n" });
    is("$code $err", '0 ', 'rotated, from standard input');
    like($out, qr/has the new secret, in line 1\n/, '... it says where');
    like($out, qr/^  the file is also that of endpoint also$/m, '... whose it is, too');
    like($out, qr/reload hookspoold/, '... and what comes next');
    unlike("$out$err", qr/whsec_/, '... and shows no secret');
    my @lines = lines();
    is($lines[0], $new, 'the new one stands first');
    like($lines[1], qr/\A\Q$first\E expires=20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/, 'the old one has an end');
    is(scalar @lines, 2, 'there is no third');
    my ($test, $told, $warned) = run([hookspoold(), '-c', $conf, '-t']);
    is("$test $warned", '0 ', 'hookspoold -t takes it');

    is(status($new), 401, 'before the reload nothing has changed');
    reload();
    eventually { status($new) == 200 } 'behind it the new one holds';
    is(status($first), 200, '... and the old one still');

    ($code, $out, $err) = operate($conf, qw(secret rotate calls -f -), { stdin => "$new\n" });
    is($code, 65, 'the same once more: 65');
    like($err, qr/calls\.secret:1: the new secret stands there already; nothing was changed/, '... and why');
    is_deeply([lines()], \@lines, '... nothing was changed');
}
{
    my ($code, $out) = operate($conf, qw(secret rotate calls --generate --expires now));
    is($code, 0, 'one that is made here, the old ones end now');
    like($out, qr/no older one holds any more/, '... it says so');
    my ($sed) = $out =~ /(sed -n 1p '.*')$/m;
    my ($made) = lines();
    is((run(['/bin/sh', '-c', $sed]))[1], "$made\n", '... and how to see the new one');
    reload();
    eventually { status($made) == 200 } 'it holds behind the reload';
    is(status($_), 401, 'an old one does not') for $new, $first;
    is(scalar(lines()), 3, 'they stand there all the same');
}

# Events that are signed with either secret go on being stored while the file is rewritten and read.
{
    my ($current) = lines();
    my %count;
    for my $round (1 .. 5) {
        operate($conf, qw(secret rotate calls -g -e never));
        reload();
        $count{ status($current) }++ for 1 .. 10;
    }
    is_deeply(\%count, { 200 => 50 }, 'nothing is refused while secrets are rotated');
}

# ---- the new secret in a file, links, other places

{
    spew("$dir/etc/calls.secret.new", "# from the portal\n$SECRET\n", 0600);
    rename $file, "$dir/etc/real" and symlink 'real', $file or die "cannot link: $!";
    spew("$dir/etc/real", "# May\n$OLD_SECRET  expires=2099-01-01T00:00:00Z # old\n", 0440);
    my ($code, $out, $err) = operate($conf, qw(secret rotate calls -f), "$dir/etc/calls.secret.new", qw(-e 2d));
    is("$code $err", '0 ', 'from a file, by a link');
    ok(-l $file, 'the link stays');
    is(mode("$dir/etc/real"), '0440', 'the mode stays');
    like(slurp($file), qr/\A# May\n\Q$SECRET\E\n\Q$OLD_SECRET\E expires=20\d\d-\S+Z # old\n\z/, 'so do comments');
    is(slurp("$dir/etc/calls.secret.new"), "# from the portal\n$SECRET\n", 'the given file is left alone');
    opendir my $d, "$dir/etc" or die;
    is_deeply([sort grep { !/^\.\.?$/ } readdir $d], [qw(calls.secret calls.secret.new real)], 'nothing is left beside it');
}

# ---- what is refused

sub refused {
    my ($what, $code, $said, @words) = @_;
    my $before = slurp($file);
    my ($got, $out, $err) = operate($conf, 'secret', 'rotate', @words);
    is($got, $code, "$what: $code") or diag("$out$err");
    like($err, $said, '... and why');
    is(slurp($file), $before, '... nothing was changed');
    unlike("$out$err", qr/bm5u|whsec_\w/, '... and nothing is given away');
}

spew("$dir/open.secret", "$new\n", 0644);
refused('no endpoint', 64, qr/more is wanted/);
refused('another endpoint', 78, qr/has no endpoint 'nobody'/, 'nobody', '-g');
refused('no source', 64, qr/where does the new secret come from\?/, 'calls');
refused('two sources', 64, qr/where does the new secret come from\?/, 'calls', '-g', '-f', '-');
refused('no time', 64, qr/--expires: 'soon' is no time/, 'calls', '-g', '-e', 'soon');
refused('an empty one', 65, qr/standard input holds no secret/, qw(calls -f -));
refused('a broken one', 65, qr/standard input: secret is shorter than 16 bytes/, qw(calls -f -), { stdin => "whsec_bm5u\n" });
refused('an asymmetric one', 65, qr/asymmetric/, qw(calls -f -), { stdin => "whsk_bm5ubm5ubm5ubm5ubm5u\n" });
refused('two of them', 65, qr/more than one line/, qw(calls -f -), { stdin => "$new\n$new\n" });
refused('one that others can read', 77, qr/open to others \(mode 0644\)/, 'calls', '-f', "$dir/open.secret");
refused('no such file', 66, qr/No such file/, 'calls', '-f', "$dir/none");
SKIP: {
    skip 'only root can make what nobody may write', 8 if $>;
    chown 0, 0, "$dir/etc";
    refused('a directory that is not ours', 77, qr/cannot create '.*\/\.real\.new': Permission denied/, 'calls', '-g');
    own("$dir/etc");
    chown 0, (getpwnam 'nobody')[3], "$dir/etc/real";
    refused('a file of root', 77, qr/cannot keep the owner and group for '.*': Operation not permitted/, 'calls', '-g');
}

unlike(log_of($log), qr/whsec_/, 'no secret is in the log of hookspoold');
is(stop($pid), 0, 'hookspoold ends');

done_testing();
