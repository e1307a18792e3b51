/* SPDX-License-Identifier: MIT */
/*
 * A firmware image of 64 KiB that touches what SeaBIOS leaves alone: it prints
 * on the serial port as a terminal driver does, looks behind what it writes,
 * moves strings through ports, and sleeps until the timer's interrupts. It runs
 * in real mode; its last word to the host is the debug exit.
 */

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CMOS_SCRATCH 0x40
#define PIC 0x20
#define PIC_MASK 0x21
#define PIC_BASE 0x20 /* the vector of line 0 */
#define PIT_COUNT 0x40
#define PIT_CONTROL 0x43
#define SERIAL 0x3f8
#define SERIAL_MCR 0x3fc
#define SERIAL_LSR 0x3fd
#define CONFIG_SELECT 0x510
#define CONFIG_DATA 0x511
#define DEBUG_CONSOLE 0x402
#define DEBUG_EXIT 0xf4

#define TICKS 3
#define TICKS_SEEN 0x500 /* a byte of RAM that the handler counts in */
#define BUFFER 0x600
#define STACK 0x7000

    .code16
    .text
    .globl _start
_start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $STACK, %sp

    /* A byte of CMOS is what was written, and its neighbour is not. */
    movb $CMOS_SCRATCH, %al
    outb %al, $CMOS_INDEX
    movb $0x5a, %al
    outb %al, $CMOS_DATA
    inb $CMOS_DATA, %al
    movb $CMOS_SCRATCH + 1, %al
    outb %al, $CMOS_INDEX
    inb $CMOS_DATA, %al
    /* The clock, so that the recording holds a time. */
    xorb %al, %al
    outb %al, $CMOS_INDEX
    inb $CMOS_DATA, %al

    /* Print, waiting before each character until the transmitter is empty. */
    movw $serial_text, %si
print:
    movw $SERIAL_LSR, %dx
busy:
    inb %dx, %al
    testb $0x20, %al
    jz busy
    movb %cs:(%si), %al
    incw %si
    testb %al, %al
    jz printed
    movw $SERIAL, %dx
    outb %al, %dx
    jmp print
printed:

    /* Loopback: what is sent comes back. */
    movw $SERIAL_MCR, %dx
    movb $0x10, %al
    outb %al, %dx
    movw $SERIAL, %dx
    movb $'V', %al
    outb %al, %dx
    movw $SERIAL_LSR, %dx
    inb %dx, %al
    movw $SERIAL, %dx
    inb %dx, %al
    movw $SERIAL_MCR, %dx
    xorb %al, %al
    outb %al, %dx

    /* Strings in and out. */
    movw $CONFIG_SELECT, %dx
    xorw %ax, %ax
    outw %ax, %dx
    movw $CONFIG_DATA, %dx
    movw $BUFFER, %di
    movw $4, %cx
    rep insb
    movw $BUFFER, %si
    movw $4, %cx
    movw $DEBUG_CONSOLE, %dx
    rep outsb
    movw $debug_text, %si
    movw $debug_text_end - debug_text, %cx
    rep outsb %cs:(%si), %dx

    /* Some ticks of the timer, through the interrupt controller. */
    movb $0, TICKS_SEEN
    movw $tick, PIC_BASE * 4
    movw %cs, PIC_BASE * 4 + 2
    movb $0x11, %al
    outb %al, $PIC
    movb $PIC_BASE, %al
    outb %al, $PIC_MASK
    movb $0x04, %al
    outb %al, $PIC_MASK
    movb $0x01, %al
    outb %al, $PIC_MASK
    movb $0xfe, %al
    outb %al, $PIC_MASK
    movb $0x34, %al
    outb %al, $PIT_CONTROL
    xorb %al, %al
    outb %al, $PIT_COUNT
    movb $0x10, %al
    outb %al, $PIT_COUNT
sleep:
    sti
    hlt
    cli
    cmpb $TICKS, TICKS_SEEN
    jb sleep

    movw $DEBUG_EXIT, %dx
    movl $0x600d, %eax
    outl %eax, %dx
halt:
    hlt
    jmp halt

tick:
    pushw %ax
    incb TICKS_SEEN
    movb $0x20, %al
    outb %al, $PIC
    popw %ax
    iret

serial_text:
    .asciz "serial: one character at a time\r\n"
debug_text:
    .ascii " signs the configuration device\n"
debug_text_end:

    /* Here the processor begins; two bytes end the segment where it wraps to _start. */
    .org 0xfff0
    jmp _start
    .org 0xffff
    .byte 0
