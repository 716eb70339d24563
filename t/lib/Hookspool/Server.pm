# SPDX-License-Identifier: ISC
package Hookspool::Server;

# Real web servers for the tests: nginx and Apache with a configuration of their own, on a port of
# their own, each with the site snippet that hookspool ships. A snippet is changed only where it
# names a path of the machine, and a path that it no longer names is an error.

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;

use Hookspool;

our @EXPORT = qw(snippet start_nginx start_apache start_front_end);

# The text of a shipped file with paths replaced: old => new.
sub snippet {
    my ($file, %paths) = @_;
    my $text = slurp(top_src($file));
    for my $old (sort keys %paths) {
        $text =~ s/^(\s*[^#\s].*)\Q$old\E/$1$paths{$old}/mg or die "$file does not name $old\n";
    }
    return $text;
}

# Starts a server on a free port and waits until it listens; undef when it is not installed. Another
# test may take the port in between: then it is tried again with another one.
sub start_server {
    my ($name, $command, $config, $log) = @_;
    for my $try (1 .. 5) {
        my $port     = free_port();
        my $pid_file = "$dir/$name.pid";
        unlink $pid_file;
        my $conf = spew("$dir/$name.conf", $config->($port, $pid_file));
        my $pid  = spawn(cmd => [@$command, $conf], log => $log);

        # Both write their pid file once they own the port.
        my $listens = sub { -s $pid_file && IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") };
        wait_until { !alive($pid) || $listens->() };
        return { port => $port, pid => $pid, log => $log } if alive($pid);
        stop($pid);
        last if slurp($log) !~ /address already in use/i;
    }
    die "$name did not start: ", slurp($log);
}

# server => text for the server block, http => text beside it, workers => number.
sub start_nginx {
    my (%o) = @_;
    my $nginx = find_program('nginx') // return undef;
    my $log   = "$dir/nginx.log";
    return start_server(
        'nginx',
        [$nginx, '-e', $log, '-p', $dir, '-c'],
        sub {
            my ($port, $pid_file) = @_;
            my $temp = join '', map { qq(    ${_}_temp_path "$dir/nginx-$_";\n) }
                qw(client_body fastcgi proxy uwsgi scgi);
            return <<"CONF" },
daemon off;
pid "$pid_file";
worker_processes @{[ $o{workers} // 1 ]};
events { worker_connections 512; }
http {
    access_log off;
$temp
    @{[ $o{http} // '' ]}
    server {
        listen 127.0.0.1:$port backlog=512;
        $o{server}
    }
}
CONF
        $log);
}

# modules => [names beside the usual], site => text for the virtual host.
sub start_apache {
    my (%o)      = @_;
    my $apache   = find_program(qw(apache2 httpd)) // return undef;
    my ($place) = grep { -d } map { "/usr/$_/modules" } qw(lib/apache2 lib64/httpd lib/httpd);
    my @modules  = (qw(mpm_event authz_core), @{ $o{modules} });
    # What is built into the program cannot be loaded, and need not be.
    @modules = grep { my $m = $_; !grep { $m eq $_ } builtin_modules($apache) } @modules;
    -e "$place/mod_$_.so" or return undef for @modules;
    my $load = join '', map { qq(LoadModule ${_}_module "$place/mod_$_.so"\n) } @modules;
    my $log  = "$dir/apache.log";
    spew($log, '');
    mkdir "$dir/htdocs";
    return start_server(
        'apache',
        [$apache, '-DFOREGROUND', '-f'],
        sub {
            my ($port, $pid_file) = @_;
            return <<"CONF" },
$load
ServerRoot "$dir"
DefaultRuntimeDir "$dir"
PidFile "$pid_file"
ErrorLog "$log"
LogLevel warn
ServerName localhost
Listen 127.0.0.1:$port
DocumentRoot "$dir/htdocs"
<IfModule mod_fcgid.c>
FcgidIPCDir "$dir"
FcgidProcessTableFile "$dir/fcgid.shm"
</IfModule>
<IfModule mod_cgid.c>
ScriptSock "$dir/cgid.sock"
</IfModule>
$o{site}
CONF
        $log);
}

# One of the four ways to put hookspoold behind a web server, from the shipped snippets: nginx,
# fcgid, proxy-fcgi or cgi. { port, pid, log, daemon => pid of hookspoold if it runs by itself }.
sub start_front_end {
    my ($kind, $conf) = @_;
    my $program = '/usr/local/sbin/hookspoold';
    my $setting = 'HOOKSPOOL_CONF=/etc/hookspool/hookspool.conf';
    my $socket  = '/run/hookspool/hookspool.sock';
    my $server;
    if ($kind eq 'fcgid') {
        $server = start_apache(
            modules => [qw(fcgid alias)],
            site    => snippet('apache/hookspool-fcgid.conf',
                qq("$program")  => '"' . hookspoold() . '"',
                "$program -n 1" => "'" . hookspoold() . "' -n 1",
                $setting        => qq("HOOKSPOOL_CONF=$conf")));
    } elsif ($kind eq 'cgi') {
        $server = start_apache(
            modules => [qw(cgid alias env)],
            site    => snippet('apache/hookspool-cgi.conf',
                $program                         => hookspoold(),
                '/etc/hookspool/hookspool.conf' => qq("$conf")));
    } else {
        my ($daemon, $own) = start_hookspoold(conf => $conf);
        $server = $kind eq 'nginx'
            ? start_nginx(
                server => snippet('nginx/hookspool.conf', "unix:$socket" => qq("unix:$own")))
            : start_apache(
                modules => [qw(proxy proxy_fcgi)],
                site    => snippet('apache/hookspool-proxy.conf', $socket => $own));
        $server->{daemon} = $daemon if $server;
    }
    return $server;
}

sub builtin_modules {
    my ($apache) = @_;
    my (undef, $list) = run([$apache, '-l']);
    return $list =~ /\bmod_(\w+)\.c\b/g;
}

1;
