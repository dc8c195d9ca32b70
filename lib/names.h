/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Every name that is on the wire, in the journal or in the environment: daemon, library and tests take them
 * from here and spell none of them twice. The contract itself is dbus/ *.xml.
 */

#define IOMMUD_BUS_NAME "org.iommud1"
#define IOMMUD_PATH "/org/iommud1"
#define IOMMUD_PATH_GROUP IOMMUD_PATH "/group"
#define IOMMUD_PATH_DEVICE IOMMUD_PATH "/device"
#define IOMMUD_PATH_LEASE IOMMUD_PATH "/lease"

#define IOMMUD_INTERFACE_MANAGER "org.iommud1.Manager"
#define IOMMUD_INTERFACE_GROUP "org.iommud1.Group"
#define IOMMUD_INTERFACE_DEVICE "org.iommud1.Device"
#define IOMMUD_INTERFACE_LEASE "org.iommud1.Lease"

/* Errors: each means one thing. A refusal of the kernel is never one of policy. */
#define IOMMUD_ERROR_PREFIX "org.iommud1.Error."
#define IOMMUD_ERROR_NO_SUCH_DEVICE IOMMUD_ERROR_PREFIX "NoSuchDevice"
#define IOMMUD_ERROR_NOT_VIABLE IOMMUD_ERROR_PREFIX "NotViable"
#define IOMMUD_ERROR_HOST_IN_USE IOMMUD_ERROR_PREFIX "HostInUse"
#define IOMMUD_ERROR_DENIED IOMMUD_ERROR_PREFIX "Denied"
#define IOMMUD_ERROR_AUTHORIZATION_REQUIRED IOMMUD_ERROR_PREFIX "AuthorizationRequired"
#define IOMMUD_ERROR_QUARANTINED IOMMUD_ERROR_PREFIX "Quarantined"
#define IOMMUD_ERROR_TAKEN IOMMUD_ERROR_PREFIX "Taken"
#define IOMMUD_ERROR_QUOTA IOMMUD_ERROR_PREFIX "Quota"
#define IOMMUD_ERROR_DRAINING IOMMUD_ERROR_PREFIX "Draining"
#define IOMMUD_ERROR_KERNEL_FAILED IOMMUD_ERROR_PREFIX "KernelFailed"
#define IOMMUD_ERROR_NOT_SUPPORTED IOMMUD_ERROR_PREFIX "NotSupported"
#define IOMMUD_ERROR_INVALID_OPTION IOMMUD_ERROR_PREFIX "InvalidOption"
#define IOMMUD_ERROR_INVALID_SELECTOR IOMMUD_ERROR_PREFIX "InvalidSelector"
#define IOMMUD_ERROR_NO_SUCH_OBJECT IOMMUD_ERROR_PREFIX "NoSuchObject"
#define IOMMUD_ERROR_IN_USE IOMMUD_ERROR_PREFIX "InUse"
#define IOMMUD_ERROR_REVOKED IOMMUD_ERROR_PREFIX "Revoked"
#define IOMMUD_ERROR_INVALID_POLICY IOMMUD_ERROR_PREFIX "InvalidPolicy"

/* What polkit is asked where the policy says "ask", see dbus/org.iommud1.policy */
#define IOMMUD_POLKIT_ACTION "org.iommud1.acquire"

/* Options of Acquire and Plan */
#define IOMMUD_OPTION_MODE "mode"
#define IOMMUD_OPTION_ACCOUNTING "accounting"
#define IOMMUD_OPTION_HOLDER "holder"
#define IOMMUD_OPTION_DOMAIN "domain"
#define IOMMUD_OPTION_RAM "ram"
/* of Plan alone */
#define IOMMUD_OPTION_EXPLAIN "explain"
#define IOMMUD_OPTION_AS "as"

/* Options of domains and address spaces, in Acquire and in methods of the lease */
#define IOMMUD_DOMAIN_KIND "kind"
#define IOMMUD_DOMAIN_DIRTY_TRACKING "dirty_tracking"
#define IOMMUD_DOMAIN_PASID "pasid"
#define IOMMUD_DOMAIN_FAULT_QUEUE "fault_queue"
#define IOMMUD_DOMAIN_IOVA_WINDOWS "iova_windows"
#define IOMMUD_DOMAIN_HUGE_PAGES "huge_pages"
#define IOMMUD_DOMAIN_DATA_TYPE "data_type"
#define IOMMUD_DOMAIN_DATA "data"
/* Options of virtual IOMMUs, beside data, and of their queues */
#define IOMMUD_DOMAIN_TYPE "type"
#define IOMMUD_DOMAIN_DEPTH "depth"

/* Options of Release */
#define IOMMUD_OPTION_REQUEST "request"
#define IOMMUD_OPTION_DEADLINE "deadline"
#define IOMMUD_OPTION_REASON "reason"
#define IOMMUD_OPTION_KILL "kill"

