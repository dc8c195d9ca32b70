# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail

# shellcheck disable=SC2050 # it is wrong on purpose
assert_eq one two
