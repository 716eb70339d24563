#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# The end-to-end file behind nginx, over a unix socket, with nginx/hookspool.conf.
use strict;
use warnings;

use FindBin;
require "$FindBin::Bin/e2e.pl";

end_to_end('nginx');
