# SPDX-License-Identifier: ISC
package Hookspool;

# What the tests in Perl share: a directory of their own, processes that are stopped by pid, HTTP
# and FastCGI by hand (a proper client would tidy up what has to arrive broken), signing, and
# reading the spool back. The web servers are in Hookspool::Server.
#
# Nothing here sleeps for a fixed time: wait_until() polls a condition and has a deadline. When the
# tests run as root, everything they start runs as nobody, as it would on a real machine.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256);
use Exporter qw(import);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use File::Temp ();
use FindBin ();
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use MIME::Base64 qw(decode_base64 encode_base64);
use POSIX qw(WNOHANG);
use Test::More ();
use Time::HiRes qw(time);

our @EXPORT = qw(
    $dir $SECRET $OLD_SECRET
    slurp spew own top_src wait_until eventually free_port find_program skip_without
    spawn stop alive kill_hard run log_of
    program hookspoold operate store_events write_site start_hookspoold
    new_id now sign deliver request connect_to exchange exchange_all
    fcgi_record fcgi_begin fcgi_pairs fcgi_stream fcgi_post fcgi_headers fcgi_exchange
    segments position spool_lines spool_bodies body_of entries pendings
);

use constant DEADLINE => 20;    # seconds; only a broken test ever waits as long

our $SECRET     = 'whsec_' . encode_base64(join('', map { chr } 1 .. 32),  '');
our $OLD_SECRET = 'whsec_' . encode_base64(join('', map { chr } 65 .. 96), '');
our $dir        = File::Temp::tempdir('hook spool.XXXXXX', TMPDIR => 1);

my @nobody = $> ? () : (getpwnam 'nobody')[2, 3];
my $owner  = $$;     # a child that dies before exec must not clean up for the parent
my %running;         # pid => log file

own($dir);
umask 022;
$SIG{PIPE} = 'IGNORE';
$SIG{$_} = sub { exit 1 } for qw(HUP INT TERM);    # so that END stops what was started

END {
    if ($$ == $owner) {
        my $status = $?;
        my @logs   = values %running;
        stop($_) for keys %running;
        if (!Test::More->builder->is_passing) {
            Test::More::diag("end of $_:\n", join '', (split /^/, slurp($_))[-30 .. -1])
                for grep { -s } @logs;
        }
        $ENV{HOOKSPOOL_KEEP} ? Test::More::diag("kept: $dir") : remove_tree($dir, { safe => 0 });
        $? = $status;
    }
}

# ---- files

sub slurp {
    my ($path) = @_;
    open my $fh, '<:raw', $path or die "cannot open '$path': $!\n";
    local $/;
    return scalar <$fh> // '';
}

sub spew {
    my ($path, $content, $mode) = @_;
    open my $fh, '>:raw', $path or die "cannot create '$path': $!\n";
    print {$fh} $content and close $fh or die "cannot write '$path': $!\n";
    chmod $mode, $path if defined $mode;
    own($path);
    return $path;
}

# Hands files to the user that the servers will run as.
sub own { chown @nobody, @_ if @nobody; return $_[0] }

sub top_src { return join '/', $FindBin::Bin, '..', @_ }

# ---- waiting and finding

