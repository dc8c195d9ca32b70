# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: pass

# It is ended with the case, by which the next one is not disturbed
setsid sleep infinity &
