# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail
# deadline: 2

sleep infinity
