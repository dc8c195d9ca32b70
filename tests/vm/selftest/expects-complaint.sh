# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: pass
# expect: kernel-warning

echo "WARNING: made up" >/dev/kmsg
