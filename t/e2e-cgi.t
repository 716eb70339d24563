#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# The end-to-end file behind Apache as plain CGI, with apache/hookspool-cgi.conf.
use strict;
use warnings;

use FindBin;
require "$FindBin::Bin/e2e.pl";

end_to_end('cgi');