/* Signals of the Lease, to its holder alone */
#define IOMMUD_SIGNAL_RELEASE_REQUESTED "ReleaseRequested"
#define IOMMUD_SIGNAL_DEVICE_GONE "DeviceGone"
#define IOMMUD_SIGNAL_GROUP_GREW "GroupGrew"

/* Options of Claim */
#define IOMMUD_OPTION_PERSISTENT "persistent"
#define IOMMUD_OPTION_ACCEPT "accept"

/* Roles of file descriptors: in the reply of Acquire and in LISTEN_FDNAMES of "iommuctl run" */
#define IOMMUD_FD_LIFELINE "lifeline"
#define IOMMUD_FD_IOMMUFD "iommufd"
#define IOMMUD_FD_DEVICE_PREFIX "device:"
#define IOMMUD_FD_FAULT_QUEUE "fault-queue"
#define IOMMUD_FD_EVENT_QUEUE "event-queue"
#define IOMMUD_FD_FAULT_QUEUE_PREFIX IOMMUD_FD_FAULT_QUEUE ":"

/*
 * A message carries at most this many devices: dbus-daemon disconnects the *sender* of more than 16 fds in
 * one message (max_message_unix_fds of its system.conf), and a reply needs two more than it has devices.
 */
#define IOMMUD_DEVICES_MAX 8

/* Identifiers of the journal's messages, see systemd/iommud.catalog */
#define IOMMUD_MESSAGE_GRANT "8e5d87161f1648eab81483d830cb9e62"
#define IOMMUD_MESSAGE_DENIAL "9e4e161e6a9e49cda874fd6df3c36848"
#define IOMMUD_MESSAGE_END "9f00f3e3f37641368df8448dbbb8a9d5"
#define IOMMUD_MESSAGE_REVOKE "aa9cc1e0274040168c23cd72989a30ca"
#define IOMMUD_MESSAGE_RESET "2960011da8a54a2bbfe5cf029e0c3fa9"
#define IOMMUD_MESSAGE_RELEASE "161b847623214f549687a616adea6487"
#define IOMMUD_MESSAGE_FAILURE "a2d347995d6a4910a99503e4aba5ada3"
#define IOMMUD_MESSAGE_STUCK "69725fb8c2d448e3be00737a6b16303f"
#define IOMMUD_MESSAGE_STALE "a97b24d0789e472c9dc8914dcc397cb1"
#define IOMMUD_MESSAGE_REQUEST "77bdb1b0b6ac403ab550ccaed951e737"
#define IOMMUD_MESSAGE_KILL "008322affa364996b31bbcaa1b81d37e"
#define IOMMUD_MESSAGE_GROWTH "d17414ef1c7c49ceaf37b6a3937021c9"
#define IOMMUD_MESSAGE_QUARANTINE "c8b6f06c48994a71a4d6cae903f70aac"
#define IOMMUD_MESSAGE_CLEARANCE "e48eb0e8afab4e2eb4b0a2f58ff59207"
#define IOMMUD_MESSAGE_CLAIM "087ca4f0e3c94f9a9abe22b4223111b6"
#define IOMMUD_MESSAGE_CLAIM_FAILED "0c63e72ac5f242098238522df0ba53d8"
#define IOMMUD_MESSAGE_CLAIM_RELEASED "4aace6afb5384bd3a071ac6353d26190"
#define IOMMUD_MESSAGE_MEMLOCK "26c3ac46d0a64d5aa5ae1dda5e2c9d1d"
#define IOMMUD_MESSAGE_POLICY "13e76350934d44deb269bb1b39a7da91"

/* What IOMMUD_EVENT= of these messages says, each with a message id of its own */
#define IOMMUD_EVENT_GRANT "grant"
#define IOMMUD_EVENT_DENIAL "denial"
#define IOMMUD_EVENT_FAILURE "failure"
#define IOMMUD_EVENT_END "end"
#define IOMMUD_EVENT_REVOKE "revoke"
#define IOMMUD_EVENT_RESET "reset"
#define IOMMUD_EVENT_RELEASE "release"
#define IOMMUD_EVENT_STUCK "stuck"
#define IOMMUD_EVENT_STALE "stale"
#define IOMMUD_EVENT_REQUEST "request"
#define IOMMUD_EVENT_KILL "kill"
#define IOMMUD_EVENT_GROWTH "growth"
#define IOMMUD_EVENT_QUARANTINE "quarantine"
#define IOMMUD_EVENT_CLEARANCE "clearance"
#define IOMMUD_EVENT_CLAIM "claim"
#define IOMMUD_EVENT_CLAIM_FAILED "claim-failed"
#define IOMMUD_EVENT_CLAIM_RELEASED "claim-released"
#define IOMMUD_EVENT_MEMLOCK "memlock"
#define IOMMUD_EVENT_POLICY "policy"
