# SPDX-License-Identifier: LGPL-2.1-or-later
# suite: vm-next
# deadline: 400
#
# A thousand leases, and the daemon is what it was.

LEASES=1000
. guest/cycles.sh
