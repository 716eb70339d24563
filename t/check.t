#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# hookspool check: a site as it should be, and each thing that can be wrong with one: files, disk,
# clock, secrets, socket. What it says of web servers is in t/check-web.t.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use POSIX ();
use Socket qw(SOMAXCONN);
use Test::More;

# What a web server's configuration looks like that is in order; its user is the tests' own.
my $user = $> ? getpwuid $> : 'nobody';
my $web  = spew("$dir/web.conf", sprintf <<'CONF', $user, "$dir/hs.sock");
user %s;
http { server { location / { fastcgi_pass "unix:%s"; include params; } } }
CONF
spew("$dir/params", join '', map { "fastcgi_param $_ x;\n" } qw(REQUEST_METHOD SCRIPT_NAME CONTENT_LENGTH));

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool
deadline  = 1s

[endpoint calls]
secret_file = %d/one.secret
description = Levers, production

[consumer billing]
spool = calls
CONF

# Runs it, as root if that is who we are and as => 'root' is asked for: exit code, findings, output.
sub check {
    my ($file, @words) = @_;
    my %o = ref $words[-1] ? %{ pop @words } : ();
    my @command = (program('hookspool'), 'check', '-c', $file, '--json', '-s', "$dir/hs.sock", '--nginx', $web, @words);
    my ($code, $out, $err) = $o{as} ? as_root(@command) : run(\@command);
    my @found = map { decode_json($_) } split /\n/, $out;
    return ($code, \@found, $out . $err);
}

