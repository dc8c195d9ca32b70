# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: skip

skip "there is a reason"
