#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# The end-to-end file behind Apache with mod_proxy_fcgi, with apache/hookspool-proxy.conf.
use strict;
use warnings;

use FindBin;
require "$FindBin::Bin/e2e.pl";

end_to_end('proxy-fcgi');
