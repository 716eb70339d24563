#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# cat, tail, list and show as an operator runs them: selections, hostile content, damage, a log that
# grows and loses its beginning meanwhile, and those who may only read, or not even that.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Test::More;

my $site = <<'CONF';
[hookspool]
spool_dir = %d/spool

[endpoint calls]
path = /webhooks/calls
secret_file = %d/one.secret

[spool calls]
segment_size = 64K

[consumer billing]
spool = calls
max_attempts = 1
max_age = 0s
backoff = 30s..1h

[consumer crm]
spool = calls
CONF
my $conf = write_site($site);
my $spool = "$dir/spool/calls";

# Of a list of the program's answers, the code and what it printed.
sub answer {
    my ($code, $out, $err) = operate($conf, @_);
    return "$code|$out";
}

sub ids_of { return join ' ', $_[0] =~ /"id":"([^"]+)"/g }

# ---- before hookspoold has ever run

for my $verb (qw(cat tail list), 'show x') {
    my ($code, $out, $err) = operate($conf, split / /, $verb);
    is("$code|$out", '69|', "$verb: there is no spool yet");
    like($err, qr/no spool '.*' yet: hookspoold makes it/, '... and why is said');
}
# Waits for the spool, and for all that comes.
my $follower = spawn(cmd => [program('hookspool'), '-c', $conf, 'tail', '-f', '-j'],
    stdout => "$dir/followed", log => "$dir/follower.log");

my ($daemon, $socket) = start_hookspoold(conf => $conf);
eventually { answer('cat') eq '0|' } 'cat of an empty spool';    # it listens before it has made it
is(answer('tail'), '0|', 'tail of an empty spool');
is(answer('list', '--json'), '0|', 'list of an empty spool');
is((operate($conf, 'show', 'x'))[0], 65, 'nothing is in it to be shown');

# ---- events of all sorts

my $megabyte = '"' . 'm' x (1024 * 1024 - 2) . '"';
my %body     = (
    plain => '{"type":"call.ended","data":{"seconds":42}}',
    lines => qq({\r\n  "type": "call.ended"\n}\n),
    bytes => join('', map { chr } 0 .. 255),
    ansi  => qq({"type":"call.started","x":"\\u001b[31m\xc2\x9b1m\x7f"}),
    text  => "plain \e]0;title\a text\n",
    words => "just\ttext\n",
    wrong => "\xff\xfe{",
    empty => '',
    large => $megabyte,
);
my @names = sort keys %body;
my %type  = (plain => 'call.ended', lines => 'call.ended', ansi => 'call.started');
store_events($socket, map { { id => "msg_$_", body => $body{$_} } } @names);
my @some = store_events($socket, 40);

my @lines = spool_lines($spool);
is(scalar @lines, @names + 40, 'all are in the log');
cmp_ok(scalar segments($spool), '>', 2, 'of several segments');
is(answer('cat'), '0|' . join('', map { "$_\n" } @lines), 'cat prints the lines as they are');
{
    my $program = program('hookspool');
    my ($code, $out) = run(['/bin/sh', '-c', "'$program' -c '$conf' cat | cat"]);
    is($out, join('', map { "$_\n" } @lines), '... into a pipe as well');
    ($code, $out) = run(['/bin/sh', '-c', "'$program' -c '$conf' cat >new; cat new"]);
    is($out, join('', map { "$_\n" } @lines), '... and into a file');
    ($code, $out, my $err) = run(['/bin/sh', '-c', "'$program' -c '$conf' cat | head -1"]);
    is("$code|$out|$err", "0|$lines[0]\n|", '... and is quiet when nobody wants the rest');
    ($code, $out, $err) = run(['/bin/sh', '-c', "'$program' -c '$conf' cat >/dev/full"]);
    is($code, 74, '... but not when the disk is full');
    like($err, qr/cannot write to 'standard output'/, '... which it says');
}

# ---- selections

sub selected { my ($test) = @_; return join '', map { "$_\n" } grep { $test->() } @lines }

