# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail

# A command that fails is a failure, also where no helper looks at it
false
true
