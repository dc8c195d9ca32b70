# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail

echo "made up" >/run/lab-sanitizer/report.1