is(answer('cat', '--type', 'call.started'), '0|' . selected(sub { /"type":"call\.started"/ }), 'by type');
is(answer('cat', '--type', 'call.*'), '0|' . selected(sub { /"type":"call\./ }), 'by a pattern');
is(answer('cat', 'msg_bytes', $some[7]), '0|' . selected(sub { /"id":"(msg_bytes|$some[7])"/ }), 'by ids');
is(answer('cat', '--id', 'msg_bytes'), '0|' . selected(sub { /"id":"msg_bytes"/ }), 'by --id');
is(answer('cat', 'none'), '0|', 'nothing of an id that is not there');
is(answer('cat', '--since', '1h'), '0|' . selected(sub { 1 }), 'of the last hour');
is(answer('cat', '--until', '1h'), '0|', 'before that');
is((operate($conf, 'cat', '--since', 'gestern'))[0], 64, 'a time that is none');
is((operate($conf, 'cat', '--since', '1h', '--until', '2h'))[0], 64, 'a time that ends before it begins');
is((operate($conf, 'cat', '--spool', 'levers'))[0], 78, 'a spool that is not configured');

# ---- tail

sub tailed { my ($count) = @_; return join ' ', ($some[-$count] .. 0, @some[-$count .. -1]) }
{
    my ($code, $out) = operate($conf, 'tail');
    my @rows = split /\n/, $out;
    is(scalar @rows, 10, 'tail prints ten');
    like($rows[-1], qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  call\.ended  $some[-1] +\d+$/, '... in columns');
    is_deeply([map { (split)[2] } @rows], [@some[-10 .. -1]], '... the last ones');
    is(answer('tail', '-n', '3', '--json'), '0|' . join('', map { "$_\n" } @lines[-3 .. -1]), 'tail -n 3 --json');
    is(answer('tail', '-n', '0'), '0|', 'tail -n 0');
    is(scalar(split /\n/, (operate($conf, 'tail', '-n', '1000'))[1]), scalar @lines, 'as many as there are');
    is(answer('tail', '-n', '2', '--json', '--type', 'call.started'),
        '0|' . selected(sub { /call\.started/ }), 'the last ones of a type');
    ($code, $out) = operate($conf, 'tail', '-n', '1', 'msg_large');
    like($out, qr/msg_large +\d{7}\n\z/, 'a line of a megabyte');
}

# ---- list

{
    my ($code, $out) = operate($conf, 'list');
    my ($head, @rows) = split /\n/, $out;
    like($head, qr/^RECEIVED +TYPE +ID +BYTES +POSITION$/, 'list has heads');
    is(scalar @rows, scalar @lines, '... and a row for each event');
    is(scalar(grep { length != length $head } @rows), 0, '... all as wide');
    my $at = 0;
    my @places = map { my $here = $at; $at += 1 + length; $here } @lines;
    is_deeply([map { (split)[4] } @rows], \@places, '... with positions');
    my @objects = map { decode_json($_) } split /\n/, (operate($conf, 'list', '--json', '--max', '2'))[1];
    is(join(' ', map { "$_->{id} $_->{position} $_->{type}" } @objects),
        "$some[-2] $places[-2] call.ended $some[-1] $places[-1] call.ended", 'the last two as JSON');
    is($objects[0]{bytes}, 1 + length $lines[-2], '... with their sizes');
}

# ---- show

for my $name (@names) {
    is(answer('show', "msg_$name", '--body'), "0|$body{$name}", "show --body: the exact bytes of $name");
    my ($code, $out, $err) = operate($conf, 'show', "msg_$name");
    is("$code|$err", '0|', "show $name");
    like($out, qr/^id +msg_$name\ntype +\S+\nsource +\/webhooks\/calls\nsigned +\S+Z\nreceived +\S+Z, \w+ ago\nposition +\d+, \d+ bytes\nentry +stored\b/,
        '... its fields');
    unlike($out, qr/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/, '... and nothing for the terminal');
    cmp_ok(length $out, '<', 80_000, '... at most a page or two');
}
like((operate($conf, 'show', 'msg_plain'))[1], qr/^billing +waiting\ncrm +waiting\nbody +43 bytes of JSON\n  \{\n    "type": "call.ended",\n    "data": \{\n      "seconds": 42\n    \}\n  \}\n\z/m, 'JSON is laid out');
like((operate($conf, 'show', 'msg_bytes'))[1], qr/^body +256 bytes, binary; --body/m, 'binary is not shown');
like((operate($conf, 'show', 'msg_words'))[1], qr/^body +10 bytes of text\n  just\ttext\n\z/m, 'text is');
like((operate($conf, 'show', 'msg_large'))[1], qr/983040 bytes more; --body writes all of it\n\z/, 'the end of a large one is left out');
{
    my $shown = decode_json((operate($conf, 'show', 'msg_bytes', '--json'))[1]);
    is($shown->{event}{data_base64}, encode_base64($body{bytes}, ''), 'show --json has the event');
    is("$shown->{entry} $shown->{in_log}", 'stored 1', '... and what is known of it');
    like($shown->{entry_day}, qr/^\d{4}-\d\d-\d\d$/, '... and the day');
    my ($code, $out, $err) = operate($conf, 'show', 'msg_nothing');
    is("$code|$out", '65|', 'an id that is not there');
    like($err, qr/event 'msg_nothing' is not in spool 'calls'$/m, '... is said to be so');
    is((operate($conf, 'show', '../../../etc/passwd'))[0], 65, 'nor is one that is a path');
    is((operate($conf, 'show', 'msg_plain', '--until', '1h'))[0], 65, 'nor one of another time');
}

# ---- what became of them

is((operate($conf, 'drain', 'billing', '--each', '--max', '2', '--', 'sh', '-c',
    'cat >/dev/null; printf "bad \033[31mnews\n" >&2; exit 3'))[0], 75, 'two events fail, and are dead');
is((operate($conf, 'drain', 'crm', '--max-failures', '0', '--', 'sh', '-c', '! grep -q msg_large'))[0], 75,
    'another consumer fails with one of all');
{
    my ($code, $out, $err) = operate($conf, 'list', '--dead', 'billing');
    like($out, qr/^FAILED LAST +ATTEMPTS +TYPE +ID +REASON\n(?:\S+Z +1 +\S+ +msg_\w+ +exit status 3\n){2}\z/, 'list --dead');
    ($code, $out) = operate($conf, 'list', '--failed', 'crm');
    like($out, qr/\A[A-Z ]+\n\S+Z +1 +\S+Z +webhook +msg_large +exit status 1\n\z/, 'list --failed');
    my ($failed) = map { decode_json($_) } (operate($conf, 'list', '--failed', 'crm', '--json'))[1];
    is("$failed->{id} $failed->{state} $failed->{attempts} $failed->{status}", 'msg_large failed 1 1', '... as JSON');
    my ($dead) = map { decode_json($_) } split /\n/, (operate($conf, 'list', '--dead', 'billing', '--json'))[1];
    is("$dead->{state} $dead->{stderr}", "dead bad ?[31mnews\n", '... with what the command said');
    is(scalar(split /\n/, (operate($conf, 'list', '--dead', 'billing', '--max', '1', '-j'))[1]), 1, '... the last one');
    is(answer('list', '--dead', 'billing', '--json', '--type', 'none'), '0|', '... by type');
    is(answer('list', '--dead', 'crm', '--json'), '0|', 'none is dead there');
    ($code, $out) = operate($conf, 'list', '--consumer', 'crm');
    my %state = $out =~ /(msg_\S+) +\d+ +\d+ +(\w+)/g;
    is(join(' ', map { $state{"msg_$_"} } qw(ansi large words)), 'done failed done', 'list --consumer');
    like($out, qr/msg_large .* failed: attempt 2 at \d\S+Z$/m, '... and when it is offered again');
    my @states = map { decode_json($_)->{state} } split /\n/, (operate($conf, 'list', '-C', 'billing', '-j'))[1];
    is("@states[0 .. 2]", 'dead dead waiting', '... as JSON');
    is((operate($conf, 'list', '--failed', 'nobody'))[0], 78, 'a consumer that is not there');
    my $said = (operate($conf, 'list', 'billing'))[2];
    like($said, qr/'billing' is taken for the id of an event, and not for the consumer of that name/, 'a consumer that stands where ids do');
    is((operate($conf, 'list', '--failed', 'crm', '--dead', 'crm'))[0], 64, 'one list at a time');
    ($code, $out) = operate($conf, 'show', 'msg_ansi');
    like($out, qr/^billing +dead, attempts: 1\n +failed first at \S+Z, last at \S+Z\n +exit status 3\n +bad \?\[31mnews\ncrm +done$/m, 'show tells why');
    my $shown = decode_json((operate($conf, 'show', 'msg_large', '--json'))[1]);
    is(join(' ', map { "$_->{consumer} $_->{state}" } @{ $shown->{consumers} }), 'billing waiting crm failed', '... of each');
}

# ---- rotation, and a purge, under those who follow

my $brief = spawn(cmd => [program('hookspool'), '-c', $conf, 'tail', '-f', '-n', '1', '--type', 'call.ended'],
    stdout => "$dir/brief", log => "$dir/brief.log");
ok(wait_until { -s "$dir/brief" }, 'tail -f begins with what there is');
my $before = segments($spool);
my @more = store_events($socket, map { { body => '{"type":"call.ended","x":"' . 'y' x 9000 . '"}' } } 1 .. 30);
cmp_ok(scalar segments($spool), '>', $before + 2, 'the log goes on in new segments');
eventually { ids_of(slurp("$dir/followed")) eq join ' ', (map { "msg_$_" } @names), @some, @more }
    'who waited for the spool has seen all events, each once';
unlink((segments($spool))[0 .. 2]);
push @more, store_events($socket, 3);
eventually { ids_of(slurp("$dir/followed")) eq join ' ', (map { "msg_$_" } @names), @some, @more }
    'also after the first segments were removed';
eventually { join(' ', $some[-1], @more) eq join ' ', map { (split)[2] } split /\n/, slurp("$dir/brief") }
    'likewise in columns, of a type';
is(log_of("$dir/follower.log") . log_of("$dir/brief.log"), '', 'and nothing went wrong');
is(stop($_) & 127, 15, 'SIGTERM ends it') for $follower, $brief;
{
    # Nobody reads any more: it ends without being written to.
    my $program = program('hookspool');
    my ($code, $out, $err) = run(['/bin/sh', '-c', "'$program' -c '$conf' tail -f -n 1 | head -1"]);
    is("$code|$err", '0|', 'tail -f ends when its reader does');
}
is(ids_of((operate($conf, 'cat'))[1]), ids_of(join '', spool_lines($spool)), 'cat begins where the log does');
{
    my ($code, $out) = operate($conf, 'show', 'msg_ansi');
    like($out, qr/^position .*not in the log any more, kept for consumer billing$/m, 'what was purged is shown by who has kept it');
    is(answer('show', 'msg_ansi', '--body'), "0|$body{ansi}", '... with its body');
    ($code, $out, my $err) = operate($conf, 'show', 'msg_empty');
    is("$code|$out", '65|', 'but not what nobody keeps');
    like($err, qr/was purged, but its id is remembered, from \d{4}-\d\d-\d\d on$/m, '... of which the id is still known');
    my ($day) = glob "'$spool'/locks/days/*";
    rename $day, "$spool/aside" or die "cannot rename '$day': $!\n";    # as in a spool that was copied
    ($code, $out, $err) = operate($conf, 'show', 'msg_empty');
    like($err, qr/was purged, but its id is remembered$/m, '... also when its day is not');
    rename "$spool/aside", $day or die "cannot rename back '$day': $!\n";
}

# ---- the same id twice

{
    my ($id) = store_events($socket, { body => '{"type":"twice.first"}' });
    unlink glob "'$spool'/locks/*/$id";    # as forget does
    my ($code, $out) = operate($conf, 'show', $id);
    like($out, qr/^entry +absent: an event of this id would be stored$/m, 'an id that was forgotten');
    store_events($socket, { id => $id, body => '{"type":"twice.second"}' });
    ($code, $out) = operate($conf, 'show', $id);
    is(join(' ', $out =~ /^type +(\S+)/mg), 'twice.first twice.second', 'an id that came again is shown twice');
    is(answer('show', $id, '--body'), '0|{"type":"twice.second"}', '... and has the later body');
}

# ---- damage

{
    my $path = (segments($spool))[1];
    my $text = slurp($path);
    my @here = split /\n/, $text;
    my ($bad) = $here[1] =~ /"id":"([^"]+)"/;
    substr($text, 1 + length($here[0]) + 200, 1) ^= "\x01";
    # In place, as a disk would do it.
    open my $fh, '+<:raw', $path or die;
    print {$fh} $text;
    close $fh;
    my @good = grep { !/"id":"$bad"/ } spool_lines($spool);
    my ($code, $out, $err) = operate($conf, 'cat');
    is($code, 65, 'cat meets a damaged line');
    is($out, join('', map { "$_\n" } @good), '... leaves it out, and nothing else');
    my $position = position($path) + 1 + length $here[0];
    like($err, qr/\Adamaged line|^hookspool: damaged line of \d+ bytes at position $position of/, '... and names it');
    is((operate($conf, 'cat', '--type', 'none'))[0], 65, '... whatever is selected, for it may be that');
    is((operate($conf, 'list'))[0], 65, 'so does list');
    is((operate($conf, 'tail', '-n', '1000'))[0], 65, 'and tail');
    is((operate($conf, 'tail', '-n', '1'))[0], 0, 'unless it is not among the last');
    ($code, $out, $err) = operate($conf, 'show', $bad);
    is($code, 65, 'show does not find the event');
    like($err, qr/it may be one of 1 damaged lines/, '... and says what may have become of it');

    # As a repair leaves it.
    my $line = length $here[1];
    substr($text, 1 + length $here[0], $line) = ' ' x $line;
    open $fh, '+<:raw', $path or die;
    print {$fh} $text;
    close $fh;
    is(answer('cat'), '0|' . join('', map { "$_\n" } @good), 'what was blanked is passed over');
}

# ---- who may only read, and who may not

# Runs a command as another user than the one that everything belongs to: (code, output, errors).
sub as_other {
    my ($group, @words) = @_;
    my ($uid, $gid) = ((getpwnam 'daemon')[2], (getgrnam $group)[2]);
    my ($out, $err) = ("$dir/other.out", "$dir/other.err");
    my $pid = fork // die;
    if (!$pid) {
        open STDOUT, '>', $out;
        open STDERR, '>', $err;
        $) = "$gid $gid";
        POSIX::setgid($gid);
        POSIX::setuid($uid);
        exec(program('hookspool'), '-c', $conf, @words) or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($? >> 8, slurp($out), slurp($err));
}

SKIP: {
    my $group = getgrgid((stat $spool)[5]);
    skip 'there is no other user to be', 1 if $> || !getpwnam 'daemon' || !getgrnam 'daemon';
    chmod 0755, $dir;
    is(stop($daemon), 0, 'hookspoold ends');
    unlink glob "'$spool'/log/*.summary";
    my $cat = answer('cat');
    for my $running (0, 1) {
        if ($running) {
            ($daemon, $socket) = start_hookspoold(conf => $conf);
        } else {
            unlink "$spool/log/state";    # as after a boot
        }
        my $when = $running ? 'while hookspoold runs' : 'before hookspoold runs';
        is(join('|', (as_other($group, 'cat'))[0, 1]), $cat, "a member of the group: cat, $when");
        for my $words ('cat --since 1h --type call.*', 'list --consumer crm', 'list --dead billing',
            'tail', "show $more[-1]", 'status', 'stats')
        {
            my ($code, $out, $err) = as_other($group, split / /, $words);
            is("$code|$err", '0|', "... and $words");
            isnt($out, '', '... with an answer');
        }
        is(scalar(() = glob "'$spool'/log/*.summary"), 0, '... and nothing was written') if !$running;
    }
    for my $words ('cat', 'list', 'tail', 'show x', 'status', 'stats') {
        my ($code, $out, $err) = as_other('daemon', split / /, $words);
        is($code, 77, "a stranger may not: $words");
        like($err, qr/cannot open directory '.*': Permission denied/, '... which is said');
    }
}

is(stop($daemon), 0, 'hookspoold ends') if alive($daemon);
done_testing();
