# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: pass

# leaves-process ran before
assert_fails pgrep --full 'sleep infinity'
