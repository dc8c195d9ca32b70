# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: pass

assert true
assert_eq "$(as_user "$LAB_STRANGER_UID" id -u)" "$LAB_STRANGER_UID"
assert_fails as_user "$LAB_STRANGER_UID" cat /etc/shadow
echo lab >"$CASE_DIR/file"
assert_eq "$(cat "$CASE_DIR/file")" lab
