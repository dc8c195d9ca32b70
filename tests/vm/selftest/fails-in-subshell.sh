# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail

it=$(assert_eq one two && echo three)
echo "$it"
