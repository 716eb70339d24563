#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# The real sender's library, npm's svix, signs, and node posts through nginx. The package is looked
# for in $NODE_MODULES and in node_modules of the build directory; script/test puts it there.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Hookspool;
use Hookspool::Server;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use Test::More;

my $node = find_program('node', 'nodejs');
my @builds = ($ENV{top_builddir} // (), top_src('build'), top_src());
my ($modules) = grep { -d "$_/svix" } $ENV{NODE_MODULES} // (), map { "$_/node_modules" } @builds;
if (!$node || !$modules) {
    my $missing = $node ? 'the npm package svix' : 'node';
    BAIL_OUT("$missing is missing") if $ENV{CI} || $ENV{HOOKSPOOL_REQUIRE_SVIX};
    skip_without($missing, undef);
}

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file  = %d/two.secret
default_type = phone_call.ended
CONF
my $server = skip_without('nginx', start_front_end('nginx', $conf));

# Not run(): the package may be where only the caller can read it.
sub node {
    open my $fh, '-|', $node, "$FindBin::Bin/svix-client.js", $modules, @_
        or die "cannot run node: $!\n";
    local $/;
    return decode_json(<$fh> || '[]');
}

my $cases = node($server->{port}, $SECRET, $OLD_SECRET);
cmp_ok(scalar @$cases, '>', 5, 'the client ran');
my %want;
for my $case (@$cases) {
    is("$case->{status} $case->{answer}", "$case->{expected}", $case->{what});
    $want{ $case->{id} } = decode_base64($case->{body}) if $case->{expected} =~ /stored/;
}
is(stop($server->{daemon}), 0, 'hookspoold ends');

my $bodies = spool_bodies("$dir/spool/calls");
is_deeply($bodies, { map { $_ => [$want{$_}] } keys %want },
    'what svix signed is in the spool, once, byte for byte');

done_testing();
