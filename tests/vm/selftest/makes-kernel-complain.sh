# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail

echo "WARNING: made up" >/dev/kmsg
