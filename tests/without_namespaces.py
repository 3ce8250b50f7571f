#!/usr/bin/env python3
"""Runs a program as on a machine that refuses namespaces and mounts, such as a container with Docker's default profile.

usage: tests/without_namespaces.py PROGRAM [ARGUMENT ...]
"""
import ctypes
import errno
import os
import struct
import sys

# Source: kernel, arch/x86/entry/syscalls/syscall_64.tbl.
REFUSED = {"mount": 165, "umount2": 166, "pivot_root": 155, "setns": 308, "unshare": 272, "open_tree": 428,
           "move_mount": 429, "fsopen": 430, "mount_setattr": 442}
CLONE, CLONE3 = 56, 435
NAMESPACES = 0x7E020000  # CLONE_NEW* but CLONE_NEWTIME
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def program():
    code = [(LOAD, 0, 0, 0)]  # the call's number
    for number in REFUSED.values():
        code += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | errno.EPERM)]
    code += [(JUMP_EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, ERRNO | errno.ENOSYS),
             (JUMP_EQUAL, 0, 3, CLONE), (LOAD, 0, 0, 16), (JUMP_SET, 0, 1, NAMESPACES),
             (RETURN, 0, 0, ERRNO | errno.EPERM), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code), len(code)


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    code, count = program()
    memory = ctypes.create_string_buffer(code)
    filter_program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", count, ctypes.addressof(memory)))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0):
        sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
    os.execv(sys.argv[1], sys.argv[1:])


main()
