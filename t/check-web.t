#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# hookspool check and web servers: the snippets that are shipped are in order, inside real
# configurations that the servers take, with real servers behind --url; and each thing that can be
# wrong with one is found and told with what to do.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Hookspool;
use Hookspool::Server;
use JSON::PP qw(decode_json);
use Test::More;

my $conf = write_site(<<'CONF');
[hookspool]
spool_dir = %d/spool

[endpoint calls]
secret_file = %d/one.secret

[endpoint large]
secret_file = %d/two.secret
path        = /webhooks/in/large
spool       = calls
max_body    = 512K
CONF

# Exit code and findings.
sub check {
    my (@words) = @_;
    my ($code, $out, $err) = operate($conf, 'check', '--json', @words);
    return ($code, [map { decode_json($_) } split /\n/, $out], $err);
}

# One of a level, of a check, whose result is like this.
sub has {
    my ($found, $level, $check, $result, $what) = @_;
    my ($one) = grep { $_->{level} eq $level && $_->{check} eq $check && $_->{result} =~ $result } @$found;
    ok($one, $what) or diag(map { "$_->{level} $_->{check} $_->{what}: $_->{result}\n" } @$found);
    ok($level eq 'ok' || ($one->{advice} // '') =~ /\S/, "$what: with advice");
    return $one;
}

# What is not in order with a web server.
sub faults {
    my ($found, $check) = @_;
    return map { "$_->{level} $_->{what}: $_->{result}" } grep { $_->{check} eq $check && $_->{level} ne 'ok' } @$found;
}

# ---- the shipped snippets, as they are and where they run

is_deeply([faults((check('--nginx', top_src('nginx', 'hookspool.conf')))[1], 'nginx')], [], 'nginx/hookspool.conf is in order');
for my $kind (qw(proxy fcgid cgi)) {
    my @faults = faults((check('--apache', top_src('apache', "hookspool-$kind.conf")))[1], 'apache');
    # It names the configuration in /etc.
    is_deeply([grep { !/is started with/ } @faults], [], "apache/hookspool-$kind.conf is in order");
}

for my $kind (qw(nginx proxy-fcgi fcgid cgi)) {
  SKIP: {
        my $server = start_front_end($kind, $conf) or skip "$kind is not installed", 1;
        my $option = $kind eq 'nginx' ? '--nginx' : '--apache';
        my $file   = $kind eq 'nginx' ? "$dir/nginx.conf" : "$dir/apache.conf";
        my $url    = "http://127.0.0.1:$server->{port}/webhooks";
        my @socket = $server->{daemon} ? ('-s', "$dir/hs.sock") : ();
        my ($code, $found, $err) = check($option, $file, @socket, '--url', "$url/calls");
        my @faults = grep { $_->{level} eq 'fail' } @$found;
        is("@{[map { $_->{result} } @faults]}", '', "$kind: nothing fails");
        is($code, 0, "$kind: 0") or diag($err);
        is_deeply([faults($found, $kind eq 'nginx' ? 'nginx' : 'apache')], [], "$kind: nothing to be said of its configuration");
        has($found, 'ok', 'url', qr{/webhooks/calls: hookspoold answers}, "$kind: the URL");
        has($found, 'ok', 'url', qr/max_body \(1\.0M\) comes through/, "$kind: a large body");
        has($found, 'ok', 'socket', $server->{daemon} ? qr/hookspoold answers/ : qr/not needed/, "$kind: the socket");
        ($code, $found) = check($option, $file, @socket, '--url', "$url/nothing");
        is($code, 78, "$kind: a URL of no endpoint: 78");
        has($found, 'fail', 'url', qr/knows no endpoint/, "$kind: ... is told");
        stop($server->{pid});
        ($code, $found) = check($option, $file, @socket, '--url', "$url/calls");
        is($code, 69, "$kind: no web server: 69");
        has($found, 'fail', 'url', qr/no answer/, "$kind: ... is told");
        stop($server->{daemon}) if $server->{daemon};
    }
}

# What stands in the way of a URL.
SKIP: {
    my ($daemon, $socket) = start_hookspoold(conf => $conf);
    my $server = start_nginx(
        server => snippet('nginx/hookspool.conf', 'unix:/run/hookspool/hookspool.sock' => qq("unix:$socket"),
            'body_size 1m' => 'body_size 10k')
          . 'location /moved { return 301 /webhooks/calls; } location /other { return 200 hello; }'
          . 'location /broken { return 502; }') or skip 'nginx is not installed', 1;
    for my $case (
        ['/webhooks/calls', 78, qr/max_body \(1\.0M\) does not come through: status 413/],
        ['/moved',          78, qr/is redirected \(301\)/],
        ['/other',          78, qr/not hookspoold answers, with status 200: hello/],
        ['/broken',         78, qr/the web server answers 502/],
    ) {
        my ($path, $status, $result) = @$case;
        my ($code, $found) = check('--nginx', "$dir/nginx.conf", '-s', $socket, '--url', "http://127.0.0.1:$server->{port}$path");
        has($found, 'fail', 'url', $result, "--url $path");
        is($code, $status, "--url $path: $status");
    }
    my ($code, $found) = check('--nginx', "$dir/nginx.conf", '-s', $socket, '--url', 'ftp://127.0.0.1/');
    is($code, 78, 'a URL of another kind: 78');
    has($found, 'fail', 'url', qr/cannot be asked/, '... is told');
    stop($server->{pid});
    stop($daemon);
}
unlink "$dir/hs.sock";

# ---- nginx, each fault

my $port    = free_port();    # nginx -t binds it
my $snippet = bare(top_src('nginx', 'hookspool.conf'));

# A file without its comments, so that edits meet what counts; settings that are commented out stay.
sub bare { return slurp($_[0]) =~ s/^\s*#(?:\s.*)?\n//gmr }
mkdir "$dir/$_" and own("$dir/$_") for 'nginx', 'nginx/sites';
my $temp = join '', map { qq(    ${_}_temp_path "$dir/nginx-$_";\n) } qw(client_body fastcgi proxy uwsgi scgi);
spew("$dir/nginx/nginx.conf", <<"CONF");
pid "$dir/nginx/pid";
events { }
http {
    access_log off;
$temp
    upstream several { server unix:/run/hookspool/hookspool.sock; keepalive 4; }
    include http.conf;
    include sites/*.conf;
}
CONF

# Writes the configuration with edits [from, to] of the snippet.
sub write_nginx {
    my ($edits, %more) = @_;
    my $text = $snippet;
    for (@$edits) {
        my ($from, $to) = @$_;
        $text =~ s/$from/$to/ or die "the snippet has no $from\n";
    }
    spew("$dir/nginx/http.conf", $more{http} // '');
    spew("$dir/nginx/snippet", $text);
    spew("$dir/nginx/sites/hooks.conf", sprintf "server { listen 127.0.0.1:%d; %s include snippet; %s }\n",
        $port, $more{before} // '', $more{after} // '');
    return;
}

# It must be a configuration that nginx takes, or the test tests nothing.
my $nginx = find_program('nginx');
sub nginx_takes {
    my ($what) = @_;
    my ($code, undef, $err) = run([$nginx, '-t', '-e', "$dir/nginx/log", '-p', "$dir/nginx", '-c', "$dir/nginx/nginx.conf"]);
    is($code, 0, "$what: nginx takes it") or diag($err);
    return;
}

sub nginx_has {
    my ($what, $edits, $more, @want) = @_;
    write_nginx($edits, %$more);
    nginx_takes($what) if $nginx && !delete $more->{broken};
    my ($code, $found) = check('--nginx', "$dir/nginx/nginx.conf", @{ $more->{options} // [] });
    has($found, $_->[0], 'nginx', $_->[1], $what) for @want;
    my @failed = grep { $_->[0] eq 'fail' } @want;
    my $counted = grep { $_->{level} eq 'fail' && $_->{check} eq 'nginx' } @$found;
    is($counted, scalar @failed, "$what: and nothing else fails")
      or diag(map { "$_\n" } faults($found, 'nginx'));
    return;
}

my $line = qr/[^\n]*\n/;
nginx_has('in order', [], {}, ['ok', qr/bodies up to 1m, waits 12s/], ['ok', qr{/webhooks/in/large is taken by location \^~ /webhooks/}]);
is_deeply([faults((check('--nginx', "$dir/nginx/nginx.conf"))[1], 'nginx')], [], '... and nothing to be said');
nginx_has('a limit that is too small', [['body_size 1m', 'body_size 1000k']], {}, ['fail', qr/bodies above 1000k get 413 .* up to 1\.0M/]);
nginx_has('no limit', [['body_size 1m', 'body_size 0']], {}, ['ok', qr/bodies up to 0/]);
nginx_has('the default limit', [[qr/client_max_body_size$line/, '']], {}, ['ok', qr/bodies up to 1m/]);
nginx_has('the limit of the server', [[qr/client_max_body_size$line/, '']], { before => 'client_max_body_size 10k;' },
    ['fail', qr/bodies above 10k/]);
nginx_has('the limit of http', [[qr/client_max_body_size$line/, '']], { http => 'client_max_body_size 20k;' }, ['fail', qr/bodies above 20k/]);
nginx_has('the innermost limit', [], { http => 'client_max_body_size 20k;', before => 'client_max_body_size 10k;' }, ['ok', qr/up to 1m/]);
nginx_has('a short timeout', [['read_timeout    12s', 'read_timeout 5s']], {}, ['warn', qr/read_timeout \(5s\) is not above .* \(10 s\)/]);
nginx_has('the default timeout', [[qr/fastcgi_read_timeout$line/, '']], {}, ['ok', qr/waits 60s/]);
nginx_has('no headers', [['fastcgi_request_buffering on', 'fastcgi_pass_request_headers off; fastcgi_request_buffering on']], {},
    ['fail', qr/request_headers is off/]);
nginx_has('no body', [], { before => 'fastcgi_pass_request_body off;' }, ['fail', qr/request_body is off/]);
nginx_has('no buffering', [['request_buffering on', 'request_buffering off']], {}, ['warn', qr/request_buffering is off/]);
nginx_has('its own error pages', [['intercept_errors off', 'intercept_errors on']], {}, ['warn', qr/intercept_errors is on/]);
nginx_has('no method', [[qr/fastcgi_param REQUEST_METHOD$line/, '']], {}, ['fail', qr/REQUEST_METHOD is not passed/]);
nginx_has('no path', [[qr/fastcgi_param SCRIPT_NAME$line/, ''], [qr/fastcgi_param REQUEST_URI$line/, '']], {}, ['fail', qr/neither SCRIPT_NAME/]);
nginx_has('a path of another name', [[qr/fastcgi_param SCRIPT_NAME$line/, '']], {}, ['ok', qr/bodies up to/]);
nginx_has('no length', [[qr/fastcgi_param CONTENT_LENGTH$line/, '']], {}, ['warn', qr/CONTENT_LENGTH is not passed/]);
nginx_has('parameters outside', [], { before => 'fastcgi_param REQUEST_METHOD GET;' }, ['ok', qr/bodies up to/]);
nginx_has('an endpoint that is none', [['fastcgi_param GATEWAY', 'fastcgi_param HOOKSPOOL_ENDPOINT nobody; fastcgi_param GATEWAY']], {},
    ['fail', qr/names 'nobody'/], ['fail', qr{/webhooks/calls does not lead}], ['fail', qr{/webhooks/in/large does not lead}]);
nginx_has('an endpoint that is chosen', [['fastcgi_param GATEWAY', 'fastcgi_param HOOKSPOOL_ENDPOINT large; fastcgi_param GATEWAY'],
        [qr/\^~ \/webhooks\//, '= /secret'], ['body_size 1m', 'body_size 512k']], {},
    ['ok', qr{/webhooks/in/large is taken by location = /secret}], ['fail', qr{/webhooks/calls does not lead to hookspoold: no location}]);
nginx_has('another location before it', [], { after => 'location = /webhooks/calls { return 204; }' },
    ['fail', qr{/webhooks/calls does not lead to hookspoold: location = /webhooks/calls takes it}]);
nginx_has('an expression before it', [[qr/\^~ /, '']], { after => 'location ~ ^/webhooks/c { return 204; }' },
    ['fail', qr{/webhooks/calls does not lead .* location ~}]);
nginx_has('one that does not count', [], { after => 'location ~ ^/webhooks/c { return 204; }' }, ['ok', qr{/webhooks/calls is taken}]);
nginx_has('one that is not understood', [[qr/\^~ /, '']], { after => 'location ~ (?!x)y { return 204; }' },
    ['warn', qr{/webhooks/calls is taken .* unless a regular expression}]);
nginx_has('an answer of the server\'s', [], { before => 'return 301 https://$host$request_uri;' }, ['fail', qr/return '301'/]);
nginx_has('an answer of the location\'s', [['fastcgi_pass', 'return 204; fastcgi_pass']], {}, ['fail', qr/return '204'/]);
nginx_has('a password', [], { before => 'auth_basic x;' }, ['fail', qr/auth_basic 'x': a sender has no password/]);
nginx_has('none in the location', [['fastcgi_pass', 'auth_basic off; fastcgi_pass']], { before => 'auth_basic x;' }, ['ok', qr/bodies up to/]);
nginx_has('some addresses', [], { before => 'allow 192.0.2.1; deny all;' }, ['warn', qr/only some addresses/]);
nginx_has('no POST', [['fastcgi_pass', 'limit_except GET { deny all; } fastcgi_pass']], {}, ['fail', qr/POST is not among/]);
nginx_has('POST alone', [['fastcgi_pass', 'limit_except POST { deny all; } fastcgi_pass']], {}, ['ok', qr/bodies up to/]);
nginx_has('internal', [['fastcgi_pass', 'internal; fastcgi_pass']], {}, ['fail', qr/nobody from outside/]);
nginx_has('an event twice', [['next_upstream off', 'next_upstream error non_idempotent']], {}, ['warn', qr/non_idempotent/]);
nginx_has('kept connections', [[qr/unix:\/run[^;]*/, 'several'], ['#fastcgi_keep_conn', 'fastcgi_keep_conn']], {}, ['ok', qr/bodies up to/]);
nginx_has('kept without an upstream', [['#fastcgi_keep_conn', 'fastcgi_keep_conn']], {}, ['warn', qr/names no upstream/]);
nginx_has('an upstream without keeping', [[qr/unix:\/run[^;]*/, 'several']], {}, ['warn', qr/fastcgi_keep_conn is off/]);
nginx_has('another socket', [], { options => ['-s', '/run/other.sock'] }, ['fail', qr{passes requests to '/run/hookspool/hookspool\.sock', not to '/run/other\.sock'}]);
nginx_has('a broken file', [[qr/\}\s*\z/, '']], { broken => 1 }, ['warn', qr/snippet:\d+: the file ends before 'location' does/]);
{
    write_nginx([[qr/\/run\/hookspool\/hookspool\.sock/, '/run/other.sock']]);
    spew("$dir/nginx/nginx.conf", slurp("$dir/nginx/nginx.conf") =~ s/upstream.*\n//r);
    my ($code, $found) = check('--nginx', "$dir/nginx/nginx.conf");
    is($code, 78, 'a configuration that is about something else: 78');
    has($found, 'fail', 'nginx', qr/nothing in .* passes requests to hookspoold/, 'it is told');
    ($code, $found) = check('--nginx', "$dir/nginx/nginx.conf", '-s', '/run/other.sock');
    has($found, 'ok', 'nginx', qr/bodies up to 1m/, 'a socket of another name is found when it is named');
    ($code, $found) = check('--nginx', "$dir/none.conf");
    is($code, 78, 'a configuration that is not there: 78');
    has($found, 'warn', 'nginx', qr/cannot read .*none\.conf/, 'it is told');
}

# ---- Apache, each fault

my $apache = find_program(qw(apache2 httpd));
my ($modules) = grep { -d } map { "/usr/$_/modules" } qw(lib/apache2 lib64/httpd lib/httpd);
mkdir "$dir/apache" and own("$dir/apache");

# A configuration around a snippet, with edits and with lines before it in the virtual host.
sub write_apache {
    my ($kind, $edits, %more) = @_;
    my ($text, $program) = (bare(top_src('apache', "hookspool-$kind.conf")), hookspoold());
    $text =~ s{"/usr/local/sbin/hookspoold -n 1"}{"'$program' -n 1"};
    $text =~ s{/usr/local/sbin/hookspoold}{$program};
    for (['/etc/hookspool/hookspool.conf', qq("$conf")], @$edits) {
        my ($from, $to) = @$_;
        next if $text =~ s/$from/$to/;
        die "the snippet has no $from\n" if $from !~ /^\/etc/;
    }
    $text =~ s/InitialEnv HOOKSPOOL_CONF="(.*)"/InitialEnv "HOOKSPOOL_CONF=$1"/;
    my @wanted = grep { -e ($modules // '') . "/mod_$_.so" }
      qw(mpm_event authz_core authz_host alias env proxy proxy_fcgi fcgid cgid reqtimeout);
    my $load = join '', map { qq(LoadModule ${_}_module "$modules/mod_$_.so"\n) }
      grep { !($more{without} // '') || $_ ne $more{without} } @wanted;
    spew("$dir/apache/hooks.conf", $text);
    spew("$dir/apache/apache.conf", <<"CONF");
ServerRoot "$dir/apache"
$load
Define where 127.0.0.1:1
Listen \${where}
ServerName localhost
ErrorLog "$dir/apache/log"
<IfModule mod_cgid.c>
ScriptSock "$dir/apache/cgid.sock"
</IfModule>
@{[$more{main} // '']}
<VirtualHost \${where}>
    @{[$more{host} // '']}
    IncludeOptional ho*.conf
</VirtualHost>
CONF
    return;
}

sub apache_has {
    my ($what, $kind, $edits, $more, @want) = @_;
    write_apache($kind, $edits, %$more);
    if ($apache && $modules && !$more->{broken}) {
        my ($code, $out, $err) = run([$apache, '-t', '-f', "$dir/apache/apache.conf"]);
        is($code, 0, "$kind, $what: Apache takes it") or diag($out . $err);
    }
    my ($code, $found) = check('--apache', "$dir/apache/apache.conf", @{ $more->{options} // [] });
    has($found, $_->[0], 'apache', $_->[1], "$kind, $what") for @want;
    my @failed = grep { $_->[0] eq 'fail' } @want;
    my $counted = grep { $_->{level} eq 'fail' && $_->{check} eq 'apache' } @$found;
    is($counted, scalar @failed, "$kind, $what: and nothing else fails")
      or diag(map { "$_\n" } faults($found, 'apache'));
    return;
}

apache_has('in order', $_, [], {}, ['ok', qr/waits 12 s for an answer/], ['ok', qr{/webhooks/in/large is taken}]) for qw(proxy fcgid cgi);

apache_has('the time of the server', 'proxy', [['timeout=12 ', '']], { host => 'Timeout 5' }, ['warn', qr/Timeout \(5 s\) is not above .* \(10 s\)/]);
apache_has('ProxyTimeout', 'proxy', [['timeout=12 ', '']], { main => 'Timeout 5', host => 'ProxyTimeout 30' }, ['ok', qr/waits 30 s/]);
apache_has('the default time', 'proxy', [['timeout=12 ', '']], {}, ['ok', qr/waits 60 s/]);
apache_has('a short time', 'proxy', [['timeout=12', 'timeout=10']], {}, ['warn', qr/timeout \(10 s\) is not above/]);
apache_has('a pause after a failure', 'proxy', [['retry=0', '']], {}, ['warn', qr/retry is 60 s, the default/]);
apache_has('its own error pages', 'proxy', [['Override Off', 'Override On']], {}, ['warn', qr/ProxyErrorOverride is on/]);
apache_has('no module', 'proxy', [['ProxyFCGIBackendType GENERIC', '']], { without => 'proxy_fcgi' }, ['fail', qr/mod_proxy_fcgi is not loaded/])
    if $modules;
apache_has('some addresses', 'proxy', [['all granted', 'ip 192.0.2.1']], {}, ['warn', qr/only some addresses/]);
apache_has('nobody', 'proxy', [['all granted', 'all denied']], {}, ['fail', qr/Require all denied/]);
apache_has('an endpoint that is none', 'proxy', [['#SetEnv HOOKSPOOL_ENDPOINT levers', 'SetEnv HOOKSPOOL_ENDPOINT levers']], {},
    ['fail', qr/names 'levers'/], ['fail', qr{/webhooks/calls does not lead}], ['fail', qr{/webhooks/in/large does not lead}]);
apache_has('an endpoint that is chosen', 'proxy', [['#SetEnv HOOKSPOOL_ENDPOINT levers', 'SetEnv HOOKSPOOL_ENDPOINT calls'],
        ['/webhooks/', '/secret']], {}, ['ok', qr{/webhooks/calls is taken}], ['fail', qr{/webhooks/in/large does not lead}]);
apache_has('another path', 'proxy', [['Location "/webhooks/"', 'Location "/hooks/"']], {},
    ['fail', qr{/webhooks/calls does not lead}], ['fail', qr{/webhooks/in/large does not lead}]);
apache_has('without a Location', 'proxy', [[qr/<Location.*<\/Location>/s,
        'ProxyPass /webhooks unix:/run/hookspool/hookspool.sock|fcgi://hookspool/webhooks timeout=12 retry=0']], {},
    ['ok', qr{/webhooks/calls is taken by ProxyPass}]);
apache_has('by a handler', 'proxy', [[qr/ProxyPass "([^"]*)"[^\n]*/, 'SetHandler "proxy:unix:/run/hookspool/hookspool.sock|fcgi://hs/"']],
    { host => 'ProxyTimeout 12' }, ['ok', qr/waits 12 s/]);
apache_has('an expression', 'proxy', [['<Location "/webhooks/"', '<LocationMatch "^/webhooks/(?!x)"'], ['ProxyPass "', 'ProxyPassMatch "'],
        ['</Location>', '</LocationMatch>']], {}, ['warn', qr{whether /webhooks/calls leads to hookspoold cannot be told}]);
apache_has('a slow sender', 'proxy', [], { host => 'RequestReadTimeout body=5' }, ['warn', qr/gives a body 5 s, and .* takes 17/]);
apache_has('one that is slow and steady', 'proxy', [], { host => 'RequestReadTimeout header=20 body=5,MinRate=500' }, ['ok', qr/waits 12 s/]);
apache_has('a slow one with an end', 'proxy', [], { host => 'RequestReadTimeout body=5-9,MinRate=500' }, ['warn', qr/gives a body 9 s/]);

apache_has('the default length', 'fcgid', [[qr/FcgidMaxRequestLen$line/, '']], {}, ['fail', qr/bodies above 128K, the default, get 500 from mod_fcgid/]);
apache_has('a length that is too small', 'fcgid', [['FcgidMaxRequestLen 16777216', 'FcgidMaxRequestLen 1048575']], {}, ['fail', qr/get 500/]);
apache_has('the length of the server', 'fcgid', [[qr/FcgidMaxRequestLen$line/, '']], { main => 'FcgidMaxRequestLen 1048576' }, ['ok', qr/by mod_fcgid/]);
apache_has('a limit', 'fcgid', [['LimitRequestBody 0', 'LimitRequestBody 2000000']], {}, ['warn', qr/takes its refusal for the end/]);
apache_has('a limit that is too small', 'fcgid', [['LimitRequestBody 0', 'LimitRequestBody 1000']], {}, ['fail', qr/bodies above 1000 are refused/]);
apache_has('no ExecCGI', 'fcgid', [[qr/Options \+ExecCGI/, '']], {}, ['fail', qr/no ExecCGI/]);
apache_has('no handler', 'fcgid', [['SetHandler fcgid-script', '']], {}, ['warn', qr/no SetHandler/]);
apache_has('a file at the path', 'fcgid', [['-n 1" virtual', '-n 1"']], {}, ['warn', qr/lacks "virtual"/]);
apache_has('a short time', 'fcgid', [['IOTimeout 12', 'IOTimeout 8']], {}, ['warn', qr/IOTimeout \(8 s\)/]);
apache_has('the time of the server', 'fcgid', [[qr/FcgidCmdOptions.*?RequestsPerProcess 0\n/s, qq(FcgidInitialEnv HOOKSPOOL_CONF "$conf"\n)]],
    { main => 'FcgidIOTimeout 20' }, ['ok', qr/waits 20 s/]);
apache_has('the default time', 'fcgid', [['IOTimeout 12 ', '']], { main => 'FcgidIOTimeout 5' }, ['ok', qr/waits 40 s/]);
apache_has('another configuration', 'fcgid', [["HOOKSPOOL_CONF=\"\Q$conf\E\"", 'HOOKSPOOL_CONF=/etc/other.conf']], {}, ['warn', qr{is started with '/etc/other\.conf'}]);
apache_has('another user', 'fcgid', [], { main => 'User daemon' }, ['fail', qr/Apache starts hookspoold as daemon/]);
apache_has('nobody said who', 'fcgid', [['Require all granted', '']], {}, ['warn', qr/nothing says who may send/]);

apache_has('a limit that is too small', 'cgi', [['LimitRequestBody 1048576', 'LimitRequestBody 524288']], {}, ['fail', qr/bodies above 512K are refused/]);
apache_has('no limit', 'cgi', [['LimitRequestBody 1048576', 'LimitRequestBody 0']], {}, ['ok', qr/by CGI/]);
apache_has('the default', 'cgi', [[qr/LimitRequestBody$line/, '']], {}, ['ok', qr/by CGI/]);
apache_has('the limit of the server', 'cgi', [[qr/LimitRequestBody$line/, '']], { main => 'LimitRequestBody 1000' }, ['fail', qr/bodies above 1000/]);
apache_has('a short time', 'cgi', [['CGIDScriptTimeout 12', 'CGIDScriptTimeout 2']], {}, ['warn', qr/CGIDScriptTimeout \(2 s\)/]);
apache_has('the time of the server', 'cgi', [[qr/CGIDScriptTimeout$line/, '']], { main => 'Timeout 40' }, ['ok', qr/waits 40 s/]);
apache_has('no configuration', 'cgi', [[qr/SetEnv HOOKSPOOL_CONF$line/, '']], {}, ['warn', qr{is started with '.*/hookspool\.conf'}]);
apache_has('a broken file', 'cgi', [['</Location>', '']], { broken => 1 }, ['warn', qr/hooks\.conf:\d+: <Location> is never closed/]);
{
    spew("$dir/apache/other.conf", "ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/\n");
    my ($code, $found) = check('--apache', "$dir/apache/other.conf");
    is($code, 78, 'a configuration that is about something else: 78');
    has($found, 'fail', 'apache', qr/nothing in .* leads to hookspoold/, 'it is told');
}

done_testing();