sub as_root {
    my (@command) = @_;
    my $pid = open(my $from, '-|') // die "cannot fork: $!\n";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or POSIX::_exit(127);
    }
    my $text = do { local $/; <$from> };
    close $from;
    return ($? >> 8, join('', $text =~ /^(\{.*\n)/mg), join('', $text =~ /^([^{].*\n)/mg));
}

# The findings of a level, of a check, whose result is like this.
sub like_these {
    my ($found, $level, $check, $result) = @_;
    return grep { $_->{level} eq $level && $_->{check} eq $check && $_->{result} =~ $result } @$found;
}

sub has {
    my ($found, $level, $check, $result, $what) = @_;
    my ($one) = like_these($found, $level, $check, $result);
    ok($one, $what) or diag(map { "$_->{level} $_->{check} $_->{what}: $_->{result}\n" } @$found);
    ok($level eq 'ok' || ($one->{advice} // '') =~ /\S/, "$what: with advice");
    return $one;
}

sub failures { my ($found) = @_; return grep { $_->{level} eq 'fail' } @$found }

# A site that differs from the good one: old => new in its configuration.
sub other_site {
    my (%edits) = @_;
    my $text = slurp($conf);
    $text =~ s/\Q$_\E/$edits{$_}/ or die "no '$_' in the configuration\n" for keys %edits;
    return write_site($text, 'other.conf');
}

# ---- as it should be

my ($pid, $socket) = start_hookspoold(conf => $conf);
store_events($socket, 20);
{
    my ($code, $found, $text) = check($conf);
    is($code, 0, 'a site in order: 0') or diag($text);
    is_deeply([failures($found)], [], '... nothing failed');
    has($found, 'ok', 'configuration', qr/endpoints 1, spools 1, consumers 1/, 'the configuration');
    is(has($found, 'ok', 'secrets', qr{/webhooks/calls, secrets in use 1}, 'the secrets')->{what},
        'endpoint calls (Levers, production)', 'the description is shown');
    has($found, 'ok', 'spools', qr/kept for 30d/, 'the spool');
    has($found, 'ok', 'consumers', qr/reads spool calls/, 'the consumer');
    has($found, 'ok', 'files', qr/one\.secret/, 'the secret file');
    has($found, 'ok', 'spool_files', qr/all of them $user\x27s/, 'the files of the spool');
    has($found, 'ok', 'spool_files', qr/drains run as $user/, 'who may drain');
    has($found, 'ok', 'space', qr/free, min_free 256M; 20 events, .* a day: lasts \d+ days/, 'room, and how long it lasts');
    has($found, 'ok', 'filesystem', qr/locks hold/, 'locks are tried');
    has($found, 'ok', 'clock', qr/came -?\d\.\d to \d\.\d s after/, "the sender's clock");
    has($found, 'ok', 'socket', qr/user $user may connect/, "the web server's user");
    has($found, 'ok', 'socket', qr/hookspoold answers at .*hs\.sock.*, in \d/, 'the socket');
    like(log_of("$dir/hookspoold.log"), qr/path=\S*hookspool-check|reason="method is not POST"/, 'hookspoold was asked');
    is(scalar(() = spool_lines("$dir/spool/calls")), 20, '... and stored nothing of it');
    my @left = glob "'$dir/spool/calls'/*.new '$dir/spool/calls'/tmp*";
    is("@left", '', 'nothing is left behind in the spool');
}
{
    my ($code, $out, $err) = operate($conf, 'check', '-s', $socket, '--nginx', $web);
    is($code, 0, 'as text: 0');
    like($out, qr/^ok    configuration: \S.*$/m, '... a line a finding');
    unlike($out, qr/\e/, '... without colours where there is no terminal');
    my $warnings = () = $out =~ /^warn/mg;
    ($code, $out) = operate($conf, 'check', '-q', '-s', $socket, '--nginx', $web);
    is($code, 0, '-q: 0');
    my @lines = split /\n/, $out;
    is(scalar @lines, 2 * $warnings, '... only warnings, two lines each');
    is_deeply([grep { !/^(?:warn  \S|      \S)/ } @lines], [], '... the second tells what to do');
}

SKIP: {
    # What the kernel tells of the process that listens.
    my $few = spawn(cmd => ['/bin/sh', '-c', 'ulimit -n 100; exec "$0" "$@"', hookspoold(), '-c', $conf, '-s', "$dir/few.sock"],
        log => "$dir/few.log");
    eventually { IO::Socket::UNIX->new(Peer => "$dir/few.sock") } 'hookspoold with few descriptors';
    my ($code, $found) = check($conf, '-s', "$dir/few.sock");
    has($found, 'warn', 'socket', qr/may have 100 files open, and 64 threads want some 1\d\d/, 'they are too few');
    stop($few);
    skip 'the user is another one only for root', 1 if $>;
    ($code, $found) = check($conf, '-u', 'daemon');
    has($found, 'fail', 'socket', qr/runs as nobody, and not as daemon/, 'hookspoold runs as somebody else');
}

# ---- the command line and the configuration

is((operate($conf, 'check', 'calls'))[0], 64, 'an operand is refused');
{
    my ($code, $found, $text) = check(write_site("[endpoint calls]\nsecret_fil = x\n", 'bad.conf'));
    is($code, 78, 'a bad configuration: 78');
    has($found, 'fail', 'configuration', qr/cannot be loaded/, 'it is a finding');
    like($text, qr/bad\.conf:2: .*secret_fil/, '... and the loader says where');
    has($found, 'ok', 'socket', qr/hookspoold answers/, 'what needs none is looked at all the same');
}
{
    my ($code, $found) = check($conf, '-u', 'no-such-user');
    is($code, 78, 'a user that is not there: 78');
    like($found->[0]{result}, qr/no user 'no-such-user'/, '... says so');
}

# ---- settings and secrets

sub site_has {
    my ($what, $edits, $code, @want) = @_;
    my ($got, $found, $text) = check(other_site(%$edits));
    is($got, $code, "$what: $code") or diag($text);
    has($found, @$_, $what) for @want;
    return;
}

spew("$dir/expired.secret", "$SECRET expires=2026-01-01T00:00:00Z\n", 0600);
spew("$dir/soon.secret", "$SECRET expires=" . POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime time + 3 * 86400) . "\n", 0600);
spew("$dir/short.secret", 'whsec_' . 'QUJD' x 6 . "\n", 0600);
spew("$dir/open.secret", "$SECRET\n", 0644);
my $secret = "$dir/one.secret";
site_has('an expired secret', { $secret => "$dir/expired.secret" }, 78, ['fail', 'secrets', qr/has expired/]);
site_has('one that expires soon', { $secret => "$dir/soon.secret" }, 0, ['warn', 'secrets', qr/expires in (?:2d23h|3d0h)/]);
site_has('a short one', { $secret => "$dir/short.secret" }, 0, ['warn', 'secrets', qr/line 1 .* has 18 bytes/]);
site_has('one for all to read', { $secret => "$dir/open.secret" }, 78, ['fail', 'secrets', qr/readable by others/]);
site_has('none', { $secret => "$dir/no.secret" }, 78, ['fail', 'secrets', qr/No such file/]);
mkdir "$dir/shared" or die;
spew("$dir/shared/one.secret", "$SECRET\n", 0600);
own("$dir/shared");
chmod 0777, "$dir/shared";
site_has('one that anybody can replace', { $secret => "$dir/shared/one.secret" }, 78,
    ['fail', 'files', qr/anybody can put another file in the place of .* mode 0777/]);
chmod 01777, "$dir/shared";
site_has('one in a directory like /tmp', { $secret => "$dir/shared/one.secret" }, 0, ['ok', 'files', qr/shared/]);
site_has('two endpoints with one secret', { '[consumer' => "[endpoint again]\nsecret_file = $secret\n\n[consumer" }, 0,
    ['warn', 'secrets', qr/endpoints calls and again share one/], ['ok', 'spool_files', qr/not there yet/]);
site_has('... in one spool', { '[consumer' => "[endpoint again]\nsecret_file = $secret\nspool = calls\n\n[consumer" }, 0,
    ['ok', 'secrets', qr{/webhooks/again}]);
site_has('a long tolerance', { 'description' => "tolerance = 2h\ndescription" }, 0, ['warn', 'secrets', qr/tolerance is 2h/]);
site_has('a long deadline', { '= 1s' => '= 20s' }, 0, ['warn', 'configuration', qr/deadline is 20 s/]);
site_has('ids that are forgotten before their events', { '[consumer' => "[spool calls]\ndedupe_window = 3d\n\n[consumer" }, 0,
    ['warn', 'spools', qr/dedupe_window \(3d\) is shorter than keep \(30d\)/]);
site_has('a backoff above max_age', { 'spool = calls' => "spool = calls\nmax_age = 1h\nbackoff = 1m..2h" }, 0,
    ['warn', 'consumers', qr/up to 2h .* max_age \(1h\)/]);
site_has('no consumer', { "[consumer billing]\nspool = calls\n" => '' }, 0, ['ok', 'spools', qr/no consumer/]);
site_has('a consumer of a spool that is not there', { "billing]\nspool = calls" => "billing]\nspool = new\n[spool new]\n" }, 0,
    ['warn', 'consumers', qr/'new' is not there yet/]);

# ---- disk

site_has('min_free above what there is', { '[consumer' => "[spool calls]\nmin_free = 1T\n\n[consumer" }, 75,
    ['fail', 'space', qr/min_free is 1\.0T: every event is refused/]);
SKIP: {
    skip 'no /dev/shm', 3 if !-d '/dev/shm' || !-w '/dev/shm';
    my $shm = File::Temp::tempdir('hookspool.XXXXXX', DIR => '/dev/shm', CLEANUP => 1);
    own($shm);
    site_has('a spool in memory', { "$dir/spool" => $shm }, 0, ['warn', 'filesystem', qr/tmpfs, in memory/]);
}

# write_site() makes every spool_dir: this one is taken away again.
{
    my $other = other_site("$dir/spool" => "$dir/gone");
    rmdir "$dir/gone";
    my ($code, $found) = check($other);
    is($code, 78, 'no spool directory: 78');
    like(has($found, 'fail', 'spool_files', qr/gone' is not there/, 'it is missed')->{advice},
        qr/^install -d -o \w+ -g \w+ -m 0750 '\Q$dir\E\/gone'$/, '... and how to make it');
}

# ---- clock

sub clock_of {
    my ($name, $offset) = @_;
    my $other = other_site('[endpoint calls]' => "[endpoint calls]\nspool = $name\npath = /webhooks/calls", 'spool = calls' => "spool = $name");
    my ($daemon, $at) = start_hookspoold(conf => $other, socket => "$dir/$name.sock");
    store_events($at, map { { ts => now() + $offset } } 1 .. 3);
    stop($daemon);
    return (check($other))[1];
}
has(clock_of('late', -200), 'warn', 'clock', qr/came 2\d\d\.\d s and more after/, 'our clock is ahead');
has(clock_of('early', 100), 'warn', 'clock', qr/up to 1?\d\d\.\d s before they were signed/, 'our clock is behind');
has(clock_of('right', -2), 'ok', 'clock', qr/tolerance 300 s/, 'and right');

# ---- files

SKIP: {
    skip 'only root can give files away', 1 if $>;
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    my $site = other_site("$dir/spool" => "$dir/owned");
    my ($daemon) = start_hookspoold(conf => $site, socket => "$dir/owned.sock");
    stop($daemon);
    my $spool = "$dir/owned/calls";
    chmod 0755, $dir;
    my $case = sub {
        my ($what, $code, $break, $mend, @want) = @_;
        $break->();
        my ($got, $found, $text) = check($site, { as => 'root' });
        is($got, $code, "$what: $code") or diag($text);
        has($found, @$_, $what) for @want;
        $mend->();
    };
    my ($own) = check($site, { as => 'root' });
    is($own, 0, 'root sees nothing wrong');
    mkdir "$spool/consumers", 0750 or die;
    mkdir "$spool/consumers/billing", 0750 or die;
    chown $uid, $gid, "$spool/consumers", "$spool/consumers/billing";
    $case->('a file of root\'s in a spool', 78,
        sub { spew("$spool/consumers/billing/cursor", "0 0\n"); chown 0, 0, "$spool/consumers/billing/cursor" },
        sub { unlink "$spool/consumers/billing/cursor" },
        ['fail', 'spool_files', qr{of \d+ files 1 do not belong to nobody, the first: '\Q$spool\E/consumers/billing/cursor' \(root\)}]);
    $case->('a consumer that is configured no more', 0,
        sub { mkdir "$spool/consumers/crm"; chown $uid, $gid, "$spool/consumers/crm" },
        sub { rmdir "$spool/consumers/crm" }, ['warn', 'consumers', qr{consumers/crm' is still there}]);
    $case->('a directory that all can write to', 78, sub { chmod 0777, "$spool/log" }, sub { chmod 0750, "$spool/log" },
        ['fail', 'spool_files', qr{can be written by others, the first: '\Q$spool\E/log' \(mode 0777\)}]);
    $case->('a spool directory that all can write to', 78, sub { chmod 0777, "$dir/owned" }, sub { chmod 0755, "$dir/owned" },
        ['fail', 'spool_files', qr{anybody can write to '\Q$dir\E/owned'}]);
    $case->('a symbolic link in a spool', 0, sub { symlink '/tmp', "$spool/elsewhere" }, sub { unlink "$spool/elsewhere" },
        ['warn', 'spool_files', qr{elsewhere' is a symbolic link}]);
    $case->('a spool that its user cannot write to', 78, sub { chmod 0550, $spool }, sub { chmod 0750, $spool },
        ['fail', 'spool_files', qr{'\Q$spool\E' cannot be written by nobody}]);
    $case->('a directory on the way that is closed', 78, sub { chmod 0700, $dir; chown 0, 0, $dir },
        sub { chown $uid, $gid, $dir; chmod 0755, $dir },
        ['fail', 'spool_files', qr{directory '\Q$dir\E' cannot be passed by nobody}], ['fail', 'files', qr{cannot be passed}]);
    $case->('a secret that hookspoold cannot read', 78, sub { chown 0, 0, $secret }, sub { chown $uid, $gid, $secret },
        ['fail', 'files', qr{'\Q$secret\E' cannot be read by nobody}]);
    $case->('a secret of somebody else\'s', 78, sub { chown 12345, $gid, $secret; chmod 0640, $secret },
        sub { chown $uid, $gid, $secret; chmod 0600, $secret }, ['fail', 'files', qr{12345 can change}]);
    $case->('a configuration that all can write to', 78, sub { chmod 0666, $site }, sub { chmod 0644, $site },
        ['fail', 'files', qr{anybody can change '\Q$site\E'}]);
    $case->('a spool directory of root\'s', 78, sub { chown 0, 0, "$dir/owned" }, sub { chown $uid, $gid, "$dir/owned" },
        ['warn', 'spool_files', qr/would run as root/], ['fail', 'spool_files', qr/do not belong to root/]);
    my ($code, $found) = check($site, '-u', 'daemon', { as => 'root' });
    is($code, 78, 'for another user: 78');
    has($found, 'fail', 'spool_files', qr/cannot be written by daemon/, '... who cannot write there');

    chown 0, 0, $secret;
    ($code, $found) = check($site);
    has($found, 'warn', 'secrets', qr/cannot look at .*Permission denied/, 'who may not see a secret is told so');
    like((like_these($found, 'warn', 'secrets', qr/cannot look/))[0]{advice}, qr/as root/, '... and who may');
    is($code, 78, '... and hookspoold\'s user could not read it either');
    chown $uid, $gid, $secret;
}

# ---- the socket

stop($pid);

# Something that listens; what it does with a connection is the caller's to say.
sub listen_as {
    my ($do) = @_;
    my $path = "$dir/hs.sock";
    unlink $path;
    my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 8) or die "cannot listen: $!\n";
    chmod 0777, $path;
    my $child = fork // die "cannot fork: $!\n";
    if (!$child) {
        local $SIG{PIPE} = 'IGNORE';
        eval { while (my $c = $listener->accept) { $do->($c) } };
        POSIX::_exit(0);
    }
    close $listener;
    return $child;
}

sub socket_has {
    my ($what, $do, $code, $level, $result) = @_;
    my $child = defined $do ? listen_as($do) : undef;
    my ($got, $found, $text) = check($conf);
    is($got, $code, "$what: $code") or diag($text);
    has($found, $level, 'socket', $result, $what);
    return if !$child;
    kill 'KILL', $child;
    waitpid $child, 0;
    unlink "$dir/hs.sock";
    return;
}

# Reads what comes, for the question fits into one read, and answers.
sub answer {
    my (@pieces) = @_;
    return sub { my ($c) = @_; sysread $c, my $in, 65536; syswrite $c, $_ for @pieces; close $c };
}

my $end = fcgi_record(3, "\0" x 8);
socket_has('no socket', undef, 69, 'fail', qr/there is no/);
spew("$dir/hs.sock", '');
socket_has('a file in its place', undef, 78, 'fail', qr/is no socket/);
unlink "$dir/hs.sock";
symlink "$dir/nowhere", "$dir/hs.sock";
socket_has('a link to nothing', undef, 78, 'fail', qr/symbolic link to nothing/);
unlink "$dir/hs.sock";
IO::Socket::UNIX->new(Local => "$dir/hs.sock", Listen => 1) or die;
own("$dir/hs.sock");
socket_has('one that was left', undef, 69, 'fail', qr/nobody listens/);
unlink "$dir/hs.sock";
socket_has('one that never answers', sub { my ($c) = @_; 1 while sysread $c, my $in, 4096; sleep 60 }, 69, 'fail',
    qr/does not answer within 2 s/);
socket_has('one that closes', sub { close $_[0] }, 69, 'fail', qr/closed without an answer/);
socket_has('one of HTTP', answer("HTTP/1.1 400 Bad Request\r\n\r\n"), 78, 'fail', qr/does not speak FastCGI/);
socket_has('half a record', answer(substr fcgi_record(6, 'Status: 405'), 0, 12), 78, 'fail', qr/does not speak FastCGI/);
socket_has('a record of another request', answer(fcgi_record(6, 'x', 2)), 78, 'fail', qr/does not speak FastCGI/);
socket_has('a record of an unknown kind', answer(fcgi_record(99, 'x')), 78, 'fail', qr/does not speak FastCGI/);
socket_has('an end that is too short', answer(fcgi_record(3, 'x')), 78, 'fail', qr/does not speak FastCGI/);
socket_has('one that takes no request', answer(fcgi_record(3, "\0\0\0\0\2\0\0\0")), 69, 'fail', qr/takes no request/);
socket_has('one that says nothing', answer($end), 78, 'fail', qr/another program .* status 0/);
socket_has('one that talks without end', sub {
        my ($c) = @_;
        sysread $c, my $in, 65536;
        1 while syswrite $c, fcgi_record(7, 'x' x 60000);
    }, 78, 'fail', qr/does not speak FastCGI/);
socket_has('another program', answer(fcgi_record(6, "Status: 404 Not Found\r\n\r\nFile \e[31mnot found.\n"), $end), 78, 'fail',
    qr/another program than hookspoold answers .* with status 404: File/);
socket_has('another one, without a status', answer(fcgi_record(6, "Content-Type: text/html\n\nhello"), $end), 78, 'fail',
    qr/with status 200: hello/);
socket_has('one that answers 405 of its own', answer(fcgi_record(6, "Status: 405\r\nAllow: POST\r\n\r\nno"), $end), 78, 'fail',
    qr/another program/);
my $whole = "Status: 405 Method Not Allowed\r\nAllow: POST\r\n\r\n" . '{"status":"refused"}';
socket_has('an answer in many pieces, with padding', sub {
        my ($c) = @_;
        sysread $c, my $in, 65536;
        for my $piece ((map { pack('CCnnCC', 1, 6, 1, 1, 7, 0) . $_ . "\0" x 7 } split //, $whole), fcgi_record(7, 'a word'), $end) {
            syswrite $c, $_ for split //, $piece;
        }
    }, 0, 'ok', qr/hookspoold answers/);
SKIP: {
    skip 'it would be our own socket', 1 if $>;
    my $child = listen_as(sub { });
    chown 0, 0, "$dir/hs.sock";
    chmod 0600, "$dir/hs.sock";
    my ($code, $found) = check($conf);
    is($code, 78, 'a socket that the web server may not connect to: 78');
    like(has($found, 'fail', 'socket', qr/runs as nobody, cannot connect to .* \(mode 0600, root:root\)/, 'it is told')->{advice},
        qr/SocketGroup=nobody/, '... with what to set');
    has($found, 'warn', 'socket', qr/we may not connect/, 'nor may we');
    kill 'KILL', $child;
    waitpid $child, 0;
}
{
    # A queue that is full.
    unlink "$dir/hs.sock";
    my $listener = IO::Socket::UNIX->new(Local => "$dir/hs.sock", Listen => 1) or die;
    own("$dir/hs.sock");
    my @held;
    while (@held < 10) {
        my $s = IO::Socket::UNIX->new(Type => Socket::SOCK_STREAM, Blocking => 0) or last;
        connect $s, Socket::pack_sockaddr_un("$dir/hs.sock") or last;
        push @held, $s;
    }
    socket_has('a queue that is full', undef, 69, 'fail', qr/queue of .* is full/);
}
{
    my $port = free_port();
    my ($code, $found) = check($conf, '-s', "127.0.0.1:$port");
    has($found, 'fail', 'socket', qr/nobody listens at '127\.0\.0\.1:$port'/, 'a port that nobody listens at');
    ($code, $found) = check($conf, '-s', 'localhost');
    has($found, 'fail', 'socket', qr/no socket's name/, 'a name that is none');
    my $daemon = spawn(cmd => [hookspoold(), '-c', $conf, '-s', "127.0.0.1:$port"], log => "$dir/tcp.log");
    eventually { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") } 'hookspoold at a port';
    ($code, $found) = check($conf, '-s', "127.0.0.1:$port");
    has($found, 'ok', 'socket', qr/hookspoold answers at '127\.0\.0\.1:$port'/, '... answers');
    stop($daemon);
}

done_testing();
