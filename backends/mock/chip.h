/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interrupt controllers inside the mock, for irqchip=split and kernel: local
 * APICs with their timers, and with kernel an IO-APIC and a pair of PICs.
 * Written apart from lib/devices, so that one can be held against the other.
 * Intel SDM vol. 3, chapter 11; 82093AA; 8259A.
 *
 * What no program needs is not there: thermal, performance and machine-check
 * interrupts and the error interrupt have their registers and never come, and
 * the local APIC's page stays where it is.
 */

#include "backends/mock/machine.h"

#define APIC_BASE_BSP UINT64_C(0x100)
#define APIC_BASE_X2APIC UINT64_C(0x400)
#define APIC_BASE_ENABLE UINT64_C(0x800)
#define MSR_TSC_DEADLINE 0x6e0u
#define X2APIC_MSR_FIRST 0x800u
#define X2APIC_MSR_COUNT 0x100u

/* The virtual wire that firmware leaves behind: the PIC reaches the boot processor. */
#define LAPIC_LINT0_WIRE 0x700u

/* Intel SDM vol. 3, 11.4.8: with six or seven entries in the local vector table, and perhaps EOIs without broadcast. */
uint32_t chip_lapic_version(const struct vmr_backend_vm *vm);

enum vmr_status chip_create(struct vmr_backend_vm *vm, struct vmr_error *err);
void chip_destroy(struct chip *chip); /* NULL is fine */

/* --- any thread --- */

/* False: no local APIC takes it. */
bool chip_msi(struct vmr_backend_vm *vm, const struct vmr_msi *msi);
bool chip_irq(struct vmr_backend_vm *vm, uint32_t gsi, bool level);
bool chip_lint(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint);
bool chip_set_route(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi);

/* --- the VP's thread --- */

/* The guest touched `gpa`. False: not a register of these controllers. */
bool chip_load(struct vmr_backend_vp *vp, vmr_gpa gpa, unsigned size, uint8_t *ret_bytes);
bool chip_store(struct vmr_backend_vp *vp, vmr_gpa gpa, unsigned size, const uint8_t *bytes);
/* An x2APIC MSR. False: #GP. */
bool chip_read_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value);
bool chip_write_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value);
/* The guest touched a port. False: not the PIC's, or it is not in the hypervisor. */
bool chip_in(struct vmr_backend_vp *vp, uint16_t port, uint8_t size, uint64_t *ret_value);
bool chip_out(struct vmr_backend_vp *vp, uint16_t port, uint8_t size, uint64_t value);
/* IA32_APIC_BASE may have changed. Also without these controllers. */
void chip_base_changed(struct vmr_backend_vp *vp);
/* CR8, which is the upper half of the local APIC's task priority (11.8.6). Only with these controllers. */
uint8_t chip_read_cr8(const struct vmr_backend_vp *vp);
void chip_write_cr8(struct vmr_backend_vp *vp, uint8_t cr8);
/* Takes in INIT, SIPI and NMI, after ATTENTION_INTERRUPT. */
void chip_take(struct vmr_backend_vp *vp);
/* The vector to deliver now, which becomes one in service; -1: none. */
int chip_accept(struct vmr_backend_vp *vp);

/* --- the timer: the VP's thread --- */

/* When chip_run_timer has something to do; VMR_NEVER: no timer runs, or there are no such controllers. */
uint64_t chip_timer_due(const struct vmr_backend_vp *vp);
void chip_run_timer(struct vmr_backend_vp *vp);
/* The time-stamp counter, which runs where these controllers are, and IA32_TSC_DEADLINE. */
uint64_t chip_read_tsc(const struct vmr_backend_vp *vp);
void chip_write_tsc(struct vmr_backend_vp *vp, uint64_t value);
uint64_t chip_read_deadline(const struct vmr_backend_vp *vp);
void chip_write_deadline(struct vmr_backend_vp *vp, uint64_t value);
