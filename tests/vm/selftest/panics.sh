# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail
# suite: selftest-long
# boot: own
# deadline: 5

echo c >/proc/sysrq-trigger
