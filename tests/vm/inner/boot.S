/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The first block of the disk that is given away. The firmware of a virtual machine loads it, by DMA, and it goes on
 * with that: it reads from the disk without end, and says so on the serial port once that has worked 64 times. A guest
 * that does DMA, without the time that a kernel takes to boot in a machine that is emulated twice.
 */

        .code16
        .globl _start
_start:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7c00, %sp
        sti
        movb    %dl, drive
        movw    $64, %cx
        movw    $reading, %si

again:
        pushw   %cx
        pushw   %si
        movw    $packet, %si
        movb    drive, %dl
        movb    $0x42, %ah              /* extended read, of what the packet says */
        int     $0x13
        popw    %si
        popw    %cx
        jnc     worked
        movw    $failed, %si
        call    tell
        hlt

worked:
        jcxz    again                   /* told already */
        loop    again
        call    tell
        xorw    %cx, %cx
        jmp     again

tell:
        lodsb
        testb   %al, %al
        jz      told
        movb    %al, %ah
        movw    $0x3fd, %dx
full:
        inb     %dx, %al
        testb   $0x20, %al
        jz      full
        movb    %ah, %al
        movw    $0x3f8, %dx
        outb    %al, %dx
        jmp     tell
told:
        ret

reading:
        .asciz  "boot: reading\r\n"
failed:
        .asciz  "boot: failed\r\n"
drive:
        .byte   0

        .balign 4
packet:
        .byte   16, 0
        .word   8                       /* blocks, to 1000:0000 */
        .word   0, 0x1000
        .quad   8                       /* from this one */

        .org    510
        .byte   0x55, 0xaa
