# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail
# suite: selftest-long
# boot: own
# deadline: 2

# The whole machine stands still; only the deadline outside can end this
qmp '{"execute": "stop"}'
