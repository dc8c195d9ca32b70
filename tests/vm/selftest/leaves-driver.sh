# SPDX-License-Identifier: LGPL-2.1-or-later
# selftest: fail

bind_driver "$LAB_NIC" vfio-pci
