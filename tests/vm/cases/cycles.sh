# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-next
# deadline: 120
#
# Three hundred leases, and the daemon is what it was. With sanitizers, which find what is lost by themselves, fewer.

LEASES=300
if ((LAB_SANITIZER)); then
        LEASES=100
fi
. guest/cycles.sh