# Polls until the condition holds; its value, or undef at the deadline.
sub wait_until(&;$) {
    my ($condition, $seconds) = @_;
    my $end = time + ($seconds // DEADLINE);
    while (1) {
        my $value = $condition->();
        return $value if $value;
        return undef if time > $end;
        select undef, undef, undef, 0.01;
    }
}

# A test that passes as soon as the condition holds.
sub eventually(&$) {
    my ($condition, $what) = @_;
    return Test::More::ok(wait_until(\&$condition), $what);
}

sub free_port {
    my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    return $s ? $s->sockport : die "no free port: $!\n";
}

sub find_program {
    for my $name (@_) {
        for my $place (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/sbin', '/usr/local/sbin') {
            return "$place/$name" if -x "$place/$name" && !-d _;
        }
    }
    return undef;
}

sub skip_without {
    my ($what, $found) = @_;
    Test::More::plan(skip_all => "$what is not installed") if !$found;
    return $found;
}

# ---- processes

# Starts a command and returns its pid: cmd => [...], log => file for what it says, stdout => one
# for its output alone, stdin => handle, env => {...}.
sub spawn {
    my (%o) = @_;
    my $log = $o{log} // "$dir/output.log";
    my $pid = fork // die "cannot fork: $!\n";
    if ($pid) {
        $running{$pid} = $log;
        return $pid;
    }

    # The child must never return: it would run the rest of the test a second time.
    eval {
        become_nobody();
        %ENV = (%ENV, %{ $o{env} // {} });
        delete @ENV{ grep { !defined $ENV{$_} } keys %ENV };
        chdir $dir;
        my $in = $o{stdin};
        $in // open $in, '<', '/dev/null';
        POSIX::dup2(fileno $in, 0);
        open my $out, '>>', $o{stdout} // $log or die;
        open my $err, '>>', $log or die;
        POSIX::dup2(fileno $out, 1);
        POSIX::dup2(fileno $err, 2);
        exec { $o{cmd}[0] } @{ $o{cmd} };
    };
    POSIX::_exit(127);
}

sub become_nobody {
    return if !@nobody;
    $) = "$nobody[1] $nobody[1]";
    POSIX::setgid($nobody[1]);
    POSIX::setuid($nobody[0]) or die "cannot become nobody: $!\n";
}

sub alive { my ($pid) = @_; return waitpid($pid, WNOHANG) == 0 }

# Waits for a process that was asked to end; its wait status, or undef when it had to be killed.
sub stop {
    my ($pid, $signal, $seconds) = @_;
    return undef if !delete $running{$pid};
    kill $signal // 'TERM', $pid;
    my $status;
    wait_until { waitpid($pid, WNOHANG) == $pid and do { $status = $?; 1 } } $seconds // DEADLINE;
    if (!defined $status) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
    return $status;
}

sub kill_hard { my ($pid) = @_; return stop($pid, 'KILL') }

# Runs a command to its end, with stdin => bytes and env => {...}: (exit code, output, errors). A
# code above 128 is 128 + the signal.
sub run {
    my ($cmd, %o) = @_;
    my ($in, $out, $err) = map { "$dir/run.$_" } qw(in out err);
    spew($in, $o{stdin} // '');
    unlink $out, $err;
    open my $stdin, '<', $in or die;
    my $pid    = spawn(cmd => $cmd, stdin => $stdin, stdout => $out, log => $err, env => $o{env});
    my $status = stop($pid, 0) // 9;
    my $code   = $status & 127 ? 128 + ($status & 127) : $status >> 8;
    return ($code, map { log_of($_) } $out, $err);
}

sub log_of { my ($path) = @_; return -e $path ? slurp($path) : '' }

# ---- the programs

# One of them, as a copy that nobody may execute even when the build directory is closed.
sub program {
    my ($name) = @_;
    my $copy = "$dir/$name";
    return $copy if -x $copy;
    my @places = $ENV{top_builddir} // (top_src(), top_src('build'));
    my ($built) = grep { -x } map { ("$_/$name", "$_/src/$name") } @places;
    Test::More::BAIL_OUT("$name is not built: run make, or set top_builddir") if !$built;
    copy($built, $copy) or die "cannot copy '$built': $!\n";
    chmod 0755, $copy;
    return $copy;
}

sub hookspoold { return program('hookspoold') }

# Runs hookspool with a configuration to its end: operate($conf, 'drain', ..., { stdin => bytes }),
# (exit code, output, errors) as run() has them.
sub operate {
    my ($conf, @words) = @_;
    my %o = ref $words[-1] ? %{ pop @words } : ();
    return run([program('hookspool'), '-c', $conf, @words], %o);
}

# Stores events by way of a target, each { id, body, ... } or a number of them; their ids.
sub store_events {
    my ($target, @events) = @_;
    @events = map { { body => qq({"type":"call.ended","n":$_}) } } 1 .. $events[0]
        if @events == 1 && !ref $events[0];
    my @ids;
    for my $event (@events) {
        my %event = (id => new_id(), body => '{"type":"call.ended"}', %$event);
        my $answer = deliver($target, %event);
        $answer->{status} == 200 or die "event $event{id} was answered $answer->{status}\n";
        push @ids, $event{id};
    }
    return @ids;
}

# Writes a configuration below $dir and what it needs; returns its path. %d in it stands for $dir.
sub write_site {
    my ($text, $name) = @_;
    $text =~ s/%d/$dir/g;
    if (!-e "$dir/one.secret") {
        spew("$dir/one.secret", "$SECRET\n", 0600);
        spew("$dir/two.secret", "# current, then the one before\n$SECRET\n$OLD_SECRET\n", 0600);
    }
    for my $spool ($text =~ /^spool_dir\s*=\s*(.+?)\s*$/mg) {
        make_path($spool);
        own($spool);
    }
    return spew("$dir/" . ($name // 'hookspool.conf'), $text);
}

# Starts hookspoold on a unix socket and waits until it listens. Returns pid, socket.
sub start_hookspoold {
    my (%o)    = @_;
    my $socket = $o{socket} // "$dir/hs.sock";
    my $pid    = spawn(
        cmd => [hookspoold(), '-c', $o{conf}, '-s', $socket, @{ $o{args} // [] }],
        log => $o{log} // "$dir/hookspoold.log",
        env => $o{env});
    wait_until { !alive($pid) || IO::Socket::UNIX->new(Peer => $socket) };
    alive($pid) or die "hookspoold did not start: ", log_of($o{log} // "$dir/hookspoold.log");
    return ($pid, $socket);
}

# ---- signing and HTTP

my $count = 0;
sub new_id { return sprintf 'msg_%d_%d', $$, ++$count }
sub now    { return int time }

sub sign {
    my ($id, $ts, $body, $secret) = @_;
    my ($key) = ($secret // $SECRET) =~ /^whsec_(.*)/;
    return 'v1,' . encode_base64(hmac_sha256("$id.$ts.$body", decode_base64($key)), '');
}

# The sender's three headers for a body: id, ts, secret, family (svix or webhook), and signature, or
# signed => [id, ts, body] where the signature is to cover something else than what is sent.
sub signature_headers {
    my (%o) = @_;
    my $family = $o{family} // 'svix';
    my @signed = @{ $o{signed} // [] };
    my ($id, $ts, $body) = ($signed[0] // $o{id}, $signed[1] // $o{ts}, $signed[2] // $o{body});
    my $signature = $o{signature} // sign($id, $ts, $body, $o{secret});
    return ("$family-id", $o{id}, "$family-timestamp", $o{ts}, "$family-signature", $signature);
}

# A raw HTTP request. Beside the above: path, method, headers => [name, value, ...] in place of the
# signature's, more => [...] beside them, chunked => size of a chunk, length => what to claim.
sub request {
    my (%o) = (path => '/webhooks/calls', method => 'POST', body => '', @_);
    $o{id} //= new_id();
    $o{ts} //= now();
    my @headers = (@{ $o{headers} // [signature_headers(%o)] }, @{ $o{more} // [] });
    unshift @headers, 'Content-Type', 'application/json' if !grep { lc eq 'content-type' } @headers;
    my $body = $o{body};
    if ($o{chunked}) {
        push @headers, 'Transfer-Encoding', 'chunked';
        my @chunks = unpack "(a$o{chunked})*", $body;
        $body = join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @chunks, '';
    } else {
        push @headers, 'Content-Length', $o{length} // length $body;
    }
    my $raw = "$o{method} $o{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        $raw .= "$name: $value\r\n";
    }
    return "$raw\r\n$body";
}

# Sends one request built from the arguments, by HTTP to a port or by FastCGI to a socket, and
# returns the answer as { status, headers, body }. status 0 means: no answer.
sub deliver {
    my ($target, %o) = @_;
    return exchange($target, is_socket($target) ? fcgi_post(%o) : request(%o));
}

sub is_socket { return $_[0] =~ m{/} }

sub connect_to {
    my ($target) = @_;
    my $s = is_socket($target)
        ? IO::Socket::UNIX->new(Peer => $target)
        : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $target);
    return $s // die "cannot connect to '$target': $!\n";
}

sub exchange { return (exchange_all(@_))[0] }

# Sends raw requests at the same time, each on a connection of its own, and reads each answer to its
# end. All connections are open before the first byte is written. A target may be a list of several,
# which are taken in turn.
sub exchange_all {
    my ($targets, @raw) = @_;
    my @targets = ref $targets ? @$targets : $targets;
    my ($reading, $writing) = (IO::Select->new, IO::Select->new);
    my (%todo, @got);
    for my $i (0 .. $#raw) {
        my $s = connect_to($targets[$i % @targets]);
        $s->blocking(0);
        $todo{ fileno $s } = { i => $i, at => 0 };
        $got[$i] = '';
        $_->add($s) for $reading, $writing;
    }
    my $end = time + DEADLINE;
    while ($reading->count && time < $end) {
        my ($r, $w) = IO::Select->select($reading, $writing, undef, 1);
        for my $s (@{ $w // [] }) {
            my $t = $todo{ fileno $s };
            my $n = syswrite $s, $raw[$t->{i}], 1 << 18, $t->{at};
            # A server that refuses early closes its end: then only the answer counts.
            $t->{at} += defined $n ? $n : $!{EAGAIN} ? 0 : length $raw[$t->{i}];
            $writing->remove($s) if $t->{at} >= length $raw[$t->{i}];
        }
        for my $s (@{ $r // [] }) {
            my $i = $todo{ fileno $s }{i};
            my $n = sysread $s, $got[$i], 1 << 16, length $got[$i];
            next if $n || !defined $n && $!{EAGAIN};
            $_->remove($s) for $reading, $writing;
            close $s;
        }
    }
    my $parse = is_socket($targets[0]) ? \&fcgi_answer : \&parse_answer;
    return map { $parse->($_) } @got;
}

sub parse_answer {
    my ($raw) = @_;
    $raw =~ s/\AHTTP\/1\.1 100 .*?\r\n\r\n//s;
    my ($head, $body) = split /\r\n\r\n/, $raw, 2;
    my ($status, %headers) = (0);
    if (defined $head && $head =~ /\AHTTP\/1\.[01] (\d{3})/) {
        $status  = $1;
        %headers = map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1, $2) : () } split /\r\n/, $head;
    }
    if (($headers{'transfer-encoding'} // '') eq 'chunked') {
        my $rest = $body;
        $body = '';
        while ($rest =~ s/\A([0-9a-f]+)[^\n]*\n//i && hex $1) {
            $body .= substr $rest, 0, hex $1, '';
            $rest =~ s/\A\r\n//;
        }
    }
    return { status => $status, headers => \%headers, body => $body // '' };
}

# ---- FastCGI by hand

sub fcgi_record {
    my ($type, $content, $id) = @_;
    return pack('CCnnCC', 1, $type, $id // 1, length $content, 0, 0) . $content;
}

sub fcgi_begin { my ($keep) = @_; return fcgi_record(1, pack 'nCx5', 1, $keep ? 1 : 0) }

sub fcgi_pairs {
    my @pairs = @_;
    my $content = '';
    while (my ($name, $value) = splice @pairs, 0, 2) {
        for ($name, $value) {
            $content .= length() > 127 ? pack 'N', length() | 1 << 31 : chr length();
        }
        $content .= $name . $value;
    }
    return $content;
}

# A stream: records of at most 65,535 bytes, then the empty one that ends it.
sub fcgi_stream {
    my ($type, $content) = @_;
    return join '', map { fcgi_record($type, $_) } unpack('(a65535)*', $content), '';
}
# The sender's headers as CGI variables.
sub fcgi_headers {
    my %h = signature_headers(@_);
    return map { ('HTTP_' . uc =~ tr/-/_/r, $h{$_}) } sort keys %h;
}

# A whole request: the arguments of signature_headers(), path, method, length, keep (the
# connection), and params => [name, value, ...] beside the usual ones.
sub fcgi_post {
    my (%o) = (path => '/webhooks/calls', method => 'POST', body => '', @_);
    $o{id} //= new_id();
    $o{ts} //= now();
    return fcgi_begin($o{keep})
        . fcgi_stream(4, fcgi_pairs(
            GATEWAY_INTERFACE => 'CGI/1.1',
            REQUEST_METHOD    => $o{method},
            SCRIPT_NAME       => $o{path},
            REQUEST_URI       => $o{path},
            CONTENT_LENGTH    => $o{length} // length $o{body},
            fcgi_headers(%o), @{ $o{params} // [] }))
        . fcgi_stream(5, $o{body});
}

# The records that stand complete in the bytes of an answer: { status, headers, body, ended, rest }.
sub fcgi_answer {
    my ($in) = @_;
    my ($out, $ended) = ('', 0);
    while (!$ended && length $in >= 8) {
        my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $in;
        last if length $in < 8 + $length + $padding;
        my $content = substr substr($in, 0, 8 + $length + $padding, ''), 8, $length;
        $out .= $content if $type == 6;
        $ended = 1 if $type == 3;
    }
    my $status = $out =~ /^Status: (\d{3})/mi ? $1 : length $out ? 200 : 0;
    return { %{ parse_answer("HTTP/1.1 $status x\r\n$out") }, ended => $ended, rest => $in };
}

# Sends bytes over an open connection and reads until the request has ended, the connection too, or
# the time is up: an answer, and closed.
sub fcgi_exchange {
    my ($s, $bytes, $seconds) = @_;
    $s->blocking(0);
    my ($at, $in, $closed, $select) = (0, '', 0, IO::Select->new($s));
    my $end = time + ($seconds // DEADLINE);
    while (!$closed && !fcgi_answer($in)->{ended} && time < $end) {
        my $more = $at < length $bytes ? $select : undef;
        my ($r, $w) = IO::Select->select($select, $more, undef, 0.1);
        if (@{ $w // [] }) {
            my $n = syswrite $s, $bytes, 1 << 18, $at;
            $at += defined $n ? $n : $!{EAGAIN} ? 0 : length $bytes;
        }
        if (@{ $r // [] }) {
            my $n = sysread $s, $in, 1 << 16, length $in;
            $closed = 1 if defined $n ? !$n : !$!{EAGAIN};
        }
    }
    return { %{ fcgi_answer($in) }, closed => $closed };
}

# ---- the spool

sub list {
    my ($path) = @_;
    opendir my $d, $path or return;
    return sort grep { !/^\.\.?$/ } readdir $d;
}

sub segments {
    my ($spool) = @_;
    return map { "$spool/log/$_" } grep { /^\d+\.ndjson$/ } list("$spool/log");
}

# All lines of all segments in the order of the log, without their line ends. A segment ends where
# the next one begins, whatever its file holds beyond that.
sub spool_lines {
    my ($spool) = @_;
    my @segments = segments($spool);
    my @lines;
    while (defined(my $path = shift @segments)) {
        my $text = slurp($path);
        $text = substr $text, 0, position($segments[0]) - position($path) if @segments;
        push @lines, split /\n/, $text;
    }
    return @lines;
}

# The position in the whole log of a segment's first byte: its name.
sub position {
    my ($path) = @_;
    return $path =~ m{/0*(\d+)\.ndjson$} ? $1 : die "not a segment: $path\n";
}

# The exact bytes that the sender signed, out of one line.
sub body_of {
    my ($line) = @_;
    my $before = qr/(?:"(?!data(?:_base64)?")\w+":"[^"]*",)+/;
    my ($data) = $line =~ /\A\{$before(.*),"xxh3":"[0-9a-f]{16}"\}\z/s or return undef;
    return decode_base64($1) if $data =~ /\A"data_base64":"([^"]*)"\z/;
    return decode_base64($1) if $data =~ /,"bodybase64":"([^"]*)"\z/;
    return $data =~ /\A"data":(.*)\z/s ? $1 : undef;
}

# id => [exact bodies, one for each line of that id].
sub spool_bodies {
    my ($spool) = @_;
    my %bodies;
    for my $line (spool_lines($spool)) {
        my ($id) = $line =~ /\A\{"specversion":"1\.0","id":"([^"]+)"/;
        push @{ $bodies{ $id // "unreadable: $line" } }, body_of($line);
    }
    return \%bodies;
}

# Ids that have an entry, and ids that are pending, from the lock directory.
sub entries  { my ($spool) = @_; return grep { !/^\./ } lock_names($spool) }
sub pendings { my ($spool) = @_; return map { /^\.(.*)/ ? $1 : () } lock_names($spool) }

sub lock_names {
    my ($spool) = @_;
    return map { list("$spool/locks/$_") } grep { /^[0-9a-f]{2}$/ } list("$spool/locks");
}

1;
