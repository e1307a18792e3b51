/* SPDX-License-Identifier: MIT */
/*
 * The mutator of recordings for target replay: every kind of record, the VPs'
 * own as VP 0's.
 */

#include "fuzz/fuzz.h"
#include "fuzz/mutators/lines.h"

static const char *const records[] = {
    "vp0 enter",
    "vp1 enter",
    "vp2 enter",
    "vp0 exit io read port=0x71 size=1",
    "vp0 exit io write port=0x70 size=1 value=0x0",
    "vp0 exit io read port=0x511 size=1 count=4 string",
    "vp0 exit io write port=0x43 size=1 value=0x34",
    "vp0 exit io write port=0x40 size=1 value=0x10",
    "vp0 exit mmio read gpa=0xfee00020 size=4",
    "vp0 exit mmio write gpa=0xfee000f0 size=4 value=0x1ff",
    "vp0 exit mmio write gpa=0xfee00310 size=4 value=0x1000000",
    "vp0 exit mmio write gpa=0xfee00300 size=4 value=0x4500",
    "vp0 exit mmio write gpa=0xfee00300 size=4 value=0x4608",
    "vp0 exit mmio write gpa=0xfee00320 size=4 value=0x20020",
    "vp0 exit mmio write gpa=0xfee00380 size=4 value=0x1000",
    "vp0 exit msr read index=0x1b",
    "vp0 exit halt",
    "vp0 exit halt ready",
    "vp0 exit cancel",
    "vp0 exit irq-window ready",
    "vp0 exit shutdown",
    "vp0 exit system-event event=power-off",
    "vp0 exit io write port=0xf4 size=4 value=0x1",
    "vp0 complete none",
    "vp0 complete mmio read gpa=0xfee00020 size=4",
    "vp0 leave why=stop",
    "vp0 leave why=kick",
    "vp0 leave why=yield",
    "vp0 leave why=step",
    "vp1 leave why=yield",
    "vp0 ~ halt",
    "vp1 ~ halt",
    "vp0 park result=woken",
    "vp0 park result=timeout",
    "vp0 park result=deadlock",
    "vp1 park result=woken",
    "vp0 time ns=1000000",
    "vp0 time ns=2000000",
    "vm async what=irq a=4 b=1",
    "vm async what=irq a=0 b=0",
    "vm async what=wake a=0 b=0",
    "vm async what=wake a=1 b=0",
    "vm async what=nmi a=0 b=0",
    "vm async what=lint a=0 b=1",
    "vm async what=msi a=0xfee00000 b=0x30",
    "vp0 regs rip=0xfff0 rflags=0x2",
    "vp0 msr index=0x1b value=0",
    "vp0 status op=get-regs status=host",
    "vp0 read gpa=0 bytes=00000000",
    "vp0 fetch-or gpa=0 width=4 mask=1 old=0",
    "vp0 ~ answer value=0x26",
    "vp0 ~ answer-bytes bytes=51454d55",
    "vp0 ~ interrupt vector=0x20",
    "vp0 ~ nmi",
    "vp0 ~ window wanted=1",
    "vp0 ~ tpr value=0",
    "vp0 ~ set-regs rip=0xfff0 rflags=0x2",
    "vm message vp=0 vtl=0 sint=2 type=0x1 origin=0 bytes=0011",
    "vm event vp=0 vtl=0 sint=3 flag=7",
    "vm call what=port-remove argument=0x100",
    "vm call what=monitor-page argument=0x5000",
    "vm wait",
    "vp0 wait",
    "vp0 xmm bytes=00",
    "vp0 ~ set-xmm bytes=00",
    "vp0 ~ exception vector=0x6",
    "vp0 ~ flush",
    "vp0 ~ protect vtl=0 gpa=0 size=0x1000 access=0x1",
    "vp0 ~ switch-vtl vtl=1 initial=0",
    "vp0 ~ pass-fault",
    "end",
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const struct lines_known known = {records, sizeof(records) / sizeof(records[0])};

    return lines_mutate(&known, data, size, max_size, seed);
}
